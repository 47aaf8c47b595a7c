/**
 * Core and journal on virtual time: a thousand seeded runs with crashes, torn writes, full, slow and failing disks. The broken
 * variants show that the checker finds what it is for.
 */
import { describe, expect, test } from 'vitest'

import { simulate, type SimulationCounts, VARIANTS } from '../src/simulation/index.ts'

const SEEDS = 1_000
const SEEDS_PER_TEST = 100
/** Seeds within which each variant must be found out. */
const VARIANT_SEEDS = 60

const starts = Array.from({ length: SEEDS / SEEDS_PER_TEST }, (_, index) => 1 + index * SEEDS_PER_TEST)

describe('nothing confirmed is lost, nothing settled comes back, order holds', () => {
  test.each(starts)('in a hundred runs from seed %i on', { timeout: 60_000 }, async (from) => {
    const failures: string[] = []
    const total: Partial<Record<keyof SimulationCounts, number>> = {}
    for (let seed = from; seed < from + SEEDS_PER_TEST; seed++) {
      try {
        const counts = await simulate({ seed })
        for (const name of Object.keys(counts) as (keyof SimulationCounts)[])
          total[name] = (total[name] ?? 0) + counts[name]
      } catch (error) {
        failures.push((error as Error).message)
      }
    }
    expect(failures).toEqual([])
    // Enough has happened for the runs to mean something.
    const least: Partial<Record<keyof SimulationCounts, number>> = {
      lives: 200,
      crashes: 100,
      closes: 20,
      diskFailures: 3,
      fullDisks: 50,
      snapshots: 20,
      comparisons: 100,
      publishConfirmed: 2_500,
      refused: 150,
      redelivered: 1_500,
      settleConfirmed: 2_500,
      moved: 15,
      expired: 200,
      transactions: 40,
      purged: 10,
      composites: 100,
    }
    for (const [name, count] of Object.entries(least)) {
      expect([name, total[name as keyof SimulationCounts]]).toEqual([
        name,
        expect.toSatisfy((number: number) => number > count),
      ])
    }
  })

  test('the same seed does the same again', async () => {
    const linesOf = async (seed: number): Promise<string[]> => {
      const lines: string[] = []
      await simulate({ seed, onLine: (line) => void lines.push(line) })
      return lines
    }
    const lines = await linesOf(7)
    expect(lines.length).toBeGreaterThan(50)
    expect(await linesOf(7)).toEqual(lines)
  })
})

describe('a broken broker is found out', () => {
  test.each(Object.keys(VARIANTS))('that is one that does %s', { timeout: 60_000 }, async (variant) => {
    const text = await firstFailure(variant)
    expect(text).toMatch(/^seed \d+: .+/)
    expect(text).toContain(`npm run -s simulate -- --seed `)
    expect(text).toContain(`--variant ${variant}`)
  })
})

async function firstFailure(variant: string): Promise<string> {
  for (let seed = 1; seed <= VARIANT_SEEDS; seed++) {
    try {
      await simulate({ seed, variant })
    } catch (error) {
      return (error as Error).message
    }
  }
  return `nothing in ${VARIANT_SEEDS} seeds`
}
