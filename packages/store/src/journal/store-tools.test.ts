import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { JournalEngine } from './journal-engine.ts'
import { loopClock, scratchDirectories } from '../../test/scratch.ts'
import { bodyOf, bookkeeping, bytesOf, content, own, scanAll, tailNow, textOf } from '../conformance/records.ts'
import { DiskError } from '../env.ts'
import { nodeDisk } from '../node-disk.ts'
import { backupStore, restoreStore } from './backup.ts'
import { OpenRefused } from './recovery/faults.ts'
import { inspectStore, verifyStore } from './inspect.ts'
import { openJournal } from './journal-engine.ts'

const freshDirectory = scratchDirectories()

function openAt(directory: string): Promise<JournalEngine> {
  const small = { reserveBytes: 4_096, minFreeBytes: 0, segmentBytes: 4_096 }
  return openJournal({ clock: loopClock, disk: nodeDisk(directory) }, small)
}

async function filled(directory: string): Promise<JournalEngine> {
  const engine = await openAt(directory)
  const { appender, ownership } = await own(engine.partition(0))
  for (let index = 0; index < 60; index++)
    await appender.append([content(`${index}`.padEnd(150, '.')), bookkeeping('b')])
  await ownership.putSnapshot(20, [bytesOf('state')])
  await (await own(engine.partition(2))).appender.append([content('two')])
  await engine.catalog.commit([{ key: 'q/1', value: bytesOf('one') }])
  return engine
}

async function contentsOf(engine: JournalEngine): Promise<unknown> {
  const tails = await Promise.all([0, 2].map((id) => tailNow(engine.partition(id))))
  const snapshot = await engine.partition(0).snapshot()
  return {
    bodies: tails.map(({ trimmedTo, records }) => [trimmedTo, records.map((record) => [record.lsn, bodyOf(record)])]),
    snapshot: [snapshot?.at, snapshot?.data.map(textOf)],
    catalog: await scanAll(engine, ''),
  }
}

