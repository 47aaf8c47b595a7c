import { describe, expect, test } from 'vitest'
import type { JournalEngine, JournalOptions } from './journal-engine.ts'
import { FaultDisk } from '../../test/fault-disk.ts'
import { loopClock, scratchDirectories } from '../../test/scratch.ts'
import { bodyOf, bookkeeping, bytesOf, content, own, rejection, tailNow } from '../conformance/records.ts'
import { Unknown } from '../errors.ts'
import { nodeDisk } from '../node-disk.ts'
import { openJournal } from './journal-engine.ts'

const freshDirectory = scratchDirectories()

async function openFaulty(
  options: JournalOptions = {},
): Promise<{ disk: FaultDisk; engine: JournalEngine; directory: string }> {
  const directory = freshDirectory()
  const disk = new FaultDisk(nodeDisk(directory))
  const small = { reserveBytes: 8_192, minFreeBytes: 0, segmentBytes: 64 * 1024 }
  const engine = await openJournal({ clock: loopClock, disk }, { ...small, ...options })
  return { disk, engine, directory }
}

const large = () => content('x'.repeat(1_000))

describe('a journal on a full disk', () => {
  test('content is refused, bookkeeping goes in, and service resumes when there is room', async () => {
    const { disk, engine, directory } = await openFaulty()
    const { appender } = await own(engine.partition(0))
    const [kept = 0] = await appender.append([content('kept')])
    disk.roomBytes = 500
    // One batch: only the groups with content fail, and every outcome comes in its turn.
    const groups = [[bookkeeping('one')], [large()], [bookkeeping('two')], [content('small'), bookkeeping('with it')]]
    const outcomes = await Promise.all(groups.map((group) => appender.outcome(appender.submit(group))))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['committed', 'failed', 'committed', 'failed'])
    expect(outcomes[1]).toMatchObject({ error: { reason: 'full' } })
    expect(engine.stats().isFull).toBe(true)
    expect(await rejection(appender.append([content('still full')]))).toMatchObject({ reason: 'full' })
    await appender.append([bookkeeping('three')])
    disk.roomBytes = 1e9
    await until(async () => (await rejection(appender.append([content('again')]))) === undefined)
    const expected = ['kept', undefined, undefined, undefined, 'again']
    expect((await tailNow(engine.partition(0))).records.map(bodyOf)).toEqual(expected)
    await engine.close()
    const young = await openJournal({ clock: loopClock, disk: nodeDisk(directory) }, { minFreeBytes: 0 })
    expect((await tailNow(young.partition(0))).records.map(bodyOf)).toEqual(expected)
    expect((await young.partition(0).read([kept])).map(bodyOf)).toEqual(['kept'])
    await young.close()
  })

  test('when not even bookkeeping fits it is refused, and the log stays whole', async () => {
    const { disk, engine } = await openFaulty({ reserveBytes: 0 })
    const { appender } = await own(engine.partition(0))
    await appender.append([content('kept')])
    disk.roomBytes = 10
    expect(await rejection(appender.append([bookkeeping('b'), bookkeeping('c')]))).toMatchObject({ reason: 'full' })
    expect(await rejection(engine.catalog.commit([{ key: 'q/1', value: bytesOf('1') }]))).toMatchObject({
      reason: 'full',
    })
    disk.roomBytes = 1e9
    await appender.append([bookkeeping('d')])
    await engine.catalog.commit([{ key: 'q/1', value: bytesOf('1') }])
    expect((await tailNow(engine.partition(0))).records.map(bodyOf)).toEqual(['kept', undefined])
    await engine.close()
  })

  test('content is refused while the disk has less than minFreeBytes left', async () => {
    const { disk, engine } = await openFaulty({ minFreeBytes: 1_000_000 })
    const { appender } = await own(engine.partition(0))
    await appender.append([content('a')])
    disk.free = 900_000
    await until(async () => {
      const refused = await rejection(appender.append([content('x'.repeat(50_000))]))
      return refused instanceof Error && refused.message.includes('minFreeBytes 1000000')
    })
    await appender.append([bookkeeping('settle')])
    disk.free = 1_050_000
    expect(await rejection(appender.append([content('not yet')])), 'a little more is no change').toMatchObject({
      reason: 'full',
    })
    disk.free = 2_000_000
    await until(async () => (await rejection(appender.append([content('again')]))) === undefined)
    await engine.close()
  })

  test('maxBytes holds for definitions, which have the room kept for settling; what deletes goes in always', async () => {
    const { engine } = await openFaulty({ maxBytes: 200_000 })
    const { appender } = await own(engine.partition(0))
    while ((await rejection(appender.append([large()]))) === undefined);
    const value = bytesOf('v'.repeat(1_000))
    let count = 0
    let refused: unknown = undefined
    for (; refused === undefined && count < 1_000; count++) refused = await rejection(engine.catalog.commit([{ key: `q/${count}`, value }]))
    expect(refused).toMatchObject({ reason: 'full', message: expect.stringContaining('maxBytes 200000') as unknown })
    expect(count).toBeGreaterThan(5)
    expect(engine.stats().diskBytes).toBeLessThanOrEqual(200_000)
    await engine.catalog.commit([{ key: 'q/0', value: null }])
    expect(await engine.catalog.get('q/0')).toBe(undefined)
    await engine.close()
  })

  test('maxBytes refuses content, and released content makes room', async () => {
    const { engine } = await openFaulty({ maxBytes: 400_000, segmentBytes: 32 * 1024 })
    const { appender, ownership } = await own(engine.partition(0))
    const lsns: number[] = []
    let refused: unknown = undefined
    while (refused === undefined) {
      refused = await rejection(appender.append([large()]).then((committed) => lsns.push(...committed)))
    }
    expect(refused).toMatchObject({ reason: 'full' })
    expect(refused).toHaveProperty('message', expect.stringContaining('maxBytes 400000'))
    expect(engine.stats().diskBytes).toBeLessThanOrEqual(400_000)
    await appender.append([bookkeeping('settles all but a few')])
    for (const [index, lsn] of lsns.entries()) if (index % 20 !== 0) ownership.release(lsn, lsn)
    await until(async () => (await rejection(appender.append([large()]))) === undefined)
    const left = lsns.filter((_, index) => index % 20 === 0)
    expect((await engine.partition(0).read(left)).every((record) => record !== undefined)).toBe(true)
    await engine.close()
  })

  test('what could not be compacted on the full disk is when somebody else gives a little room back', async () => {
    const { disk, engine } = await openFaulty({ segmentBytes: 32 * 1024 })
    const { appender, ownership } = await own(engine.partition(0))
    const lsns: number[] = []
    while (lsns.length < 200) lsns.push(...(await appender.append([large()])))
    disk.roomBytes = 0
    expect(await rejection(appender.append([large()]))).toMatchObject({ reason: 'full' })
    // All is dead, and no snapshot says that it may go as it is: it takes a compaction, which has no room.
    disk.roomBytes = 0 // what was left of the reserve has been given up
    const { writes } = disk
    for (const lsn of lsns) ownership.release(lsn, lsn)
    await until(async () => disk.writes > writes)
    disk.roomBytes = 12_000 // less than content needs to be taken again
    await until(async () => (await rejection(appender.append([large()]))) === undefined)
    await engine.close()
  })

  test('a snapshot that does not fit is refused, and the one before stays', async () => {
    const { disk, engine } = await openFaulty()
    const { appender, ownership } = await own(engine.partition(0))
    const [lsn = 0] = await appender.append([content('a')])
    await ownership.putSnapshot(lsn, [bytesOf('first')])
    disk.roomBytes = 5
    expect(await rejection(ownership.putSnapshot(lsn, [new Uint8Array(100_000)]))).toMatchObject({ reason: 'full' })
    expect((await engine.partition(0).snapshot())?.data[0]).toEqual(bytesOf('first'))
    disk.roomBytes = 1e9
    await ownership.putSnapshot(lsn, [bytesOf('second')])
    await engine.close()
  })

  test('a broker that starts on a full disk gets its ownership, so that consumers can make room', async () => {
    const directory = freshDirectory()
    const disk = new FaultDisk(nodeDisk(directory))
    const options = { reserveBytes: 8_192, minFreeBytes: 0, segmentBytes: 2_000 }
    const engine = await openJournal({ clock: loopClock, disk }, options)
    await (await own(engine.partition(0))).appender.append([large(), large()])
    await engine.close()
    disk.roomBytes = 0
    const young = await openJournal({ clock: loopClock, disk }, options)
    const { appender } = await own(young.partition(0))
    expect(await appender.append([bookkeeping('settle')])).toHaveLength(1)
    await young.close()
  })

  test('a disk without a byte left lets a broker start, again and again, for what is kept of the reserve; then it says what to do', async () => {
    const directory = freshDirectory()
    const disk = new FaultDisk(nodeDisk(directory))
    const options = { reserveBytes: 65_536, minFreeBytes: 0, segmentBytes: 4_000 }
    const engine = await openJournal({ clock: loopClock, disk }, options)
    const first = await own(engine.partition(0))
    await first.appender.append([large(), large()])
    disk.roomBytes = 0
    // All that settles may use, it uses.
    while ((await rejection(first.appender.append([bookkeeping('settle'.repeat(100))]))) === undefined);
    await engine.close()
    let refused: unknown = undefined
    let starts = 0
    for (; refused === undefined && starts < 20; starts++) {
      disk.roomBytes = 0
      const young = await openJournal({ clock: loopClock, disk }, options)
      refused = await rejection(
        own(young.partition(0)).then(async ({ appender }) => appender.append([bookkeeping('settle')])),
      )
      await young.close()
    }
    expect(starts).toBeGreaterThan(3)
    expect(refused).toMatchObject({ reason: 'full' })
    expect(refused).toHaveProperty('message', expect.stringMatching(/the disk is full: it has 0 bytes free, a start needs up to \d+, .*Make room.*start again/))
    disk.roomBytes = 1e9
    const young = await openJournal({ clock: loopClock, disk }, options)
    await (await own(young.partition(0))).appender.append([large()])
    await young.close()
  })

  test('a prepared body that no longer fits is refused as full', async () => {
    const { disk, engine } = await openFaulty({ segmentBytes: 8 * 1024 * 1024 })
    const { appender } = await own(engine.partition(0))
    await appender.append([content('a')])
    disk.roomBytes = 1_500_000
    const body = new Uint8Array(3_000_000)
    const record = { ...content('large'), body, bodyStart: 0, bodyEnd: body.length }
    expect(await rejection(appender.writer.prepare(record))).toMatchObject({ reason: 'full' })
    disk.roomBytes = 1e9
    await until(async () => (await rejection(appender.writer.prepare(record))) === undefined)
    await engine.close()
  })
})

