/** A moment of every fuzzer; tools/fuzz runs them for long and replays what they have found. */
import { describe, expect, test } from 'vitest'

import { publishFuzzer, sequenceFuzzer, splitterFuzzer } from './fuzz/index.ts'

describe('splitter', () => {
  test('streams in pieces give the same packets, and streams of all kinds are tried', () => {
    const tally = splitterFuzzer.run(1, 1_500)
    for (const end of ['waits', 'malformed', 'too large']) expect(tally).toHaveProperty(end, expect.any(Number))
    expect(Math.min(...Object.values(tally as Record<string, number>))).toBeGreaterThan(100)
  })
})

describe('publish', () => {
  test('packets are handed on unchanged or refused, and everything that can come of one does', () => {
    const tally = publishFuzzer.run(1, 2_000) as Record<string, number>
    expect(Math.min(...Object.values(tally))).toBeGreaterThan(5)
    expect(tally['delivered']).toBeGreaterThan(300)
  })
})

describe('sequence', () => {
  test('sequences leave a broker as it was, with and without a log, and messages get through', async () => {
    const tally = await sequenceFuzzer.run(1, 40)
    expect(tally['sequences']).toBe(40)
    expect(tally['delivered']).toBeGreaterThan(300)
    expect(tally['redelivered']).toBeGreaterThan(10)
  })

  test('the same seed makes the same run', async () => {
    expect(await sequenceFuzzer.run(7, 5)).toEqual(await sequenceFuzzer.run(7, 5))
  })
})
