import { type HeaderCodec, type Headers, Message, type MessageExtras } from '@ternmq/core'
import { type FieldId, FIELDS, losses, readPairs, type TabledProtocol, writePairs } from '@ternmq/naming'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeProperties } from './codec/properties.ts'
import { readPublishFields } from './handlers/publish-fields.ts'
import { annotationBytes, mqtt3Headers, mqtt5Headers, propertiesFor } from './headers.ts'

type Passing = Extract<TabledProtocol, 'mqtt5' | 'mqtt3' | 'stomp'>

/** What a message says, as far as it comes with its headers. */
interface Said {
  readonly headers: Headers
  readonly priority: number
  readonly durable: boolean
  readonly extras: MessageExtras | undefined
}

function messageOf({ headers, priority, durable, extras }: Said): Message {
  const codec: HeaderCodec = { id: 'fixed', decode: () => headers, encode: () => new Uint8Array(0) }
  const at = { bytes: new Uint8Array(0), start: 0, headerStart: 0, bodyStart: 0, end: 0 }
  const rest = { assurance: 1, durable, retain: false, expiresAtMs: 0, publisher: undefined, priority, extras } as const
  return new Message({ topic: 't', codec, ...at, ...rest })
}

/** To a receiver of that protocol, who sends on what it got. */
const THROUGH: Readonly<Record<Passing, (said: Said) => Said>> = {
  mqtt5(said) {
    const bytes = propertiesFor(messageOf(said))
    const { priority = 4, extras, fault } = readPublishFields(bytes, 0, bytes.length) ?? {}
    expect(fault).toBeUndefined()
    return { headers: mqtt5Headers.decode(bytes), priority, durable: true, extras }
  },
  mqtt3: (said) => ({ headers: mqtt3Headers.decode(mqtt3Headers.encode(said.headers)), priority: 4, durable: true, extras: undefined }),
  stomp(said) {
    const { headers, priority = 4, durable = false, groupId, groupEnds, faults } = readPairs('stomp', writePairs('stomp', said))
    expect(faults).toEqual([])
    const extras = groupId === undefined ? undefined : { groupId, ...(groupEnds === true && { groupEnds }) }
    return { headers, priority, durable, extras }
  },
}

const PASSING: readonly Passing[] = ['mqtt5', 'mqtt3', 'stomp']

/** Values by the rows of the table. */
function values({ headers, priority, durable, extras }: Said): Partial<Record<FieldId, unknown>> {
  return {
    id: headers.messageId,
    correlation: headers.correlationId === undefined ? undefined : [...headers.correlationId],
    replyTo: headers.replyTo,
    type: headers.type,
    contentType: headers.contentType,
    contentEncoding: headers.contentEncoding,
    priority,
    durable,
    timestamp: headers.timestampMs,
    appId: headers.appId,
    group: [extras?.groupId, headers.groupSequence],
    bodyKind: headers.text,
    properties: headers.properties,
  }
}

const word = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('a:b', 'x\ny', '\\', ' lead', 'base64:QQ=='))
const text = word.filter((value) => !value.includes('\0'))
const name = fc.oneof(
  fc.constantFrom('', 'a', 'a', 'b', 'nul\0', '__proto__', 'destination', 'ack', 'traceparent', '_AMQ_DUPL_ID_', 'x-property.a'),
  fc.constantFrom('priority', 'JMSType', 'type', 'expires', 'JMSXUserID', 'x-death-cause', 'AMQ_SCHEDULED_DELAY', 'receipt'),
  word,
)
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })

const said: fc.Arbitrary<Said> = fc
  .record({
    messageId: maybe(text),
    correlationId: maybe(fc.oneof(fc.uint8Array({ maxLength: 8 }), text.map((value) => new Uint8Array(Buffer.from(value))))),
    replyTo: maybe(fc.constantFrom('a/b', 'v1.2/x', '/lead', '$queue/A.B', '$queue/a,b', '$queue/C++', '$temp/0af9', '$queue/$temp/0af9')),
    type: maybe(text),
    contentType: maybe(text),
    contentEncoding: maybe(text),
    timestampMs: maybe(fc.nat()),
    appId: maybe(text),
    groupSequence: maybe(fc.integer({ min: 0, max: 99 })),
    text: maybe(fc.boolean()),
    properties: fc.array(fc.tuple(name, word), { maxLength: 6 }),
    priority: fc.integer({ min: 0, max: 9 }),
    durable: fc.boolean(),
    groupId: maybe(fc.string({ minLength: 1, maxLength: 8 })),
    ends: fc.boolean(),
  })
  .map(({ priority, durable, groupId, ends, ...headers }) => {
    const isLast = groupId !== undefined && ends
    const sequence = isLast ? { groupSequence: -1 } : {}
    const extras = groupId === undefined ? undefined : { groupId, ...(isLast && { groupEnds: true }) }
    return { headers: { ...withoutUndefined(headers), ...sequence } as Headers, priority, durable, extras }
  })

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>
}

