import { expect, test } from 'vitest'
import { loopClock, scratchDirectories } from '../../test/scratch.ts'
import { content, own } from '../conformance/records.ts'
import { nodeDisk } from '../node-disk.ts'
import { openJournal } from './journal-engine.ts'
import { COMMIT_TIME_BOUNDS_MS, StoreCounts } from './store-counts.ts'

const freshDirectory = scratchDirectories()

test('a commit counts once, in the class of its time: a bound belongs to the class that it ends', () => {
  const times = [0, 0.1, 0.11, 1, 5_000, 5_001, 1e9]
  const counts = new StoreCounts()
  for (const tookMs of times) counts.onCommit(100, tookMs)
  const expected = [...COMMIT_TIME_BOUNDS_MS, Infinity].map(
    (bound, index, bounds) =>
      times.filter((tookMs) => tookMs <= bound && (index === 0 || tookMs > bounds[index - 1]!)).length,
  )
  expect(counts.commitTimes).toEqual(expected)
  expect([counts.commits, counts.committedBytes, counts.lastCommitMs]).toEqual([7, 700, 1e9])
  expect(counts.commitMsTotal).toBeCloseTo(times.reduce((sum, each) => sum + each))
})

test('a journal counts its commits, whatever is in each, with the time that each took', async () => {
  let monoMs = 0
  // Every look at the clock takes 3 ms, and a commit has one at its end.
  const clock = { ...loopClock, monoMs: () => (monoMs += 3) }
  const engine = await openJournal({ clock, disk: nodeDisk(freshDirectory()) }, { minFreeBytes: 0 })
  const { appender } = await own(engine.partition(0))
  await appender.append([content('names the writer')])
  const before = engine.stats()
  await Promise.all(Array.from({ length: 100 }, (_, index) => appender.append([content(`${index}`)])))
  await appender.append([content('one more')])
  const { commits, committedBytes, commitTimes, commitMsTotal, writtenBytes } = engine.stats()
  expect(commits - before.commits).toBe(2)
  expect(committedBytes - before.committedBytes).toBe(writtenBytes - before.writtenBytes)
  const slow = commitTimes.filter((_, index) => (COMMIT_TIME_BOUNDS_MS[index] ?? Infinity) >= 3)
  expect(slow.reduce((sum, each) => sum + each)).toBe(commits)
  expect(commitMsTotal).toBeGreaterThanOrEqual(commits * 3)
  await engine.close()
})
