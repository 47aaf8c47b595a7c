/** An open file of a simulated disk: bytes go in and come out when the disk finishes the operation. */
import { DiskError, type DiskErrorCode, type DiskFile } from '@ternmq/store'
import type { DiskOperation } from './simulated-disk.ts'
import type { FileNode, SimulatedFileSystem } from './simulated-file-system.ts'

/** What an open file may use of its disk. */
export interface DiskAccess {
  start<T>(kind: DiskOperation, path: string, run: (code: DiskErrorCode | undefined) => T): Promise<T>
  files(): SimulatedFileSystem
  below(limit: number): number
  freeBytes(): number
  closed(): void
}

export class SimulatedFile implements DiskFile {
  readonly #disk: DiskAccess
  readonly #path: string
  readonly #file: FileNode
  readonly #canWrite: boolean
  #isClosed = false

  constructor(disk: DiskAccess, path: string, file: FileNode, canWrite: boolean) {
    this.#disk = disk
    this.#path = path
    this.#file = file
    this.#canWrite = canWrite
  }

  write(position: number, parts: readonly Uint8Array[]): Promise<void> {
    const bytes = joined(parts)
    return this.#start('write', true, (code) => {
      // Throws out of `step`, into the test: on a real disk this is silent corruption.
      if (!isEqual(bytes, joined(parts)))
        throw new Error(`${this.#path}: the parts of a write at ${position} changed before it had finished`)
      if (code !== undefined) {
        this.#writePiece(position, bytes, bytes.length)
        throw failure(code, this.#path, `write of ${bytes.length} bytes at ${position}`)
      }
      this.#writeIfItFits(position, bytes)
    })
  }

  read(position: number, target: Uint8Array): Promise<number> {
    return this.#start('read', false, (code) => {
      if (code !== undefined) throw failure(code, this.#path, `read of ${target.length} bytes at ${position}`)
      return this.#file.visible.read(position, target)
    })
  }

  size(): Promise<number> {
    return this.#start('size', false, (code) => {
      if (code !== undefined) throw failure(code, this.#path, 'size')
      return this.#file.visible.size
    })
  }

  /** Covers what had finished when it was called, and by the seed what has meanwhile. */
  syncData(): Promise<void> {
    const before = this.#disk.files().order
    return this.#start('sync', false, (code) => {
      const files = this.#disk.files()
      if (code !== undefined) {
        files.dropPending(this.#file, () => this.#disk.below(2) === 0, this.#disk.below(2) === 0)
        throw failure(code, this.#path, 'sync')
      }
      files.syncFile(this.#file, this.#disk.below(2) === 0 ? before : files.order)
    })
  }

  syncAll(): Promise<void> {
    return this.syncData()
  }

  truncate(size: number): Promise<void> {
    return this.#start('truncate', true, (code) => {
      if (code !== undefined) throw failure(code, this.#path, `truncate to ${size}`)
      this.#disk.files().truncate(this.#file, size)
    })
  }

  close(): Promise<void> {
    return this.#start('close', false, (code) => {
      this.#isClosed = true
      this.#disk.files().closed(this.#file)
      this.#disk.closed()
      if (code !== undefined) throw failure(code, this.#path, 'close')
    })
  }

  #start<T>(kind: DiskOperation, changes: boolean, run: (code: DiskErrorCode | undefined) => T): Promise<T> {
    if (changes && !this.#canWrite)
      return Promise.reject(new DiskError('denied', this.#path, `${kind}: the file is open for reading only`))
    return this.#disk.start(kind, this.#path, (code) => {
      if (this.#isClosed) throw new DiskError('io', this.#path, `${kind}: the file is closed`)
      return run(code)
    })
  }

  #writeIfItFits(position: number, bytes: Uint8Array): void {
    const files = this.#disk.files()
    const missingBytes = files.missingBytes(this.#file, position, bytes.length)
    const lackingBytes = missingBytes - this.#disk.freeBytes()
    if (missingBytes > 0 && lackingBytes > 0) {
      this.#writePiece(position, bytes, Math.max(0, bytes.length - lackingBytes))
      throw failure('full', this.#path, `write of ${bytes.length} bytes at ${position}: ${lackingBytes} bytes missing`)
    }
    files.write(this.#file, position, bytes)
  }

  /** A beginning of at most `byteCountMax` bytes. */
  #writePiece(position: number, bytes: Uint8Array, byteCountMax: number): void {
    const byteCount = this.#disk.below(byteCountMax + 1)
    this.#disk.files().write(this.#file, position, bytes.subarray(0, byteCount))
  }
}

export function failure(code: DiskErrorCode, path: string, what: string): DiskError {
  return new DiskError(code, path, `${what}: simulated '${code}'`)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
