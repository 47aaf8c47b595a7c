/** A moment of every fuzzer; tools/fuzz runs them for long and replays what they have found. */
import { expect, test } from 'vitest'

import { framesFuzzer, stompSessionFuzzer } from './fuzz/index.ts'

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

test('clients that do what comes to their minds leave a broker as it was, with and without a log, and messages get through', async () => {
  const tally = await stompSessionFuzzer.run(1, 40)
  expect(tally['runs']).toBe(40)
  expect(tally['published']).toBeGreaterThan(1_000)
  expect(tally['received']).toBeGreaterThan(500)
  expect(tally['redelivered']).toBeGreaterThan(20)
  expect(tally['refused']).toBeGreaterThan(50)
})

test('the same seed makes the same session', async () => {
  expect(await stompSessionFuzzer.run(7, 5)).toEqual(await stompSessionFuzzer.run(7, 5))
})
