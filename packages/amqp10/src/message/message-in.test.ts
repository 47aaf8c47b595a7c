import type { Message } from '@ternmq/core'
import { describe, expect, test } from 'vitest'
import { Descriptor } from '../codec/descriptors.ts'
import { AmqpFault } from '../codec/faults.ts'
import { type IncomingFacts, optionsOf, readIncoming, toMessage } from './message-in.ts'
import { binary, type Encoded, list, map, section, string, symbol } from '../../test/random-payloads.ts'
import { readSections, Sections } from './sections.ts'

const NOW_MS = 1_000
const NULL = [0x40]
const BODY = section(Descriptor.data, binary([1, 2, 3]))

function long(value: number): number[] {
  return [0x81, ...new Uint8Array(new BigUint64Array([BigInt(value)]).buffer).toReversed()]
}

function timestamp(ms: number): number[] {
  return [0x83, ...long(ms).slice(1)]
}

function header(...fields: readonly Encoded[]): number[] {
  return section(Descriptor.header, list(fields))
}

function properties(fields: Readonly<Record<number, Encoded>>): number[] {
  return section(Descriptor.properties, list(Array.from({ length: 13 }, (_, index) => fields[index] ?? NULL)))
}

function annotations(pairs: Readonly<Record<string, Encoded>>): number[] {
  return section(
    Descriptor.messageAnnotations,
    map(Object.entries(pairs).flatMap(([name, value]) => [symbol(name), value])),
  )
}

function application(pairs: Readonly<Record<string, Encoded>>): number[] {
  return section(
    Descriptor.applicationProperties,
    map(Object.entries(pairs).flatMap(([name, value]) => [string(name), value])),
  )
}

interface Received {
  readonly facts: IncomingFacts
  readonly message: Message
}

function receive(...parts: readonly Encoded[]): Received {
  return receiveAt('a/b', ...parts)
}

function receiveAt(topic: string, ...parts: readonly Encoded[]): Received {
  const bytes = Uint8Array.from(parts.flat())
  const sections = new Sections()
  readSections(bytes, 0, bytes.length, sections)
  const facts = readIncoming(sections, bytes)
  return { facts, message: toMessage(facts, sections, bytes, bytes.length, topic, 'p', NOW_MS) }
}

/** What is kept of it, as it goes out. */
function kept({ bytes, headerStart, end }: Message): number[] {
  return [...bytes.subarray(headerStart, end)]
}

