/**
 * The journal on a disk that tears, loses, fills and fails: the conformance suite, and random lives with crashes. A
 * failure names its seed; `runEngine` with that seed does the same again.
 */
import type { Engine, EngineEnv } from '@ternmq/store'
import { openJournal } from '@ternmq/store/journal'
import { engineConformance } from '@ternmq/store/conformance'
import { afterEach, describe, expect, test } from 'vitest'

import { SimulatedWorld } from '../src/index.ts'
import { type EngineRunCounts, type EngineRunOptions, runEngine } from './engine-run.ts'
import { lyingDisk } from './lying-disk.ts'

/** Small enough that a run of some hundred groups fills, collects and compacts many segments. */
async function openSmall(env: EngineEnv, seed: number): Promise<Engine> {
  return openJournal(env, {
    segmentBytes: [2_048, 8_192, 32_768, 1_048_576][seed % 4] ?? 8_192,
    minFreeBytes: 8_192,
    reserveBytes: 8_192,
  })
}

/** `SEEDS=17,1` replays one, `SEEDS=1000,5000` goes where no run has been. */
const [FIRST_SEED = 1, SEEDS = 300] = (process.env['SEEDS'] ?? '').split(',').filter(Boolean).map(Number)

async function runSeeds(
  from: number,
  count: number,
  more: Partial<EngineRunOptions> = {},
): Promise<{ total: EngineRunCounts | undefined; failures: string[] }> {
  const failures: string[] = []
  let total: EngineRunCounts | undefined = undefined
  for (let seed = from; seed < from + count; seed++) {
    try {
      const counts = await runEngine({ seed, open: openSmall, ...more })
      total = total === undefined ? counts : sumOf(total, counts)
    } catch (error) {
      // The whole text, with the disk's operations, for the first one only.
      const text = (error as Error).message
      failures.push(failures.length === 0 ? text : (text.split('\n')[0] ?? ''))
    }
  }
  return { total, failures }
}

function sumOf(a: EngineRunCounts, b: EngineRunCounts): EngineRunCounts {
  const names = Object.keys(a) as (keyof EngineRunCounts)[]
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as unknown as EngineRunCounts
}

describe('conformance', () => {
  const worlds = new Map<Engine, SimulatedWorld>()
  const stops = new Set<() => Promise<void>>()
  let opened = 0

  afterEach(async () => {
    worlds.clear()
    for (const stop of stops) await stop()
    stops.clear()
  })

  /** An engine in a world that steps by itself until the engine is closed. */
  async function openIn(world: SimulatedWorld): Promise<Engine> {
    const stop = world.pump()
    stops.add(stop)
    // Limits that are cheap to go beyond.
    const limits = { groupRecords: 256 }
    const engine = await openJournal(world.env, { segmentBytes: 65_536, minFreeBytes: 0, reserveBytes: 4_096, limits })
    const close = engine.close.bind(engine)
    engine.close = async () => {
      await close()
      stops.delete(stop)
      await stop()
    }
    worlds.set(engine, world)
    return engine
  }

  engineConformance(
    'simulated',
    () => openIn(new SimulatedWorld({ seed: ++opened, durationMsMax: opened % 3 })),
    async (engine) => {
      await engine.close()
      const world = worlds.get(engine)
      if (world === undefined) throw new Error('this engine was not opened here')
      // What is closed in good order has nothing left to lose.
      world.crash('power')
      return openIn(world)
    },
  )
})

describe('random lives', () => {
  test('leave what was confirmed, in order, and nothing refused or buried', { timeout: SEEDS * 200 }, async () => {
    const { total, failures } = await runSeeds(FIRST_SEED, SEEDS)
    expect(failures).toEqual([])
    // By seed, so that enough happens for the run to mean something.
    const least = { committed: 20, refused: 0.4, adopted: 0.2, lost: 0.5, snapshots: 1, takeovers: 0.5, faults: 1 }
    if (SEEDS < 100) return
    for (const [name, count] of Object.entries(least))
      expect([name, total?.[name as keyof EngineRunCounts]]).toEqual([
        name,
        expect.toSatisfy((found: number) => found > count * SEEDS),
      ])
  })

  test('survive a crash at every change of the disk in turn', { timeout: 60_000 }, async () => {
    for (const seed of [6, 16, 21]) {
      let crashAt = 1
      for (; crashAt < 500; crashAt++) {
        const { plannedCrashes } = await runEngine({ seed, open: openSmall, lives: 2, crashAt })
        if (plannedCrashes === 0) break
      }
      expect(crashAt).toBeGreaterThan(80)
    }
  })

  test('are the same for the same seed', async () => {
    const run = (): Promise<EngineRunCounts> => runEngine({ seed: 5, open: openSmall })
    expect(await run()).toEqual(await run())
  })
})

describe('the crash test finds', () => {
  test('a disk that says files are synced', async () => {
    const { failures } = await runSeeds(1, 40, { disk: (disk) => lyingDisk(disk, 'files') })
    // Mostly the store finds it itself, at the next start: its marker is not what it was.
    expect(failures.length).toBeGreaterThan(30)
  })

  test('a disk that says directories are synced', async () => {
    const { failures } = await runSeeds(1, 40, { disk: (disk) => lyingDisk(disk, 'directories') })
    expect(failures.length).toBeGreaterThan(3)
  })

  test('an answer before the sync', async () => {
    const { failures } = await runSeeds(1, 40, { submitAs: 'page-cache' })
    expect(failures.filter((text) => text.includes('is lost')).length).toBeGreaterThan(3)
  })
})
