/** The crash test of engines tests itself: on an engine that keeps its promises as long as nothing crashes. */
import { MemoryEngine } from '@ternmq/store'
import { expect, test } from 'vitest'

import { type EngineRunCounts, runEngine } from './engine-run.ts'

async function countsOf(seeds: number, lives: number): Promise<{ counts: EngineRunCounts[]; failures: string[] }> {
  const counts: EngineRunCounts[] = []
  const failures: string[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const run = runEngine({ seed, lives, steps: 100, open: async (env) => new MemoryEngine(env) })
    await run.then(
      (count) => counts.push(count),
      (error: Error) => failures.push(error.message),
    )
  }
  return { counts, failures }
}

test('one life of the memory engine is as the model says', async () => {
  const { counts, failures } = await countsOf(50, 1)
  expect(failures).toEqual([])
  const total = (name: keyof EngineRunCounts): number => counts.reduce((sum, count) => sum + count[name], 0)
  for (const name of [
    'committed',
    'reads',
    'releases',
    'snapshots',
    'takeovers',
    'prepared',
    'catalogCommits',
  ] as const)
    expect([name, total(name)]).toEqual([name, expect.toSatisfy((count: number) => count > 10)])
})

test('a second life of it is not: everything is lost, and that is found', async () => {
  const { failures } = await countsOf(50, 2)
  expect(failures.length).toBeGreaterThan(25)
  expect(failures.filter((text) => /life 2, step 0[^:]*: (?:epoch|the snapshot|.*is lost)/.test(text))).toEqual(
    failures,
  )
})

test('the same seed gives the same run', async () => {
  const { counts } = await countsOf(5, 1)
  expect((await countsOf(5, 1)).counts).toEqual(counts)
})
