import type { Cancel, Clock } from '@ternmq/core'
import { expect, test } from 'vitest'

import { EventGate } from './event-gate.ts'
import type { ListenerEvent } from './listener.ts'

/** Timers that the test fires. */
function manualClock(): { clock: Clock; fire: () => void; timers: (() => void)[] } {
  let timers: (() => void)[] = []
  const after = (_delayMs: number, f: () => void): Cancel => {
    timers.push(f)
    return () => {}
  }
  const clock = { wallMs: () => 0, monoMs: () => 0, after, endOfTurn: () => {}, flush: () => {} }
  const fire = (): void => {
    const due = timers
    timers = []
    for (const f of due) f()
  }
  return {
    clock,
    fire,
    get timers() {
      return timers
    },
  }
}

test('the first event passes at once, the rest of the second comes as one with the count', () => {
  const time = manualClock()
  const told: ListenerEvent[] = []
  const gate = new EventGate(time.clock, (event) => told.push(event))
  for (let i = 1; i <= 100; i++) gate.report({ kind: 'refused', listener: 'mqtt', address: `10.0.0.${i}`, text: 'no' })
  gate.report({ kind: 'handshake-failed', listener: 'mqtt', address: '10.0.0.1', text: 'other kinds are not held' })
  expect(told.map(({ kind, address, count }) => [kind, address, count])).toEqual([
    ['refused', '10.0.0.1', 1],
    ['handshake-failed', '10.0.0.1', 1],
  ])
  time.fire()
  expect(told[2]).toMatchObject({ kind: 'refused', address: '10.0.0.100', count: 99 })
  expect(told.length).toBe(3)
})

test('a gate that has been quiet for a second is open again and keeps no timer', () => {
  const time = manualClock()
  const told: ListenerEvent[] = []
  const gate = new EventGate(time.clock, (event) => told.push(event))
  const event = { kind: 'refused', listener: 'mqtt', address: '10.0.0.1', text: 'no' } as const
  gate.report(event)
  time.fire()
  expect(time.timers.length).toBe(0)
  gate.report(event)
  expect(told.map(({ count }) => count)).toEqual([1, 1])
})
