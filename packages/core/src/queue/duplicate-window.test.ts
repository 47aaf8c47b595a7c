/** Which ids are duplicates, for how long, and what the limits do, also against a window that is an array. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DuplicateWindow, type DuplicateWindowLimits, ID_BYTES, type SeenId } from './duplicate-window.ts'

const ROOMY: DuplicateWindowLimits = { idsMax: 1_000, bytesMax: 1_000_000, keepMs: 60_000 }

function idsOf(window: DuplicateWindow): string[] {
  return [...window.entries()].map(({ id }) => id)
}

test('an id is new once and a duplicate until its time is over, which duplicates do not prolong', () => {
  const window = new DuplicateWindow(ROOMY)
  expect(window.seen('a', 0)).toBe(false)
  expect(window.seen('a', 1)).toBe(true)
  expect(window.seen('a', 59_999)).toBe(true)
  expect(window.seen('a', 60_000)).toBe(false)
  expect(window.seen('a', 60_001)).toBe(true)
})

test('looking remembers nothing', () => {
  const window = new DuplicateWindow(ROOMY)
  expect([window.has('a', 0), window.has('a', 0), window.size]).toEqual([false, false, 0])
  window.seen('a', 0)
  expect([window.has('a', 59_999), window.has('a', 60_000), window.size]).toEqual([true, false, 0])
})

test('beyond the number of ids the oldest is forgotten, and counted', () => {
  const window = new DuplicateWindow({ ...ROOMY, idsMax: 2 })
  for (const id of ['a', 'b', 'a', 'c']) window.seen(id, 0)
  expect([idsOf(window), window.droppedCount]).toEqual([['b', 'c'], 1])
  expect(window.seen('a', 0)).toBe(false)
})

test('beyond the bytes as many of the oldest are forgotten as the new one needs', () => {
  const window = new DuplicateWindow({ ...ROOMY, bytesMax: 3 * (ID_BYTES + 2) })
  for (const id of ['a', 'b', 'c']) window.seen(id, 0)
  expect(window.bytes).toBe(3 * (ID_BYTES + 2))
  window.seen('d'.repeat(2), 0)
  expect([idsOf(window), window.droppedCount, window.bytes]).toEqual([['c', 'dd'], 2, 2 * ID_BYTES + 6])
})

test('an id that is too large by itself is not remembered and costs the others nothing', () => {
  const window = new DuplicateWindow({ ...ROOMY, bytesMax: 1_000 })
  window.seen('a', 0)
  expect([window.seen('x'.repeat(500), 0), window.seen('x'.repeat(500), 0)]).toEqual([false, false])
  expect([idsOf(window), window.droppedCount]).toEqual([['a'], 2])
})

test('a window for no ids remembers none', () => {
  const window = new DuplicateWindow({ ...ROOMY, idsMax: 0 })
  expect([window.seen('a', 0), window.seen('a', 0), window.size]).toEqual([false, false, 0])
})

test('an id that was forgotten, oldest, newest or between, is new again and is the newest then', () => {
  const window = new DuplicateWindow(ROOMY)
  for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) window.seen(id, index)
  for (const id of ['a', 'd', 'b', 'never seen']) window.forget(id)
  expect([idsOf(window), window.bytes, window.droppedCount]).toEqual([['c'], ID_BYTES + 2, 0])
  expect(window.seen('a', 9)).toBe(false)
  expect(idsOf(window)).toEqual(['c', 'a'])
  window.forget('c')
  window.forget('a')
  expect([window.size, window.bytes, idsOf(window)]).toEqual([0, 0, []])
})

test('a snapshot gives a window that answers alike, without what is too old by then', () => {
  const window = new DuplicateWindow(ROOMY)
  for (const [index, id] of ['a', 'b', 'c'].entries()) window.seen(id, index * 1_000)
  const restored = new DuplicateWindow({ ...ROOMY, idsMax: 2 })
  restored.restore([...window.entries()], 60_500)
  expect([...restored.entries()].map(({ id, atMs }) => [id, atMs])).toEqual([
    ['b', 1_000],
    ['c', 2_000],
  ])
  expect(restored.seen('c', 61_999)).toBe(true)
  expect(restored.seen('b', 61_999)).toBe(false)
})

test('other limits hold at once', () => {
  const window = new DuplicateWindow(ROOMY)
  for (const [index, id] of ['a', 'b', 'c', 'd', 'e'].entries()) window.seen(id, index)
  window.use({ ...ROOMY, keepMs: 10 }, 10)
  expect([idsOf(window), window.droppedCount]).toEqual([['b', 'c', 'd', 'e'], 0])
  window.use({ ...ROOMY, idsMax: 3 }, 10)
  expect([idsOf(window), window.droppedCount]).toEqual([['c', 'd', 'e'], 1])
  window.use({ ...ROOMY, bytesMax: ID_BYTES + 2 }, 10)
  expect([idsOf(window), window.droppedCount]).toEqual([['e'], 3])
  window.use({ ...ROOMY, idsMax: 0 }, 10)
  expect([window.size, window.bytes, window.seen('e', 10)]).toEqual([0, 0, false])
  window.use(ROOMY, 10)
  expect([window.seen('e', 10), window.seen('e', 10)]).toEqual([false, true])
})

test('a cleared window knows nothing and goes on', () => {
  const window = new DuplicateWindow(ROOMY)
  window.seen('a', 0)
  window.clear()
  expect([window.size, window.bytes, idsOf(window), window.seen('a', 0), idsOf(window)]).toEqual([
    0,
    0,
    [],
    false,
    ['a'],
  ])
})

test('a clock that is set back makes nothing new that was seen', () => {
  const window = new DuplicateWindow(ROOMY)
  window.seen('a', 100_000)
  expect([
    window.seen('a', 5_000),
    window.seen('b', 5_000),
    window.seen('a', 159_999),
    window.seen('b', 159_999),
  ]).toEqual([true, false, true, true])
})

test('hostile names are ids like others', () => {
  const window = new DuplicateWindow(ROOMY)
  for (const id of ['__proto__', 'constructor', ''])
    expect([window.seen(id, 0), window.seen(id, 0)]).toEqual([false, true])
})

test('it does what an array does, within its limits, whatever comes', () => {
  const operation = fc.record({
    kind: fc.constantFrom('seen', 'seen', 'seen', 'has', 'forget'),
    id: fc.constantFrom('a', 'b', 'cc', 'ddd', 'eeee', 'ffffffff'),
    waitMs: fc.nat(30),
  })
  const limits = fc.record({
    idsMax: fc.nat(4),
    bytesMax: fc.integer({ min: 100, max: 5 * ID_BYTES }),
    keepMs: fc.integer({ min: 1, max: 60 }),
  })
  fc.assert(
    fc.property(limits, fc.array(operation, { maxLength: 60 }), (given, operations) => {
      const window = new DuplicateWindow(given)
      let model: SeenId[] = []
      const bytes = (): number => model.reduce((sum, { id }) => sum + ID_BYTES + 2 * id.length, 0)
      let nowMs = 0
      for (const { kind, id, waitMs } of operations) {
        nowMs += waitMs
        if (kind === 'forget') {
          window.forget(id)
          model = model.filter((entry) => entry.id !== id)
          continue
        }
        model = model.filter((entry) => nowMs - entry.atMs < given.keepMs)
        const isKnown = model.some((entry) => entry.id === id)
        expect(window[kind](id, nowMs)).toBe(isKnown)
        if (kind === 'seen' && !isKnown && ID_BYTES + 2 * id.length <= given.bytesMax) {
          model.push({ id, atMs: nowMs })
          while (model.length > given.idsMax || bytes() > given.bytesMax) model.shift()
        }
        expect([...window.entries()].map((entry) => ({ id: entry.id, atMs: entry.atMs }))).toEqual(model)
        expect([window.size, window.bytes]).toEqual([model.length, bytes()])
      }
    }),
    { numRuns: 500 },
  )
})

test('an id in doubt is a duplicate, and no entry before it is confirmed; a forgotten one is neither', () => {
  const window = new DuplicateWindow()
  for (const id of ['a', 'b', 'c']) {
    window.seen(id, 0)
    window.doubt(id)
  }
  window.confirm('a')
  window.forget('b')
  expect([window.has('a', 0), window.has('b', 0), window.has('c', 0)]).toEqual([true, false, true])
  expect([...window.entries()].map(({ id }) => id)).toEqual(['a'])
})