describe('a message', () => {
  test('without a header is transient, of priority 4, and lives for ever', () => {
    const { facts, message } = receive(BODY)
    expect(message).toMatchObject({
      topic: 'a/b',
      publisher: 'p',
      durable: false,
      priority: 4,
      expiresAtMs: 0,
      retain: false,
    })
    expect(message.extras).toBeUndefined()
    expect([...message.body]).toEqual([1, 2, 3])
    expect(optionsOf(facts)).toBeUndefined()
    expect(facts).toMatchObject({ to: undefined, replyTo: undefined, userId: undefined })
  })

  test('with a header has what that says', () => {
    const { message } = receive(header([0x41], [0x50, 7], [0x70, 0, 0, 0x10, 0], [0x41], [0x43]), BODY)
    expect(message).toMatchObject({ durable: true, priority: 7, expiresAtMs: NOW_MS + 4_096 })
    expect(kept(message)).toEqual(BODY)
  })

  test.each([
    [[header(NULL, [0x50, 200])], { priority: 9 }],
    [[header(NULL, NULL, [0x43])], { expiresAtMs: NOW_MS }],
    [[properties({ 8: timestamp(5_000) })], { expiresAtMs: 5_000 }],
    [[properties({ 8: timestamp(0) })], { expiresAtMs: 0 }],
    [[header(NULL, NULL, [0x52, 9]), properties({ 8: timestamp(5_000) })], { expiresAtMs: NOW_MS + 9 }],
    [[properties({ 10: string('g'), 11: [0x52, 3] })], { extras: { groupId: 'g' } }],
    [
      [properties({ 10: string('g'), 11: [0x70, 0xff, 0xff, 0xff, 0xff] })],
      { extras: { groupId: 'g', groupEnds: true } },
    ],
    [[properties({ 10: string('') })], { extras: undefined }],
    [[annotations({ 'x-opt-retain': [0x41] })], { retain: true }],
    [[annotations({ 'x-opt-retain': [0x42] })], { retain: false }],
    [[annotations({ 'x-opt-retain': symbol('set') })], { retain: true }],
    [[application({ 'ActiveMQ.Retain': [0x41] })], { retain: true }],
    [[application({ 'ActiveMQ.Retain': string('false') })], { retain: false }],
  ] as const)('%#: what it says is what the core knows', (parts, expected) => {
    expect(receive(...parts, BODY).message).toMatchObject(expected)
  })

  test('says where it goes, where answers go, and who sent it', () => {
    const { facts } = receive(
      properties({ 1: binary([...Buffer.from('älice')]), 2: string('queue://a'), 4: string('topic://b') }),
      BODY,
    )
    expect(facts).toMatchObject({ userId: 'älice', to: 'queue://a', replyTo: 'topic://b' })
  })

  test.each<[string, Encoded, object | undefined]>([
    ['a delay', annotations({ 'x-opt-delivery-delay': [0x54, 50] }), { schedule: { delayMs: 50 } }],
    ['a moment', annotations({ 'x-opt-delivery-time': long(77) }), { schedule: { deliverAtMs: 77 } }],
    [
      'repeats',
      annotations({ 'x-opt-delivery-period': [0x52, 9], 'x-opt-delivery-repeat': [0x54, 0xff] }),
      { schedule: { periodMs: 9, repeats: -1 } },
    ],
    [
      'a cron expression',
      annotations({ 'x-opt-delivery-cron': string('* * * * *') }),
      { schedule: { cron: '* * * * *' } },
    ],
    ['zeros', annotations({ 'x-opt-delivery-delay': [0x43], 'x-opt-delivery-repeat': [0x54, 3] }), undefined],
    ['nothing', annotations({ 'x-opt-delivery-delay': NULL, 'x-opt-delivery-cron': NULL }), undefined],
    [
      'a property',
      application({ AMQ_SCHEDULED_DELAY: long(1_000), AMQ_SCHEDULED_PERIOD: string('5') }),
      { schedule: { delayMs: 1_000, periodMs: 5 } },
    ],
    ['an id for duplicates', application({ _AMQ_DUPL_ID: string('d1') }), { dedupId: 'd1' }],
  ])('asks for %s', (_what, part, expected) => {
    expect(optionsOf(receive(part, BODY).facts)).toEqual(expected)
  })

  test('where annotation and property ask for the same, the annotation counts', () => {
    const both = [
      annotations({ 'x-opt-delivery-delay': [0x54, 50] }),
      application({ AMQ_SCHEDULED_DELAY: long(1_000) }),
    ]
    expect(optionsOf(receive(...both, BODY).facts)).toEqual({ schedule: { delayMs: 50 } })
  })
})

describe('message annotations', () => {
  const mine = { 'x-opt-jms-dest': [0x51, 0], 'x-opt-mine': string('x') }

  test('that ask for something, or that only the broker says, do not go on; all others do', () => {
    const asked = { 'x-opt-retain': [0x41], 'x-opt-delivery-delay': [0x54, 50], 'x-opt-retained': [0x41] }
    const forged = {
      'x-opt-death-cause': string('expired'),
      'x-opt-ORIG-ADDRESS': string('x'),
      'x-opt-scheduled-id': string('x'),
    }
    const { message } = receive(
      header([0x41]),
      annotations({ ...asked, ...mine, ...forged }),
      properties({ 0: string('id') }),
      BODY,
    )
    const rest = [...properties({ 0: string('id') }), ...BODY]
    const head = [0, 0x53, 0x72, 0xd1]
    const content = map(Object.entries(mine).flatMap(([name, value]) => [symbol(name), value])).slice(3)
    expect(kept(message)).toEqual([...head, 0, 0, 0, content.length + 4, 0, 0, 0, 4, ...content, ...rest])
    expect([...message.body]).toEqual([1, 2, 3])
    expect(message.headers).toEqual({ messageId: 'id', properties: [['x-opt-mine', 'x']] })
  })

  test('are gone where none is left', () => {
    const { message } = receive(annotations({ 'x-opt-retain': [0x41] }), BODY)
    expect(kept(message)).toEqual(BODY)
    expect([...message.body]).toEqual([1, 2, 3])
  })

  test('with the moment of delivery stay: JMS receivers see it', () => {
    const part = annotations({ 'x-opt-delivery-time': long(77) })
    expect(kept(receive(part, BODY).message)).toEqual([...part, ...BODY])
  })

  test('of RabbitMQ, and any that begin with x-opt, go on', () => {
    const part = annotations({ 'x-exchange': string('e'), 'x-routing-key': string('k'), 'x-opt': NULL })
    expect(() => receive(part, BODY)).toThrow("message annotation 'x-opt'")
    const good = annotations({ 'x-exchange': string('e'), 'x-routing-key': string('k'), 'x-opt-': NULL })
    expect(kept(receive(good, BODY).message)).toEqual([...good, ...BODY])
  })
})

