import { expect, test } from 'vitest'
import { nextSort } from './data-table.tsx'
import { sparklinePath } from './sparkline.tsx'

test('a column of numbers is sorted from the largest, then from the smallest, then as the server does', () => {
  expect(nextSort('', 'ready', true)).toBe('-ready')
  expect(nextSort('-ready', 'ready', true)).toBe('ready')
  expect(nextSort('ready', 'ready', true)).toBe('')
})

test('a column of names begins with the first', () => {
  expect(nextSort('', 'name', false)).toBe('name')
  expect(nextSort('-ready', 'name', false)).toBe('name')
})

test('a sparkline goes from edge to edge, its highest value on top', () => {
  expect(sparklinePath([0, 10, 5], 100, 20)).toBe('M0.0 18.5L50.0 1.5L100.0 10.0')
})

test('a sparkline without change is a line in the middle, and at the bottom when there is nothing', () => {
  expect(sparklinePath([7, 7], 10, 20)).toBe('M0.0 10.0L10.0 10.0')
  expect(sparklinePath([0, 0], 10, 20)).toBe('M0.0 18.5L10.0 18.5')
})
