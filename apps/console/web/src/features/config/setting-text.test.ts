import { expect, test } from 'vitest'
import { readSetting, writeSetting } from './setting-text.ts'

test('what is written is read as it was', () => {
  for (const value of ['', 'block', '12', 12, 0.5, true, false, ['a', 'b'], { a: 1 }]) {
    expect(readSetting(writeSetting(value), value)).toEqual({ value })
  }
})

test('a number may have its thousands apart', () => {
  expect(readSetting('1,048,576', 1)).toEqual({ value: 1_048_576 })
  expect(readSetting('1_000', 1)).toEqual({ value: 1_000 })
})

test('what is of another kind says what it must be', () => {
  expect(readSetting('many', 1).wrong).toContain('number')
  expect(readSetting('', 1).wrong).toContain('number')
  expect(readSetting('yes', true).wrong).toContain('true or false')
  expect(readSetting('a, b', []).wrong).toContain('JSON')
})
