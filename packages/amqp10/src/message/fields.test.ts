/** Fields of messages from other protocols through AMQP and back, as the table of packages/naming says it. */
import { type HeaderCodec, type Headers, Message, type MessageExtras } from '@ternmq/core'
import {
  addressSpelling,
  type FieldId,
  FIELDS,
  losses,
  readPairs,
  type TabledProtocol,
  writePairs,
} from '@ternmq/naming'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { amqpHeaders } from './headers.ts'
import { readIncoming, toMessage } from './message-in.ts'
import { OutgoingMessage, prepareOutgoing } from './message-out.ts'
import { readSections, Sections } from './sections.ts'

type Passing = Extract<TabledProtocol, 'mqtt5' | 'stomp' | 'amqp10'>

/** What a message says, as far as it comes with its headers. */
interface Said {
  readonly headers: Headers
  readonly priority: number
  readonly durable: boolean
  readonly expiresAtMs: number
  readonly extras: MessageExtras | undefined
}

const NOW_MS = 1_700_000_000_000
const BODY = Buffer.from('grüße')
const spelling = addressSpelling('amqp10')
const sections = new Sections()
const out = new OutgoingMessage()

function foreign({ headers, priority, durable, expiresAtMs, extras }: Said, body: Uint8Array = BODY): Message {
  const codec: HeaderCodec = { id: 'fixed', decode: () => headers, encode: () => new Uint8Array(0) }
  const bytes = new Uint8Array([0, ...body])
  const at = { bytes, start: 0, headerStart: 0, bodyStart: 1, end: bytes.length }
  const rest = { assurance: 1, durable, retain: false, expiresAtMs, publisher: undefined, priority, extras } as const
  return new Message({ topic: '$queue/A.B', codec, ...at, ...rest })
}

/** To an AMQP client, who sends on what it got. */
function throughAmqp(message: Message): Message {
  prepareOutgoing(
    { message, redelivered: false, retained: false, failedCount: 0 },
    NOW_MS,
    (name) => spelling.write(name),
    out,
  )
  const bytes = new Uint8Array([...out.prefix.subarray(0, out.prefixEnd), ...out.bytes.subarray(out.start, out.end)])
  readSections(bytes, 0, bytes.length, sections)
  return toMessage(readIncoming(sections, bytes), sections, bytes, bytes.length, 'x', 'p', NOW_MS)
}

/** To a receiver of that protocol, who sends on what it got. */
const THROUGH: Readonly<Record<Passing, (said: Said) => Said>> = {
  amqp10(said) {
    const message = throughAmqp(foreign(said))
    expect(Buffer.from(message.foreignBody)).toEqual(BODY)
    return message
  },
  mqtt5(said) {
    const { headers, priority = 4, groupId, groupEnds } = readPairs('mqtt5', writePairs('mqtt5', said))
    const { correlationId, contentType, replyTo, text } = said.headers
    const native = {
      ...(correlationId !== undefined && { correlationId }),
      ...(contentType !== undefined && { contentType }),
      ...(replyTo !== undefined && !/[+#]/.test(replyTo) && { replyTo }),
      ...(text !== undefined && { text }),
    }
    return {
      headers: { ...headers, ...native },
      priority,
      durable: true,
      expiresAtMs: said.expiresAtMs,
      extras: extrasOf(groupId, groupEnds),
    }
  },
  stomp(said) {
    const read = readPairs('stomp', writePairs('stomp', said))
    const { headers, priority = 4, durable = false, expiresAtMs = 0, groupId, groupEnds } = read
    return { headers, priority, durable, expiresAtMs, extras: extrasOf(groupId, groupEnds) }
  },
}

function extrasOf(groupId: string | undefined, groupEnds: boolean | undefined): MessageExtras | undefined {
  return groupId === undefined ? undefined : { groupId, ...(groupEnds === true && { groupEnds }) }
}

/** Values by the rows of the table. */
function values({ headers, priority, durable, expiresAtMs, extras }: Said): Partial<Record<FieldId, unknown>> {
  return {
    id: headers.messageId,
    correlation: headers.correlationId === undefined ? undefined : [...headers.correlationId],
    replyTo: headers.replyTo,
    type: headers.type,
    contentType: headers.contentType,
    contentEncoding: headers.contentEncoding,
    priority,
    durable,
    expiry: expiresAtMs,
    timestamp: headers.timestampMs,
    userId: headers.userId,
    appId: headers.appId,
    group: [extras?.groupId, extras?.groupEnds, headers.groupSequence],
    bodyKind: headers.text,
    properties: headers.properties,
  }
}

const word = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('a:b', 'x\ny', '\\', ' lead', 'base64:QQ=='),
)
const text = word.filter((value) => !value.includes('\0'))
const id = fc.oneof(
  text,
  fc.constantFrom(
    'ID:AMQP_UUID:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'ID:AMQP_UUID:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6',
    'ID:AMQP_ULONG:18446744073709551615',
    'ID:AMQP_ULONG:18446744073709551616',
    'ID:AMQP_ULONG:007',
    'ID:AMQP_BINARY:00FF',
    'ID:AMQP_BINARY:0',
    'ID:AMQP_BINARY:',
    'ID:AMQP_STRING:x',
    'ID:AMQP_STRING:ID:AMQP_ULONG:7',
    'ID:AMQP_STRING:ID:AMQP_STRING:ID:AMQP_ULONG:7',
    'ID:x',
  ),
)
const name = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'a',
    'b',
    'nul\0',
    '__proto__',
    'destination',
    'app-id',
    'traceparent',
    '_AMQ_DUPL_ID_',
    'x-property.a',
  ),
  fc.constantFrom(
    'priority',
    'JMSType',
    'type',
    'ActiveMQ.Retain',
    'x-opt-a',
    'x-death-cause',
    'AMQ_SCHEDULED_DELAY',
    'receipt',
  ),
  word,
)
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })

