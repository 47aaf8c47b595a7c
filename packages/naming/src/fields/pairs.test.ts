import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { faultText, type Pair, readPairs } from './read-pairs.ts'
import { annotationNames, FRAME_HEADERS, partNames } from './names.ts'
import { FIELDS } from './table.ts'
import { type PairProtocol, TABLED_PROTOCOLS } from './types.ts'
import { bytesOfText, textOfBytes } from './texts.ts'
import { type FieldedMessage, losses, writeAnnotations, writeMessageAnnotations, writePairs } from './write-pairs.ts'

function encode(text: string): Uint8Array {
  return new Uint8Array(new TextEncoder().encode(text))
}

const PROTOCOLS: readonly PairProtocol[] = ['mqtt5', 'stomp', 'amqp10']

describe('the table', () => {
  test('has a place for every field in every protocol, and a reason where there is none', () => {
    for (const field of FIELDS) {
      expect(Object.keys(field.in), field.id).toEqual(expect.arrayContaining([...TABLED_PROTOCOLS]))
      for (const place of Object.values(field.in)) if (place.kind === 'lost') expect(place.reason).not.toBe('')
    }
    expect(new Set(FIELDS.map(({ id }) => id)).size).toBe(FIELDS.length)
  })

  test('gives each annotation of AMQP one meaning, by a name that others pass on', () => {
    const names = annotationNames().map(([, name]) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^x-opt-/)
  })

  test('gives each name one meaning in a protocol', () => {
    for (const protocol of PROTOCOLS) {
      const names = [...partNames(protocol).map(([, name]) => name), ...FRAME_HEADERS[protocol]]
      expect(new Set(names).size, protocol).toBe(names.length)
    }
  })
})

