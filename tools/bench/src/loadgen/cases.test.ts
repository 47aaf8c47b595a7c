import { expect, test } from 'vitest'

import { CASES, casesNamed, SUITES } from './cases.ts'

test('a case has one id, whatever its protocol', () => {
  expect(new Set(CASES.map(({ id }) => id)).size).toBe(CASES.length)
})

test('a case of another protocol is refused with the names of those that there are', () => {
  expect(casesNamed(['g', 'fw'], SUITES.stomp).map(({ id }) => id)).toEqual(['g', 'fw'])
  expect(() => casesNamed(['dw'], SUITES.stomp)).toThrow("there is no case 'dw': fw, f, g, ms")
})
