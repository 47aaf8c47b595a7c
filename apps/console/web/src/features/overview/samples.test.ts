import { expect, test, vi } from 'vitest'

vi.mock('../../lib/base.ts', () => ({ addressOf: (path: string) => path }))

import { mergeSamples } from './samples.ts'

const at = (...moments: number[]): Array<{ readonly atMs: number }> => moments.map((atMs) => ({ atMs }))

test('a moment that comes twice is there once', () => {
  expect(mergeSamples(at(1, 2, 3), at(2, 3, 4))).toEqual(at(1, 2, 3, 4))
})

test('the oldest go when there are too many', () => {
  expect(mergeSamples(at(1, 2, 3), at(4), 3)).toEqual(at(2, 3, 4))
})
