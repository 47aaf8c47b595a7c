/** What is alive by the word of the snapshot and is in no segment is told; what was removed since is not missed. */
import { cpSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Lsn } from '../../engine.ts'
import { contentsIn, openSmall, segmentsIn, spoil } from '../../../test/journal-files.ts'
import { scratchDirectories } from '../../../test/scratch.ts'
import { bookkeeping, bytesOf, content, own } from '../../conformance/records.ts'
import { nodeDisk } from '../../node-disk.ts'
import { GoneLsns } from '../collect/gone.ts'
import { verifyStore } from '../inspect.ts'

const freshDirectory = scratchDirectories()

/** 60 records alive, by the word of a snapshot behind the last one. */
async function withSnapshot(): Promise<{ directory: string; lsns: Lsn[] }> {
  const directory = freshDirectory()
  const engine = await openSmall(directory)
  const { appender, ownership } = await own(engine.partition(0))
  const lsns: Lsn[] = []
  for (let index = 0; index < 60; index++) lsns.push(...(await appender.append([content('x'.repeat(200))])))
  await ownership.putSnapshot(lsns.at(-1) ?? 0, [bytesOf('state')])
  await engine.close()
  return { directory, lsns }
}

describe('a segment that the snapshot needs', () => {
  const damages: Record<string, (path: string) => void> = {
    removed: (path) => rmSync(path),
    empty: (path) => truncateSync(path, 0),
    'of zeros': (path) => writeFileSync(path, readFileSync(path).fill(0)),
    'cut in its middle': (path) => truncateSync(path, statSync(path).size >> 1),
  }
  for (const [name, damage] of Object.entries(damages)) {
    test.each([0, 1, -1])(
      `${name}, is missed by verify and by the start, with what is lost (segment %i)`,
      async (which) => {
        const { directory, lsns } = await withSnapshot()
        const path = segmentsIn(directory).at(which) ?? ''
        damage(join(directory, path))
        const verified = await verifyStore(nodeDisk(directory))
        const engine = await openSmall(directory)
        const found = (await engine.partition(0).read(lsns)).map((record) => record?.lsn)
        const lost = lsns.filter((_, index) => found[index] === undefined)
        expect(lost.length).toBeGreaterThan(1)
        for (const { faults } of [verified, engine.stats()]) {
          const isTold = (lsn: Lsn) =>
            faults.some(
              (fault) => fault.lost !== undefined && lsn > fault.lost.after && lsn < (fault.lost.before ?? Infinity),
            )
          expect(lsns.filter(isTold)).toEqual(lost)
        }
        const { appender } = await own(engine.partition(0))
        expect((await appender.append([content('new')]))[0]).toBeGreaterThan(lsns.at(-1) ?? 0)
        await engine.close()
      },
    )
  }
})

describe('what was removed on the strength of the snapshot', () => {
  test.each(['all of the first ones', 'all but a few'])('is not missed: %s', async (which) => {
    const { directory, lsns } = await withSnapshot()
    const before = segmentsIn(directory)
    for (let life = 0; life < 3; life++) {
      const engine = await openSmall(directory)
      const { appender, ownership } = await own(engine.partition(0))
      const until = 15 * (life + 1)
      await appender.append([bookkeeping('settles them')])
      for (const [index, lsn] of lsns.slice(0, until).entries()) {
        if (which === 'all of the first ones' || index % 13 !== 0) ownership.release(lsn, lsn)
      }
      // Until files go no more: a copy of a folder is not of one moment.
      const isBusy = (): boolean => {
        const known = engine.inspect().partitions[0]?.segments ?? []
        return known.length !== segmentsIn(directory).length || known.some(({ liveRecords }) => liveRecords === 0)
      }
      await appender.append([bookkeeping('goes on')])
      for (let turns = 0; turns < 50 || isBusy(); turns++) await new Promise((resolve) => void setImmediate(resolve))
      const copy = freshDirectory()
      cpSync(directory, copy, { recursive: true })
      expect((await verifyStore(nodeDisk(copy))).faults).toEqual([])
      await engine.close()
      expect((await verifyStore(nodeDisk(directory))).faults).toEqual([])
    }
    const gone = before.filter((name) => !segmentsIn(directory).includes(name))
    expect(gone.length).toBeGreaterThan(0)
    // But what is missing beside it is.
    rmSync(join(directory, segmentsIn(directory).at(-3) ?? ''))
    expect((await verifyStore(nodeDisk(directory))).faults.length).toBeGreaterThan(0)
  })

  test('is told in stretches that grow together, and in one when there are too many', () => {
    const gone = new GoneLsns()
    for (const lsn of [1, 3, 2, 10]) gone.add({ firstLsn: lsn, lastLsn: lsn })
    const copy = new GoneLsns()
    copy.take(gone.encode())
    expect(gone.encode()).toHaveLength(2 * 16)
    expect([0, 1, 3, 4, 10, 11].map((lsn) => copy.has(lsn))).toEqual([false, true, true, false, true, false])
    for (let lsn = 100; lsn < 5_000; lsn += 2) copy.add({ firstLsn: lsn, lastLsn: lsn })
    expect(copy.encode().length).toBeLessThanOrEqual(1_024 * 16)
    expect([0, 10, 4_998, 5_000].map((lsn) => copy.has(lsn))).toEqual([false, true, true, false])
  })
})

test('a damaged last record is not written over, and its lsn is not given again', async () => {
  const directory = freshDirectory()
  const engine = await openSmall(directory)
  const { appender } = await own(engine.partition(0))
  const [lsn = 0] = await appender.append([content('only one'.padEnd(200, '.'))])
  await engine.close()
  const [name = ''] = segmentsIn(directory)
  const bytes = readFileSync(join(directory, name))
  for (let at = 64; at < bytes.indexOf('only one'); at += 40) spoil(directory, name, at)
  spoil(directory, name, bytes.indexOf('only one'))
  const young = await openSmall(directory)
  const [next = 0] = await (await own(young.partition(0))).appender.append([content('next')])
  expect(next).toBeGreaterThan(lsn)
  await young.close()
  expect(readdirSync(join(directory, 'p0'))).toContain(name.slice(3))
  expect(await contentsIn(directory)).toEqual(['next'])
})
