import { expect, test } from 'vitest'

import { chartData } from './chart-data.ts'

test('no line goes through a time in which nobody looked', () => {
  expect(chartData([1_000, 2_000, 62_000], [[5, 6, 9]])).toEqual([
    [1, 2, 32, 62],
    [5, 6, null, 9],
  ])
})

test('one sample alone has a moment before it, and so an axis of seconds', () => {
  expect(chartData([9_000], [[5]])).toEqual([
    [8, 9],
    [null, 5],
  ])
})

test('a sample that is a little late leaves no gap, and a value that is not known does', () => {
  expect(
    chartData(
      [1_000, 4_000],
      [
        [undefined, 2],
        [3, 4],
      ],
    ),
  ).toEqual([
    [1, 4],
    [null, 2],
    [3, 4],
  ])
})
