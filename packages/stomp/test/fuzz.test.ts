/** A moment of the fuzzer; tools/fuzz runs it for long and replays what it has found. */
import { expect, test } from 'vitest'

import { framesFuzzer } from './fuzz/index.ts'

test('streams in pieces give the same frames, and streams of all kinds are tried', () => {
  const tally = framesFuzzer.run(1, 4_000) as Record<string, number>
  expect(tally['waits']).toBeGreaterThan(500)
  expect(tally['refused']).toBeGreaterThan(500)
  expect(tally['frames']).toBeGreaterThan(5_000)
  expect(tally['repeated']).toBeGreaterThan(100)
})

test('the same seed makes the same run', () => {
  expect(framesFuzzer.run(7, 200)).toEqual(framesFuzzer.run(7, 200))
})
