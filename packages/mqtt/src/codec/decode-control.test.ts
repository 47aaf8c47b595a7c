import { describe, expect, test } from 'vitest'
import { decodeConnect, decodeControl } from './decode-control.ts'
import { ProtocolError } from './errors.ts'
import { INVALID } from './packet-cases-broken.ts'
import { frame, text, VALID } from './packet-cases.ts'
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

describe('broken packets', () => {
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
