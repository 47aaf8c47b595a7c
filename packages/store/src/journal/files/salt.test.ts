/** A marker that does not fit the segments, and segments that nothing can be read of: nothing is lost by a start. */
import { copyFileSync, cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contentsIn, filesOf, fillJournal, openSmall, segmentsIn, spoil } from '../../../test/journal-files.ts'
import { scratchDirectories } from '../../../test/scratch.ts'
import { nodeDisk } from '../../node-disk.ts'
import { OpenRefused } from '../recovery/faults.ts'
import { inspectStore, verifyStore } from '../inspect.ts'

const freshDirectory = scratchDirectories()
const MARKER = 'ternmq-journal'

const marker = (directory: string): string => readFileSync(join(directory, MARKER), 'utf8')
const storeOf = (text: string): string => /store ([0-9a-f]{16})/.exec(text)?.[1] ?? ''

/** The marker as the first versions wrote it. */
function withoutChecksum(directory: string): string {
  const text = marker(directory).replace(/check .*\n/, '')
  writeFileSync(join(directory, MARKER), text)
  return text
}

async function expectRefusal(directory: string, text: RegExp): Promise<void> {
  const before = filesOf(directory)
  await expect(openSmall(directory)).rejects.toThrow(text)
  await expect(openSmall(directory)).rejects.toBeInstanceOf(OpenRefused)
  await expect(inspectStore(nodeDisk(directory))).rejects.toThrow(text)
  expect(filesOf(directory)).toEqual(before)
}

describe('the marker', () => {
  test('has a checksum, so that no byte of it can change without being noticed', async () => {
    const directory = freshDirectory()
    await fillJournal(directory, 5)
    const bytes = readFileSync(join(directory, MARKER))
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 16, 128]) {
        const changed = Buffer.from(bytes)
        changed[at] = changed[at]! ^ bit
        writeFileSync(join(directory, MARKER), changed)
        await expect(openSmall(directory), `byte ${at}`).rejects.toBeInstanceOf(OpenRefused)
      }
    }
    writeFileSync(join(directory, MARKER), bytes)
    expect(await contentsIn(directory)).toHaveLength(5)
  })

  test('of the first versions has none, and is taken', async () => {
    const directory = freshDirectory()
    await fillJournal(directory, 5)
    withoutChecksum(directory)
    expect(await contentsIn(directory)).toHaveLength(5)
  })

  test.each([1, 60])(
    'without a checksum and with another digit does not fit its segments: the start is refused (%i records)',
    async (count) => {
      const directory = freshDirectory()
      await fillJournal(directory, count)
      const right = withoutChecksum(directory)
      const store = storeOf(right)
      for (const at of [15, 10, 8]) {
        const wrong = `${store.slice(0, at)}${store[at] === '0' ? '1' : '0'}${store.slice(at + 1)}`
        writeFileSync(join(directory, MARKER), right.replace(store, wrong))
        await expectRefusal(
          directory,
          new RegExp(`this is store ${wrong}.*written by store ${store}.*Restore.*"store ${store}"`),
        )
        const { faults, records } = await verifyStore(nodeDisk(directory))
        expect(faults.map(({ file }) => file)).toEqual([MARKER])
        expect(faults[0]?.what).toContain(`"store ${store}"`)
        expect(records, 'the rest is checked with what the segments say').toBe(count)
      }
      writeFileSync(join(directory, MARKER), right)
      expect(await contentsIn(directory)).toHaveLength(count)
    },
  )

  test('that is damaged can be written anew from what the segments say', async () => {
    const directory = freshDirectory()
    await fillJournal(directory, 60)
    const store = storeOf(marker(directory))
    // Another digit: what is none at all is refused in other words.
    const last = store.endsWith('0') ? '1' : '0'
    writeFileSync(join(directory, MARKER), marker(directory).replace(store, store.slice(0, -1) + last))
    await expectRefusal(directory, new RegExp(`another checksum.*three lines .*"format 1" and "store ${store}"`))
    const { faults } = await verifyStore(nodeDisk(directory))
    expect(faults).toMatchObject([{ file: MARKER, what: expect.stringContaining(`store ${store}`) as unknown }])
    rmSync(join(directory, MARKER))
    await expectRefusal(directory, new RegExp(`no file ternmq-journal.*"store ${store}"`))
    writeFileSync(join(directory, MARKER), `ternmq journal\nformat 1\nstore ${store}\n`)
    expect(await contentsIn(directory)).toHaveLength(60)
  })

  test('of another store is refused, as is a segment of another store among good ones', async () => {
    const [directory, other] = [freshDirectory(), freshDirectory()]
    await fillJournal(directory, 60)
    await fillJournal(other, 60, 1)
    const own = marker(directory)
    copyFileSync(join(other, MARKER), join(directory, MARKER))
    await expectRefusal(directory, new RegExp(`this is store ${storeOf(marker(other))}.*store ${storeOf(own)}`))
    writeFileSync(join(directory, MARKER), own)
    const [, , name = ''] = segmentsIn(directory)
    const right = readFileSync(join(directory, name))
    copyFileSync(join(other, name), join(directory, name))
    await expectRefusal(directory, new RegExp(`${name} of it was written by store ${storeOf(marker(other))}.*Move`))
    writeFileSync(join(directory, name), right)
    expect(await contentsIn(directory)).toHaveLength(60)
  })
})