describe('what cannot be', () => {
  const notKnown = 'amqp:not-implemented'
  const invalid = 'amqp:invalid-field'
  const malformed = 'amqp:decode-error'
  test.each<[string, string, RegExp, readonly Encoded[]]>([
    [
      'an annotation that must be known',
      notKnown,
      /^message annotation 'x-mine' is not known here; a name of your own begins with 'x-opt-'$/,
      [annotations({ 'x-mine': NULL })],
    ],
    [
      'one with a number',
      notKnown,
      /^message annotation 7 is not known/,
      [section(Descriptor.messageAnnotations, map([[0x53, 7], NULL]))],
    ],
    [
      'one with a string',
      malformed,
      /neither a symbol nor a ulong/,
      [section(Descriptor.messageAnnotations, map([string('x-opt-a'), NULL]))],
    ],
    [
      'a delivery annotation that must be known',
      notKnown,
      /^delivery annotation 'mine'/,
      [section(Descriptor.deliveryAnnotations, map([symbol('mine'), NULL]))],
    ],
    [
      'a delay below 0',
      invalid,
      /'x-opt-delivery-delay' must be a whole number of ms from 0/,
      [annotations({ 'x-opt-delivery-delay': [0x54, 0xff] })],
    ],
    [
      'a delay that is a text',
      invalid,
      /'x-opt-delivery-delay' must be/,
      [annotations({ 'x-opt-delivery-delay': string('5') })],
    ],
    [
      'a cron expression that is none',
      invalid,
      /'x-opt-delivery-cron' must be a string/,
      [annotations({ 'x-opt-delivery-cron': [0x41] })],
    ],
    [
      'retain of another word',
      invalid,
      /'x-opt-retain' must be true, 'set' or 'remove'/,
      [annotations({ 'x-opt-retain': string('maybe') })],
    ],
    [
      'a name of a property that is a symbol',
      malformed,
      /a name of an application property has the constructor 0xa3/,
      [section(Descriptor.applicationProperties, map([symbol('a'), NULL]))],
    ],
    [
      'a property that is a list',
      malformed,
      /application property 'a' has the constructor 0xc0/,
      [application({ a: list([NULL]) })],
    ],
    [
      'a property that is an array',
      malformed,
      /application property 'a' has the constructor 0xe0/,
      [application({ a: [0xe0, 2, 0, 0x41] })],
    ],
    [
      'a delay in a property that is none',
      invalid,
      /^message: application property 'AMQ_SCHEDULED_DELAY' is 'soon', which must be /,
      [application({ AMQ_SCHEDULED_DELAY: string('soon') })],
    ],
    [
      'a name of a group without end',
      invalid,
      /^message: properties.group-id has 1030 bytes; the limit is 1024$/,
      [
        section(
          Descriptor.properties,
          list([...Array.from({ length: 10 }, () => NULL), string('x'.repeat(1_025))], false),
        ),
      ],
    ],
    [
      'a message that clears its topic and has a body',
      invalid,
      /takes no body, and this one has 3 bytes/,
      [annotations({ 'x-opt-retain': string('remove') })],
    ],
  ])('%s', (_what, condition, text, parts) => {
    let fault: unknown
    try {
      receive(...parts, BODY)
    } catch (error) {
      fault = error
    }
    expect(fault).toBeInstanceOf(AmqpFault)
    expect(fault).toMatchObject({ level: 'link', condition })
    expect((fault as AmqpFault).message).toMatch(text)
  })

  test('a message that clears its topic has no body', () => {
    const part = annotations({ 'x-opt-retain': string('remove') })
    for (const body of [[], section(Descriptor.data, binary([])), section(Descriptor.amqpValue, NULL)]) {
      const { message } = receive(part, body)
      expect(message.retain).toBe(true)
      expect(message.end).toBe(message.bodyStart)
    }
  })

  test('a queue that is to keep a message as the last one', () => {
    const part = annotations({ 'x-opt-retain': [0x41] })
    expect(() => receiveAt('$queue/q', part, BODY)).toThrow('message: a queue keeps no retained message')
  })

  test('a footer that must be known', () => {
    expect(() => receive(BODY, section(Descriptor.footer, map([symbol('mine'), NULL])))).toThrow(
      "annotation of the footer 'mine'",
    )
  })
})
