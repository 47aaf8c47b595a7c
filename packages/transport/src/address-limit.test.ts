import { expect, test } from 'vitest'

import { AddressCounts, addressKey } from './address-limit.ts'

test('an address is refused at its maximum and admitted again when one of its connections ends', () => {
  const counts = new AddressCounts()
  expect([counts.add('10.0.0.1', 2), counts.add('10.0.0.1', 2), counts.add('10.0.0.1', 2)]).toEqual([true, true, false])
  expect(counts.add('10.0.0.2', 2)).toBe(true)
  counts.remove('10.0.0.1')
  expect([counts.add('10.0.0.1', 2), counts.add('10.0.0.1', 2)]).toEqual([true, false])
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s counts as %s', (address, key) => {
  expect(addressKey(address)).toBe(key)
})
