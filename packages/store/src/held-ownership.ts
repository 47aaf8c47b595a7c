/** What an ownership is in every engine: who has it, until when, and that it has ended. Release and snapshots are the engine's. */
import type { Epoch, Lsn, Ownership, OwnOptions, Writer } from './engine.ts'
import type { EngineClock } from './env.ts'

export abstract class HeldOwnership<W extends Writer> implements Ownership {
  readonly node: string
  readonly epoch: Epoch
  readonly log: W
  readonly #clock: EngineClock
  readonly #ttlMs: number
  readonly #lost = new AbortController()
  /** Nobody has let go of it yet; a later owner may have it all the same. */
  protected isHeld = true
  /** On the monotonic clock. */
  untilMs: number

  constructor(clock: EngineClock, options: OwnOptions, epoch: Epoch, log: W) {
    this.node = options.node
    this.epoch = epoch
    this.log = log
    this.#clock = clock
    this.#ttlMs = options.ttlMs
    this.untilMs = clock.monoMs() + options.ttlMs
  }

  abstract readonly bytesSinceSnapshot: number
  abstract release(firstLsn: Lsn, lastLsn: Lsn): void
  abstract putSnapshot(at: Lsn, data: readonly Uint8Array[]): Promise<void>
  /** Throws Fenced where somebody else has the partition, NotAppended where nobody has. */
  protected abstract assertHeld(): void
  /** The partition is told that it is free. */
  protected abstract letGo(): void

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  async renew(): Promise<void> {
    this.assertHeld()
    this.untilMs = this.#clock.monoMs() + this.#ttlMs
  }

  async resign(): Promise<void> {
    await this.log.close()
    this.letGo()
    this.end()
  }

  /** Somebody else has it, or the engine is closed. Idempotent. */
  end(): void {
    this.isHeld = false
    this.#lost.abort()
  }
}
