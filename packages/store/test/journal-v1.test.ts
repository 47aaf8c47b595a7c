/** A store that the first version wrote: every later one must open it. */
import { cpSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bodyOf, content, own, scanAll, tailNow, textOf } from '../src/conformance/records.ts'
import { inspectStore, verifyStore } from '../src/journal/inspect.ts'
import { openJournal } from '../src/journal/journal-engine.ts'
import { nodeDisk } from '../src/node-disk.ts'
import { loopClock, scratchDirectories } from './scratch.ts'

const freshDirectory = scratchDirectories()

test('a store of format 1 opens with everything that was in it, and goes on', async () => {
  const directory = freshDirectory()
  cpSync(new URL('fixtures/journal-v1', import.meta.url), directory, { recursive: true })
  const disk = nodeDisk(directory)
  const report = await inspectStore(disk)
  expect(report).toMatchObject({ formatVersion: 1, catalogKeys: 1, tornBytes: 0, faults: [] })
  expect(report.partitions[0]?.segments.some(({ compacted }) => compacted)).toBe(true)
  expect((await verifyStore(disk)).faults).toEqual([])

  const engine = await openJournal({ clock: loopClock, disk }, { reserveBytes: 0, minFreeBytes: 0 })
  const log = engine.partition(0)
  const snapshot = await log.snapshot()
  expect(snapshot?.at).toBe(192)
  expect(snapshot?.data.map(textOf).join('')).toBe('the state after c95')
  const { trimmedTo, records } = await tailNow(log)
  expect(trimmedTo).toBe(192)
  expect(records.map((record) => bodyOf(record)?.replaceAll('.', '') ?? textOf(record.meta))).toEqual([
    'b95',
    ...Array.from({ length: 9 }, (_, index) => [`c${96 + index}`, `b${96 + index}`]).flat(),
    'from a gateway',
  ])
  expect(records.at(-2)).toMatchObject({ kind: 2, dest: 0, epoch: 1, writer: 'fixture#1' })
  expect(records.at(-1)).toMatchObject({ kind: 1, dest: 7, epoch: 0 })
  expect(records.at(-1)?.atMs).toBeGreaterThan(1_764_000_000_000)
  // c0, c5, … stayed, the others up to c94 were released.
  const lsns = Array.from({ length: 96 }, (_, index) => 2 + 2 * index)
  const found = (await log.read(lsns)).map((record) => bodyOf(record)?.replaceAll('.', ''))
  expect(found).toEqual(lsns.map((_, index) => (index % 5 === 0 ? `c${index}` : undefined)))
  expect((await scanAll(engine, '')).map(({ key, rev, value }) => [key, rev, textOf(value)])).toEqual([
    ['queue/orders', 1, 'durable'],
  ])

  const { appender } = await own(log)
  const [lsn = 0] = await appender.append([content('new')])
  expect(lsn).toBeGreaterThan(records.at(-1)?.lsn ?? 0)
  await engine.close()
})
