import { expect, test } from 'vitest'

import { medianDifference } from './statistics.ts'

test('of twenty pairs the interval goes from the sixth smallest to the sixth largest', () => {
  const differences = Array.from({ length: 20 }, (_, index) => index + 1)
  expect(medianDifference(differences)).toEqual({ median: 10.5, low: 6, high: 15 })
})

test('of six pairs it is all of them, and five are too few', () => {
  expect(medianDifference([3, 1, 2, 6, 5, 4])).toEqual({ median: 3.5, low: 1, high: 6 })
  expect(() => medianDifference([1, 2, 3, 4, 5])).toThrow('5 pairs are too few')
})
