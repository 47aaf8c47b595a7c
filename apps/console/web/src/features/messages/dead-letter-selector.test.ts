import { expect, test } from 'vitest'
import { REASON_CUT, selectorOf } from './dead-letter-selector.ts'

test('a group is found by cause, queue and reason, whatever is in them', () => {
  expect(selectorOf({ cause: 'rejected', originalQueue: 'orders.new', reason: `it's 50%` })).toBe(
    "cause = 'rejected' AND originalQueue = '$queue/orders.new' AND reason = 'it''s 50%'",
  )
})

test('what is not known must not be there', () => {
  expect(selectorOf({ cause: 'expired' })).toBe("cause = 'expired' AND originalQueue IS NULL AND reason IS NULL")
})

test('other reasons together are found by their cause and queue', () => {
  expect(selectorOf({ cause: 'rejected', originalQueue: 'orders', otherReasonsCount: 595 })).toBe(
    "cause = 'rejected' AND originalQueue = '$queue/orders'",
  )
})

test('a reason that the server has cut is the beginning of the whole one', () => {
  const reason = `a_b%c\\${'x'.repeat(REASON_CUT - 6)}`
  expect(selectorOf({ cause: 'rejected', originalQueue: 'q', reason })).toContain(`reason LIKE 'a\\_b\\%c\\\\xxx`)
  expect(selectorOf({ cause: 'rejected', originalQueue: 'q', reason })).toMatch(/xxx%' ESCAPE '\\'$/)
})
