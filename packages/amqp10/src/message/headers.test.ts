import type { Message } from '@ternmq/core'
import { describe, expect, test } from 'vitest'
import { Descriptor } from '../codec/descriptors.ts'
import { amqpHeaders } from './headers.ts'
import { readIncoming, toMessage } from './message-in.ts'
import { binary, type Encoded, list, map, section, string, symbol } from '../../test/random-payloads.ts'
import { JSON_VALUES_MAX, readSections, Sections } from './sections.ts'

const NULL = [0x40]

function receive(...parts: readonly Encoded[]): Message {
  const bytes = Buffer.from(parts.flat())
  const sections = new Sections()
  readSections(bytes, 0, bytes.length, sections)
  return toMessage(readIncoming(sections, bytes), sections, bytes, bytes.length, 'a', 'p', 0)
}

function value(encoded: Encoded): number[] {
  return section(Descriptor.amqpValue, encoded)
}

function u32(number: number): number[] {
  return [number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff]
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0)
}

/** A list of so many truths. */
function manyIn(count: number): number[] {
  return [0xd0, ...u32(count + 4), ...u32(count), ...new Array<number>(count).fill(0x41)]
}

function sequences(...lists: readonly Encoded[]): number[] {
  return lists.flatMap((encoded) => section(Descriptor.amqpSequence, encoded))
}

function bodyText(message: Message): string {
  return Buffer.from(message.foreignBody).toString()
}

function properties(...fields: readonly Encoded[]): number[] {
  return section(Descriptor.properties, list(fields))
}

