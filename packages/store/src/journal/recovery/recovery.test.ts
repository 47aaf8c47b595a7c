import {
  appendFileSync,
  copyFileSync,
  cpSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Lsn } from '../../engine.ts'
import type { JournalEngine, JournalOptions } from '../journal-engine.ts'
import { loopClock, scratchDirectories } from '../../../test/scratch.ts'
import { bodyOf, bookkeeping, bytesOf, content, own, tailNow, textOf, valueOf } from '../../conformance/records.ts'
import { nodeDisk } from '../../node-disk.ts'
import { OpenRefused } from './faults.ts'
import { verifyStore } from '../inspect.ts'
import { openJournal } from '../journal-engine.ts'

const freshDirectory = scratchDirectories()

function openAt(directory: string, options: JournalOptions = {}): Promise<JournalEngine> {
  const small = { reserveBytes: 4_096, minFreeBytes: 0, segmentBytes: 4_096 }
  return openJournal({ clock: loopClock, disk: nodeDisk(directory) }, { ...small, ...options })
}

/** The directory as a killed process leaves it: a copy while the engine still has it. */
function killed(directory: string): string {
  const copy = freshDirectory()
  cpSync(directory, copy, { recursive: true })
  return copy
}

function segmentsIn(directory: string): string[] {
  return readdirSync(join(directory, 'p0'))
    .filter((name) => name.endsWith('.seg'))
    .toSorted()
    .map((name) => join(directory, 'p0', name))
}

async function bodiesAt(directory: string): Promise<(string | undefined)[]> {
  const engine = await openAt(directory)
  const { records } = await tailNow(engine.partition(0))
  await engine.close()
  return records.map(bodyOf)
}

