import { type HeaderCodec, type Headers, Message, type MessageFields } from '@ternmq/core'
import rhea from 'rhea'
import { describe, expect, test } from 'vitest'
import { Descriptor } from '../codec/descriptors.ts'
import { readIncoming, toMessage } from './message-in.ts'
import { type Outgoing, OutgoingMessage, prepareOutgoing } from './message-out.ts'
import { binary, type Encoded, list, map, section, string, symbol } from '../../test/random-payloads.ts'
import { readSections, Sections } from './sections.ts'

const NOW_MS = 1_700_000_000_000
const NULL = [0x40]
const BODY = section(Descriptor.data, binary([1, 2, 3]))
const out = new OutgoingMessage()
/** As clients of ActiveMQ write them. */
const addressText = (name: string): string | undefined =>
  name === 'secret'
    ? undefined
    : name.startsWith('$queue/')
      ? `queue://${name.slice(7)}`
      : `topic://${name.replaceAll('/', '.')}`

function send(message: Message, more: Partial<Outgoing> = {}, address?: string): Buffer {
  const delivery = { message, redelivered: false, retained: false, failedCount: 0, ...more }
  prepareOutgoing(delivery, NOW_MS, addressText, out, address)
  return Buffer.from([...out.prefix.subarray(0, out.prefixEnd), ...out.bytes.subarray(out.start, out.end)])
}

function amqp(parts: readonly Encoded[], more: Partial<MessageFields> = {}): Message {
  const bytes = Uint8Array.from(parts.flat())
  const sections = new Sections()
  readSections(bytes, 0, bytes.length, sections)
  return new Message({
    ...toMessage(readIncoming(sections, bytes), sections, bytes, bytes.length, 'a', 'p', 0),
    ...more,
  })
}

function foreign(headers: Headers, body: Uint8Array | string, more: Partial<MessageFields> = {}): Message {
  const codec: HeaderCodec = { id: 'fixed', decode: () => headers, encode: () => new Uint8Array(0) }
  const bytes = Buffer.concat([Buffer.from('h'), Buffer.from(body)])
  const at = { bytes, start: 0, headerStart: 0, bodyStart: 1, end: bytes.length }
  const rest = { assurance: 1, durable: false, retain: false, expiresAtMs: 0, publisher: undefined } as const
  return new Message({ topic: 'a/b', codec, ...at, ...rest, ...more })
}

/** What rhea makes of it, as far as it is looked at here. */
interface Decoded {
  readonly to?: string
  readonly reply_to?: string
  readonly first_acquirer?: boolean
  readonly message_annotations?: Readonly<Record<string, unknown>>
  /** A text, or what holds the bytes of data. */
  readonly body: string | { readonly content: Buffer }
}

function decode(bytes: Buffer): Decoded {
  return rhea.message.decode(bytes) as unknown as Decoded
}

function contentOf({ body }: Decoded): string | Buffer {
  return typeof body === 'string' ? body : body.content
}

describe('the header', () => {
  const firstAcquirer = [0x41]
  test.each<[Partial<MessageFields>, Partial<Outgoing>, readonly Encoded[]]>([
    [{}, {}, [NULL, NULL, NULL, firstAcquirer]],
    [{ durable: true }, {}, [[0x41], NULL, NULL, firstAcquirer]],
    [{}, { redelivered: true }, []],
    [{ durable: true }, { redelivered: true }, [[0x41]]],
    [{ priority: 0 }, {}, [NULL, [0x50, 0], NULL, firstAcquirer]],
    [{}, { redelivered: true, failedCount: 300 }, [NULL, NULL, NULL, NULL, [0x70, 0, 0, 1, 0x2c]]],
    [{ expiresAtMs: NOW_MS + 5 }, {}, [NULL, NULL, [0x52, 5], firstAcquirer]],
    [{ expiresAtMs: NOW_MS - 5 }, {}, [NULL, NULL, [0x43], firstAcquirer]],
    [{ expiresAtMs: NOW_MS + 2 ** 40 }, {}, [NULL, NULL, [0x70, 0xff, 0xff, 0xff, 0xff], firstAcquirer]],
  ])('%#: %j %j', (fields, delivery, expected) => {
    const header = expected.length === 0 ? [] : section(Descriptor.header, list(expected))
    expect([...send(amqp([BODY], fields), delivery)]).toEqual([...header, ...BODY])
  })
})

