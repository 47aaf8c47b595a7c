/** Where results are kept: docs/ of this repository. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The repository's own folder. */
export const ROOT: string = join(import.meta.dirname, '..', '..', '..')

/** Writes a page under docs/. Returns its path from the root. */
export function writePage(path: string, text: string): string {
  const file = join(ROOT, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return path
}

export function writeJson(path: string, value: unknown): string {
  return writePage(path, `${JSON.stringify(value, undefined, 2)}\n`)
}
