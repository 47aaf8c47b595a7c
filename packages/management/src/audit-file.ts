/**
 * `audit.log` in the data directory: one JSON object a line, for its owner only. At its full size it becomes `audit.log.1`, what was that
 * becomes `audit.log.2`, and so on; the oldest goes.
 */
import { type FileHandle, open, rename } from 'node:fs/promises'
import type { AuditFile } from './audit.ts'

/** Size at which a new file begins; a batch is not divided. */
export const AUDIT_FILE_BYTES_MAX: number = 16 * 1024 * 1024

/** Full files that are kept beside the one that is written; the oldest is replaced. */
export const AUDIT_FILES_KEPT = 4

export class RotatedAuditFile implements AuditFile {
  readonly #path: string
  readonly #bytesMax: number
  #file: FileHandle | undefined = undefined
  #bytes = 0

  constructor(path: string, bytesMax: number = AUDIT_FILE_BYTES_MAX) {
    this.#path = path
    this.#bytesMax = bytesMax
  }

  /** One call at a time. Rejects with the system's error; the next call tries anew. */
  async append(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    this.#file ??= await this.#open()
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#bytesMax) this.#file = await this.#rotate()
    try {
      await this.#file.appendFile(bytes)
      this.#bytes += bytes.length
    } catch (error) {
      await this.close() // its size is not known any more
      throw error
    }
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, 'a', 0o600)
    this.#bytes = (await file.stat()).size
    return file
  }

  async #rotate(): Promise<FileHandle> {
    await this.close()
    for (let number = AUDIT_FILES_KEPT - 1; number >= 1; number--)
      await renameIfThere(`${this.#path}.${number}`, `${this.#path}.${number + 1}`)
    await rename(this.#path, `${this.#path}.1`)
    return this.#open()
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