describe('what looks at a store', () => {
  test('inspect tells what is in a store, and nothing is changed', async () => {
    const directory = freshDirectory()
    const engine = await filled(directory)
    const running = engine.inspect()
    await expect(inspectStore(nodeDisk(directory))).rejects.toMatchObject({ reason: 'in-use' })
    await engine.close()
    const before = filesOf(directory)
    const report = await inspectStore(nodeDisk(directory))
    expect(filesOf(directory)).toEqual(before)
    expect(report.partitions.map(({ id }) => id)).toEqual([0, 2])
    expect(report.partitions[0]?.segments.length).toBeGreaterThan(2)
    expect(report.partitions[0]?.snapshot).toMatchObject({ at: 20 })
    expect(report).toMatchObject({ formatVersion: 1, catalogKeys: 1, tornBytes: 0, faults: [] })
    const lsns = (each: typeof report) =>
      each.partitions.map(({ lastLsn, segments }) => [
        lastLsn,
        segments.map(({ firstLsn, liveRecords }) => [firstLsn, liveRecords]),
      ])
    expect(lsns(running)).toEqual(lsns(report))
  })

  test('verify reads every byte and reports a fault with file and offset', async () => {
    const directory = freshDirectory()
    await (await filled(directory)).close()
    const good = await verifyStore(nodeDisk(directory))
    expect(good.faults).toEqual([])
    expect(good.records).toBe(60 * 2 + 1 + 1)
    const names = readdirSync(join(directory, 'p0')).filter((each) => each.endsWith('.seg'))
    const [, name = ''] = names.toSorted()
    const file = join(directory, 'p0', name)
    const bytes = readFileSync(file)
    bytes[1_000] = bytes[1_000]! ^ 1
    writeFileSync(file, bytes)
    const { faults } = await verifyStore(nodeDisk(directory))
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatchObject({ file: `p0/${name}`, partition: 0 })
    expect(faults[0]?.offset).toBeLessThanOrEqual(1_000)
    await expect(restoreStore(nodeDisk(directory), nodeDisk(freshDirectory()))).rejects.toThrow(/damaged.*p0/)
  })

  test('verify lists all damage, also such on which no broker would start, and goes on', async () => {
    const directory = freshDirectory()
    const engine = await filled(directory)
    for (const key of ['q/2', 'q/3', 'q/4', 'q/5']) await engine.catalog.commit([{ key, value: bytesOf('x') }])
    await engine.close()
    const whole = await verifyStore(nodeDisk(directory))
    const names = readdirSync(join(directory, 'p0')).toSorted()
    const snapshot = names.find((name) => name.endsWith('.snap'))!
    const [first, second, third, fourth] = names.filter((name) => name.endsWith('.seg'))
    const catalog = join('catalog', readdirSync(join(directory, 'catalog'))[0]!)
    spoil(directory, join('p0', snapshot), 40)
    spoil(directory, join('p0', first!), 5) // its version
    spoil(directory, join('p0', second!), 1_000)
    const moved = third!.replace('0', 'f')
    renameSync(join(directory, 'p0', third!), join(directory, 'p0', moved))
    spoil(directory, catalog, 10)
    for (const key of ['q/2', 'q/4']) spoil(directory, catalog, readFileSync(join(directory, catalog)).indexOf(key))
    await expect(openAt(directory)).rejects.toBeInstanceOf(OpenRefused)
    const { faults, records } = await verifyStore(nodeDisk(directory))
    const found = faults.map(({ file, offset, what }) => `${file} ${offset > 0 ? 'inside' : 'at 0'}: ${what}`)
    expect(found).toEqual([
      `p0/${first} at 0: it has format 257, this version reads up to 1`,
      `p0/${moved} at 0: it says that it is the segment of partition 0 from lsn 42 on: it was moved or renamed`,
      `p0/${second} inside: the checksum of a frame is wrong`,
      `p0/${fourth} at 0: the segment before it is missing, or its end is`,
      `p0/${snapshot} at 0: broken snapshot: its checksum is wrong`,
      `${catalog} at 0: the checksum of its header is wrong`,
      `${catalog} inside: the checksum of a change is wrong, and changes follow: definitions are lost`,
      `${catalog} inside: the checksum of a change is wrong, and changes follow: definitions are lost`,
    ])
    expect(records).toBeLessThan(whole.records)
  })

  test('verify goes on past a file that the disk cannot read', async () => {
    const directory = freshDirectory()
    await (await filled(directory)).close()
    const names = readdirSync(join(directory, 'p0')).filter((name) => name.endsWith('.seg')).toSorted()
    const disk = nodeDisk(directory)
    const bad = `p0/${names[0]}`
    const open = disk.open.bind(disk)
    disk.open = (path, how) => (path === bad ? Promise.reject(new DiskError('io', path, 'EIO')) : open(path, how))
    spoil(directory, `p0/${names[1]}`, 1_000)
    const { faults } = await verifyStore(disk)
    expect(faults.map(({ file, what }) => [file, what])).toEqual([
      [bad, expect.stringContaining('it cannot be read') as unknown],
      [`p0/${names[1]}`, 'the checksum of a frame is wrong'],
    ])
  })

  test('verify says of a damaged marker that nothing else can be checked without it', async () => {
    const directory = freshDirectory()
    await (await filled(directory)).close()
    spoil(directory, 'ternmq-journal', 3)
    expect((await verifyStore(nodeDisk(directory))).faults).toMatchObject([{ file: 'ternmq-journal', offset: 0 }])
  })

  test('a backup of a stopped store, restored, is the same store', async () => {
    const [directory, backup, restored] = [freshDirectory(), freshDirectory(), freshDirectory()]
    const engine = await filled(directory)
    const before = await contentsOf(engine)
    await expect(backupStore(nodeDisk(directory), nodeDisk(backup))).rejects.toMatchObject({ reason: 'in-use' })
    await engine.close()
    const { files, bytes } = await backupStore(nodeDisk(directory), nodeDisk(backup))
    expect([files, bytes].every((each) => each > 3)).toBe(true)
    await restoreStore(nodeDisk(backup), nodeDisk(restored))
    const young = await openAt(restored)
    expect(await contentsOf(young)).toEqual(before)
    await young.close()
    await expect(restoreStore(nodeDisk(backup), nodeDisk(restored))).rejects.toThrow(/not empty/)
  })

  test('a backup of a running engine is what was there at one moment, while it goes on', async () => {
    const [directory, backup] = [freshDirectory(), freshDirectory()]
    const engine = await filled(directory)
    const { appender, ownership } = await own(engine.partition(0))
    const before = await contentsOf(engine)
    const copying = engine.backup(nodeDisk(backup))
    await appender.append([content('behind the moment, or before it')])
    ownership.release(0, 60)
    await copying
    for (let index = 0; index < 30; index++) await appender.append([content('later'.padEnd(200, '.'))])
    await engine.close()
    const young = await openAt(backup)
    const after = await contentsOf(young)
    expect(young.stats().faults).toEqual([])
    const lsns = ([0].map(() => before) as { bodies: [number, [number, string][]][] }[])[0]?.bodies[0]?.[1] ?? []
    const found = (after as { bodies: [number, [number, string][]][] }).bodies[0]?.[1] ?? []
    expect(found.slice(0, lsns.length)).toEqual(lsns)
    expect(found.length - lsns.length).toBeLessThanOrEqual(1)
    await young.close()
  })
})

