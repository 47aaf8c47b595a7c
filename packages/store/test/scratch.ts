/** Directories and turns for the tests of the journal. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { EngineClock } from '../src/env.ts'

/** Turns of the real event loop. */
export const loopClock: EngineClock = {
  wallMs: () => 1_700_000_000_000,
  monoMs: () => performance.now(),
  endOfTurn: (f) => void setImmediate(f),
}

/** Gives fresh directories, which go after the tests of the file. */
export function scratchDirectories(): () => string {
  const root = mkdtempSync(join(tmpdir(), 'ternmq-journal-'))
  let count = 0
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  return () => join(root, `${++count}`)
}
