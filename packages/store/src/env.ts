/**
 * What an engine needs from the injected world. The arrow points from core to store, so store cannot import core's
 * `Env`: it states its own needs here, and core's clock satisfies `EngineClock` by shape. [ADR-0002]
 */

export interface EngineClock {
  /** Unix time in ms. */
  wallMs(): number
  /** Monotonic ms; only differences mean something. */
  monoMs(): number
  /**
   * Runs `f` when the present turn's input has been handled, in order of the calls: the point where a batch is
   * committed.
   */
  endOfTurn(f: () => void): void
}

export interface EngineEnv {
  readonly clock: EngineClock
  readonly disk: Disk
}

/**
 * One data directory. Paths are relative to it, '/' between names, never '.' or '..'; '' is the directory itself, which
 * `makeDirectory('')` makes when it is missing. Every rejection is a `DiskError`.
 *
 * What survives a power loss, on real and on simulated disks: bytes of a file after `syncData` or `syncAll` of that
 * file; a new name, a rename or a removal after `syncDirectory` of the directory that holds the name. Anything later
 * may be there wholly, partly, torn at any byte, or not at all, in any order.
 */
export interface Disk {
  /** What an operator knows it by. */
  readonly place?: string
  /** 'create' makes the file and rejects with 'exists' when there is one; the others reject with 'not-found'. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile>
  /** Removes a file's name. Open files stay usable. */
  remove(path: string): Promise<void>
  /** Replaces `to` when it exists; a reader sees the old file or the new one, never neither. */
  rename(from: string, to: string): Promise<void>
  /** Makes the directory and its parents; one that exists is fine. */
  makeDirectory(path: string): Promise<void>
  /** Names in the directory, files and directories, in no particular order. */
  list(path: string): Promise<readonly string[]>
  syncDirectory(path: string): Promise<void>
  /** Bytes that this process can still write. */
  freeBytes(): Promise<number>
  /** Rejects with 'locked' while another holder lives. Ends with the process, however that ends. */
  lock(path: string): Promise<DiskLock>
}

/** An open file. Calls may overlap; the order of overlapping calls is not defined. */
export interface DiskFile {
  /**
   * Writes `parts` one behind the other from byte `position` on; the file grows as needed. Resolves when the operating
   * system has all of it. The parts must not change until then. After a rejection any piece of it may be in the file.
   */
  write(position: number, parts: readonly Uint8Array[]): Promise<void>
  /**
   * As `write`, and then on stable storage, without a way back to the caller between: only these bytes, others of the
   * file stay as they were. A disk that has no such thing leaves it out; who finds none writes and syncs.
   */
  writeSynced?(position: number, parts: readonly Uint8Array[]): Promise<void>
  /**
   * Fills `target` from byte `position` on. Resolves with the count of bytes read: less than asked at the end of the
   * file only.
   */
  read(position: number, target: Uint8Array): Promise<number>
  /** Bytes. */
  size(): Promise<number>
  /**
   * Contents and size reach stable storage. After a rejection nothing written since the last success may be trusted,
   * even when a later sync succeeds: the kernel may have dropped the pages.
   */
  syncData(): Promise<void>
  /** As `syncData`, with all of the file's metadata. */
  syncAll(): Promise<void>
  /** Cuts or extends (with zeros) to `size` bytes. */
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

export interface DiskLock {
  release(): Promise<void>
}

/** 'wrong-kind': a directory where a file should be, or the other way round. */
export type DiskErrorCode = 'not-found' | 'exists' | 'locked' | 'denied' | 'full' | 'wrong-kind' | 'io'

/** The file system declined. `code` decides what the engine does, the text says which path and what the system said. */
export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly code: DiskErrorCode
  readonly path: string

  constructor(code: DiskErrorCode, path: string, detail: string, options?: ErrorOptions) {
    super(`${path}: ${detail}`, options)
    this.code = code
    this.path = path
  }
}