const said: fc.Arbitrary<Said> = fc
  .record({
    messageId: maybe(id),
    correlationId: maybe(
      fc.oneof(
        fc.uint8Array({ maxLength: 8 }),
        id.map((value) => new Uint8Array(Buffer.from(value))),
      ),
    ),
    replyTo: maybe(
      fc.constantFrom(
        'a/b',
        'v1.2/x',
        '/lead',
        '$queue/A.B',
        '$queue/a,b',
        '$queue/C++',
        '$temp/0af9',
        '$queue/$temp/0af9',
      ),
    ),
    type: maybe(text),
    contentType: maybe(text),
    contentEncoding: maybe(text),
    timestampMs: maybe(fc.nat()),
    userId: maybe(text),
    appId: maybe(text),
    groupSequence: maybe(fc.integer({ min: 0, max: 99 })),
    text: maybe(fc.boolean()),
    properties: fc.array(fc.tuple(name, word), { maxLength: 6 }),
    priority: fc.integer({ min: 0, max: 9 }),
    durable: fc.boolean(),
    expiresAtMs: fc.constantFrom(0, NOW_MS + 1, NOW_MS + 86_400_000, NOW_MS + 0xffff_ffff),
    groupId: maybe(fc.string({ minLength: 1, maxLength: 8 })),
    ends: fc.boolean(),
  })
  .map(({ priority, durable, expiresAtMs, groupId, ends, ...headers }) => {
    const isLast = groupId !== undefined && ends
    const sequence = isLast ? { groupSequence: -1 } : {}
    const present = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
    return {
      headers: { ...present, ...sequence } as unknown as Headers,
      priority,
      durable,
      expiresAtMs,
      extras: extrasOf(groupId, isLast),
    }
  })

/** What the table says of a field that comes through the protocol. */
function isKept(field: FieldId, protocol: Passing): 'all' | 'partly' | 'lost' {
  const place = FIELDS.find((row) => row.id === field)!.in[protocol]
  return place.kind === 'lost' ? 'lost' : place.partly === undefined ? 'all' : 'partly'
}

test('what comes through AMQP is what the table says that it keeps, and what does not is listed', () => {
  expect.hasAssertions()
  fc.assert(
    fc.property(said, (given) => {
      const before = values(given)
      const after = values(THROUGH.amqp10(given))
      const listed = new Set(losses('amqp10', given).map(({ field }) => field))
      for (const field of Object.keys(before) as FieldId[]) {
        if (isKept(field, 'amqp10') === 'all' || !listed.has(field)) expect(after[field], field).toEqual(before[field])
        else expect(after[field], field).toBeUndefined()
      }
    }),
    { numRuns: 1_000 },
  )
})

const PAIRS = [
  ['mqtt5', 'amqp10'],
  ['stomp', 'amqp10'],
  ['amqp10', 'mqtt5'],
  ['amqp10', 'stomp'],
  ['amqp10', 'amqp10'],
] as const

test.each(PAIRS)('%s → %s and back keeps every field that the table says it keeps', (one, other) => {
  expect.hasAssertions()
  fc.assert(
    fc.property(said, (given) => {
      const first = THROUGH[one](given)
      const back = values(THROUGH[one](THROUGH[other](first)))
      const listed = new Set([...losses(other, first), ...losses(one, first)].map(({ field }) => field))
      for (const [field, value] of Object.entries(values(first)) as [FieldId, unknown][]) {
        // Through MQTT it is kept, whoever asked for it.
        if (field === 'userId') continue // nobody can say it but the broker
        if (field === 'durable' && other === 'mqtt5') expect(back.durable).toBe(true)
        else if (isKept(field, other) === 'all' && isKept(field, one) === 'all')
          expect(back[field], field).toEqual(value)
        else if (!listed.has(field) && isKept(field, one) !== 'lost') expect(back[field], field).toEqual(value)
      }
    }),
    { numRuns: 500 },
  )
})

test('header bytes that the codec makes say what it made them from', () => {
  expect.hasAssertions()
  fc.assert(
    fc.property(said, ({ headers }) => {
      const decoded = amqpHeaders.decode(amqpHeaders.encode(headers))
      const listed = new Set(losses('amqp10', { headers }).map(({ field }) => field))
      const { contentType, contentEncoding, ...rest } = decoded
      const { contentType: type, contentEncoding: encoding, ...expected } = headers
      expect(rest).toEqual(expected)
      if (!listed.has('contentType')) expect(contentType).toBe(type)
      if (!listed.has('contentEncoding')) expect(contentEncoding).toBe(encoding)
    }),
    { numRuns: 500 },
  )
})