describe('a journal on a failing disk', () => {
  for (const what of ['write', 'sync'] as const) {
    test(`after a failed ${what} nothing is acknowledged any more`, async () => {
      const { disk, engine, directory } = await openFaulty()
      const first = await own(engine.partition(0))
      const other = await own(engine.partition(1))
      await first.appender.append([content('sure')])
      if (what === 'write') disk.failNextWrite = true
      else disk.failNextSync = true
      const outcome = await first.appender.outcome(first.appender.submit([content('not sure')]))
      expect(outcome).toMatchObject({ kind: 'ended' })
      expect(outcome.kind === 'ended' && outcome.error).toBeInstanceOf(Unknown)
      expect(await other.appender.outcome(other.appender.submit([content('too late')]))).toMatchObject({
        kind: 'ended',
      })
      expect(await rejection(engine.catalog.commit([{ key: 'q/1', value: bytesOf('1') }]))).toBeInstanceOf(Unknown)
      expect(await rejection(own(engine.partition(2)))).toBeInstanceOf(Unknown)
      expect(await rejection(first.ownership.putSnapshot(1, []))).toBeInstanceOf(Error)
      expect(first.ownership.lost.aborted).toBe(true)
      expect(engine.failure?.message).toContain('EIO')
      await engine.close()
      const young = await openJournal({ clock: loopClock, disk: nodeDisk(directory) }, { minFreeBytes: 0 })
      expect((await tailNow(young.partition(0))).records.map(bodyOf).slice(0, 1)).toEqual(['sure'])
      await young.close()
    })
  }

  test('a page-cache group is written and waits for no sync', async () => {
    const { disk, engine } = await openFaulty()
    const { appender } = await own(engine.partition(0))
    const before = disk.syncs
    await appender.append([content('a')], 'page-cache')
    expect(disk.syncs).toBe(before)
    await appender.append([content('b')], 'fsync-local')
    expect(disk.syncs).toBe(before + 1)
    await engine.close()
  })

  test('one batch is one write and one sync, whatever is in it', async () => {
    const { disk, engine } = await openFaulty()
    const { appender } = await own(engine.partition(0))
    await appender.append([content('names the writer')])
    const { writes, syncs } = disk
    await Promise.all(Array.from({ length: 100 }, (_, index) => appender.append([content(`${index}`)])))
    expect([disk.writes - writes, disk.syncs - syncs]).toEqual([1, 1])
    await engine.close()
  })

  test('a large body delays nobody: between its pieces others commit', async () => {
    const { disk, engine } = await openFaulty({ segmentBytes: 64 * 1024 * 1024 })
    const { appender } = await own(engine.partition(0))
    const body = new Uint8Array(16 * 1024 * 1024)
    let largest = 0
    disk.onWrite = (_, bytes) => {
      largest = Math.max(largest, bytes)
    }
    const progress = { isDone: false }
    const preparing = appender.writer.prepare({ ...content('large'), body, bodyStart: 0, bodyEnd: body.length })
    void preparing.then(() => (progress.isDone = true))
    let meanwhile = 0
    while (!progress.isDone) {
      await appender.append([content('small')])
      meanwhile++
    }
    expect(meanwhile).toBeGreaterThan(8)
    expect(largest).toBeLessThan(1.1 * 1024 * 1024)
    const { record } = await preparing
    const [lsn = 0] = await appender.append([record])
    expect((await engine.partition(0).read([lsn]))[0]?.bodyEnd).toBe(body.length)
    await engine.close()
  })
})

/** Until a condition that the engine is working towards holds; the test's time limit is the limit. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => void setImmediate(resolve))
}