describe('headers', () => {
  test('from properties', () => {
    const fields = [
      string('m1'),
      binary([...Buffer.from('alice')]),
      string('queue://a'),
      string('order'),
      string('topic://a.b'),
      binary([0xff]),
      symbol('text/plain'),
      symbol('gzip'),
      NULL,
      [0x83, 0, 0, 0, 0, 0, 0, 0, 7],
      string('g'),
      [0x52, 3],
    ]
    expect(receive(properties(...fields)).headers).toEqual({
      messageId: 'm1',
      userId: 'alice',
      type: 'order',
      replyTo: 'a/b',
      correlationId: Buffer.of(0xff),
      contentType: 'text/plain',
      contentEncoding: 'gzip',
      timestampMs: 7,
      groupSequence: 3,
      properties: [],
    })
  })

  test.each<[string, Encoded, string]>([
    ['a string', string('m1'), 'm1'],
    [
      'a string that begins as JMS writes a UUID',
      string('ID:AMQP_UUID:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'),
      'ID:AMQP_STRING:ID:AMQP_UUID:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    ],
    [
      'a UUID',
      [0x98, 0xf8, 0x1d, 0x4f, 0xae, 0x7d, 0xec, 0x11, 0xd0, 0xa7, 0x65, 0, 0xa0, 0xc9, 0x1e, 0x6b, 0xf6],
      'ID:AMQP_UUID:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    ],
    ['a number', [0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 'ID:AMQP_ULONG:18446744073709551615'],
    ['no bytes', binary([]), 'ID:AMQP_BINARY:'],
    ['bytes', binary([0, 0xab]), 'ID:AMQP_BINARY:00AB'],
  ])('an id that is %s, and back', (_what, id, expected) => {
    const { headers } = receive(properties(id))
    expect(headers.messageId).toBe(expected)
    expect(amqpHeaders.encode(headers).subarray(6)).toEqual(Uint8Array.from(id))
  })

  test.each<[string, Encoded | undefined, string | undefined]>([
    ['queue://A.B', undefined, '$queue/A.B'],
    ['topic://a.b', undefined, 'a/b'],
    ['a.b', [0x51, 1], 'a/b'],
    ['a.b', [0x51, 0], '$queue/a.b'],
    ['a.b', undefined, '$queue/a.b'],
    ['temp-queue://0af9', [0x51, 2], '$queue/$temp/0af9'],
    ['0af9', [0x51, 3], '$temp/0af9'],
    ['a.b', [0x51, 9], '$queue/a.b'],
    ['topic://a.*', undefined, undefined],
    ['a,b', undefined, undefined],
  ])('answers to %s, kind %j, go to %s', (address, kind, expected) => {
    const kinds =
      kind === undefined ? [] : section(Descriptor.messageAnnotations, map([symbol('x-opt-jms-reply-to'), kind]))
    expect(receive(kinds, properties(NULL, NULL, NULL, NULL, string(address))).headers.replyTo).toBe(expected)
  })

  test.each<[string, Record<string, string>, Record<string, string>, [string, string][]]>([
    [
      'of application properties',
      { traceparent: 'mine', a: '1', tracestate: 's' },
      {},
      [
        ['traceparent', 'mine'],
        ['a', '1'],
        ['tracestate', 's'],
      ],
    ],
    [
      'of message annotations before that, state and all',
      { traceparent: 'mine', a: '1', tracestate: 's' },
      { traceparent: 'later' },
      [
        ['a', '1'],
        ['traceparent', 'later'],
      ],
    ],
    [
      'of message annotations alone',
      {},
      { tracestate: 's', traceparent: 'later' },
      [
        ['tracestate', 's'],
        ['traceparent', 'later'],
      ],
    ],
    ['of no state without a parent', { a: '1' }, { tracestate: 's' }, [['a', '1']]],
  ])('the trace is that %s', (_which, application, annotations, expected) => {
    const entries = (pairs: Record<string, string>, key: (name: string) => Encoded): Encoded[] =>
      Object.entries(pairs).flatMap(([name, text]) => [key(name), string(text)])
    const message = receive(
      section(Descriptor.messageAnnotations, map(entries(annotations, symbol))),
      section(Descriptor.applicationProperties, map(entries(application, string))),
      value(string('x')),
    )
    expect(message.headers.properties).toEqual(expected)
  })

  test('from application properties: texts in their order, and what they are for selectors', () => {
    const pairs: ReadonlyArray<readonly [string, Encoded]> = [
      ['colour', string('red')],
      ['qty', [0x54, 7]],
      ['big', [0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
      ['half', [0x82, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]],
      ['yes', [0x56, 1]],
      ['none', NULL],
      ['bytes', binary([0xff])],
      ['char', [0x73, 0, 0, 0, 0xe4]],
      ['uri', [0, 0xa3, 1, 0x75, ...string('http://x')]],
      ['app-id', string('shop')],
      ['x-property.app-id', string('mine')],
      ['_AMQ_DUPL_ID', string('d1')],
      ['AMQ_SCHEDULED_DELAY', [0x54, 5]],
      ['__proto__', [0x54, 8]],
    ]
    const part = section(Descriptor.applicationProperties, map(pairs.flatMap(([name, found]) => [string(name), found])))
    const { appId, properties: found, typed } = receive(part).headers
    expect(appId).toBe('shop')
    expect(found).toEqual([
      ['colour', 'red'],
      ['qty', '7'],
      ['big', '9223372036854775807'],
      ['half', '0.5'],
      ['yes', 'true'],
      ['bytes', '/w=='],
      ['char', 'ä'],
      ['uri', 'http://x'],
      ['app-id', 'mine'],
      ['_AMQ_DUPL_ID', 'd1'],
      ['__proto__', '8'],
    ])
    expect([...typed!]).toEqual(
      expect.arrayContaining([
        ['qty', 7],
        ['big', 9_223_372_036_854_775_807n],
        ['half', 0.5],
        ['yes', true],
        ['__proto__', 8],
      ]),
    )
    expect(typed!.get('colour')).toBeUndefined()
  })

  test('all properties count where names repeat, as long as the application properties are those', () => {
    const headers = {
      properties: [
        ['a', '1'],
        ['a', '2'],
        ['b', '3'],
      ] as const,
    }
    const bytes = amqpHeaders.encode(headers)
    expect(amqpHeaders.decode(bytes)).toEqual(headers)
    const changed = Buffer.from(bytes)
    changed[changed.lastIndexOf('1')] = 0x39
    expect(amqpHeaders.decode(changed).properties).toEqual([
      ['a', '9'],
      ['b', '3'],
    ])
    const kept = section(
      Descriptor.messageAnnotations,
      map([symbol('x-opt-mqtt-user-properties'), list([string('a'), NULL])]),
    )
    const own = section(Descriptor.applicationProperties, map([string('a'), string('1')]))
    expect(amqpHeaders.decode(Uint8Array.from([...kept, ...own])).properties).toEqual([['a', '1']])
  })

  test("a publisher's own annotations are properties, as JSON where they are not simple", () => {
    const part = section(
      Descriptor.messageAnnotations,
      map([
        symbol('x-opt-a'),
        list([[0x41], string('x')]),
        symbol('x-opt-b'),
        [0x54, 1],
        symbol('x-exchange'),
        string('e'),
      ]),
    )
    expect(receive(part).headers).toEqual({
      properties: [
        ['x-opt-a', '[true,"x"]'],
        ['x-opt-b', '1'],
      ],
    })
  })

  test.each<[string, Encoded, Encoded, boolean | undefined]>([
    ['a string', [], value(string('ä')), true],
    ['data', [], section(Descriptor.data, binary([1])), undefined],
    ['data of a text message', [0x51, 5], section(Descriptor.data, binary([1])), true],
    ['data of a bytes message', [0x51, 3], section(Descriptor.data, binary([1])), false],
    ['data of an object', [0x51, 1], section(Descriptor.data, binary([1])), undefined],
    ['a map', [0x51, 2], value(map([string('a'), [0x41]])), true],
  ])('%s is text or bytes as it says', (_what, type, body, expected) => {
    const kind =
      type.length === 0 ? [] : section(Descriptor.messageAnnotations, map([symbol('x-opt-jms-msg-type'), type]))
    expect(receive(kind, body).headers.text).toBe(expected)
  })
})

describe('bodies as others get them', () => {
  const json = 'application/json'
  test.each<[string, Encoded, string, string | undefined]>([
    ['data', section(Descriptor.data, binary([0x61, 0x62])), 'ab', undefined],
    [
      'data in parts',
      [...section(Descriptor.data, binary([0x61])), ...section(Descriptor.data, binary([0x62], false))],
      'ab',
      undefined,
    ],
    [
      'data and a footer',
      [...section(Descriptor.data, binary([0x61])), ...section(Descriptor.footer, map([]))],
      'a',
      undefined,
    ],
    ['a string', value(string('grün')), 'grün', undefined],
    ['a string and a footer', [...value(string('a')), ...section(Descriptor.footer, map([]))], 'a', undefined],
    ['a symbol', value(symbol('a')), 'a', undefined],
    ['binary', value(binary([0x61])), 'a', undefined],
    ['null', value(NULL), '', undefined],
    ['no body', [], '', undefined],
    ['true', value([0x41]), 'true', json],
    ['a number', value([0x81, 0x80, 0, 0, 0, 0, 0, 0, 0]), '-9223372036854775808', json],
    ['an empty list', value([0x45]), '[]', json],
    ['a sequence', section(Descriptor.amqpSequence, list([[0x41], string('a')])), '[true,"a"]', json],
    [
      'sequences',
      [
        ...section(Descriptor.amqpSequence, list([[0x41]])),
        ...section(Descriptor.amqpSequence, [0x45]),
        ...section(Descriptor.amqpSequence, list([[0x42]])),
      ],
      '[true,false]',
      json,
    ],
    ['an empty sequence', section(Descriptor.amqpSequence, [0x45]), '[]', json],
    [
      'a map',
      value(map([string('a"'), [0x54, 0xff], [0x53, 7], map([symbol('b'), NULL])])),
      '{"a\\"":-1,"7":{"b":null}}',
      json,
    ],
    ['what is described', value([0, 0x53, 9, ...list([[0x41]])]), '[true]', json],
    ['a described string', value([0, 0x53, 9, ...string('a')]), '"a"', json],
    ['an array of numbers', value([0xe0, 10, 2, 0x71, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]), '[1,-1]', json],
    ['an array of symbols', value([0xf0, 0, 0, 0, 9, 0, 0, 0, 2, 0xa3, 1, 0x61, 1, 0x62]), '["a","b"]', json],
    ['an array of truths', value([0xe0, 2, 3, 0x41]), '[true,true,true]', json],
    ['an array of described lists', value([0xe0, 10, 2, 0, 0x53, 1, 0xc0, 2, 1, 0x41, 1, 0]), '[[true],[]]', json],
    [
      'times',
      value(
        list([
          [0x83, 0, 0, 0, 0, 0, 0, 0, 0],
          [0x83, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ]),
      ),
      '["1970-01-01T00:00:00.000Z","9223372036854775807"]',
      json,
    ],
    [
      'floats',
      value(
        list([
          [0x72, 0x3f, 0, 0, 0],
          [0x82, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
          [0x82, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        ]),
      ),
      '[0.5,null,null]',
      json,
    ],
    [
      'odd ones',
      value(
        list([
          [0x73, 0, 1, 0xf9, 0x89],
          binary([0xff]),
          [0x74, 1, 2, 3, 4],
          [0x50, 200],
          [0x60, 1, 0],
          [0x61, 0xff, 0xff],
          [0x56, 0],
        ]),
      ),
      '["🦉","/w==","AQIDBA==",200,256,-1,false]',
      json,
    ],
  ])('%s', (_what, parts, body, contentType) => {
    const message = receive(parts)
    expect(Buffer.from(message.foreignBody).toString()).toBe(body)
    expect(message.headers.contentType).toBe(contentType)
    expect(message.end === message.bodyStart).toBe(body === '')
  })

  test('a key that is a list or a map is its encoding in base64, however many maps are around it', () => {
    const inner = map([list([[0x41]]), NULL])
    const base64 = Buffer.from(inner).toString('base64')
    expect(bodyText(receive(value(map([inner, [0x41]]))))).toBe(`{"${base64}":true}`)
    let nested: number[] = string('a')
    for (let depth = 0; depth < 30; depth++) nested = map([nested, NULL])
    expect(bodyText(receive(value(nested))).length).toBeLessThan(1_000)
  })

  test.each<[string, readonly number[]]>([
    ['a list', value(manyIn(JSON_VALUES_MAX))],
    ['a list in a list', value(list([manyIn(JSON_VALUES_MAX - 1)], false))],
    ['a described list', value([0, 0x53, 9, ...manyIn(JSON_VALUES_MAX)])],
    ['an array', value([0xf0, ...u32(JSON_VALUES_MAX + 5), ...u32(JSON_VALUES_MAX), 0x50, ...zeros(JSON_VALUES_MAX)])],
    ['sequences', sequences(manyIn(JSON_VALUES_MAX / 2), manyIn(JSON_VALUES_MAX / 2))],
    ['one long string in a list', value(list([string('x'.repeat(1_048_576), false)], false))],
  ])('%s with more than JSON is for is its encoding, without the footer', (_what, body) => {
    const message = receive([...body, ...section(Descriptor.footer, map([]))])
    expect(Buffer.compare(message.foreignBody, Buffer.from(body))).toBe(0)
    expect(message.headers).toMatchObject({ contentType: 'message/vnd.rabbitmq.amqp', text: false })
  })

  test('as many values as the limit are JSON', () => {
    const message = receive(value(manyIn(JSON_VALUES_MAX - 1)))
    expect(bodyText(message)).toBe(`[${'true,'.repeat(JSON_VALUES_MAX - 2)}true]`)
    expect(message.headers.contentType).toBe(json)
  })

  test('what stands behind the values that are looked at may be anything', () => {
    const body = value(list([manyIn(JSON_VALUES_MAX), [0xff, 0xff]], false))
    expect(receive(body).foreignBody).toEqual(Buffer.from(body))
    // Not so what stands around them.
    expect(() => receive([...body.slice(0, 3), 0xff])).toThrow('0xff is no constructor')
    expect(() => receive(body.slice(0, -1))).toThrow('needs')
  })

  test('are the same after the message has moved, and others have been read', () => {
    const message = receive(value(map([string('a'), [0x41]])))
    const bytes = message.bytes
    const other = receive(value(list([[0x41]])))
    message.detach()
    bytes.fill(0)
    for (let round = 0; round < 2; round++) {
      expect(Buffer.from(message.foreignBody).toString()).toBe('{"a":true}')
      expect(Buffer.from(other.foreignBody).toString()).toBe('[true]')
    }
  })
})
