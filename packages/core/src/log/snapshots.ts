/**
 * When a partition gets a snapshot, and its writing: as often as keeps a start fast, as seldom as keeps snapshots a small part of all
 * writing. What is in one, `snapshot.ts` says.
 */
import type { Ownership } from '@ternmq/store'

/** State of everything, for a snapshot. */
export type TakeSnapshot = () => readonly Uint8Array[]

/** Bookkeeping records after which an engine that keeps nothing over a restart may forget them. */
const VOLATILE_SNAPSHOT_RECORDS = 65_536
/** Log written since the last snapshot, at least; and so many times what that one weighed: it must stay a small part of all writing. */
const SNAPSHOT_BYTES_MIN = 64 * 1024 * 1024
const SNAPSHOT_BYTES_FACTOR = 8

export class Snapshots {
  readonly #ownership: Ownership
  readonly #take: TakeSnapshot
  /** The engine keeps nothing over a restart. */
  readonly isVolatile: boolean
  readonly #onEnded: (error: Error) => void
  /** Records since the last one. */
  recordCount = 0
  #bytes = 0
  #isWriting = false

  constructor(ownership: Ownership, take: TakeSnapshot, isVolatile: boolean, onEnded: (error: Error) => void) {
    this.#ownership = ownership
    this.#take = take
    this.isVolatile = isVolatile
    this.#onEnded = onEnded
  }

  get isDue(): boolean {
    if (this.#isWriting) return false
    if (this.isVolatile) return this.recordCount > VOLATILE_SNAPSHOT_RECORDS
    const { bytesSinceSnapshot } = this.#ownership
    return bytesSinceSnapshot > Math.max(SNAPSHOT_BYTES_MIN, this.#bytes * SNAPSHOT_BYTES_FACTOR)
  }

  /**
   * The state after the last committed record, which has `lsn`. An engine that keeps nothing over a restart need not keep what only a
   * restart would read.
   */
  async write(lsn: number): Promise<void> {
    if (this.#isWriting || lsn === 0) return
    this.#isWriting = true
    this.recordCount = 0
    const data = this.isVolatile ? [] : this.#take()
    this.#bytes = data.reduce((sum, part) => sum + part.length, 0)
    try {
      await this.#ownership.putSnapshot(lsn, data)
    } catch (error) {
      // Full: the log goes on without, and tries again later. Anything else ends it.
      if ((error as { code?: unknown }).code !== 'STORE_NOT_APPENDED') this.#onEnded(error as Error)
    }
    this.#isWriting = false
  }
}
