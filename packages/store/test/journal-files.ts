/** Journals with small segments, and what tests do to their files. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JournalEngine, JournalOptions } from '../src/journal/journal-engine.ts'
import { bodyOf, content, own, tailNow } from '../src/conformance/records.ts'
import { openJournal } from '../src/journal/journal-engine.ts'
import { nodeDisk } from '../src/node-disk.ts'
import { loopClock } from './scratch.ts'

export function openSmall(directory: string, options: JournalOptions = {}, bornMs = 0): Promise<JournalEngine> {
  const small = { reserveBytes: 4_096, minFreeBytes: 0, segmentBytes: 4_096 }
  const clock = { ...loopClock, wallMs: () => loopClock.wallMs() + bornMs }
  return openJournal({ clock, disk: nodeDisk(directory) }, { ...small, ...options })
}

/** Adds `count` records of about 200 bytes to partition 0. A store is the same as another one only when it is born at the same time. */
export async function fillJournal(directory: string, count: number, bornMs = 0): Promise<void> {
  const engine = await openSmall(directory, {}, bornMs)
  const { appender } = await own(engine.partition(0))
  for (let index = 0; index < count; index++) await appender.append([content(`${index}`.padEnd(200, '.'))])
  await engine.close()
}

/** The bodies in partition 0. */
export async function contentsIn(directory: string): Promise<(string | undefined)[]> {
  const engine = await openSmall(directory)
  const { records } = await tailNow(engine.partition(0))
  await engine.close()
  return records.map(bodyOf)
}

/** Paths in the directory of the segments of partition 0, in order. */
export function segmentsIn(directory: string): string[] {
  const names = readdirSync(join(directory, 'p0')).filter((name) => name.endsWith('.seg'))
  return names.toSorted().map((name) => `p0/${name}`)
}

/** One bit of the byte at `offset` is another. */
export function spoil(directory: string, name: string, offset: number): void {
  const bytes = readFileSync(join(directory, name))
  bytes[offset] = bytes[offset]! ^ 1
  writeFileSync(join(directory, name), bytes)
}

/** Names and bytes of all files but the lock. */
export function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
  return Object.fromEntries(
    names
      .filter(({ name }) => name !== 'lock')
      .map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'base64')]),
  )
}
