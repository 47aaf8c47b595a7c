/** How much is in a folder. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of all files below it; 0 for one that is not there, and what goes meanwhile is not counted. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []) // not there yet
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const facts = await stat(join(entry.parentPath, entry.name)).catch(() => undefined) // gone meanwhile
    bytes += facts?.size ?? 0
  }
  return bytes
}
