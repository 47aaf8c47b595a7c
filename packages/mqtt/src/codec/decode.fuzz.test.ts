import { expect, test } from 'vitest'
import { fuzzControl } from './decode.fuzz.ts'

const ITERATIONS = 20_000

test.each([1, 2, 3, 4])('changed packets are taken or refused with ProtocolError, and both happen, seed %i', (seed) => {
  const { accepted, refused } = fuzzControl(seed, ITERATIONS)
  expect(accepted + refused).toBe(ITERATIONS)
  // A fuzzer whose inputs are all alike finds nothing.
  expect(accepted).toBeGreaterThan(ITERATIONS / 20)
  expect(refused).toBeGreaterThan(ITERATIONS / 20)
})

test('the same seed makes the same run', () => {
  expect(fuzzControl(7, 500)).toEqual(fuzzControl(7, 500))
})
