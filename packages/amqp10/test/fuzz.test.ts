/** A moment of every fuzzer; tools/fuzz runs them for long and replays what they have found. */
import { expect, test } from 'vitest'

import { amqpFramesFuzzer, amqpSessionFuzzer, amqpValuesFuzzer } from './fuzz/index.ts'

test('values are taken and read as a plain reader does, and bytes of all kinds are tried', () => {
  const tally = amqpValuesFuzzer.run(1, 4_000) as Record<string, number>
  expect(tally['taken']).toBeGreaterThan(2_000)
  expect(tally['refused']).toBeGreaterThan(1_000)
  expect(tally['states']).toBeGreaterThan(30)
})

test('streams in pieces give the same frames, and streams of all kinds are tried', () => {
  const tally = amqpFramesFuzzer.run(1, 2_000) as Record<string, number>
  expect(tally['waits']).toBeGreaterThan(800)
  expect(tally['refused']).toBeGreaterThan(400)
  expect(tally['ended']).toBeGreaterThan(20)
  expect(tally['frames']).toBeGreaterThan(5_000)
  expect(tally['moving']).toBeGreaterThan(1_000)
})

test('the same seed makes the same run', () => {
  expect(amqpValuesFuzzer.run(7, 200)).toEqual(amqpValuesFuzzer.run(7, 200))
  expect(amqpFramesFuzzer.run(7, 200)).toEqual(amqpFramesFuzzer.run(7, 200))
})

test('clients that do what comes to their minds lose nothing and leave a broker as it was, with and without a log', async () => {
  const tally = await amqpSessionFuzzer.run(1, 80)
  expect(tally['runs']).toBe(80)
  expect(tally['published']).toBeGreaterThan(1_000)
  expect(tally['received']).toBeGreaterThan(600)
  expect(tally['redelivered']).toBeGreaterThan(300)
  expect(tally['refused']).toBeGreaterThan(50)
  expect(tally['restarts']).toBeGreaterThan(8)
})

test('the same seed makes the same session', async () => {
  expect(await amqpSessionFuzzer.run(7, 5)).toEqual(await amqpSessionFuzzer.run(7, 5))
})
