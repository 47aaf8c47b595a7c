import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BusiestDestinations, OTHER } from './busiest.ts'
import type { DestinationNumbers } from './snapshot.ts'

function queue(name: string, messagesIn: number, more: Partial<DestinationNumbers> = {}): DestinationNumbers {
  return {
    name,
    messagesIn,
    bytesIn: messagesIn * 10,
    messagesOut: 0,
    bytesOut: 0,
    settledCount: 0,
    redeliveredCount: 0,
    expiredCount: 0,
    deadLetteredCount: 0,
    droppedCount: 0,
    waitingCount: 0,
    waitingBytes: 0,
    inflightCount: 0,
    consumerCount: 0,
    ...more,
  }
}

/** In one piece. */
function select(busiest: BusiestDestinations, destinations: readonly DestinationNumbers[]): DestinationNumbers[] {
  const pieces = busiest.select(destinations)
  for (;;) {
    const piece = pieces.next()
    if (piece.done === true) return piece.value
  }
}

function shown(busiest: BusiestDestinations, ...queues: readonly DestinationNumbers[]): Record<string, number> {
  return Object.fromEntries(select(busiest, queues).map(({ name, messagesIn }) => [name, messagesIn]))
}

test('with as many destinations as lines each has its own', () => {
  expect(shown(new BusiestDestinations(3), queue('a', 1), queue('b', 0), queue('c', 3))).toEqual({ a: 1, b: 0, c: 3 })
})

test('the busiest since the last look have lines of their own, the others one together', () => {
  const busiest = new BusiestDestinations(2)
  expect(shown(busiest, queue('a', 100), queue('b', 50), queue('c', 1), queue('d', 2))).toEqual({
    a: 100,
    b: 50,
    [OTHER]: 3,
  })
  // c has got 500 since, of which none counts for the others.
  expect(shown(busiest, queue('a', 100), queue('b', 50), queue('c', 501), queue('d', 2))).toEqual({
    c: 501,
    a: 100,
    [OTHER]: 3,
  })
})

test('who was busy keeps its line for a while, and the lines do not change with every look', () => {
  const busiest = new BusiestDestinations(1)
  shown(busiest, queue('a', 1_000), queue('b', 0))
  const names = [10, 20, 30].map((count) => Object.keys(shown(busiest, queue('a', 1_000), queue('b', count)))[0])
  expect(names).toEqual(['a', 'a', 'a'])
})

test('numbers of this moment are those of all others together, now', () => {
  const busiest = new BusiestDestinations(1)
  const now = { waitingCount: 3, waitingBytes: 30, inflightCount: 2, consumerCount: 1 }
  const [, other] = select(busiest, [queue('a', 9), queue('b', 1, now), queue('c', 1, now)])
  expect(other).toMatchObject({ name: OTHER, waitingCount: 6, waitingBytes: 60, inflightCount: 4, consumerCount: 2 })
  expect(select(busiest, [queue('a', 9), queue('b', 1), queue('c', 1)])[1]).toMatchObject({
    waitingCount: 0,
    consumerCount: 0,
  })
})

test('a queue that is gone leaves what it counted with the others, and nothing else of it is remembered', () => {
  const busiest = new BusiestDestinations(1)
  shown(busiest, queue('a', 9), queue('b', 5))
  expect(shown(busiest, queue('a', 9))).toEqual({ a: 9, [OTHER]: 5 })
  expect(shown(busiest, queue('a', 9), queue('b', 2))).toEqual({ a: 9, [OTHER]: 7 })
})

test('whoever comes, goes and is busy: no counter of a name goes back, lines are bounded, and nothing is lost or told twice', () => {
  const gains = fc.array(fc.nat({ max: 50 }), { minLength: 6, maxLength: 6 })
  fc.assert(
    fc.property(fc.array(gains, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 4 }), (looks, linesMax) => {
      const busiest = new BusiestDestinations(linesMax)
      const counts = [0, 0, 0, 0, 0, 0]
      const before = new Map<string, number>()
      let otherBefore = 0
      for (const look of looks) {
        look.forEach((gain, index) => (counts[index]! += gain))
        const found = select(
          busiest,
          counts.map((count, index) => queue(`q${index}`, count)),
        )
        expect(found.length).toBeLessThanOrEqual(linesMax + 1)
        const other = found.find(({ name }) => name === OTHER)?.messagesIn ?? 0
        expect(other).toBeGreaterThanOrEqual(otherBefore)
        const named = new Set(found.map(({ name }) => name))
        const unseenGain = look.reduce((sum, gain, index) => (named.has(`q${index}`) ? sum : sum + gain), 0)
        expect(other - otherBefore).toBe(unseenGain)
        for (const { name, messagesIn } of found) {
          expect(messagesIn).toBeGreaterThanOrEqual(before.get(name) ?? 0)
          before.set(name, messagesIn)
        }
        otherBefore = other
      }
    }),
  )
})

test('many destinations are looked at without keeping all of them in order', () => {
  const busiest = new BusiestDestinations(50)
  const queues = Array.from({ length: 10_000 }, (_, index) => queue(`q${index}`, (index * 7_919) % 10_000))
  const found = select(busiest, queues)
  expect(found.slice(0, 50).map(({ messagesIn }) => messagesIn)).toEqual(
    Array.from({ length: 50 }, (_, index) => 9_999 - index),
  )
  expect(found.reduce((sum, { messagesIn }) => sum + messagesIn, 0)).toBe((9_999 * 10_000) / 2)
})
