/**
 * Open files of segments for reading, a bounded number of them. A file in use stays open, also when it has lost its name.
 */
import type { Disk, DiskFile } from '../../env.ts'
import type { Segment } from '../segment.ts'
import { NotAppended } from '../../errors.ts'

/** Open files that nobody uses at the moment. More would not help: the kernel caches the bytes, not we. */
const IDLE_MAX = 64

interface Handle {
  readonly file: Promise<DiskFile>
  users: number
}

export class Handles {
  readonly #disk: Disk
  /** In order of their last use. */
  readonly #open = new Map<Segment, Handle>()
  /** Called when the last file that is in use after `close` is closed. */
  #onClosed: (() => void) | undefined = undefined
  #closing = 0
  #closed = false

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /**
   * The segment's file, open until `giveBack`. Rejects with DiskError 'not-found' when it is no longer there, NotAppended
   * 'closed' after `close`.
   */
  async use(segment: Segment, path: string): Promise<DiskFile> {
    if (this.#closed) throw new NotAppended('closed', `${path}: the engine is closed`)
    const handle = this.#open.get(segment) ?? { file: this.#disk.open(path, 'read'), users: 0 }
    handle.users++
    this.#open.delete(segment)
    this.#open.set(segment, handle)
    try {
      return await handle.file
    } catch (error) {
      if (this.#open.get(segment) === handle) this.#open.delete(segment)
      if (this.#open.size === 0 && this.#closing === 0) this.#onClosed?.()
      throw error
    }
  }

  isUsed(segment: Segment): boolean {
    return (this.#open.get(segment)?.users ?? 0) > 0
  }

  giveBack(segment: Segment): void {
    const handle = this.#open.get(segment)
    if (handle === undefined) return
    handle.users--
    if (segment.gone || this.#closed) this.#closeIdle(segment, handle)
    else if (this.#open.size > IDLE_MAX) for (const [each, idle] of this.#open) if (this.#closeIdle(each, idle)) break
  }

  /** The segment is gone: its file is closed when its last user gives it back. */
  forget(segment: Segment): void {
    const handle = this.#open.get(segment)
    if (handle !== undefined) this.#closeIdle(segment, handle)
  }

  /** Resolves when every file is closed, also those that somebody reads from at the moment. Nothing opens any more. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closed = true
      this.#onClosed = resolve
      for (const [segment, handle] of this.#open) this.#closeIdle(segment, handle)
      if (this.#open.size === 0 && this.#closing === 0) resolve()
    })
  }

  #closeIdle(segment: Segment, handle: Handle): boolean {
    if (handle.users > 0) return false
    this.#open.delete(segment)
    this.#closing++
    void handle.file
      .then((file) => file.close())
      .catch(() => undefined) // it was read only, nothing can be lost; or it never opened, and `use` told it
      .finally(() => {
        this.#closing--
        if (this.#open.size === 0 && this.#closing === 0) this.#onClosed?.()
      })
    return true
  }
}
