/** A disk whose writes, syncs and free bytes go wrong when a test says so, and that counts. */
import type { Disk, DiskFile, DiskLock } from '../src/env.ts'
import { DiskError } from '../src/env.ts'

export class FaultDisk implements Disk {
  readonly #disk: Disk
  /** Bytes that can still be written; a write that does not fit leaves what fits, and rejects as 'full'. */
  roomBytes: number = Infinity
  free = 1e12
  failNextWrite = false
  failNextSync = false
  writes = 0
  syncs = 0
  readBytes = 0
  /** Called before each write with its size. */
  onWrite: (path: string, bytes: number) => void = () => {}

  constructor(disk: Disk) {
    this.#disk = disk
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    return new FaultFile(this, await this.#disk.open(path, mode), path)
  }

  async remove(path: string): Promise<void> {
    const file = await this.#disk.open(path, 'read')
    const size = await file.size()
    await file.close()
    await this.#disk.remove(path)
    this.roomBytes += size
  }

  rename(from: string, to: string): Promise<void> {
    return this.#disk.rename(from, to)
  }

  makeDirectory(path: string): Promise<void> {
    return this.#disk.makeDirectory(path)
  }

  list(path: string): Promise<readonly string[]> {
    return this.#disk.list(path)
  }

  syncDirectory(path: string): Promise<void> {
    return this.#disk.syncDirectory(path)
  }

  async freeBytes(): Promise<number> {
    return Math.min(this.free, this.roomBytes)
  }

  lock(path: string): Promise<DiskLock> {
    return this.#disk.lock(path)
  }
}

class FaultFile implements DiskFile {
  readonly #disk: FaultDisk
  readonly #file: DiskFile
  readonly #path: string

  constructor(disk: FaultDisk, file: DiskFile, path: string) {
    this.#disk = disk
    this.#file = file
    this.#path = path
  }

  async write(position: number, parts: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(parts)
    this.#disk.writes++
    this.#disk.onWrite(this.#path, bytes.length)
    if (this.#disk.failNextWrite) {
      this.#disk.failNextWrite = false
      await this.#file.write(position, [bytes.subarray(0, bytes.length >>> 1)])
      throw new DiskError('io', this.#path, 'EIO: the test says so')
    }
    const fits = Math.min(bytes.length, this.#disk.roomBytes)
    this.#disk.roomBytes -= fits
    await this.#file.write(position, [bytes.subarray(0, fits)])
    if (fits < bytes.length) throw new DiskError('full', this.#path, 'ENOSPC: the test says so')
  }

  read(position: number, target: Uint8Array): Promise<number> {
    this.#disk.readBytes += target.length
    return this.#file.read(position, target)
  }

  size(): Promise<number> {
    return this.#file.size()
  }

  syncData(): Promise<void> {
    return this.#sync(() => this.#file.syncData())
  }

  syncAll(): Promise<void> {
    return this.#sync(() => this.#file.syncAll())
  }

  async truncate(size: number): Promise<void> {
    this.#disk.roomBytes += Math.max(0, (await this.#file.size()) - size)
    await this.#file.truncate(size)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async #sync(sync: () => Promise<void>): Promise<void> {
    this.#disk.syncs++
    if (this.#disk.failNextSync) {
      this.#disk.failNextSync = false
      throw new DiskError('io', this.#path, 'EIO: the test says so')
    }
    await sync()
  }
}
