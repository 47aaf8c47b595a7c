import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DueHeap, type DueMember } from './due-heap.ts'

const member = (dueAtMs: number, number: number): DueMember => ({ dueAtMs, number, heapIndex: -1 })

function drain(heap: DueHeap<DueMember>): DueMember[] {
  const drained: DueMember[] = []
  for (let next = heap.pop(); next !== undefined; next = heap.pop()) drained.push(next)
  return drained
}

test('members leave by moment, and those of one moment in the order of their numbers, whoever left from the middle', () => {
  const moments = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean()), { maxLength: 200 })
  fc.assert(
    fc.property(moments, (given) => {
      const heap = new DueHeap<DueMember>()
      const members = given.map(([dueAtMs], number) => member(dueAtMs, number))
      for (const each of members) heap.push(each)
      const gone = members.filter((_, index) => given[index]![1])
      for (const each of gone) heap.remove(each)
      const kept = members.filter((each) => !gone.includes(each))
      expect(heap.size).toBe(kept.length)
      expect(drain(heap)).toEqual(kept.toSorted((one, other) => one.dueAtMs - other.dueAtMs || one.number - other.number))
    }),
  )
})

test('removing one that is not in it changes nothing', () => {
  const heap = new DueHeap<DueMember>()
  const first = member(1, 1)
  heap.push(first)
  heap.remove(member(1, 2))
  heap.pop()
  heap.remove(first)
  expect(heap.size).toBe(0)
  expect(heap.peek()).toBeUndefined()
})
