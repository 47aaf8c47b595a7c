import { describe, expect, test } from 'vitest'
import { specifications } from '../../test/conformance/clauses/index.ts'
import { decodeConnect, decodeControl } from './decode-control.ts'
import { ProtocolError } from './errors.ts'
import { INVALID } from './packet-cases-broken.ts'
import { data, frame, head31, head311, head5, props, text, VALID } from './packet-cases.ts'
import type { ValidCase } from './packet-cases.ts'
import type { ConnectPacket, ControlPacket } from './types.ts'

function decode(version: ValidCase['version'], bytes: Uint8Array): ConnectPacket | ControlPacket {
  return version === 'first' ? decodeConnect(bytes) : decodeControl(bytes, version)
}

/** What was thrown, or undefined. */
function failure(version: ValidCase['version'], bytes: Uint8Array): unknown {
  try {
    decode(version, bytes)
  } catch (error) {
    return error
  }
  return undefined
}

describe('sound packets', () => {
  test.each(VALID)('$name is decoded', ({ version, bytes, packet }) => {
    expect(decode(version, bytes)).toEqual(packet)
  })

  test.each(VALID)('$name leaves the bytes as they were and keeps none of them', ({ version, bytes, packet }) => {
    const memory = new Uint8Array(bytes.length + 20).fill(0xaa)
    memory.set(bytes, 7)
    const decoded = decode(version, memory.subarray(7, 7 + bytes.length))
    expect(memory.subarray(7, 7 + bytes.length)).toEqual(bytes)
    memory.fill(0)
    expect(decoded).toEqual(packet)
  })

  test.each(VALID)('$name cut anywhere is refused', ({ version, bytes }) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(failure(version, bytes.subarray(0, length)), `first ${length} bytes`).toBeInstanceOf(ProtocolError)
    }
  })

  test.each(VALID)('$name with fewer bytes and a length that agrees is sound or refused', ({ version, bytes }) => {
    const body = bytes.subarray(bytes.findIndex((byte, index) => index > 0 && byte < 0x80) + 1)
    for (let length = 0; length < body.length; length++) {
      const error = failure(version, frame(bytes[0]!, [...body.subarray(0, length)]))
      const isFine = error === undefined || error instanceof ProtocolError
      expect(isFine, `first ${length} bytes of the body: ${String(error)}`).toBe(true)
    }
  })

  test('a decoder that has refused a packet decodes the next one', () => {
    expect(failure(4, frame(0x82, 0, 0))).toBeInstanceOf(ProtocolError)
    expect(decodeControl(frame(0x82, 0, 1, text('a'), 1), 4)).toMatchObject({ packetId: 1 })
  })
})

test('a 3.1 client id is as long as the client likes, unless a limit is given', () => {
  const bytes = frame(0x10, head31(0x02), text('x'.repeat(24)))
  expect(decodeConnect(bytes).clientId).toHaveLength(24)
  expect(decodeConnect(bytes, 24).clientId).toHaveLength(24)
  expect(() => decodeConnect(bytes, 23)).toThrow('24 characters; in MQTT 3.1 it may have 23 [MQTT31-3.1-c]')
  expect(decodeConnect(frame(0x10, head311(0x02), text('x'.repeat(24))), 23).clientId).toHaveLength(24)
})

describe('packets that would take long', () => {
  const filters = (count: number): number[] => Array.from({ length: count }, () => [...text('a'), 0]).flat()
  const pairs = (count: number): number[] =>
    Array.from({ length: count }, () => [0x26, ...text('k'), ...text('')]).flat()

  test('a SUBSCRIBE has 16,384 filters at most', () => {
    expect(decodeControl(frame(0x82, 0, 1, filters(16_384)), 4)).toMatchObject({ type: 'subscribe' })
    expect(failure(4, frame(0x82, 0, 1, filters(16_385)))).toMatchObject({ reasonCode: 0x97, clause: 'MQTT311 §4.8' })
  })

  test('a CONNECT and its will have 2,048 properties each at most', () => {
    const connect = (count: number, willCount: number): Uint8Array =>
      frame(0x10, head5(6), props(pairs(count)), text('c'), props(pairs(willCount)), text('t'), data())
    expect(decodeConnect(connect(2_048, 2_048)).userProperties).toHaveLength(2_048)
    expect(failure('first', connect(2_049, 0))).toMatchObject({ reasonCode: 0x97, clause: 'MQTT5 §4.13.2' })
    expect(failure('first', connect(0, 2_049))).toMatchObject({ reasonCode: 0x97 })
  })
})

describe('broken packets', () => {
  test('each is refused by a rule of the requirement lists, or by a section that numbers none', () => {
    const listed = new Set(specifications.flatMap((specification) => specification.clauses.map((rule) => rule.id)))
    const unknown = INVALID.map((row) => row.clause).filter((clause) => !listed.has(clause))
    expect(unknown.filter((clause) => !/^MQTT(5|311|31) §[\d.]+$/.test(clause))).toEqual([])
  })

  test.each(INVALID)('$name is refused', ({ version, bytes, reasonCode, clause }) => {
    const error = failure(version, bytes)
    expect(error).toBeInstanceOf(ProtocolError)
    expect(error).toMatchObject({ clause, reasonCode })
  })

  test('the refusal says who, which value and which rule', () => {
    expect(() => decodeControl(frame(0x82, 0, 1, 0, text('a/#/b'), 0), 5)).toThrow(
      `topic filter "a/#/b" is invalid: '#' must be the whole last level [MQTT5-4.7.1-1]`,
    )
    expect(() => decodeConnect(frame(0x10, text('MQTT'), 0x84, 2, 0, 60, text('c')))).toThrow(
      'CONNECT: protocol MQTT has no level 132 here; MQIsdp 3, MQTT 4 and MQTT 5 are supported; the bridge bit is not supported, connect without it',
    )
  })
})
