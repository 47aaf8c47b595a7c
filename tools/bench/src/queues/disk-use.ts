/** What a journal takes on disk. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of all files below; one that goes meanwhile does not count. */
export function bytesBelow(folder: string): number {
  let bytes = 0
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    bytes += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0
  }
  return bytes
}
