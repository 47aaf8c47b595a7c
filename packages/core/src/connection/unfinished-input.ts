/**
 * Memory of what has begun to come and is not complete, all connections together: packets and frames that are split over reads, and what
 * was sent ahead of one that is being worked on. What one connection may hold its adapter limits; here is the sum. Beyond it the
 * connection that holds most ends: many that each hold little of theirs are not ended for one that holds much.
 */
import { bytesText } from '../flow/units.ts'
import type { CoreLimits } from '../limits.ts'

/** A connection. It implements this itself, so that being counted costs no object. */
export interface InputHolder {
  /** Only `UnfinishedInput` sets it. */
  unfinishedBytes: number
  /** It has to end, and so to hold nothing: `text` says why. */
  endUnfinished(text: string): void
}

/** From here on a holder is looked at when room is needed; of those below, only the one that asks for more. */
const LARGE_BYTES = 65_536

export class UnfinishedInput {
  readonly #limits: Pick<CoreLimits, 'unfinishedBytesMax'>
  readonly #large = new Set<InputHolder>()
  #bytes = 0

  constructor(limits: Pick<CoreLimits, 'unfinishedBytesMax'>) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `holder` holds so much now. May end a connection: this one, or another. Hot path. */
  note(holder: InputHolder, bytes: number): void {
    const before = holder.unfinishedBytes
    if (bytes === before) return
    holder.unfinishedBytes = bytes
    this.#bytes += bytes - before
    if (bytes >= LARGE_BYTES) this.#large.add(holder)
    else if (before >= LARGE_BYTES) this.#large.delete(holder)
    if (bytes > before && this.#bytes > this.#limits.unfinishedBytesMax) this.#makeRoom(holder)
  }

  #makeRoom(asking: InputHolder): void {
    let largest = asking
    for (const each of this.#large) if (each.unfinishedBytes > largest.unfinishedBytes) largest = each
    const text =
      `what all connections have begun to send and not completed takes ${bytesText(this.#bytes)}, the limit (limits.unfinishedBytesMax) is ` +
      `${bytesText(this.#limits.unfinishedBytesMax)}, and ${bytesText(largest.unfinishedBytes)} of it are this connection's, the most of all; ` +
      'send smaller messages, or again later'
    largest.endUnfinished(text)
  }
}