describe('reading', () => {
  test('a SEND with everything that ActiveMQ has', () => {
    const read = readPairs('stomp', [
      ['destination', '/queue/a'],
      ['receipt', 'r1'],
      ['persistent', 'True'],
      ['priority', '7'],
      ['expires', '1800000000000'],
      ['correlation-id', 'c1'],
      ['reply-to', '/queue/answers'],
      ['type', 'order'],
      ['JMSXGroupID', 'g'],
      ['JMSXGroupSeq', '3'],
      ['timestamp', '1700000000000'],
      ['content-type', 'text/plain'],
      ['content-encoding', 'gzip'],
      ['app-id', 'shop'],
      ['amqp-message-id', 'm1'],
      ['amq-msg-type', 'text'],
      ['colour', 'red'],
      ['__proto__', 'x'],
      ['AMQ_SCHEDULED_DELAY', '1000'],
      ['AMQ_SCHEDULED_PERIOD', '500'],
      ['AMQ_SCHEDULED_REPEAT', '-1'],
      ['AMQ_SCHEDULED_CRON', '0 * * * *'],
      ['_AMQ_DUPL_ID', 'd1'],
      ['retain', 'set'],
    ])
    expect(read).toEqual({
      headers: {
        correlationId: new TextEncoder().encode('c1'),
        replyTo: '$queue/answers',
        type: 'order',
        groupSequence: 3,
        timestampMs: 1_700_000_000_000,
        contentType: 'text/plain',
        contentEncoding: 'gzip',
        appId: 'shop',
        messageId: 'm1',
        text: true,
        properties: [
          ['colour', 'red'],
          ['__proto__', 'x'],
          ['_AMQ_DUPL_ID', 'd1'],
        ],
      },
      durable: true,
      priority: 7,
      expiresAtMs: 1_800_000_000_000,
      groupId: 'g',
      schedule: { delayMs: 1_000, periodMs: 500, repeats: -1, cron: '0 * * * *' },
      dedupId: 'd1',
      retain: 'set',
      faults: [],
      ignored: [],
    })
  })

  test('user properties of MQTT 5; what STOMP calls a field is a property there', () => {
    const read = readPairs('mqtt5', [
      ['JMSType', 'order'],
      ['priority', '9'],
      ['type', 'mine'],
      ['expires', 'never'],
      ['traceparent', '00-a-b-01'],
    ])
    expect(read.headers).toEqual({
      type: 'order',
      properties: [
        ['type', 'mine'],
        ['expires', 'never'],
        ['traceparent', '00-a-b-01'],
      ],
    })
    expect(read.priority).toBe(9)
    expect(read.faults).toEqual([])
  })

  test('application properties of AMQP; what others call a field is a property there', () => {
    const read = readPairs('amqp10', [
      ['JMSType', 'mine'],
      ['priority', 'mine'],
      ['app-id', 'shop'],
      ['_AMQ_DUPL_ID', 'd1'],
      ['AMQ_SCHEDULED_DELAY', '1000'],
      ['ActiveMQ.Retain', 'true'],
    ])
    expect(read).toEqual({
      headers: {
        appId: 'shop',
        properties: [
          ['JMSType', 'mine'],
          ['priority', 'mine'],
          ['_AMQ_DUPL_ID', 'd1'],
        ],
      },
      dedupId: 'd1',
      schedule: { delayMs: 1_000 },
      retain: 'set',
      faults: [],
      ignored: [],
    })
    const [fault] = readPairs('amqp10', [['AMQ_SCHEDULED_DELAY', 'soon']]).faults
    expect(faultText('amqp10', fault!)).toMatch(/^application property 'AMQ_SCHEDULED_DELAY' is 'soon', which must be /)
  })

  test.each(['-1', '-7'])('JMSXGroupSeq %s ends the group', (sequence) => {
    const read = readPairs('stomp', [
      ['JMSXGroupID', 'g'],
      ['JMSXGroupSeq', sequence],
    ])
    expect(read).toMatchObject({ groupId: 'g', groupEnds: true })
  })

  test.each([
    ['retain', 'true', 'set'],
    ['retain', 'set', 'set'],
    ['retain', 'remove', 'remove'],
    ['retain', 'false', undefined],
    ['ActiveMQ.Retain', 'true', 'set'],
    ['ActiveMQ.Retain', 'false', undefined],
  ])('%s:%s is %s', (name, value, retain) => {
    expect(readPairs('stomp', [[name, value]]).retain).toBe(retain)
  })

  test.each<[PairProtocol, string, string]>([
    ['stomp', 'priority', '12'],
    ['stomp', 'priority', '-1'],
    ['stomp', 'priority', '4.0'],
    ['stomp', 'priority', ''],
    ['stomp', 'priority', ' 4'],
    ['stomp', 'persistent', 'yes'],
    ['stomp', 'expires', 'abc'],
    ['stomp', 'expires', '-5'],
    ['stomp', 'expires', '99999999999999999999'],
    ['stomp', 'timestamp', '1e3'],
    ['stomp', 'reply-to', ''],
    ['stomp', 'reply-to', '/topic/a.*'],
    ['stomp', 'reply-to', '/temp-queue/mine'],
    ['stomp', 'JMSXGroupID', ''],
    ['stomp', 'JMSXGroupSeq', 'x'],
    ['stomp', 'amq-msg-type', 'map'],
    ['stomp', 'retain', 'maybe'],
    ['stomp', 'ActiveMQ.Retain', 'set'],
    ['stomp', 'AMQ_SCHEDULED_DELAY', '-1'],
    ['stomp', 'AMQ_SCHEDULED_REPEAT', '-2'],
    ['stomp', '_AMQ_DUPL_ID', ''],
    ['mqtt5', 'priority', 'high'],
    ['mqtt5', 'JMSTimestamp', 'now'],
  ])(
    '%s %s:%s is a fault that names header, value, rule and remedy, and stays as a property',
    (protocol, name, value) => {
      const { faults, headers } = readPairs(protocol, [[name, value]])
      expect(faults).toMatchObject([{ name, value }])
      expect(headers).toEqual({ properties: [[name, value]] })
      const text = faultText(protocol, faults[0]!)
      expect(text).toContain(`'${name}'`)
      expect(text).toMatch(/, which must be .+: correct it or leave it out/)
      expect(text.length).toBeLessThan(600)
    },
  )

  test('names of groups and ids for duplicates have at most 1,024 characters', () => {
    const pairs = ['JMSXGroupID', '_AMQ_DUPL_ID'].map((name): Pair => [name, 'x'.repeat(1_025)])
    const { faults } = readPairs('mqtt5', pairs)
    expect(faults.map(({ name }) => name)).toEqual(['JMSXGroupID', '_AMQ_DUPL_ID'])
    expect(faultText('mqtt5', faults[0]!)).toMatch(
      /^user property 'JMSXGroupID' is 'x{80}…', which must be a text of 1 to 1024 characters: /,
    )
  })

  test('a schedule of zeros, or of repeats alone, is none', () => {
    const pairs: Pair[] = [
      ['AMQ_SCHEDULED_DELAY', '0'],
      ['AMQ_SCHEDULED_PERIOD', '0'],
      ['AMQ_SCHEDULED_REPEAT', '5'],
      ['AMQ_SCHEDULED_CRON', ''],
    ]
    expect(readPairs('stomp', pairs)).not.toHaveProperty('schedule')
    expect(readPairs('mqtt5', [['AMQ_SCHEDULED_TIME', '0']]).schedule).toEqual({ deliverAtMs: 0 })
  })

  test('the first of a field counts, and nobody but the broker says who published it or how often it failed', () => {
    const read = readPairs('stomp', [
      ['priority', '1'],
      ['priority', '2'],
      ['JMSXUserID', 'admin'],
      ['redelivered', 'true'],
      ['JMSXDeliveryCount', '9'],
      ['x-death-cause', 'expired'],
    ])
    expect(read.priority).toBe(1)
    expect(read.headers).toEqual({ properties: [] })
    expect(read.ignored).toEqual(['priority', 'JMSXUserID', 'redelivered', 'JMSXDeliveryCount', 'x-death-cause'])
  })
})

