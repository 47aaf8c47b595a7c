import fc from 'fast-check'
import { expect, test } from 'vitest'

import { type HeaderCodec, Message, type MessageFields } from '../message/message.ts'
import { messageRecord, type MetaStream, readMessageMeta } from './message-record.ts'

const codecs: HeaderCodec[] = ['one', 'another'].map((id) => ({
  id,
  decode: () => ({ properties: [] }),
  encode: () => new Uint8Array(0),
}))

const BYTES = new Uint8Array(100)

/** Few values of each field, so that neighbours differ in one field or in none. */
const arbitraryLogged = fc.record({
  fields: fc.record({
    topic: fc.constantFrom('a', 'b/c'),
    codec: fc.constantFrom(...codecs),
    bytes: fc.constant(BYTES),
    start: fc.constant(10),
    headerStart: fc.constant(10),
    bodyStart: fc.constantFrom(10, 20),
    end: fc.constant(100),
    assurance: fc.constantFrom(1, 2),
    durable: fc.boolean(),
    retain: fc.boolean(),
    expiresAtMs: fc.constantFrom(0, 0, 1_700_000_000_123),
    publisher: fc.constantFrom('me', 'you', 'me-2', 'üé', 'x', undefined),
    priority: fc.constantFrom(4, 4, 9),
    extras: fc.constantFrom(undefined, undefined, { groupId: 'g' }),
  }) satisfies fc.Arbitrary<MessageFields>,
  queues: fc.constantFrom([7], [7], [8], [7, 8], []),
  mayBeDelivered: fc.boolean(),
})

test('every record says what its own message says, whichever came before', () => {
  fc.assert(
    fc.property(fc.array(arbitraryLogged, { minLength: 1, maxLength: 40 }), (messages) => {
      const records = messages.map(({ fields, queues, mayBeDelivered }) => messageRecord(new Message(fields), queues, mayBeDelivered))
      const read = records.map(({ meta, dest }) => ({ ...readMessageMeta(meta), dest }))
      const said = messages.map(({ fields, queues, mayBeDelivered }) => {
        const { topic, codec, headerStart, bodyStart, assurance, durable, retain, expiresAtMs, publisher, priority, extras } = fields
        const headerBytes = bodyStart - headerStart
        const known = { topic, codecId: codec.id, assurance, durable, retain, expiresAtMs, priority, extras, headerBytes }
        return { ...known, mayBeDelivered, queues, publisher, dest: queues[0] ?? 0 }
      })
      expect(read).toEqual(said)
    }),
  )
})

function message(publisher: string | undefined, at: number = 1): Message {
  return new Message({
    topic: 'a',
    codec: codecs[0]!,
    bytes: BYTES,
    start: at,
    headerStart: at,
    bodyStart: at,
    end: at + 1,
    assurance: 1,
    durable: true,
    retain: false,
    expiresAtMs: 0,
    publisher,
  })
}

test('a stream of messages to one queue shares its metadata, whatever other streams have between', () => {
  const metaOf = (publisher: string | undefined, stream?: MetaStream): Uint8Array =>
    messageRecord(message(publisher), [3], true, undefined, stream).meta
  const [mine, yours]: MetaStream[] = [{ lastMeta: undefined }, { lastMeta: undefined }]
  const first = [metaOf(undefined), metaOf('me', mine), metaOf('you', yours)]
  const second = [metaOf(undefined), metaOf('me', mine), metaOf('you', yours)]
  for (const [index, meta] of first.entries()) expect(second[index]).toBe(meta)
})

test('thousands of publishers are each read back, and one with a name too long to be said is left out', () => {
  const names = Array.from({ length: 2_000 }, (_, index) => `device-${index}`)
  for (let round = 0; round < 2; round++) {
    const metas = names.map((name) => messageRecord(message(name), [3], true).meta)
    expect(metas.map((meta) => readMessageMeta(meta).publisher)).toEqual(names)
  }
  const long = messageRecord(message('x'.repeat(70_000)), [3], true)
  expect(readMessageMeta(long.meta)).toMatchObject({ topic: 'a', publisher: undefined, queues: [3] })
})
