import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Lsn } from '../../engine.ts'
import type { JournalEngine, JournalOptions } from '../journal-engine.ts'
import { loopClock, scratchDirectories } from '../../../test/scratch.ts'
import { bookkeeping, content, own, tailNow, valueOf } from '../../conformance/records.ts'
import { nodeDisk } from '../../node-disk.ts'
import { inspectStore } from '../inspect.ts'
import { openJournal } from '../journal-engine.ts'

const freshDirectory = scratchDirectories()
const SEGMENT_BYTES = 16 * 1024

function openAt(directory: string, options: JournalOptions = {}): Promise<JournalEngine> {
  const small = { reserveBytes: 0, minFreeBytes: 0, segmentBytes: SEGMENT_BYTES }
  return openJournal({ clock: loopClock, disk: nodeDisk(directory) }, { ...small, ...options })
}

function bytesIn(directory: string): number {
  const names = readdirSync(join(directory, 'p0')).filter((name) => name.endsWith('.seg'))
  return names.reduce((sum, name) => {
    const file = join(directory, 'p0', name)
    return sum + (existsSync(file) ? statSync(file).size : 0)
  }, 0)
}

describe('what gives disk space back', () => {
  test('steady traffic with one stuck message keeps to three times what lives and three segments', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const { appender, ownership } = await own(engine.partition(0))
    const [stuck = 0] = await appender.append([content('stuck')])
    const stuckToo: Lsn[] = []
    let peak = 0
    let written = 0
    for (let round = 0; round < 300; round++) {
      const lsns = await appender.append(
        Array.from({ length: 10 }, (_, index) => content(`${round}.${index}`.padEnd(100, '.'))),
      )
      const [settled = 0] = await appender.append([bookkeeping(`settles ${round}`)])
      ownership.release(lsns[0] ?? 0, lsns.at(-1) ?? 0)
      if (round % 40 === 0) stuckToo.push(...(await appender.append([content('stuck too')])))
      if (ownership.bytesSinceSnapshot > SEGMENT_BYTES) await ownership.putSnapshot(settled, [])
      const bound = 3 * engine.stats().liveBytes + 3 * SEGMENT_BYTES
      peak = Math.max(peak, bytesIn(directory) / bound)
      written = engine.stats().writtenBytes
    }
    expect(written).toBeGreaterThan(20 * SEGMENT_BYTES)
    expect(peak).toBeLessThanOrEqual(1)
    const left = [stuck, ...stuckToo]
    expect((await engine.partition(0).read(left)).map((record) => record?.lsn)).toEqual(left)
    expect(engine.stats().diskBytes).toBeLessThan(5 * SEGMENT_BYTES)
    await engine.close()
    const report = await inspectStore(nodeDisk(directory))
    expect(engine.stats().diskBytes, 'what is counted is what is there').toBe(report.diskBytes)
  })

  test('what is drained in order is removed as a whole and hardly copied', async () => {
    const engine = await openAt(freshDirectory())
    const { appender, ownership } = await own(engine.partition(0))
    const lsns: Lsn[] = []
    for (let round = 0; round < 100; round++) {
      lsns.push(...(await appender.append(Array.from({ length: 20 }, () => content('x'.repeat(100))))))
    }
    const { segments, liveBytes } = engine.stats()
    expect(segments).toBeGreaterThan(20)
    for (let start = 0; start < lsns.length; start += 50) {
      const [settled = 0] = await appender.append([bookkeeping('settles')])
      ownership.release(lsns[start] ?? 0, lsns[start + 49] ?? 0)
      if (start % 500 === 0) await ownership.putSnapshot(settled, [])
    }
    const [last = 0] = await appender.append([bookkeeping('the end')])
    await ownership.putSnapshot(last, [])
    await engine.partition(0).snapshot() // behind what the collector has to do
    expect(engine.stats().compactedBytes).toBeLessThan(liveBytes / 10)
    expect(engine.stats()).toMatchObject({ liveBytes: 0 })
    await engine.close()
  })

  test('compaction changes neither tail nor reads, while both go on, now and after a restart', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    const values = new Map<Lsn, string>()
    const add = async (): Promise<void> => {
      const group = Array.from({ length: 8 }, (_, index) =>
        index % 4 === 3 ? bookkeeping(`b${values.size}`) : content(`${values.size}.${index}`.padEnd(150, '.')),
      )
      const lsns = await appender.append(group)
      lsns.forEach((lsn, index) => values.set(lsn, valueOf(group[index] ?? bookkeeping(''))))
    }
    for (let round = 0; round < 150; round++) await add()
    const at = [...values.keys()][300] ?? 0
    await ownership.putSnapshot(at, [])
    const isBookkeeping = (lsn: Lsn): boolean => values.get(lsn)?.includes('null') === true
    const dead = [...values.keys()].filter((lsn, index) => index % 9 !== 0 && !isBookkeeping(lsn))
    const live = [...values.keys()].filter((lsn) => !dead.includes(lsn) && !isBookkeeping(lsn))
    const check = async (): Promise<void> => {
      const [{ trimmedTo, records }, found] = await Promise.all([tailNow(log), log.read(live)])
      expect(found.map((record) => (record === undefined ? undefined : valueOf(record)))).toEqual(
        live.map((lsn) => values.get(lsn)),
      )
      for (const record of records) expect(valueOf(record)).toBe(values.get(record.lsn))
      const shown = new Set(records.map(({ lsn }) => lsn))
      for (const lsn of values.keys()) {
        if (lsn > trimmedTo && (isBookkeeping(lsn) || live.includes(lsn)))
          expect(shown.has(lsn), `lsn ${lsn}`).toBe(true)
      }
    }
    for (const [index, lsn] of dead.entries()) {
      ownership.release(lsn, lsn)
      if (index % 100 === 0) {
        await check()
        await add()
      }
    }
    await log.snapshot()
    expect(engine.stats().compactedBytes).toBeGreaterThan(0)
    await check()
    const before = await tailNow(log)
    await engine.close()
    const young = await openAt(directory)
    const found = await young.partition(0).read(live)
    expect(found.map((record) => (record === undefined ? undefined : valueOf(record)))).toEqual(
      live.map((lsn) => values.get(lsn)),
    )
    const after = (await tailNow(young.partition(0))).records.map(valueOf)
    expect(
      before.records.map(valueOf).filter((value) => !after.includes(value)),
      'nothing is missing',
    ).toEqual([])
    expect(young.stats().faults).toEqual([])
    await young.close()
  })

  test('a purge gives everything back at once', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const { appender, ownership } = await own(engine.partition(0))
    let last = 0
    for (let round = 0; round < 100; round++) {
      last = (await appender.append(Array.from({ length: 20 }, () => content('x'.repeat(100))))).at(-1) ?? 0
    }
    const [settled = 0] = await appender.append([bookkeeping('purge')])
    ownership.release(0, last)
    await ownership.putSnapshot(settled, [])
    await engine.partition(0).snapshot()
    expect(bytesIn(directory)).toBeLessThan(2 * SEGMENT_BYTES)
    expect(engine.stats().compactedBytes).toBe(0)
    await engine.close()
  })

  test('the index needs four bytes per record', async () => {
    const engine = await openAt(freshDirectory(), { segmentBytes: 1024 * 1024 })
    const { appender } = await own(engine.partition(0))
    const count = 60_000
    for (let done = 0; done < count; done += 1_000) {
      await appender.append(
        Array.from({ length: 1_000 }, () => content('')),
        'page-cache',
      )
    }
    expect(engine.stats().indexBytes / count).toBeLessThan(5)
    await engine.close()
  })
})
