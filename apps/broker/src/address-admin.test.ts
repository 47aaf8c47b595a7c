import { expect, test } from 'vitest'

import { isAddressRequest } from './address-admin.ts'

test('only a bounded list of names is a question about addresses', () => {
  const names = (count: number): string[] => Array.from({ length: count }, () => 'a')
  expect(isAddressRequest({ op: 'address.exist', names: names(256) })).toBe(true)
  expect(isAddressRequest({ op: 'address.exist', names: names(257) })).toBe(false)
  expect(isAddressRequest({ op: 'address.exist', names: [1] })).toBe(false)
  expect(isAddressRequest({ op: 'address.exist', names: 'a' })).toBe(false)
  expect(isAddressRequest({ op: 'user.list', names: [] })).toBe(false)
  expect(isAddressRequest(null)).toBe(false)
})
