import { expect, test } from 'vitest'
import { countText, several } from './counts.ts'

test('counts have commas, and what is counted is one or many', () => {
  expect([0, 999, 1_000, 1_234_567].map(countText)).toEqual(['0', '999', '1,000', '1,234,567'])
  expect([0, 1, 2, 1_000].map((count) => several(count, 'message'))).toEqual([
    '0 messages',
    '1 message',
    '2 messages',
    '1,000 messages',
  ])
  expect([several(1, 'policy', 'policies'), several(3, 'policy', 'policies')]).toEqual(['1 policy', '3 policies'])
})