describe('recovery of a journal', () => {
  test('torn at any byte, the end loses whole groups and nothing before', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory, { segmentBytes: 1024 * 1024 })
    const { appender } = await own(engine.partition(0))
    await appender.append([content('kept a'), content('kept b')])
    const [file = ''] = segmentsIn(directory)
    const before = readFileSync(file).length
    // One batch: two groups that can be there or not, each as a whole.
    const last = [
      [content('c1'), content('c2'), bookkeeping('c3')],
      [content('d1'), content('d2')],
    ]
    await Promise.all(last.map((group) => appender.append(group)))
    const whole = killed(directory)
    await engine.close()
    const [wholeFile = ''] = segmentsIn(whole)
    const bytes = readFileSync(wholeFile)
    const kept = ['kept a', 'kept b']
    const possible = [kept, [...kept, 'c1', 'c2', undefined], [...kept, 'c1', 'c2', undefined, 'd1', 'd2']]
    const seen = new Set<number>()
    for (let size = before; size <= bytes.length; size++) {
      writeFileSync(wholeFile, bytes.subarray(0, size))
      const bodies = await bodiesAt(whole)
      const which = possible.findIndex((each) => JSON.stringify(each) === JSON.stringify(bodies))
      expect(which, `cut at ${size}: ${JSON.stringify(bodies)}`).toBeGreaterThanOrEqual(0)
      expect(which).toBeGreaterThanOrEqual(Math.max(0, ...seen))
      seen.add(which)
    }
    expect([...seen], 'zeros behind the last frame are not part of it').toEqual([0, 1, 2])
    writeFileSync(wholeFile, bytes)
    expect(await bodiesAt(whole)).toEqual(possible[2])
  })

  test('a hole in what was not synced is the end of the log, even with good frames behind it', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory, { segmentBytes: 1024 * 1024 })
    const { appender } = await own(engine.partition(0))
    await appender.append([content('synced')])
    const [file = ''] = segmentsIn(directory)
    const hole = readFileSync(file).length
    await appender.append([content('lost')], 'page-cache')
    await appender.append([content('behind the hole')], 'page-cache')
    const copy = killed(directory)
    await engine.close()
    flip(segmentsIn(copy)[0] ?? '', hole + 42)
    const young = await openAt(copy)
    expect((await tailNow(young.partition(0))).records.map(bodyOf)).toEqual(['synced'])
    expect(young.stats()).toMatchObject({ faults: [] })
    expect(young.stats().tornBytes).toBeGreaterThan(0)
    await young.close()
  })

  test('a flipped bit in what was synced is found, reported with its place, and the rest is served', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const { appender } = await own(engine.partition(0))
    const lsns: Lsn[] = []
    for (let index = 0; index < 60; index++)
      lsns.push(...(await appender.append([content(`${index}`.padEnd(200, '.'))])))
    await engine.close()
    const files = segmentsIn(directory)
    expect(files.length).toBeGreaterThan(3)
    // One in a sealed segment, one in the last.
    for (const file of [files[1] ?? '', files.at(-1) ?? '']) flip(file, 400)
    const young = await openAt(directory)
    const { faults } = young.stats()
    expect(faults.map(({ file }) => file)).toEqual(
      [files[1], files.at(-1)].map((file) => file?.slice(directory.length + 1)),
    )
    const lost = lsns.filter((lsn) =>
      faults.some((fault) => lsn > (fault.lost?.after ?? Infinity) && lsn < (fault.lost?.before ?? Infinity)),
    )
    expect(lost).toHaveLength(2)
    for (const fault of faults) expect(fault.offset).toBeLessThan(400)
    const { records } = await tailNow(young.partition(0))
    expect(records.map(({ lsn }) => lsn)).toEqual(lsns.filter((lsn) => !lost.includes(lsn)))
    expect((await young.partition(0).read(lsns)).map((record) => record?.lsn)).toEqual(
      lsns.map((lsn) => (lost.includes(lsn) ? undefined : lsn)),
    )
    const next = await own(young.partition(0))
    expect((await next.appender.append([content('goes on')]))[0]).toBeGreaterThan(lsns.at(-1) ?? 0)
    await young.close()
  })

  test('a bit that flips while the engine runs is found by a read and by a tail', async () => {
    const directory = freshDirectory()
    const faults: number[] = []
    const engine = await openAt(directory, { onFault: ({ offset }) => void faults.push(offset) })
    const { appender } = await own(engine.partition(0))
    const lsns = await appender.append([content('a'.repeat(300)), content('b'.repeat(300)), content('c'.repeat(300))])
    const [file = ''] = segmentsIn(directory)
    flip(file, readFileSync(file).indexOf('bbbb') + 10)
    expect((await engine.partition(0).read(lsns)).map((record) => record?.lsn)).toEqual([lsns[0], undefined, lsns[2]])
    expect((await tailNow(engine.partition(0))).records.map(({ lsn }) => lsn)).toEqual([lsns[0], lsns[2]])
    expect(faults, 'told once').toHaveLength(1)
    await engine.close()
  })

  test('a missing segment is reported with what is lost', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const { appender } = await own(engine.partition(0))
    const lsns: Lsn[] = []
    for (let index = 0; index < 60; index++)
      lsns.push(...(await appender.append([content(`${index}`.padEnd(200, '.'))])))
    await engine.close()
    rmSync(segmentsIn(directory)[1] ?? '')
    const young = await openAt(directory)
    const [fault] = young.stats().faults
    expect(fault?.what).toContain('missing')
    const { records } = await tailNow(young.partition(0))
    expect(records.map(({ lsn }) => lsn)).toEqual(
      lsns.filter((lsn) => lsn <= (fault?.lost?.after ?? 0) || lsn >= (fault?.lost?.before ?? 0)),
    )
    await young.close()
  })

  test('after a kill, a snapshot and the log behind it give the same as the log alone', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const { appender, ownership } = await own(engine.partition(0))
    const lsns: Lsn[] = []
    const add = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        lsns.push(...(await appender.append([content(`${lsns.length}`.padEnd(100, '.')), bookkeeping('b')])))
      }
    }
    await add(50)
    for (const lsn of lsns.filter((_, index) => index % 5 === 0)) ownership.release(lsn, lsn)
    await ownership.putSnapshot(lsns[40] ?? 0, [bytesOf('st'), bytesOf('ate')])
    await add(30)
    const copy = killed(directory)
    const before = await tailNow(engine.partition(0))
    const values = (await engine.partition(0).read(lsns)).map((record) =>
      record === undefined ? undefined : valueOf(record),
    )
    await engine.close()
    const young = await openAt(copy)
    expect((await young.partition(0).snapshot())?.data.map(textOf)).toEqual(['st', 'ate'])
    const after = await tailNow(young.partition(0))
    expect(after.trimmedTo).toBe(lsns[40])
    expect(after.records.map(({ lsn }) => lsn)).toEqual(before.records.map(({ lsn }) => lsn))
    const found = await young.partition(0).read(lsns)
    expect(found.map((record) => (record === undefined ? undefined : valueOf(record)))).toEqual(values)
    await young.close()
  })

  test('a snapshot that was not finished is forgotten; without a broken one the log does that has an older one, or is whole', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const { appender, ownership } = await own(engine.partition(0))
    const [lsn = 0] = await appender.append([content('a')])
    await ownership.putSnapshot(lsn, [bytesOf('state')])
    await engine.close()
    const [name = ''] = readdirSync(join(directory, 'p0')).filter((each) => each.endsWith('.snap'))
    const file = join(directory, 'p0', name)
    copyFileSync(file, join(directory, 'p0', '0000000000000002.snap.tmp'))
    const young = await openAt(directory)
    expect((await young.partition(0).snapshot())?.at).toBe(lsn)
    await young.close()
    expect(readdirSync(join(directory, 'p0')).some((each) => each.endsWith('.tmp'))).toBe(false)
    // As long as the older one is there, it does as well.
    copyFileSync(file, join(directory, 'p0', '0000000000000009.snap'))
    flip(join(directory, 'p0', '0000000000000009.snap'), 30)
    const fallen = await openAt(directory)
    expect((await fallen.partition(0).snapshot())?.at).toBe(lsn)
    expect(fallen.stats().faults[0]?.file).toContain('0000000000000009.snap')
    await fallen.close()
    expect(readdirSync(join(directory, 'p0'))).toContain('0000000000000009.snap.aside')
    flip(file, 30)
    const whole = await openAt(directory)
    expect(whole.stats().faults.map(({ what }) => what)).toEqual([expect.stringMatching(/checksum is wrong; the log is whole/)])
    expect(await whole.partition(0).snapshot()).toBe(undefined)
    expect((await tailNow(whole.partition(0))).records.map(bodyOf)).toEqual(['a'])
    await (await own(whole.partition(0))).ownership.putSnapshot(lsn, [bytesOf('again')])
    await whole.close()
    const again = await openAt(directory)
    expect((await again.partition(0).snapshot())?.data.map(textOf)).toEqual(['again'])
    expect(again.stats().faults).toEqual([])
    await again.close()
    expect(readdirSync(join(directory, 'p0')).filter((each) => each.endsWith('.aside'))).toHaveLength(2)
  })

  test.each(['released', 'cut', 'missing'])('a broken snapshot refuses the start of a log of which something is %s, and nobody is told that the rest is served', async (what) => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const { appender, ownership } = await own(engine.partition(0))
    const lsns: Lsn[] = []
    for (let index = 0; index < 60; index++) lsns.push(...(await appender.append([content('x'.repeat(200))])))
    await ownership.putSnapshot(lsns[50] ?? 0, [bytesOf('state')])
    if (what === 'released') {
      ownership.release(0, lsns[40] ?? 0)
      while (segmentsIn(directory)[0]?.endsWith('0000000000000001.seg') === true) await new Promise((resolve) => void setImmediate(resolve))
    }
    await engine.close()
    const [, second = ''] = segmentsIn(directory)
    if (what === 'cut') truncateSync(second, 1_000)
    if (what === 'missing') rmSync(second)
    flip(join(directory, 'p0', '0000000000000001.snap'), 30)
    const names = readdirSync(join(directory, 'p0'))
    const told: unknown[] = []
    const opening = openAt(directory, { onFault: (fault) => void told.push(fault) })
    await expect(opening).rejects.toThrow(/checksum is wrong.*Restore/)
    await expect(openAt(directory)).rejects.toBeInstanceOf(OpenRefused)
    expect(told).toEqual([])
    expect(readdirSync(join(directory, 'p0'))).toEqual(names)
    expect((await verifyStore(nodeDisk(directory))).faults.length).toBeGreaterThan(0)
  })

  test('bytes behind the end of a full segment are told without a word of records that are lost', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const { appender } = await own(engine.partition(0))
    for (let index = 0; index < 60; index++) await appender.append([content('x'.repeat(200))])
    await engine.close()
    const [, second = ''] = segmentsIn(directory)
    appendFileSync(second, Buffer.alloc(300, 7))
    const { faults } = await verifyStore(nodeDisk(directory))
    const young = await openAt(directory)
    for (const found of [faults, young.stats().faults]) {
      expect(found).toMatchObject([{ file: second.slice(directory.length + 1), lost: undefined, what: expect.stringContaining('nothing is lost') as unknown }])
    }
    expect((await tailNow(young.partition(0))).records).toHaveLength(60)
    await young.close()
  })

  test('a snapshot that is gone after its log was trimmed refuses the start as a broken one does', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const { appender, ownership } = await own(engine.partition(0))
    const lsns: Lsn[] = []
    for (let index = 0; index < 60; index++) lsns.push(...(await appender.append([content('x'.repeat(200))])))
    ownership.release(0, lsns[40] ?? 0)
    await ownership.putSnapshot(lsns[40] ?? 0, [bytesOf('state')])
    while (segmentsIn(directory)[0]?.endsWith('0000000000000001.seg') === true) await new Promise((resolve) => void setImmediate(resolve))
    await engine.close()
    for (const name of readdirSync(join(directory, 'p0'))) if (name.endsWith('.snap')) rmSync(join(directory, 'p0', name))
    const names = readdirSync(join(directory, 'p0'))
    await expect(openAt(directory)).rejects.toThrow(/begins at lsn \d+.*no snapshot.*not known.*Restore/)
    await expect(openAt(directory)).rejects.toMatchObject({ reason: 'corrupt' })
    expect(readdirSync(join(directory, 'p0'))).toEqual(names)
    const { faults } = await verifyStore(nodeDisk(directory))
    expect(faults).toMatchObject([{ file: segmentsIn(directory)[0]?.slice(directory.length + 1) }])
  })

  test('a broken catalog refuses the start, a torn one is cut', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    for (let index = 0; index < 5; index++)
      await engine.catalog.commit([{ key: `q/${index}`, value: bytesOf(`${index}`) }])
    await engine.close()
    const [name = ''] = readdirSync(join(directory, 'catalog'))
    const file = join(directory, 'catalog', name)
    const bytes = readFileSync(file)
    truncateSync(file, bytes.length - 1)
    const young = await openAt(directory)
    expect(await young.catalog.get('q/3')).toBeDefined()
    expect(await young.catalog.get('q/4')).toBeUndefined()
    await young.catalog.commit([{ key: 'q/5', value: bytesOf('5') }])
    await young.close()
    flip(file, 60)
    await expect(openAt(directory)).rejects.toThrow(/catalog.*byte.*restore/)
  })

  test('a catalog that is mostly history is written anew, and is the same', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    const value = new Uint8Array(100_000)
    for (let index = 0; index < 40; index++) await engine.catalog.commit([{ key: `q/${index % 2}`, value }])
    const [rev] = await engine.catalog.commit([{ key: 'q/2', value: bytesOf('last') }])
    await engine.close()
    expect(
      readFileSync(join(directory, 'catalog', readdirSync(join(directory, 'catalog'))[0] ?? '')).length,
    ).toBeLessThan(2_000_000)
    const young = await openAt(directory)
    expect((await young.catalog.get('q/2'))?.rev).toBe(rev)
    expect((await young.catalog.get('q/1'))?.value).toHaveLength(100_000)
    await young.close()
  })

  test('bytes behind the last frame that are no frame are cut off', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    await (await own(engine.partition(0))).appender.append([content('a')])
    await engine.close()
    appendFileSync(segmentsIn(directory).at(-1) ?? '', Buffer.alloc(333, 5))
    expect(await bodiesAt(directory)).toEqual(['a'])
    expect(await bodiesAt(directory)).toEqual(['a'])
  })
})

function flip(file: string, offset: number): void {
  const bytes = readFileSync(file)
  bytes[offset] = bytes[offset]! ^ 4
  writeFileSync(file, bytes)
}
