/**
 * A data directory of the real file system, on node:fs with callbacks: one promise per call, no streams, no handles that
 * close themselves. What the system says becomes a `DiskError`.
 *
 * The lock is the kernel's, on an empty file, by way of SQLite: Node has no call for file locks, and SQLite asks for one
 * when a transaction begins. It ends with the process, however that ends, so there is no stale lock to judge.
 */
import fs from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Disk, DiskErrorCode, DiskFile, DiskLock } from './env.ts'
import { DiskError } from './env.ts'

/** SQLite's result code for a lock that somebody else has. */
const SQLITE_BUSY = 5

const DIRECTORY_MODE = 0o700
const FILE_MODE = 0o600

const CODES: Readonly<Record<string, DiskErrorCode>> = {
  ENOENT: 'not-found',
  EEXIST: 'exists',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EISDIR: 'wrong-kind',
  ENOTDIR: 'wrong-kind',
}

/** Where the system's own words say less. */
const WORDS: Readonly<Record<string, string>> = {
  EISDIR: 'this is a directory, and a file should be here (EISDIR)',
  ENOTDIR: 'this is a file, and a directory should be here (ENOTDIR)',
}

/** How each mode opens: all of them can read. */
const FLAGS = { read: 'r', write: 'r+', create: 'wx+' } as const

/** The directory at `directory`; it need not exist before `makeDirectory('')`. Nobody but its owner can read the files. */
export function nodeDisk(directory: string): Disk {
  return new NodeDisk(directory)
}

class NodeDisk implements Disk {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  get place(): string {
    return this.#root
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    const full = this.#at(path)
    return new NodeFile(await call<number>(full, (done) => fs.open(full, FLAGS[mode], FILE_MODE, done)), full)
  }

  remove(path: string): Promise<void> {
    const full = this.#at(path)
    return call(full, (done) => fs.unlink(full, done))
  }

  rename(from: string, to: string): Promise<void> {
    const full = this.#at(from)
    return call(full, (done) => fs.rename(full, this.#at(to), done))
  }

  async makeDirectory(path: string): Promise<void> {
    const full = this.#at(path)
    await call<unknown>(full, (done) => fs.mkdir(full, { recursive: true, mode: DIRECTORY_MODE }, done))
  }

  list(path: string): Promise<readonly string[]> {
    const full = this.#at(path)
    return call<string[]>(full, (done) => fs.readdir(full, done))
  }

  async syncDirectory(path: string): Promise<void> {
    const full = this.#at(path)
    const fd = await call<number>(full, (done) => fs.open(full, 'r', done))
    try {
      await call<void>(full, (done) => fs.fsync(fd, done))
    } finally {
      await call<void>(full, (done) => fs.close(fd, done))
    }
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await call<fs.StatsFs>(this.#root, (done) => fs.statfs(this.#root, done))
    return bavail * bsize
  }

  async lock(path: string): Promise<DiskLock> {
    const full = this.#at(path)
    let database: DatabaseSync | undefined = undefined
    try {
      // Made here, so that nobody else can open it.
      fs.writeFileSync(full, '', { flag: 'a', mode: FILE_MODE })
      database = new DatabaseSync(full, { timeout: 0 })
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE') // nothing is ever written: no second file
    } catch (cause) {
      database?.close()
      if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) {
        throw new DiskError('locked', full, 'another process has the lock', { cause })
      }
      throw diskError(full, cause as NodeJS.ErrnoException)
    }
    const held = database
    return {
      release: async () => {
        if (held.isOpen) held.close()
      },
    }
  }

  #at(path: string): string {
    return join(this.#root, path)
  }
}

class NodeFile implements DiskFile {
  readonly #fd: number
  /** The same file, opened so that the kernel syncs what is written before it returns. Made when it is first needed. */
  #syncedFd: Promise<number> | undefined = undefined
  readonly #path: string

  constructor(fd: number, path: string) {
    this.#fd = fd
    this.#path = path
  }

  write(position: number, parts: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#write(this.#fd, position, parts, resolve, reject)
    })
  }

