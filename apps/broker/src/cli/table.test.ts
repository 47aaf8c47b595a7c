import { expect, test } from 'vitest'
import { type Column, Table } from './table.ts'

interface Item {
  readonly name: string
  readonly count: number
  readonly note: string
}

const COLUMNS: ReadonlyArray<Column<Item>> = [
  { title: 'NAME', value: ({ name }) => name, cut: true },
  { title: 'COUNT', value: ({ count }) => String(count), right: true },
  { title: 'NOTE', value: ({ note }) => note, extra: true },
]

const ITEMS: readonly Item[] = [
  { name: 'a', count: 5, note: 'x' },
  { name: 'a-name-that-is-long-enough', count: 12_345, note: 'yy' },
]

test('numbers stand to the right, all else to the left, and no line ends with spaces', () => {
  expect(new Table(COLUMNS, Infinity).lines(ITEMS)).toEqual([
    'NAME                        COUNT  NOTE',
    'a                               5  x',
    'a-name-that-is-long-enough  12345  yy',
  ])
})

test('in a narrow terminal long names are cut, then columns are left out, and no line is wider', () => {
  expect(new Table(COLUMNS, 30).lines(ITEMS)).toEqual([
    'NAME               COUNT  NOTE',
    'a                      5  x',
    'a-name-that-is-l…  12345  yy',
  ])
  const narrow = new Table(COLUMNS, 20).lines(ITEMS)
  expect(narrow).toEqual(['NAME          COUNT', 'a                 5', 'a-name-that…  12345'])
})

test('later pages go on with the columns of the first, without titles', () => {
  const table = new Table(COLUMNS, Infinity)
  table.lines([ITEMS[1]!])
  expect(table.lines([ITEMS[0]!])).toEqual(['a                               5  x'])
})

test('what clients call themselves cannot move the cursor or forge a row', () => {
  const [, row] = new Table(COLUMNS, Infinity).lines([{ name: 'x\u001B[2J\nroot', count: 1, note: '' }])
  expect(row).toBe('x\\u{1b}[2J\\nroot      1')
})

test('wide characters count twice', () => {
  expect(new Table(COLUMNS, Infinity).lines([{ name: '注文', count: 1, note: '' }])[1]).toBe('注文      1')
})
