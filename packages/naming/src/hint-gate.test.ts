import { describe, expect, test } from 'vitest'
import { HintGate } from './hint-gate.ts'

const HOUR_MS = 3_600_000

describe('the gate of hints', () => {
  test('tells a text once in an hour, whoever causes it', () => {
    const gate = new HintGate()
    const clients = [{}, {}, {}]
    expect(clients.map((client) => gate.admits(client, 'x', 0))).toEqual([true, false, false])
    expect(gate.admits(clients[1]!, 'x', HOUR_MS - 1)).toBe(false)
    expect(gate.admits(clients[1]!, 'x', HOUR_MS)).toBe(true)
  })

  test('tells a client a text once, however long it stays', () => {
    const gate = new HintGate()
    const client = {}
    expect(gate.admits(client, 'x', 0)).toBe(true)
    expect(gate.admits(client, 'x', 10 * HOUR_MS)).toBe(false)
    expect(gate.heldBackCount).toBe(0)
  })

  test('tells so many of one client, and holds others back and counts them', () => {
    const gate = new HintGate({ perClientMax: 2 })
    const client = {}
    expect(['a', 'b', 'c', 'd'].map((text) => gate.admits(client, text, 0))).toEqual([true, true, false, false])
    expect(gate.heldBackCount).toBe(2)
    expect(gate.admits({}, 'c', 0)).toBe(true)
  })

  test('tells so many in an hour, and as many again when the oldest have been told long ago', () => {
    const gate = new HintGate({ textsMax: 2 })
    const told = (text: string, atMs: number): boolean => gate.admits({}, text, atMs)
    expect([told('a', 0), told('b', 10), told('c', 20)]).toEqual([true, true, false])
    expect([told('c', HOUR_MS), told('d', HOUR_MS), told('d', HOUR_MS + 10)]).toEqual([true, false, true])
    expect(gate.heldBackCount).toBe(2)
  })
})
