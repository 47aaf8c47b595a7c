import { describe, expect, test } from 'vitest'
import { canCarry, connackReturnCode, REASON_CODES, ReasonCode, reasonText, subackCode } from './reason-codes.ts'

describe('reason codes', () => {
  test('every named code is in the table and every code of the table has a name', () => {
    const named = new Set<number>(Object.values(ReasonCode))
    expect(new Set(REASON_CODES.map((row) => row.code))).toEqual(named)
    expect(named.size).toBe(43)
  })

  test('a server may not say disconnect with will, and a client may not say session taken over', () => {
    expect(canCarry('DISCONNECT', ReasonCode.disconnectWithWill, 'client')).toBe(true)
    expect(canCarry('DISCONNECT', ReasonCode.disconnectWithWill, 'server')).toBe(false)
    expect(canCarry('DISCONNECT', ReasonCode.sessionTakenOver, 'client')).toBe(false)
    expect(canCarry('DISCONNECT', ReasonCode.sessionTakenOver, 'server')).toBe(true)
  })

  test('a client may continue or start authentication but not declare it a success', () => {
    expect([0x00, 0x18, 0x19].filter((code) => canCarry('AUTH', code, 'client'))).toEqual([0x18, 0x19])
    expect([0x00, 0x18, 0x19].filter((code) => canCarry('AUTH', code, 'server'))).toEqual([0x00, 0x18])
  })

  test('acknowledgements carry their own codes only', () => {
    const carried = (packet: 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP'): number[] =>
      Array.from({ length: 256 }, (_, code) => code).filter((code) => canCarry(packet, code, 'client'))
    expect(carried('PUBACK')).toEqual([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])
    expect(carried('PUBREC')).toEqual(carried('PUBACK'))
    expect(carried('PUBREL')).toEqual([0x00, 0x92])
    expect(carried('PUBCOMP')).toEqual([0x00, 0x92])
  })

  test('code 0 reads as the packet means it', () => {
    expect(reasonText(0, 'DISCONNECT')).toBe('Normal disconnection')
    expect(reasonText(0, 'SUBACK')).toBe('Granted QoS 0')
    expect(reasonText(0, 'PUBACK')).toBe('Success')
    expect(reasonText(0x95)).toBe('Packet too large')
    expect(reasonText(0x7f)).toBe('0x7f')
  })

  test('3.x clients get the return code that comes closest, or none', () => {
    expect(connackReturnCode(ReasonCode.success)).toBe(0)
    expect(connackReturnCode(ReasonCode.unsupportedProtocolVersion)).toBe(1)
    expect(connackReturnCode(ReasonCode.clientIdentifierNotValid)).toBe(2)
    expect(connackReturnCode(ReasonCode.serverBusy)).toBe(3)
    expect(connackReturnCode(ReasonCode.badUserNameOrPassword)).toBe(4)
    expect(connackReturnCode(ReasonCode.notAuthorized)).toBe(5)
    expect(connackReturnCode(ReasonCode.malformedPacket)).toBeUndefined()
  })

  test('a refused filter has its own code in 5, one code in 3.1.1, and in 3.1 must look granted', () => {
    expect(subackCode(ReasonCode.notAuthorized, 5)).toBe(0x87)
    expect(subackCode(ReasonCode.notAuthorized, 4)).toBe(0x80)
    expect(subackCode(ReasonCode.notAuthorized, 3)).toBe(0x80)
    expect(subackCode(ReasonCode.grantedQos2, 3)).toBe(2)
  })
})
