import { VirtualClock } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { EventThrottle } from './event-throttle.ts'

function setUp(): { clock: VirtualClock; told: string[]; report: (subject: string, text: string) => void; throttle: EventThrottle } {
  const clock = new VirtualClock()
  const told: string[] = []
  const throttle = new EventThrottle(clock, ({ text }) => told.push(text))
  return { clock, told, throttle, report: (subject, text) => throttle.report(subject, { kind: 'refused', source: 'mqtt', text }) }
}

test('the first event of a subject passes at once, the rest of its second comes as one with the count', () => {
  const { clock, told, report } = setUp()
  for (let count = 1; count <= 100; count++) report('q', `q ${count}`)
  report('r', 'r 1')
  report('r', 'r 2')
  expect(told).toEqual(['q 1', 'r 1'])
  clock.advance(1_000)
  expect(told.slice(2)).toEqual(['q 100 (99 such events in a second)', 'r 2'])
})

test('a flood is told of once a second, and when it has ended nothing is wound', () => {
  const { clock, told, report } = setUp()
  for (let ms = 0; ms < 10_000; ms += 10) {
    report('q', 'full')
    clock.advance(10)
  }
  expect(told).toHaveLength(11)
  clock.advance(2_000)
  expect(clock.timerCount).toBe(0)
  report('q', 'again')
  expect(told.at(-1)).toBe('again')
})

test('of a thousand subjects most are told together', () => {
  const { clock, told, report } = setUp()
  for (let count = 0; count < 1_000; count++) report(`subject ${count}`, `text ${count}`)
  expect(told).toHaveLength(256)
  clock.advance(1_000)
  expect(told.slice(256)).toEqual(['text 999 (744 such events in a second, not all of them about the same)'])
})

test('what is held back is told when it is asked for, once', () => {
  const { clock, told, report, throttle } = setUp()
  for (const text of ['1', '2', '3']) report('q', text)
  throttle.flush()
  expect(told).toEqual(['1', '3 (2 such events in a second)'])
  clock.advance(1_000)
  expect(told).toHaveLength(2)
})