  /** One trip to another thread instead of two, and the sync does not wait until this thread has time to ask for it. */
  async writeSynced(position: number, parts: readonly Uint8Array[]): Promise<void> {
    this.#syncedFd ??= this.#openSynced()
    const fd = await this.#syncedFd
    return new Promise((resolve, reject) => {
      this.#write(fd, position, parts, resolve, reject)
    })
  }

  async #openSynced(): Promise<number> {
    const flags = fs.constants.O_RDWR | fs.constants.O_DSYNC
    const fd = await call<number>(this.#path, (done) => fs.open(this.#path, flags, done))
    const [ours, theirs] = await Promise.all(
      [this.#fd, fd].map((each) => call<fs.Stats>(this.#path, (done) => fs.fstat(each, done))),
    )
    if (ours?.ino === theirs?.ino && ours?.dev === theirs?.dev) return fd
    await call<void>(this.#path, (done) => fs.close(fd, done))
    throw new DiskError('io', this.#path, 'another file has this name now: it cannot be written to')
  }

  #write(
    fd: number,
    position: number,
    parts: readonly Uint8Array[],
    resolve: () => void,
    reject: (error: DiskError) => void,
  ): void {
    const onWritten = (error: NodeJS.ErrnoException | null, written: number): void => {
      if (error !== null) return reject(diskError(this.#path, error))
      const rest = partsAfter(parts, written)
      if (rest.length === 0) return resolve()
      if (written === 0) return reject(new DiskError('io', this.#path, 'the system took none of the bytes to write'))
      this.#write(fd, position + written, rest, resolve, reject) // a short write: disk full, or more than the kernel takes
    }
    const [only] = parts
    if (only === undefined) resolve()
    else if (parts.length === 1) fs.write(fd, only, 0, only.length, position, onWritten)
    else fs.writev(fd, parts, position, onWritten)
  }

  async read(position: number, target: Uint8Array): Promise<number> {
    let done = 0
    while (done < target.length) {
      const start = done
      const count = await call<number>(this.#path, (back) =>
        fs.read(this.#fd, target, start, target.length - start, position + start, back),
      )
      if (count === 0) break
      done += count
    }
    return done
  }

  async size(): Promise<number> {
    return (await call<fs.Stats>(this.#path, (done) => fs.fstat(this.#fd, done))).size
  }

  syncData(): Promise<void> {
    return call(this.#path, (done) => fs.fdatasync(this.#fd, done))
  }

  syncAll(): Promise<void> {
    return call(this.#path, (done) => fs.fsync(this.#fd, done))
  }

  truncate(size: number): Promise<void> {
    return call(this.#path, (done) => fs.ftruncate(this.#fd, size, done))
  }

  async close(): Promise<void> {
    const syncedFd = await this.#syncedFd?.catch(() => undefined) // who wanted it was told
    if (syncedFd !== undefined) await call<void>(this.#path, (done) => fs.close(syncedFd, done))
    await call<void>(this.#path, (done) => fs.close(this.#fd, done))
  }
}

type Done<T> = (error: NodeJS.ErrnoException | null, result: T) => void

function call<T>(path: string, start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null || error === undefined) resolve(result)
      else reject(diskError(path, error))
    })
  })
}

function diskError(path: string, cause: NodeJS.ErrnoException): DiskError {
  return new DiskError(CODES[cause.code ?? ''] ?? 'io', path, WORDS[cause.code ?? ''] ?? cause.message, { cause })
}

/** What is left of `parts` behind their first `count` bytes. */
function partsAfter(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = []
  let skip = count
  for (const part of parts) {
    if (skip >= part.length) skip -= part.length
    else {
      rest.push(skip === 0 ? part : part.subarray(skip))
      skip = 0
    }
  }
  return rest
}
