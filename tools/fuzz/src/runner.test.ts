/** The runner notices what a fuzzer finds: proved with one that fails on purpose. */
import { FuzzFailure, type Fuzzer } from '@ternmq/mqtt/fuzzers'
import { expect, test } from 'vitest'

import { runBatches } from './batches.ts'
import { failingFuzzer } from './failing.ts'
import { fuzzerNamed } from './fuzzers.ts'
import { shorten } from './shorten.ts'

const counting: Fuzzer = {
  name: 'counting',
  what: '',
  run: (seed, count) => ({ seeds: seed, count }),
  replay: () => undefined,
}

test('batches have seeds of their own and add up', async () => {
  const progress = await runBatches(counting, { seed: 5, iterations: 700, seconds: Infinity })
  expect(progress).toMatchObject({ iterations: 700, tally: { seeds: 5 + 6 + 7, count: 700 } })
})

test('a run ends when its time is over', async () => {
  let nowMs = 0
  const progress = await runBatches(
    counting,
    { seed: 1, iterations: Infinity, seconds: 3 },
    undefined,
    () => (nowMs += 500),
  )
  expect(progress.iterations).toBeGreaterThan(0)
  expect(progress.iterations).toBeLessThan(10_000)
})

test('a find ends the run with seed, step and input', async () => {
  const run = runBatches(failingFuzzer, { seed: 7, iterations: 10_000, seconds: Infinity })
  await expect(run).rejects.toThrow(FuzzFailure)
  await expect(run).rejects.toMatchObject({ seed: 7, step: 7, message: 'seed 7, step 7: it met the bad line' })
})

test('an input is cut short to what matters', async () => {
  const failure = await runBatches(failingFuzzer, { seed: 7, iterations: 100, seconds: Infinity }).catch(
    (error: unknown) => error,
  )
  const { input } = failure as FuzzFailure
  expect(input.split('\n').length).toBeGreaterThan(30)
  expect(await shorten(failingFuzzer, input)).toBe('the bad line\n')
})

test('an input that does not fail is left as it is', async () => {
  expect(await shorten(failingFuzzer, 'a\nb\n')).toBe('a\nb\n')
})

test('an unknown name is refused with those there are', () => {
  expect(() => fuzzerNamed('decoder')).toThrow(
    /^there is no fuzzer 'decoder': control, publish, .*, failing, or all$/,
  )
})
