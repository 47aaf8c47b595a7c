/**
 * `audit.log` in the data directory: one JSON object a line, for its owner only. At its full size it becomes `audit.log.1`, what was that
 * becomes `audit.log.2`, and so on; the oldest goes. A line that a crash or a full disk cut is ended before the next one.
 */
import { type FileHandle, open, rename } from 'node:fs/promises'
import type { AuditFile } from './audit.ts'

/** Size at which a new file begins; a batch is not divided. */
export const AUDIT_FILE_BYTES_MAX: number = 16 * 1024 * 1024

/** Full files that are kept beside the one that is written; the oldest is replaced. */
export const AUDIT_FILES_KEPT = 4

const LINE_FEED = 0x0a

export class RotatedAuditFile implements AuditFile {
  readonly #path: string
  readonly #bytesMax: number
  #file: FileHandle | undefined = undefined
  #bytes = 0

  constructor(path: string, bytesMax: number = AUDIT_FILE_BYTES_MAX) {
    this.#path = path
    this.#bytesMax = bytesMax
  }

  /** Of the file that is written and the last full one, the end of each. Before the first `append`. */
  async readBack(onLine: (line: string) => boolean): Promise<void> {
    for (const path of [this.#path, `${this.#path}.1`]) if (!(await readBackIfThere(path, onLine))) return
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
    const file = await open(this.#path, 'a+', 0o600)
    try {
      this.#bytes = (await file.stat()).size
      if (this.#bytes > 0 && (await bytesAt(file, this.#bytes - 1, 1))[0] !== LINE_FEED) {
        await file.appendFile('\n')
        this.#bytes++
      }
      return file
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async #rotate(): Promise<FileHandle> {
    await this.close()
    for (let number = AUDIT_FILES_KEPT - 1; number >= 1; number--)
      await renameIfThere(`${this.#path}.${number}`, `${this.#path}.${number + 1}`)
    await rename(this.#path, `${this.#path}.1`)
    return this.#open()
  }
}

/** False when no more are wanted. */
async function readBackIfThere(path: string, onLine: (line: string) => boolean): Promise<boolean> {
  const text = (await endOf(path)).toString() // once: it is much cheaper than line by line
  let end = text.endsWith('\n') ? text.length - 1 : text.length
  while (end > 0) {
    const before = text.lastIndexOf('\n', end - 1)
    if (!onLine(text.slice(before + 1, end))) return false
    end = before
  }
  return true
}

/** Whole lines at the end of a file, as many as a file should have; nothing where there is no file. */
async function endOf(path: string): Promise<Buffer> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
  try {
    const { size } = await file.stat()
    if (size <= AUDIT_FILE_BYTES_MAX) return await bytesAt(file, 0, size)
    const bytes = await bytesAt(file, size - AUDIT_FILE_BYTES_MAX, AUDIT_FILE_BYTES_MAX)
    return bytes.subarray(bytes.indexOf(LINE_FEED) + 1)
  } finally {
    await file.close()
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
