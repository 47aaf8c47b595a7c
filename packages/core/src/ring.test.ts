import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ring } from './ring.ts'

interface Item {
  readonly value: number
}

test('a ring does what an array does, whatever the order of pushes, unshifts, shifts and clears', () => {
  const operation = fc.oneof(
    { weight: 6, arbitrary: fc.constant('push') },
    { weight: 2, arbitrary: fc.constant('unshift') },
    { weight: 5, arbitrary: fc.constant('shift') },
    { weight: 1, arbitrary: fc.constant('clear') },
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const ring = new Ring<Item>()
      const array: Item[] = []
      let next = 0
      for (const name of operations) {
        const item = { value: next++ }
        if (name === 'push') {
          ring.push(item)
          array.push(item)
        } else if (name === 'unshift') {
          ring.unshift(item)
          array.unshift(item)
        } else if (name === 'shift') {
          expect(ring.shift()).toBe(array.shift())
        } else {
          ring.clear()
          array.length = 0
        }
        expect(ring.length).toBe(array.length)
        expect(ring.peek()).toBe(array[0])
        expect(array.map((_, index) => ring.at(index))).toEqual(array)
        expect(ring.at(array.length)).toBeUndefined()
      }
    }),
    { numRuns: 200 },
  )
})

test('a ring that was large gives its memory back when it runs empty and goes on', () => {
  const ring = new Ring<Item>()
  for (let round = 0; round < 3; round++) {
    for (let value = 0; value < 5_000; value++) ring.push({ value })
    for (let value = 0; value < 5_000; value++) expect(ring.shift()!.value).toBe(value)
    expect(ring.shift()).toBeUndefined()
    expect(ring.peek()).toBeUndefined()
  }
  ring.unshift({ value: 7 })
  expect(ring.shift()).toEqual({ value: 7 })
})

test('a ring that grows while its head is in the middle keeps the order', () => {
  const ring = new Ring<Item>()
  let pushed = 0
  let shifted = 0
  for (let round = 0; round < 100; round++) {
    for (let count = 0; count < 7; count++) ring.push({ value: pushed++ })
    for (let count = 0; count < 3; count++) expect(ring.shift()!.value).toBe(shifted++)
  }
  while (ring.length > 0) expect(ring.shift()!.value).toBe(shifted++)
  expect(shifted).toBe(pushed)
})
