import { Message } from '@ternmq/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AmqpFault } from '../codec/faults.ts'
import { AMQP_HEADER_CODECS, isAmqp } from './headers.ts'
import { readIncoming, toMessage } from './message-in.ts'
import { OutgoingMessage, prepareOutgoing } from './message-out.ts'
import { anyPayload, bytesOfPayload } from '../../test/random-payloads.ts'
import { readSections, Sections } from './sections.ts'

const sections = new Sections()
const out = new OutgoingMessage()
const NOW_MS = 1_700_000_000_000

function receive(bytes: Uint8Array, start = 0, end: number = bytes.length): Message {
  readSections(bytes, start, end, sections)
  return toMessage(readIncoming(sections, bytes), sections, bytes, end, 'a/b', 'p', NOW_MS)
}

/** As the log gives it back: headers and body, and how many of the bytes are headers. */
function stored(message: Message): Message {
  const bytes = new Uint8Array([...message.headerBytes, ...message.body])
  const codec = AMQP_HEADER_CODECS.find(({ id }) => id === message.codec.id)!
  const at = { bytes, start: 0, headerStart: 0, bodyStart: message.headerBytes.length, end: bytes.length }
  const { topic, assurance, durable, retain, expiresAtMs, publisher, priority, extras } = message
  return new Message({ topic, codec, ...at, assurance, durable, retain, expiresAtMs, publisher, priority, extras })
}

function send(message: Message, more: { readonly retained?: boolean; readonly failedCount?: number } = {}): Uint8Array {
  const { retained = false, failedCount = 0 } = more
  prepareOutgoing({ message, redelivered: failedCount > 0, retained, failedCount }, NOW_MS, (name) => name, out)
  return new Uint8Array([...out.prefix.subarray(0, out.prefixEnd), ...out.bytes.subarray(out.start, out.end)])
}

test('message annotations and the bare message come out as they came in, whatever they are, wherever they lay', () => {
  expect.hasAssertions()
  fc.assert(
    fc.property(anyPayload, fc.nat(3), fc.nat(3), (payload, before, behind) => {
      const own = bytesOfPayload(payload)
      const bytes = Buffer.from([
        ...Array.from({ length: before }, () => 0x75),
        ...own,
        ...Array.from({ length: behind }, () => 0),
      ])
      const message = receive(bytes, before, before + own.length)
      message.detach()
      bytes.fill(0xee)
      const kept = Uint8Array.from([...payload.annotations, ...payload.bare])
      for (const each of [message, stored(message)]) {
        const sent = send(each)
        expect(sent.subarray(sent.length - kept.length)).toEqual(kept)
        readSections(sent, 0, sent.length, sections)
        expect(sections.keptStart).toBe(sent.length - kept.length)
        expect(sections.deliveryAnnotationsAt).toBe(-1)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('what the broker adds stands beside the annotations, and the bare message is untouched', () => {
  expect.hasAssertions()
  fc.assert(
    fc.property(anyPayload, fc.boolean(), (payload, isDead) => {
      const received = receive(bytesOfPayload(payload))
      const message = isDead
        ? new Message({ ...received, extras: { annotations: { cause: 'expired', zone: 3 } } })
        : received
      const sent = send(message, { retained: true, failedCount: 3 })
      const bare = Uint8Array.from(payload.bare)
      expect(sent.subarray(sent.length - bare.length)).toEqual(bare)
      const again = receive(sent)
      // Of what the broker has said nothing counts from a client.
      const plain = send(again)
      expect(plain.subarray(plain.length - bare.length)).toEqual(bare)
      expect(again.headers).toEqual(
        isDead
          ? { ...received.headers, properties: [...received.headers.properties, ['x-opt-zone', '3']] }
          : received.headers,
      )
      expect(again.foreignBody).toEqual(received.foreignBody)
    }),
    { numRuns: 1_000 },
  )
})

test('headers and body of every message can be read by others, also after a restart', () => {
  expect.hasAssertions()
  fc.assert(
    fc.property(anyPayload, (payload) => {
      const message = receive(bytesOfPayload(payload))
      const back = stored(message)
      expect(isAmqp(message.codec)).toBe(true)
      expect(back.headers).toEqual(message.headers)
      expect(back.foreignBody).toEqual(message.foreignBody)
      if (message.headers.contentType === 'application/json' && message.codec.readBody !== undefined) {
        expect(() => JSON.parse(Buffer.from(message.foreignBody).toString()) as unknown).not.toThrow()
      }
    }),
    { numRuns: 1_000 },
  )
})

test('damaged messages are refused on the link, or read as they are; nothing else is thrown', () => {
  let refusedCount = 0
  fc.assert(
    fc.property(
      anyPayload,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (payload, changes, cut) => {
        const whole = bytesOfPayload(payload)
        for (const [at, value] of changes) if (whole.length > 0) whole[at % whole.length] = value
        const bytes = whole.subarray(0, cut % 3 === 0 ? cut % (whole.length + 1) : whole.length)
        let message: Message
        try {
          message = receive(bytes)
        } catch (error) {
          refusedCount++
          if (!(error instanceof AmqpFault)) throw error
          expect(error.level).toBe('link')
          expect(error.message.length).toBeLessThan(600)
          return
        }
        const sent = send(message)
        expect(receive(sent).headers).toEqual(message.headers)
        expect(message.foreignBody).toBeDefined()
      },
    ),
    { numRuns: 2_000 },
  )
  expect(refusedCount).toBeGreaterThan(500)
})
