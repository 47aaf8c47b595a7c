/** The bytes that a memory engine holds, for all its partitions and its catalog. */
import { NotAppended } from './errors.ts'

export class MemoryBudget {
  readonly #maxBytes: number
  readonly #contentMaxBytes: number
  usedBytes = 0

  /**
   * `reserveBytes` of `maxBytes` are kept for groups without content, so that settling goes on when the rest is full.
   */
  constructor(maxBytes: number, reserveBytes: number) {
    this.#maxBytes = maxBytes
    this.#contentMaxBytes = maxBytes - reserveBytes
  }

  /** Takes `bytes` if they fit. Hot path. */
  take(bytes: number, isContent: boolean): boolean {
    if (this.usedBytes + bytes > (isContent ? this.#contentMaxBytes : this.#maxBytes)) return false
    this.usedBytes += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.usedBytes -= bytes
  }

  /** The refusal after `take` said no. `who` starts the sentence. */
  refusal(who: string, bytes: number): NotAppended {
    return new NotAppended(
      'full',
      `${who}: ${bytes} bytes do not fit, the memory engine holds ${this.usedBytes} of maxBytes ${this.#maxBytes}, ` +
        `${this.#maxBytes - this.#contentMaxBytes} of it kept for settling; consume or expire messages, or raise maxBytes`,
    )
  }
}
