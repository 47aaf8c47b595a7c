import { expect, test } from 'vitest'
import { inputOf, momentOf } from './moment-input.ts'

test('a moment of the query is one of the field and back, to the minute', () => {
  const atMs = String(new Date('2026-11-27T16:25').getTime())
  expect(inputOf(atMs)).toBe('2026-11-27T16:25')
  expect(momentOf('2026-11-27T16:25')).toBe(atMs)
})

test.each(['', 'soon'])('%j in the address or the field is no moment', (text) => {
  expect([inputOf(text), momentOf(text)]).toEqual(['', ''])
})