describe('annotations of a message that came in AMQP', () => {
  const own = [symbol('x-opt-a'), [0x41], symbol('x-opt-b'), string('mine')]
  const dead = { extras: { annotations: { cause: 'expired', originalQueue: '$queue/q', failedCount: 2 } } }
  const said = [
    symbol('x-opt-ORIG-QUEUE'),
    string('queue://q'),
    symbol('x-opt-death-cause'),
    string('expired'),
    symbol('x-opt-death-count'),
    [0x81, 0, 0, 0, 0, 0, 0, 0, 2],
  ]
  const header = section(Descriptor.header, list([NULL, NULL, NULL, [0x41]]))

  test.each<[string, readonly Encoded[], readonly Encoded[]]>([
    ['come behind its own', [section(Descriptor.messageAnnotations, map(own, false)), BODY], [...own, ...said]],
    ['stand alone', [BODY], said],
  ])('%s', (_what, parts, expected) => {
    const sent = send(amqp(parts, dead))
    expect([...sent]).toEqual([...header, ...section(Descriptor.messageAnnotations, map(expected)), ...BODY])
  })

  test('take the place of those of the same name, as receivers change them', () => {
    const extras = { annotations: { 'x-opt-b': 'theirs', c: 1.5 } }
    const sent = send(amqp([section(Descriptor.messageAnnotations, map(own)), BODY], { extras }))
    const expected = [
      symbol('x-opt-a'),
      [0x41],
      symbol('x-opt-b'),
      string('theirs'),
      symbol('x-opt-c'),
      [0x82, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0],
    ]
    expect([...sent]).toEqual([...header, ...section(Descriptor.messageAnnotations, map(expected)), ...BODY])
  })

  test('say that it was kept', () => {
    const expected = section(Descriptor.messageAnnotations, map([symbol('x-opt-retained'), [0x41]]))
    expect([...send(amqp([BODY]), { retained: true })]).toEqual([...header, ...expected, ...BODY])
  })
})

