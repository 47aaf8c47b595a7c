import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UnsettledTags } from './unsettled-tags.ts'

test('all up to a tag are taken once, oldest first', () => {
  const tags = new UnsettledTags()
  for (const tag of [1, 3, 4, 9]) tags.add(tag)
  expect(tags.takeUpTo(3)).toEqual([1, 3])
  expect(tags.takeUpTo(3)).toEqual([])
  expect(tags.takeUpTo(10)).toEqual([4, 9])
})

test('of any tags added, taken, put back and cleared it has what a sorted list has', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add'), count: fc.integer({ min: 1, max: 2_000 }) }),
    fc.record({ kind: fc.constant('take'), count: fc.nat(3_000) }),
    fc.record({ kind: fc.constant('putBack'), count: fc.nat(9) }),
    fc.record({ kind: fc.constant('clear'), count: fc.constant(0) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const tags = new UnsettledTags()
      let model: number[] = []
      const out: number[][] = []
      let last = 0
      for (const { kind, count } of steps) {
        if (kind === 'add') {
          for (let i = 0; i < count; i++) tags.add(++last)
          model.push(...Array.from({ length: count }, (_, index) => last - count + 1 + index))
        } else if (kind === 'take') {
          const taken = tags.takeUpTo(count)
          expect(taken).toEqual(model.filter((tag) => tag <= count))
          model = model.filter((tag) => tag > count)
          if (taken.length > 0) out.push(taken)
        } else if (kind === 'putBack' && out.length > 0) {
          const [back] = out.splice(count % out.length, 1)
          tags.putBack(back!.toReversed())
          model = [...model, ...back!].sort((one, other) => one - other)
        } else if (kind === 'clear') {
          tags.clear()
          model = []
          out.length = 0
        }
      }
      expect(tags.takeUpTo(Infinity)).toEqual(model)
    }),
  )
})
