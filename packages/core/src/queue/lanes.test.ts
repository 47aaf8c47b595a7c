/** Lines by priority and what they weigh, together and in memory. */
import { expect, test } from 'vitest'
import { matchWith, messageOf } from '../../test/support.ts'
import { Delivery } from './delivery.ts'
import { INDEX_BYTES, Lanes, type WaitingBytes } from './lanes.ts'
import { WaitingLine } from './line.ts'

function setUp(): { memory: WaitingBytes; lanes: Lanes } {
  const memory = { bytes: 0, bytesMax: Infinity }
  return { memory, lanes: new Lanes(memory) }
}

function entry(): Delivery {
  return new Delivery(messageOf('t', 'x'), matchWith(1), 1, false)
}

/** As a queue does it: pushes and weighs. */
function add(lanes: Lanes, priority: number, bytes: number, lsn: number, isLoaded: boolean): number {
  const position = lanes.line(priority).push(lsn, bytes, 0, isLoaded ? entry() : undefined, false)
  lanes.weighWaiting(bytes, lsn !== 0, isLoaded, 1)
  return position
}

test('lines are made when they are used, the highest priority first', () => {
  const { lanes } = setUp()
  for (const priority of [4, 9, 0, 4]) add(lanes, priority, 1, 0, true)
  expect(lanes.all.map(({ priority, line }) => [priority, line.waitingCount])).toEqual([
    [9, 1],
    [4, 2],
    [0, 1],
  ])
  expect([lanes.waitingCount, lanes.liveCount, lanes.bytes]).toEqual([4, 4, 4])
})

test('a message of the log weighs its index alone while its bytes are on disk', () => {
  const { lanes, memory } = setUp()
  const line = lanes.line(4)
  const position = add(lanes, 4, 1_000, 7, false)
  expect([lanes.bytes, memory.bytes, lanes.isAllLoaded, lanes.loadedCount]).toEqual([1_000, INDEX_BYTES, false, 0])
  lanes.load(position, line, entry())
  expect([lanes.bytes, memory.bytes, lanes.isAllLoaded, lanes.loadedCount, lanes.loadedBytes]).toEqual([1_000, 1_000, true, 1, 1_000])
  lanes.unload(position, line)
  lanes.unload(position, line)
  expect([memory.bytes, lanes.loadedCount, lanes.loadedBytes, line.entryAt(position)]).toEqual([INDEX_BYTES, 0, 0, undefined])
  lanes.weighWaiting(1_000, true, false, -1)
  expect([lanes.bytes, memory.bytes]).toEqual([0, 0])
})

test('one that is not in the log is neither loaded nor on disk', () => {
  const { lanes, memory } = setUp()
  add(lanes, 4, 50, 0, true)
  expect([lanes.isAllLoaded, lanes.loadedCount, memory.bytes]).toEqual([true, 0, 50])
})

test('what a restart gives is weighed as it waits, bytes on disk', () => {
  const { lanes, memory } = setUp()
  const line = new WaitingLine()
  for (const lsn of [1, 2, 3]) line.push(lsn, 100, 0, undefined, lsn === 2)
  lanes.adopt([{ priority: 4, line }])
  expect([lanes.waitingCount, lanes.liveCount, lanes.bytes, memory.bytes]).toEqual([2, 3, 200, 2 * INDEX_BYTES])
})

test('all leaves with its weight, but for what somebody has; undone, it weighs as before', () => {
  const { lanes, memory } = setUp()
  add(lanes, 4, 10, 1, true)
  add(lanes, 9, 20, 2, false)
  add(lanes, 4, 40, 0, true)
  const taken = add(lanes, 4, 80, 4, false)
  lanes.weighWaiting(80, true, false, -1)
  lanes.line(4).take(taken)
  const before = [lanes.waitingCount, lanes.bytes, memory.bytes, lanes.loadedCount, lanes.loadedBytes]

  expect(lanes.leaveAll(lanes.end)).toEqual({ count: 3, bytes: 70, loggedCount: 2, lastLsn: 2, stayingLsns: [4] })
  expect([lanes.isLeaving, lanes.waitingCount, lanes.liveCount, lanes.bytes, memory.bytes, lanes.loadedCount]).toEqual([true, 0, 4, 0, 0, 0])
  lanes.undoLeaving()
  expect([lanes.waitingCount, lanes.bytes, memory.bytes, lanes.loadedCount, lanes.loadedBytes]).toEqual(before)

  lanes.leaveAll(lanes.end)
  const gone: number[] = []
  lanes.finishLeaving((lsn) => gone.push(lsn))
  expect([gone, lanes.isLeaving, lanes.liveCount]).toEqual([[2, 1, 0], false, 1])
})

test('what came after the end stays, and is named where it is among those that leave', () => {
  const { lanes } = setUp()
  add(lanes, 4, 10, 1, false)
  const { end } = lanes
  add(lanes, 4, 10, 2, false)
  add(lanes, 9, 10, 3, false)
  expect(lanes.leaveAll(end)).toEqual({ count: 1, bytes: 10, loggedCount: 1, lastLsn: 1, stayingLsns: [] })
  lanes.undoLeaving()
  const odd = new Map([...end, [lanes.line(9), lanes.line(9).end]])
  expect(lanes.leaveAll(odd)).toEqual({ count: 2, bytes: 20, loggedCount: 2, lastLsn: 3, stayingLsns: [2] })
  expect(lanes.waitingCount).toBe(1)
})

test('a queue that goes gives back what it weighed', () => {
  const { lanes, memory } = setUp()
  memory.bytes = 5
  add(lanes, 4, 10, 0, true)
  add(lanes, 4, 10, 3, false)
  lanes.clear()
  expect([memory.bytes, lanes.bytes, lanes.waitingCount, lanes.all]).toEqual([5, 0, 0, []])
})
