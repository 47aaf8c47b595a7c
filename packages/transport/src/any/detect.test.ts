import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { DETECT_BYTES_MAX, type Detection, detectProtocol } from './detect.ts'

function detect(text: string): Detection {
  return detectProtocol(Buffer.from(text, 'latin1'))
}

const OPENWIRE_HELLO = '\0\0\x01\x03\x01ActiveMQ\0\0\0\x0c'

const BEGINNINGS: ReadonlyArray<readonly [string, Detection]> = [
  ['\x16\x03\x01\x02\0', 'tls'],
  ['\x16\x03', 'tls'],
  ['\x10\x0c\0\x04MQTT\x04', 'mqtt'],
  ['\x10\x0e\0\x06MQIsdp\x03', 'mqtt'],
  ['\x10\xff\xff\xff\x7f\0\x04MQTT', 'mqtt'],
  ['\x10\x8c\0\0\x04MQTT', 'mqtt'],
  ['CONNECT\n', 'stomp'],
  ['CONNECT\r\naccept-version:1.2', 'stomp'],
  ['STOMP\n', 'stomp'],
  ['\n\r\n\nSTOMP\r\n', 'stomp'],
  ['AMQP\0\x01\0\0', 'amqp'],
  ['AMQP\x03\x01\0\0', 'amqp'],
  ['AMQP\x02\x01\0\0', 'amqp'],
  ['AMQP\0\x02\0\0', 'amqp'],
  ['AMQP\0\0\x09\x01', 'amqp-0-9-1'],
  ['AMQP\x01\x01\0\x09', 'amqp-0-9-1'],
  [OPENWIRE_HELLO, 'openwire'],
  ['GET / HTTP/1.1\r\n', 'http'],
  ['POST /x HTTP/1.1\r\n', 'http'],
  ['CONNECT host:443 HTTP/1.1\r\n', 'http'],
  ['PRI * HTTP/2.0\r\n', 'http'],
]

const UNKNOWN: readonly string[] = [
  '\x16\x02\x01',
  '\x10\x0c\0\x04MQTX',
  '\x10\x0c\0\x05MQTT5',
  '\x10\xff\xff\xff\xff',
  '\xc0\0',
  'connect\n',
  'CONNECTED\n',
  'STOMP \n',
  'STOMP\rX',
  '\rSTOMP\n',
  'AMQX\0\x01\0\0',
  '\x01\0\0\x03\x01ActiveMQ',
  '\0\0\0\x03\x02ActiveMQ',
  'GETX',
  'SSH-2.0-OpenSSH_9.6\r\n',
  '*1\r\n$4\r\nPING\r\n',
]

test.each(BEGINNINGS)('%j is %s', (text, protocol) => {
  expect(detect(text)).toBe(protocol)
})

test.each(UNKNOWN)('%j is unknown', (text) => {
  expect(detect(text)).toBe('unknown')
})

describe('more bytes are asked for', () => {
  test('before the first', () => expect(detect('')).toBe('more'))

  test.each([
    '\x16',
    '\x10',
    '\x10\x8c',
    '\x10\x0c\0\x04MQT',
    '\r',
    '\n\n',
    'CONNECT',
    'CONNECT\r',
    'AMQP\0\0\x09',
    '\0',
    '\0\0\0\0',
  ])('after %j', (text) => expect(detect(text)).toBe('more'))

  test('and no further ones than the limit: empty lines alone say nothing', () => {
    expect(detect('\n'.repeat(DETECT_BYTES_MAX - 1))).toBe('more')
    expect(detect('\n'.repeat(DETECT_BYTES_MAX))).toBe('unknown')
    expect(detect(`${'\n'.repeat(DETECT_BYTES_MAX - 6)}STOMP\n`)).toBe('stomp')
    expect(detect(`${'\n'.repeat(DETECT_BYTES_MAX - 5)}STOMP\n`)).toBe('unknown')
  })
})

/** What a peer would be told whose bytes come in these pieces. */
function detectIn(bytes: Uint8Array, ends: readonly number[]): Detection {
  for (const end of ends) {
    const answer = detectProtocol(bytes.subarray(0, end))
    if (answer !== 'more') return answer
  }
  return detectProtocol(bytes)
}

test('however the bytes are cut, the answer is the same', () => {
  const all = [...BEGINNINGS.map(([text]) => text), ...UNKNOWN]
  const beginning = fc.constantFrom(...all).map((text) => Buffer.from(text, 'latin1'))
  // A beginning with a byte changed, with something behind it, or cut short; or anything at all.
  const bent = fc
    .tuple(beginning, fc.nat(20), fc.nat(255), fc.uint8Array({ maxLength: 80 }), fc.boolean())
    .map(([bytes, at, value, rest, isBent]) => {
      const made = Buffer.concat([bytes, rest])
      if (isBent && at < made.length) made[at] = value
      return made.subarray(0, isBent ? made.length : at)
    })
  const input = fc.oneof(bent, fc.uint8Array({ maxLength: 2 * DETECT_BYTES_MAX }))
  const cuts = fc.array(fc.nat(2 * DETECT_BYTES_MAX)).map((ends) => ends.toSorted((a, b) => a - b))
  fc.assert(
    fc.property(input, cuts, (bytes, ends) => {
      expect(detectIn(bytes, ends)).toBe(detectProtocol(bytes))
    }),
    { numRuns: 5_000 },
  )
})

test('the limit is enough: nobody is asked for more bytes than that', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: DETECT_BYTES_MAX, maxLength: DETECT_BYTES_MAX }), (bytes) => {
      expect(detectProtocol(bytes)).not.toBe('more')
    }),
  )
})