describe('writing', () => {
  const dead: FieldedMessage = {
    headers: { userId: 'alice', properties: [['colour', 'red']] },
    extras: {
      annotations: {
        originalAddress: 'a/b',
        originalQueue: '$queue/orders',
        earlierQueues: '["$queue/secret"]', // of no concern to receivers
        cause: 'rejected',
        reason: 'no such item',
        failedCount: 2,
        movedAtMs: 5,
        zone: 'north',
      },
    },
  }

  test('a dead letter tells STOMP in the words of ActiveMQ where it was and why it died', () => {
    const delivery = { redelivered: true, failedCount: 1, retained: true }
    expect(writePairs('stomp', dead, { delivery })).toEqual([
      ['JMSXUserID', 'alice'],
      ['redelivered', 'true'],
      ['JMSXDeliveryCount', '2'],
      ['original-destination', '/topic/a.b'],
      ['dlqDeliveryFailureCause', 'rejected: no such item'],
      ['x-death-queue', '/queue/orders'],
      ['x-death-cause', 'rejected'],
      ['x-death-reason', 'no such item'],
      ['x-death-count', '2'],
      ['x-death-time', '5'],
      ['ActiveMQ.Retained', 'true'],
      ['x-zone', 'north'],
      ['colour', 'red'],
    ])
    expect(losses('stomp', dead, { delivery })).toEqual([])
  })

  test('and AMQP in message annotations', () => {
    expect(writeMessageAnnotations(dead, { delivery: { retained: true } })).toEqual([
      ['x-opt-ORIG-ADDRESS', 'topic://a.b'],
      ['x-opt-ORIG-QUEUE', 'queue://orders'],
      ['x-opt-death-cause', 'rejected'],
      ['x-opt-death-reason', 'no such item'],
      ['x-opt-death-count', 2],
      ['x-opt-death-time', 5],
      ['x-opt-retained', true],
      ['x-opt-zone', 'north'],
    ])
    expect(writePairs('amqp10', dead)).toEqual([['colour', 'red']])
    expect(losses('amqp10', dead)).toEqual([])
  })

  test('AMQP takes every property, and has symbols for types of content', () => {
    const properties: Pair[] = [
      ['a', '1'],
      ['a', '2'],
      ['', 'nul\0'],
      ['app-id', 'mine'],
    ]
    expect(writePairs('amqp10', { headers: { appId: 'shop', properties } })).toEqual([
      ['app-id', 'shop'],
      ...properties.slice(0, 3),
      ['x-property.app-id', 'mine'],
    ])
    const headers = { contentType: 'grün', contentEncoding: 'gzip', properties }
    expect(losses('amqp10', { headers }).map(({ field }) => field)).toEqual(['contentType'])
  })

  test('and MQTT 5 in user properties; what MQTT cannot say is listed', () => {
    const trail: Pair[] = [
      ['x-death-address', 'a/b'],
      ['x-death-queue', '$queue/orders'],
      ['x-death-cause', 'rejected'],
      ['x-death-reason', 'no such item'],
      ['x-death-count', '2'],
      ['x-death-time', '5'],
      ['x-zone', 'north'],
    ]
    expect(writePairs('mqtt5', dead)).toEqual([...trail, ['colour', 'red']])
    expect(writeAnnotations('mqtt5', dead)).toEqual(trail)
    expect(losses('mqtt5', dead, { delivery: { redelivered: true } }).map(({ field }) => field)).toEqual([
      'userId',
      'redelivery',
    ])
  })

  test('MQTT 3 loses every field but topic, retain and QoS, one by one', () => {
    const lost = losses('mqtt3', { ...dead, priority: 9, expiresAtMs: 5 })
    expect(lost.map(({ field, name }) => name ?? field)).toEqual([
      'priority',
      'expiry',
      'userId',
      'deadLetter',
      'colour',
      'zone',
    ])
    for (const { reason } of lost) expect(reason).toContain('MQTT 3')
  })

  test('a property never takes the place of a header of the frame or of a field', () => {
    const names = [
      'destination',
      'subscription',
      'message-id',
      'content-length',
      'JMSXUserID',
      'priority',
      'x-property.a',
    ]
    const properties = names.map((name) => [name, 'mine'] as const)
    const written = writePairs('stomp', { headers: { properties } })
    expect(written.map(([name]) => name)).toEqual(names.map((name) => `x-property.${name}`))
    expect(readPairs('stomp', written).headers).toEqual({ properties })
  })

  test.each([
    [{}, []],
    [{ redelivered: false, failedCount: 0 }, []],
    [{ redelivered: true }, ['redelivered true', 'JMSXDeliveryCount 2']],
    [{ redelivered: true, failedCount: 0 }, ['redelivered true', 'JMSXDeliveryCount 2']],
    [{ redelivered: true, failedCount: 3 }, ['redelivered true', 'JMSXDeliveryCount 4']],
  ])('a delivery %j says %j: whoever hears of a redelivery counts two at least', (delivery, expected) => {
    expect(writePairs('stomp', { headers: { properties: [] } }, { delivery }).map((pair) => pair.join(' '))).toEqual(
      expected,
    )
  })

  test('STOMP has the first of a name only, and MQTT no U+0000 and nothing longer than 65,535 bytes', () => {
    const long = 'ä'.repeat(32_768)
    const properties: Pair[] = [
      ['a', '1'],
      ['a', '2'],
      ['', 'x'],
      ['nul', '\0'],
      ['long', long],
    ]
    const message: FieldedMessage = {
      headers: { contentType: long, correlationId: new Uint8Array(70_000), properties },
    }
    expect(losses('stomp', message).map(({ field, name }) => [field, name])).toEqual([
      ['properties', 'a'],
      ['properties', ''],
      ['properties', 'nul'],
    ])
    expect(losses('mqtt5', message).map(({ field, name }) => [field, name])).toEqual([
      ['contentType', undefined],
      ['correlation', undefined],
      ['properties', 'nul'],
      ['properties', 'long'],
    ])
    expect(writePairs('mqtt5', message)).toEqual(properties.slice(0, 3))
  })

  test('a reply-to that MQTT cannot write is listed', () => {
    expect(losses('mqtt5', { headers: { replyTo: '$queue/C++', properties: [] } })).toMatchObject([
      { field: 'replyTo' },
    ])
    expect(losses('stomp', { headers: { replyTo: '$queue/C++', properties: [] } })).toEqual([])
  })
})

test('any bytes come back from the text that stands for them', () => {
  const bytes = fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' }).map(encode))
  const tricky = fc.constantFrom('base64:', 'base64:QQ==', 'base64:QQ=', 'base64:ä', '\ufeffa', 'a\0b').map(encode)
  fc.assert(
    fc.property(fc.oneof(bytes, tricky), (given) => {
      const text = textOfBytes(given)
      expect(text).not.toContain('\0')
      expect(bytesOfText(text)).toEqual(given)
    }),
  )
})

test('a text that only begins like base64 is a text', () => {
  for (const text of ['base64:QQ=', 'base64:QR==', 'base64:%', 'base64'])
    expect(bytesOfText(text)).toEqual(encode(text))
  expect(bytesOfText('base64:AAE=')).toEqual(Uint8Array.of(0, 1))
})