describe('a message of another protocol, as rhea reads it', () => {
  test('has the fields of the table, and says to JMS what it is', () => {
    const headers: Headers = {
      messageId: 'm1',
      type: 'order',
      timestampMs: 5,
      correlationId: Buffer.from('c1'),
      contentType: 'text/plain',
      contentEncoding: 'gzip',
      replyTo: '$queue/$temp/0af9',
      appId: 'shop',
      groupSequence: 3,
      userId: 'alice',
      text: true,
      properties: [
        ['colour', 'red'],
        ['colour', 'blue'],
        ['app-id', 'mine'],
      ],
    }
    const extras = { groupId: 'g', annotations: { cause: 'rejected' } }
    const message = foreign(headers, 'grün', { durable: true, priority: 7, expiresAtMs: NOW_MS + 1_000, extras })
    const read = decode(send(message, { retained: true, failedCount: 1, redelivered: true }))
    expect(read).toMatchObject({
      durable: true,
      priority: 7,
      ttl: 1_000,
      delivery_count: 1,
      message_id: 'm1',
      user_id: Buffer.from('alice'),
      to: 'topic://a.b',
      subject: 'order',
      reply_to: 'queue://$temp/0af9',
      correlation_id: 'c1',
      content_type: 'text/plain',
      content_encoding: 'gzip',
      creation_time: new Date(5),
      absolute_expiry_time: new Date(NOW_MS + 1_000),
      group_id: 'g',
      group_sequence: 3,
      application_properties: { 'app-id': 'shop', colour: 'red', 'x-property.app-id': 'mine' },
      message_annotations: {
        'x-opt-jms-msg-type': 5,
        'x-opt-jms-dest': 1,
        'x-opt-jms-reply-to': 2,
        'x-opt-mqtt-user-properties': [
          'app-id',
          'shop',
          'colour',
          'red',
          'colour',
          'blue',
          'x-property.app-id',
          'mine',
        ],
        'x-opt-death-cause': 'rejected',
        'x-opt-retained': true,
      },
      body: 'grün',
    })
    expect(read.first_acquirer).not.toBe(true)
  })

  test.each([
    ['$queue/q', 0],
    ['a/b', 1],
    ['$queue/$temp/0af9', 2],
    ['$temp/0af9', 3],
  ])('sent to %s has a destination of kind %i', (topic, kind) => {
    const { message_annotations: annotations, to } = decode(send(foreign({ properties: [] }, 'x', { topic })))
    expect(annotations!['x-opt-jms-dest']).toBe(kind)
    expect(to).toBe(addressText(topic))
  })

  test('tells its receiver where that consumes, where this is another address', () => {
    const read = decode(send(foreign({ properties: [] }, 'x'), {}, '$queue/q'))
    expect([read.to, read.message_annotations!['x-opt-jms-dest']]).toEqual(['queue://q', 0])
  })

  test.each<[boolean | undefined, string | Uint8Array, number | undefined, string | Buffer]>([
    [true, 'grün', 5, 'grün'],
    [true, Uint8Array.of(0xff), 3, Buffer.of(0xff)],
    [false, 'text', 3, Buffer.from('text')],
    [undefined, 'text', undefined, Buffer.from('text')],
    [true, 'x'.repeat(300), 5, 'x'.repeat(300)],
    [undefined, new Uint8Array(300), undefined, Buffer.alloc(300)],
    [true, '', 5, ''],
  ])('with text %s and the body %j has the type %s', (text, body, type, expected) => {
    const read = decode(send(foreign({ ...(text !== undefined && { text }), properties: [] }, body)))
    expect(read.message_annotations!['x-opt-jms-msg-type']).toBe(type)
    expect(contentOf(read)).toEqual(expected)
  })

  test('that cannot say an address goes without', () => {
    const read = decode(send(foreign({ replyTo: 'secret', properties: [] }, 'x')))
    expect(read.reply_to).toBeUndefined()
    expect(read.message_annotations!['x-opt-jms-reply-to']).toBeUndefined()
  })

  test('and a body in a form of its own has it in the form for others', () => {
    const codec: HeaderCodec = {
      id: 'own',
      decode: () => ({ properties: [] }),
      encode: () => new Uint8Array(0),
      readBody: () => Buffer.from('in words'),
    }
    const read = decode(send(foreign({ properties: [] }, 'coded', { codec })))
    expect(contentOf(read).toString()).toBe('in words')
  })

  test('is not taken for the one before it that says the same', () => {
    const headers: Headers = { properties: [['a', '1']] }
    const texts = ['one', 'two'].map((text) => send(foreign(headers, text)))
    expect(texts.map((bytes) => contentOf(decode(bytes)).toString())).toEqual(['one', 'two'])
    const elsewhere = decode(send(foreign(headers, 'x', { topic: '$queue/q' })))
    expect(elsewhere.to).toBe('queue://q')
  })
})

test('what rhea writes is read as it was meant', () => {
  const bytes = rhea.message.encode({
    durable: true,
    priority: 5,
    ttl: 1_000,
    message_id: 'm1',
    to: 'queue://a',
    reply_to: 'topic://b',
    correlation_id: 'c',
    content_type: 'text/plain',
    group_id: 'g',
    application_properties: { a: 1, b: 'x', c: true },
    message_annotations: { 'x-opt-jms-msg-type': 5 },
    body: 'text',
  })
  const sections = new Sections()
  readSections(bytes, 0, bytes.length, sections)
  const facts = readIncoming(sections, bytes)
  const message = toMessage(facts, sections, bytes, bytes.length, 'a', 'p', 0)
  expect(facts).toMatchObject({ to: 'queue://a', replyTo: 'topic://b' })
  expect(message).toMatchObject({ durable: true, priority: 5, expiresAtMs: 1_000, extras: { groupId: 'g' } })
  expect(message.headers).toMatchObject({
    messageId: 'm1',
    replyTo: 'b',
    contentType: 'text/plain',
    text: true,
    properties: [
      ['a', '1'],
      ['b', 'x'],
      ['c', 'true'],
    ],
    typed: new Map<string, unknown>([
      ['a', 1],
      ['c', true],
    ]),
  })
  expect(Buffer.from(message.body).toString()).toBe('text')
})