/** What the table says of a field that comes through the protocol. */
function isKept(id: FieldId, protocol: Passing): 'all' | 'partly' | 'lost' {
  const place = FIELDS.find((field) => field.id === id)!.in[protocol]
  return place.kind === 'lost' ? 'lost' : place.partly === undefined ? 'all' : 'partly'
}

test.each(PASSING)('what comes through %s is what the table says that it keeps, and what does not is listed', (protocol) => {
  expect.hasAssertions()
  fc.assert(
    fc.property(said, (given) => {
      const before = values(given)
      const after = values(THROUGH[protocol](given))
      const listed = new Set(losses(protocol, given).map(({ field }) => field))
      for (const id of Object.keys(before) as FieldId[]) {
        if (isKept(id, protocol) === 'all') expect(after[id], id).toEqual(before[id])
        // Known before any message is lost: the guarantee is raised, never lowered.
        else if (id === 'durable') expect(after.durable).toBe(true)
        else if (!listed.has(id)) expect(after[id], id).toEqual(before[id] ?? undefined)
      }
    }),
    { numRuns: 500 },
  )
})

test.each(PASSING.flatMap((one) => PASSING.map((other) => [one, other, one] as const)))(
  '%s → %s → %s keeps every field that the table says it keeps',
  (one, other) => {
    expect.hasAssertions()
    fc.assert(
      fc.property(said, (given) => {
        const first = THROUGH[one](given)
        const back = values(THROUGH[one](THROUGH[other](first)))
        const listed = new Set(losses(other, first).map(({ field }) => field))
        for (const [id, value] of Object.entries(values(first)) as [FieldId, unknown][]) {
          if (isKept(id, other) === 'all') expect(back[id], id).toEqual(value)
          // Through MQTT it is kept, whoever asked for it.
          else if (id === 'durable') expect(back.durable).toBe(true)
          else if (!listed.has(id)) expect(back[id], id).toEqual(value)
        }
      }),
      { numRuns: 200 },
    )
  },
)

test('user properties that stand for fields are fields; all others stay properties in their order', () => {
  const userProperties: [string, string][] = [
    ['JMSType', 'order'],
    ['b', '1'],
    ['priority', '9'],
    ['content-encoding', 'gzip'],
    ['a', '2'],
    ['b', '3'],
    ['traceparent', '00-1-2-01'],
    ['app-id', 'shop'],
    ['JMSTimestamp', '5'],
    ['x-message-id', 'm1'],
  ]
  const bytes = writeProperties({ payloadFormat: 1, contentType: 'text/plain', responseTopic: '$queue/answers', userProperties })
  expect(mqtt5Headers.decode(bytes)).toEqual({
    type: 'order',
    contentEncoding: 'gzip',
    appId: 'shop',
    timestampMs: 5,
    messageId: 'm1',
    text: true,
    contentType: 'text/plain',
    replyTo: '$queue/answers',
    properties: [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
      ['traceparent', '00-1-2-01'],
    ],
  })
})

test('a body that is no UTF-8 is not called text', () => {
  const body = Uint8Array.of(0xff)
  const codec: HeaderCodec = { id: 'fixed', decode: () => ({ text: true, properties: [] }), encode: () => body }
  const at = { bytes: body, start: 0, headerStart: 0, bodyStart: 0, end: 1 }
  const rest = { assurance: 1, durable: true, retain: false, expiresAtMs: 0, publisher: undefined } as const
  expect(mqtt5Headers.decode(propertiesFor(new Message({ topic: 't', codec, ...at, ...rest })))).toEqual({ text: false, properties: [] })
})

test('what is too long for MQTT is left out, and the message goes', () => {
  const long = 'x'.repeat(65_536)
  const headers = { correlationId: new Uint8Array(65_536), contentType: long, replyTo: 'a/#', properties: [[long, '1'] as const] }
  expect(propertiesFor(messageOf({ headers, priority: 4, durable: true, extras: undefined }))).toHaveLength(0)
})

test('one message after the other has its own properties, even where they share their headers', () => {
  const headers: Headers = { properties: [['a', '1']] }
  const written = [1, 1, 9].map((priority) => propertiesFor(messageOf({ headers, priority, durable: true, extras: undefined })))
  expect(written[1]).toBe(written[0])
  expect(Buffer.from(written[2]!).toString('latin1')).toContain('priority\0\x019')
})

test('only annotations are put beside what came', () => {
  const extras = { groupId: 'g', annotations: { cause: 'expired' } }
  const headers: Headers = { type: 't', properties: [['a', '1']] }
  const bytes = annotationBytes(messageOf({ headers, priority: 9, durable: true, extras }))
  expect(bytes).toEqual(writeProperties({ userProperties: [['x-death-cause', 'expired']] }))
  expect(annotationBytes(messageOf({ headers, priority: 9, durable: true, extras: { groupId: 'g' } }))).toHaveLength(0)
})
