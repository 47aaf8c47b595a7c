import { expect, test } from 'vitest'

import { TransactionLedger } from './ledger.ts'

const came =
  (...ids: string[]) =>
  (_queue: string, id: string): boolean =>
    ids.includes(id)

test('messages of a transaction in doubt come together or not at all', () => {
  const ledger = new TransactionLedger()
  ledger.together('q', ['a', 'b', 'c'])
  expect(ledger.violations(came())).toEqual([])
  expect(ledger.violations(came('a', 'b', 'c'))).toEqual([])
  expect(ledger.violations(came('a', 'c'))).toEqual(['2 of 3 messages of one transaction came from queue q: a, b, c'])
})

test('a message is moved once, in one of the attempts that were or may have been committed', () => {
  const ledger = new TransactionLedger()
  ledger.moved('from', 'a', 'to', 'copy 1')
  ledger.moved('from', 'a', 'to', 'copy 2')
  expect(ledger.violations(came('copy 2'))).toEqual([])
  expect(ledger.violations(came())).toEqual(['a of queue from was moved 0 times to queue to: as copy 1, copy 2'])
  expect(ledger.violations(came('copy 1', 'copy 2'))).toHaveLength(1)
})
