import { expect, test } from 'vitest'
import { actionsColumn, agoColumn, countColumn, nameColumn, textColumn } from './columns.tsx'

test('a column has room for its label, whatever its kind', () => {
  expect(countColumn('size', 'A').width).toBe(countColumn('size', 'B').width)
  expect(countColumn('size', 'Messages that wait').width).toBeGreaterThan(15)
})

test('a column without a width, or that asks for it, takes what room is left', () => {
  expect(nameColumn('name', 'Queue').width).toBeUndefined()
  expect(textColumn('detail', 'Detail', { width: 'rest' }).width).toBeUndefined()
})

test('a column is sorted by its field, by another, or not', () => {
  expect(countColumn('readyCount', 'Ready', { sort: true }).sort).toBe('readyCount')
  expect(countColumn('rate', 'In', { sort: 'messagesIn' }).sort).toBe('messagesIn')
  expect(countColumn('readyCount', 'Ready').sort).toBeUndefined()
})

test('where there is nothing a column says so, in words of its own or with a dash', () => {
  expect(agoColumn('expiresAtMs', 'Expires', { none: 'never' }).render({})).toBe('never')
  expect(countColumn('credit', 'Credit').render({})).toBe('–')
  expect(textColumn('user', 'User').render({ user: '' })).toBe('–')
})

test('a column of buttons is as wide as their texts, and has a frame for each', () => {
  const one = actionsColumn(['Change'], () => '')
  const two = actionsColumn(['Change', 'Take back'], () => '')
  expect(one.width).toBeGreaterThan('Change…'.length)
  expect(two.width).toBeGreaterThan(one.width! + 'Take back…'.length)
  expect(two.framePx).toBe(2 * one.framePx!)
})