describe('a backup', () => {
  const damages: Record<string, (backup: string, last: string, second: string) => void> = {
    'without its last segment': (_, last) => rmSync(last),
    'without its end': (_, last) => truncateSync(last, statSync(last).size - 300),
    'without another segment': (_, __, second) => rmSync(second),
    'with another segment': (_, last) => copyFileSync(last, last.replace(/0{4}/, '1000')),
    'with a longer one': (_, last) => appendFileSync(last, 'more'),
    'without its catalog': (backup) => rmSync(join(backup, 'catalog'), { recursive: true }),
    'without a partition': (backup) => rmSync(join(backup, 'p2'), { recursive: true }),
    'with a manifest that is cut': (backup) => truncateSync(join(backup, 'backup-manifest'), 100),
  }
  for (const isRunning of [true, false]) {
    test.each(Object.keys(damages))(`of a store that ${isRunning ? 'runs' : 'is closed'}, %s, is told from a whole one and not restored`, async (name) => {
      const [directory, backup] = [freshDirectory(), freshDirectory()]
      const engine = await filled(directory)
      if (isRunning) await engine.backup(nodeDisk(backup))
      await engine.close()
      if (!isRunning) await backupStore(nodeDisk(directory), nodeDisk(backup))
      expect(await verifyStore(nodeDisk(backup))).toMatchObject({ hasManifest: true, faults: [] })
      const segments = readdirSync(join(backup, 'p0')).filter((each) => each.endsWith('.seg')).toSorted()
      damages[name]?.(backup, join(backup, 'p0', segments.at(-1) ?? ''), join(backup, 'p0', segments[1] ?? ''))
      expect((await verifyStore(nodeDisk(backup))).faults.length).toBeGreaterThan(0)
      await expect(restoreStore(nodeDisk(backup), nodeDisk(freshDirectory()))).rejects.toBeInstanceOf(OpenRefused)
    })
  }

  test('that a broker went on with is a store as any other; one without a manifest is restored with a warning', async () => {
    const [directory, backup] = [freshDirectory(), freshDirectory()]
    await (await filled(directory)).close()
    await backupStore(nodeDisk(directory), nodeDisk(backup))
    const engine = await openAt(backup)
    await (await own(engine.partition(0))).appender.append([content('goes on')])
    await engine.close()
    expect(await verifyStore(nodeDisk(backup))).toMatchObject({ hasManifest: false, faults: [] })
    expect((await restoreStore(nodeDisk(backup), nodeDisk(freshDirectory()))).warning).toContain('no manifest')
  })
})

describe('a directory that is not safe to run on', () => {
  test('one that another engine has is refused', async () => {
    const directory = freshDirectory()
    const engine = await openAt(directory)
    await expect(openAt(directory)).rejects.toMatchObject({ reason: 'in-use' })
    await expect(openAt(directory)).rejects.toThrow(/Stop the broker/)
    await engine.close()
    await (await openAt(directory)).close()
  })

  test('one with files that are not ours is refused and left as it is', async () => {
    const directory = freshDirectory()
    mkdirSync(directory)
    writeFileSync(join(directory, 'thesis.txt'), 'all of it')
    await expect(openAt(directory)).rejects.toThrow(/thesis\.txt/)
    await expect(openAt(directory)).rejects.toMatchObject({ reason: 'foreign' })
    await expect(inspectStore(nodeDisk(directory))).rejects.toBeInstanceOf(OpenRefused)
    expect(readdirSync(directory)).toEqual(['thesis.txt'])
    await expect(inspectStore(nodeDisk(freshDirectory()))).rejects.toThrow(/no store/)
  })

  test('one of a newer version is refused, whichever file says so', async () => {
    const directory = freshDirectory()
    await (await filled(directory)).close()
    const segments = readdirSync(join(directory, 'p0')).toSorted()
    const newer = [join('p0', segments[0] ?? ''), join('p0', segments.find((name) => name.endsWith('.snap')) ?? '')]
    newer.push(join('catalog', readdirSync(join(directory, 'catalog'))[0] ?? ''))
    for (const name of newer) {
      const file = join(directory, name)
      const bytes = readFileSync(file)
      writeFileSync(file, withVersion(bytes, 9))
      await expect(openAt(directory), name).rejects.toMatchObject({ reason: 'newer' })
      await expect(openAt(directory), name).rejects.toThrow(/format 9/)
      writeFileSync(file, bytes)
    }
    const marker = join(directory, 'ternmq-journal')
    const text = readFileSync(marker, 'utf8')
    writeFileSync(marker, text.replace('format 1', 'format 2').replace(/check .*\n/, ''))
    const before = filesOf(directory)
    await expect(openAt(directory)).rejects.toMatchObject({ reason: 'newer' })
    expect(filesOf(directory)).toEqual(before)
    writeFileSync(marker, 'something else')
    await expect(openAt(directory)).rejects.toMatchObject({ reason: 'corrupt' })
    writeFileSync(marker, text)
    await (await openAt(directory)).close()
    expect(existsSync(marker)).toBe(true)
  })
})

/** One bit of the byte at `offset` is another. */
function spoil(directory: string, name: string, offset: number): void {
  const bytes = readFileSync(join(directory, name))
  bytes[offset] = bytes[offset]! ^ 1
  writeFileSync(join(directory, name), bytes)
}

function withVersion(bytes: Buffer, version: number): Buffer {
  const changed = Buffer.from(bytes)
  changed.writeUInt32LE(version, 4)
  return changed
}

/** Names and bytes of all files but the lock. */
function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
  return Object.fromEntries(
    names
      .filter(({ name }) => name !== 'lock')
      .map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'base64')]),
  )
}
