/** Files that are not the store's stop the start, and stay as they are. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contentsIn, filesOf, fillJournal, openSmall } from '../../../test/journal-files.ts'
import { scratchDirectories } from '../../../test/scratch.ts'
import { bytesOf } from '../../conformance/records.ts'
import { nodeDisk } from '../../node-disk.ts'
import { OpenRefused } from '../recovery/faults.ts'
import { inspectStore, verifyStore } from '../inspect.ts'

const freshDirectory = scratchDirectories()

async function store(): Promise<string> {
  const directory = freshDirectory()
  await fillJournal(directory, 60)
  const engine = await openSmall(directory)
  await engine.catalog.commit([{ key: 'q/1', value: bytesOf('one') }])
  await engine.close()
  return directory
}

async function expectRefused(directory: string, path: string, text: RegExp): Promise<void> {
  const before = filesOf(directory)
  const refusal = await openSmall(directory).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(refusal).toBeInstanceOf(OpenRefused)
  expect(refusal).toMatchObject({ reason: 'foreign', message: expect.stringContaining(path) as unknown })
  expect(refusal).toMatchObject({ message: expect.stringMatching(text) as unknown })
  await expect(inspectStore(nodeDisk(directory))).rejects.toBeInstanceOf(OpenRefused)
  const { faults } = await verifyStore(nodeDisk(directory))
  expect(faults.map(({ file, what }) => `${file} ${what}`).join('\n')).toContain(path)
  expect(filesOf(directory)).toEqual(before)
}

describe('a store with a file of somebody else', () => {
  test.each([
    'notes.txt',
    'notes.tmp',
    'p0/notes.seg',
    'p0/notes.tmp',
    'p0/zzz',
    'p0/0000000000000099.seg',
    'p0/0000000000000002.seg',
    'p0/00000000000fffff.seg',
    'p0/0000000000000001.cat',
    'p7/x',
    'catalog/x',
    'catalog/0000000000000001.seg',
  ])('called %s is refused, and the file stays', async (path) => {
    const directory = await store()
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), 'my own notes')
    await expectRefused(directory, path, /Move/)
    rmSync(join(directory, path))
    expect(await contentsIn(directory)).toHaveLength(60)
  })

  test.each([
    ['p0/0000000000000fff.seg', 'directory'],
    ['p0/0000000000000fff.snap', 'directory'],
    ['catalog/0000000000000fff.cat', 'directory'],
    ['ternmq-journal', 'directory'],
    ['catalog', 'file'],
    ['p3', 'file'],
  ])('where %s is a %s is refused with a sentence', async (path, kind) => {
    const directory = await store()
    rmSync(join(directory, path), { recursive: true, force: true })
    if (kind === 'directory') mkdirSync(join(directory, path))
    else writeFileSync(join(directory, path), 'hello')
    const before = filesOf(directory)
    await expect(openSmall(directory)).rejects.toMatchObject({ reason: 'foreign' })
    await expect(openSmall(directory)).rejects.toThrow(
      new RegExp(`${path}.*this is a ${kind}, and a .* should be here.*Move`),
    )
    await expect(inspectStore(nodeDisk(directory))).rejects.toBeInstanceOf(OpenRefused)
    const verified = await verifyStore(nodeDisk(directory)).catch((error: unknown) => error)
    if (path === 'ternmq-journal') expect(verified).toBeInstanceOf(OpenRefused)
    else expect(JSON.stringify(verified)).toContain(`this is a ${kind}`)
    expect(filesOf(directory)).toEqual(before)
  })

  test('but what a crash or damage left of its own is none', async () => {
    const directory = await store()
    const own = [
      'p0/spare.tmp',
      'p0/0000000000000005.seg.tmp',
      'p0/0000000000000001.snap.tmp',
      'catalog/0000000000000007.cat.tmp',
    ]
    const aside = ['p0/0000000000000005.seg.aside', 'p0/0000000000000005.seg.aside2']
    for (const path of [...own, ...aside, 'ternmq-journal.tmp']) writeFileSync(join(directory, path), 'left')
    expect(await contentsIn(directory)).toHaveLength(60)
    const left = Object.keys(filesOf(directory))
    for (const path of own) expect(left).not.toContain(join(directory, path))
    for (const path of aside) expect(readFileSync(join(directory, path), 'utf8')).toBe('left')
  })
})