describe('a segment whose header cannot be read', () => {
  test('is read all the same when its records can be', async () => {
    const directory = freshDirectory()
    await fillJournal(directory, 60)
    const [, second = ''] = segmentsIn(directory)
    for (let at = 0; at < 64; at += 3) {
      if (at === 5 || at === 6) continue // of the version: a newer one is refused
      const copy = freshDirectory()
      cpSync(directory, copy, { recursive: true })
      spoil(copy, second, at)
      expect(await contentsIn(copy), `byte ${at}`).toHaveLength(60)
    }
  })

  test('and whose records cannot is kept aside, never removed or written over', async () => {
    const directory = freshDirectory()
    await fillJournal(directory, 60)
    const names = segmentsIn(directory)
    const [, second = ''] = names
    truncateSync(join(directory, second), 30)
    const last = names.at(-1) ?? ''
    truncateSync(join(directory, last), 40)
    const verified = await verifyStore(nodeDisk(directory))
    expect(verified.faults.map(({ file }) => file)).toContain(second)
    const before = filesOf(directory)
    const engine = await openSmall(directory)
    expect(engine.stats().faults.map(({ file, what }) => [file, what])).toContainEqual([
      second,
      expect.stringContaining('aside') as unknown,
    ])
    await engine.close()
    const after = filesOf(directory)
    for (const name of [second, last])
      expect(after[join(directory, `${name}.aside`)]).toBe(before[join(directory, name)])
    await fillJournal(directory, 20)
    expect(filesOf(directory)[join(directory, `${second}.aside`)]).toBe(before[join(directory, second)])
  })

  test('the only one there is: the start is refused, and it stays', async () => {
    const directory = freshDirectory()
    await fillJournal(directory, 3)
    const [name = ''] = segmentsIn(directory)
    writeFileSync(join(directory, name), readFileSync(join(directory, name)).fill(7, 40))
    await expectRefusal(directory, /no segment .* checksum of store/)
    expect(segmentsIn(directory)).toEqual([name])
  })

  test('and that is empty at the end of the log is what a crash left', async () => {
    const directory = freshDirectory()
    await fillJournal(directory, 3)
    writeFileSync(join(directory, 'p0', '0000000000000100.seg'), '')
    writeFileSync(join(directory, 'p0', '0000000000000101.seg'), '')
    const engine = await openSmall(directory)
    await engine.close()
    expect(readdirSync(join(directory, 'p0')).filter((name) => name.includes('010'))).toEqual([
      '0000000000000100.seg.aside',
    ])
  })
})
