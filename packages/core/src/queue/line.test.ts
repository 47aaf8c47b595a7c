/** The waiting line against a plain array of objects, and its edges by name. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchWith, messageOf, privateField } from '../../test/support.ts'
import { Delivery } from './delivery.ts'
import { WaitingLine } from './line.ts'

function entryOf(text: string): Delivery {
  return new Delivery(messageOf('t', text), matchWith(1), 1, false)
}

/** A line with messages 1…count of the log, ten bytes each. */
function lineOf(count: number): WaitingLine {
  const line = new WaitingLine()
  for (let lsn = 1; lsn <= count; lsn++) line.push(lsn, 10, 0, undefined, false)
  return line
}

function waiting(line: WaitingLine): number[] {
  const lsns: number[] = []
  for (let position = line.nextWaiting(0); position !== 0; position = line.nextWaiting(position)) lsns.push(line.lsnAt(position))
  return lsns
}

describe('places', () => {
  test('an empty line has nothing at any place', () => {
    const line = new WaitingLine()
    expect([line.peek(), line.nextWaiting(0), line.nextLive(0), line.find(1), line.lsnAt(1), line.bytesAt(0)]).toEqual([0, 0, 0, 0, 0, 0])
    expect([line.look(1), line.entryAt(1), line.isWaiting(1), line.remove(1), line.expiresFirstMs]).toEqual([
      undefined,
      undefined,
      false,
      false,
      Infinity,
    ])
  })

  test('positions ascend and are never used again, also when the line was empty in between', () => {
    const line = new WaitingLine()
    const seen: number[] = []
    for (let round = 0; round < 100; round++) {
      const position = line.push(0, 1, 0, undefined, false)
      line.take(position)
      line.remove(position)
      seen.push(position)
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    expect([line.liveCount, line.waitingCount, line.look(50)]).toEqual([0, 0, undefined])
  })

  test('what is put back is first again, in its old place, and says that it was out', () => {
    const line = lineOf(5)
    for (const position of [1, 2, 3]) line.take(position)
    line.putBack(2)
    expect([line.peek(), waiting(line)]).toEqual([2, [2, 4, 5]])
    expect([line.look(2)?.redelivered, line.look(4)?.redelivered]).toEqual([true, false])
  })

  test('what was handed over at once waits when it comes back', () => {
    const line = new WaitingLine()
    const position = line.push(7, 10, 0, undefined, true)
    expect([line.waitingCount, line.liveCount, line.peek()]).toEqual([0, 1, 0])
    line.putBack(position)
    expect([line.waitingCount, line.peek()]).toEqual([1, position])
  })

  test('removing is once: the second time it was gone already', () => {
    const line = lineOf(2)
    expect([line.remove(1), line.remove(1), line.remove(99)]).toEqual([true, false, false])
    expect([line.waitingCount, line.liveCount]).toEqual([1, 1])
  })

  test('failed attempts are kept up to 65,535', () => {
    const line = lineOf(1)
    line.setFailedCount(1, 3)
    expect(line.look(1)?.failedCount).toBe(3)
    line.setFailedCount(1, 1_000_000)
    expect(line.look(1)?.failedCount).toBe(65_535)
  })

  test('a chunk that is used again has nothing of what was in it', () => {
    const line = new WaitingLine()
    const first = line.push(1, 10, 5_000, entryOf('x'), false)
    line.setFailedCount(first, 9)
    line.remove(first)
    const second = line.push(2, 20, 0, undefined, false)
    expect(line.look(second)).toEqual({
      position: second,
      lsn: 2,
      bytes: 20,
      isWaiting: true,
      redelivered: false,
      failedCount: 0,
      expiresAtMs: 0,
      entry: undefined,
    })
    expect(line.expiresFirstMs).toBe(Infinity)
  })
})

describe('find', () => {
  test('finds messages of the log among those that are not, over many chunks', () => {
    const line = new WaitingLine()
    const positions = new Map<number, number>()
    for (let index = 1; index <= 20_000; index++) {
      const lsn = index % 3 === 0 || (index > 5_000 && index < 14_000) ? 0 : index
      const position = line.push(lsn, 1, 0, undefined, false)
      if (lsn !== 0) positions.set(lsn, position)
    }
    for (const [lsn, position] of positions) expect(line.find(lsn)).toBe(position)
    for (const lsn of [0.5, 3, 9_999, 20_001]) expect(line.find(lsn)).toBe(0)
  })

  test('what is gone is not found', () => {
    const line = lineOf(5_000)
    for (let position = 1; position <= 4_000; position += 2) line.remove(position)
    expect([line.find(1), line.find(2), line.find(3_999), line.find(4_001)]).toEqual([0, 2, 0, 4_001])
  })
})

describe('expiry', () => {
  test('gives what waits and is over, at most so many, and knows when the next one is due', () => {
    const line = new WaitingLine()
    for (const atMs of [50, 10, 0, 30, 20]) line.push(1, 1, atMs, undefined, false)
    expect(line.expiresFirstMs).toBe(10)
    expect(line.expired(25, 10)).toEqual([2, 5])
    expect(line.expired(5, 10)).toEqual([])
    expect(line.expired(100, 2)).toEqual([1, 2])
  })

  test('what a consumer has does not expire, and does when it is back', () => {
    const line = new WaitingLine()
    line.push(1, 1, 10, undefined, true)
    expect(line.expired(20, 10)).toEqual([])
    line.putBack(1)
    expect(line.expired(20, 10)).toEqual([1])
  })
})

describe('leaving', () => {
  test('all that waits leaves, and what somebody has stays', () => {
    const line = lineOf(6)
    line.take(2)
    const left: number[] = []
    line.leave(Infinity, (_bytes, lsn) => left.push(lsn))
    expect([left, line.waitingCount, line.liveCount, line.peek()]).toEqual([[1, 3, 4, 5, 6], 0, 6, 0])
    line.push(7, 10, 0, undefined, false)
    const gone: number[] = []
    line.finishLeaving((lsn) => gone.push(lsn))
    expect([gone, waiting(line), line.liveCount]).toEqual([[1, 3, 4, 5, 6], [7], 2])
    line.putBack(2)
    expect(waiting(line)).toEqual([2, 7])
  })

  test('what could not leave waits as before', () => {
    const line = lineOf(4)
    line.take(1)
    line.leave(Infinity, () => {})
    const back: number[] = []
    line.undoLeaving((_bytes, lsn) => back.push(lsn))
    expect([back, waiting(line), line.peek()]).toEqual([[2, 3, 4], [2, 3, 4], 2])
  })

  test('a long line leaves no chunk behind', () => {
    const line = lineOf(50_000)
    line.leave(Infinity, () => {})
    line.finishLeaving(() => {})
    expect((privateField(line, '#chunks') as unknown[]).length + line.liveCount).toBe(0)
    expect(line.push(1, 1, 0, undefined, false)).toBe(50_001)
    expect(line.peek()).toBe(50_001)
  })
})

test('a dump has what is live and in the log, and marks what was out', () => {
  const line = lineOf(4)
  line.push(0, 10, 0, undefined, false)
  line.push(6, 60, 600, undefined, true)
  line.remove(1)
  line.setFailedCount(3, 2)
  line.markRedelivered(4)
  const { lsns, bytes, failedCounts, redelivered, expiries, count } = line.dump()
  const columns = [lsns, bytes, failedCounts, redelivered, expiries!].map((column) => [...column.subarray(0, count)])
  expect(columns).toEqual([
    [2, 3, 4, 6],
    [10, 10, 10, 60],
    [0, 2, 0, 0],
    [0, 0, 1, 1],
    [0, 0, 0, 600],
  ])
})

interface Slot {
  readonly lsn: number
  readonly bytes: number
  readonly expiresAtMs: number
  entry: Delivery | undefined
  state: 'waiting' | 'taken' | 'leaving' | 'gone'
  failedCount: number
  redelivered: boolean
}

test('whatever is done to it, it is what an array of objects would be', () => {
  const act = fc.constantFrom('push', 'push', 'push', 'take', 'back', 'remove', 'load', 'unload', 'fail', 'mark', 'leave', 'finish', 'undo')
  const step = fc.record({ act, pick: fc.nat(), isLogged: fc.boolean(), expires: fc.boolean(), times: fc.integer({ min: 1, max: 40 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const line = new WaitingLine()
      const model: Slot[] = []
      const picked = (state: Slot['state'], pick: number): number => {
        const all = model.flatMap((slot, index) => (slot.state === state ? [index + 1] : []))
        return all.length === 0 ? 0 : all[pick % all.length]!
      }
      for (const { act, pick, isLogged, expires, times } of steps) {
        for (let time = 0; time < times; time++) {
          if (act === 'push') {
            const lsn = isLogged ? model.length + 1 : 0
            const entry = pick % 2 === 0 ? entryOf('x') : undefined
            const isTaken = pick % 5 === 0
            const expiresAtMs = expires ? (pick % 100) + 1 : 0
            expect(line.push(lsn, pick % 1_000, expiresAtMs, entry, isTaken)).toBe(model.length + 1)
            const state = isTaken ? 'taken' : 'waiting'
            model.push({ lsn, bytes: pick % 1_000, expiresAtMs, entry, state, failedCount: 0, redelivered: false })
            continue
          }
          const from = act === 'take' ? 'waiting' : act === 'back' ? 'taken' : pick % 2 === 0 ? 'waiting' : 'taken'
          const position = picked(from, pick + time)
          const slot = model[position - 1]
          if (act === 'take' && slot !== undefined) {
            line.take(position)
            slot.state = 'taken'
          } else if (act === 'back' && slot !== undefined) {
            line.putBack(position)
            slot.state = 'waiting'
            slot.redelivered = true
          } else if (act === 'remove' && slot !== undefined) {
            expect(line.remove(position)).toBe(true)
            slot.state = 'gone'
          } else if ((act === 'load' || act === 'unload') && slot !== undefined) {
            slot.entry = act === 'load' ? entryOf('y') : undefined
            line.setEntry(position, slot.entry)
          } else if (act === 'fail' && slot !== undefined) {
            line.setFailedCount(position, time)
            slot.failedCount = time
          } else if (act === 'mark' && slot !== undefined) {
            line.markRedelivered(position)
            slot.redelivered = true
          } else if (act === 'leave') {
            line.leave(Infinity, () => {})
            for (const each of model) if (each.state === 'waiting') each.state = 'leaving'
          } else if (act === 'finish' || act === 'undo') {
            const heard: number[] = []
            if (act === 'finish') line.finishLeaving((lsn) => heard.push(lsn))
            else line.undoLeaving((_bytes, lsn) => heard.push(lsn))
            const leaving = model.filter(({ state }) => state === 'leaving')
            expect(heard).toEqual(leaving.map(({ lsn }) => lsn))
            for (const each of leaving) each.state = act === 'finish' ? 'gone' : 'waiting'
          }
        }
      }
      compare(line, model)
    }),
    { numRuns: 300 },
  )
})

function compare(line: WaitingLine, model: readonly Slot[]): void {
  const positions = (wanted: (slot: Slot) => boolean): number[] => model.flatMap((slot, index) => (wanted(slot) ? [index + 1] : []))
  const walk = (next: (after: number) => number): number[] => {
    const found: number[] = []
    for (let position = next(0); position !== 0; position = next(position)) found.push(position)
    return found
  }
  const waitingPositions = positions(({ state }) => state === 'waiting')
  const live = positions(({ state }) => state !== 'gone')
  expect(walk((after) => line.nextWaiting(after))).toEqual(waitingPositions)
  expect(walk((after) => line.nextLive(after))).toEqual(live)
  expect([line.waitingCount, line.liveCount, line.peek()]).toEqual([waitingPositions.length, live.length, waitingPositions[0] ?? 0])
  expect(line.expired(50, 1_000)).toEqual(positions(({ state, expiresAtMs }) => state === 'waiting' && expiresAtMs !== 0 && expiresAtMs <= 50))
  model.forEach(({ state, lsn, bytes, expiresAtMs, failedCount, redelivered, entry }, index) => {
    const position = index + 1
    if (state === 'gone') return expect(line.look(position)).toBeUndefined()
    const isWaiting = state === 'waiting'
    expect(line.look(position)).toEqual({ position, lsn, bytes, isWaiting, redelivered, failedCount, expiresAtMs, entry })
    if (lsn !== 0) expect(line.find(lsn)).toBe(position)
  })
}
