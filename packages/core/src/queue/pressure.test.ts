import { VirtualClock } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { HOLD_MS_MAX, Pressure } from './pressure.ts'

test('everybody who is held is released once when the queue has room, and may be held again', () => {
  const clock = new VirtualClock()
  const pressure = new Pressure(clock)
  const released: string[] = []
  pressure.hold(() => released.push('a'))
  pressure.hold(() => released.push('b'))
  pressure.release()
  pressure.release()
  expect(released).toEqual(['a', 'b'])
  expect(clock.timerCount).toBe(0)
  expect(pressure.mayHold).toBe(true)
})

test('a queue that does not drain in time lets everybody go and may hold nobody until it has caught up', () => {
  const clock = new VirtualClock()
  const pressure = new Pressure(clock)
  const released: number[] = []
  pressure.hold(() => released.push(clock.monoMs()))
  clock.advance(HOLD_MS_MAX - 1)
  pressure.hold(() => released.push(clock.monoMs()))
  expect(released).toEqual([])
  clock.advance(1)
  expect(released).toEqual([HOLD_MS_MAX, HOLD_MS_MAX])
  expect(pressure.mayHold).toBe(false)
  pressure.reset()
  expect(pressure.mayHold).toBe(true)
})

test('a release in time stops the clock: a later hold has its own full time', () => {
  const clock = new VirtualClock()
  const pressure = new Pressure(clock)
  const released: number[] = []
  pressure.hold(() => undefined)
  clock.advance(200)
  pressure.release()
  pressure.hold(() => released.push(clock.monoMs()))
  clock.advance(HOLD_MS_MAX - 1)
  expect(released).toEqual([])
  clock.advance(1)
  expect(released).toEqual([200 + HOLD_MS_MAX])
})
