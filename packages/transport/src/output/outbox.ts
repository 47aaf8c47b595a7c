/**
 * Who has output in this turn. One outbox serves every connection of a process: it flushes each of them once at the end of the
 * turn, owns the slabs, and watches the sum of what slow peers have not taken.
 */
import type { Clock } from '@ternmq/core'

import { SlabPool } from './slab-pool.ts'

/** A peer with more than this waiting takes no further deliveries. Large enough for one turn of a busy queue (some 500 KiB). */
export const HIGH_WATER_BYTES: number = 1024 * 1024

/** Below this a peer takes deliveries again. */
export const LOW_WATER_BYTES: number = 16 * 1024

/**
 * The high-water mark while all peers together have more than `UNSENT_BYTES_MAX` waiting: 10,000 stuck subscribers then cost
 * 320 MiB more, not 10 GiB. Above the low-water mark, so that a peer told to wait is always called again.
 */
export const SHORT_HIGH_WATER_BYTES: number = 32 * 1024

/** What all peers together may have waiting before each gets the short mark. */
export const UNSENT_BYTES_MAX: number = 128 * 1024 * 1024

/**
 * Answers (not deliveries, which obey the marks) that may gather behind a write the peer does not take; beyond it the peer is
 * disconnected. Has to exceed the largest packet.
 */
export const STUCK_BYTES_MAX: number = 64 * 1024 * 1024

export interface OutboxLimits {
  readonly unsentBytesMax: number
  readonly stuckBytesMax: number
}

export interface TurnOutput {
  /** Hands everything gathered to the kernel. Called once per `Outbox.add`. */
  flushTurn(): void
}

export class Outbox {
  readonly slabs: SlabPool = new SlabPool()
  /** The mark that holds now, in bytes. */
  highWaterBytes: number = HIGH_WATER_BYTES
  readonly stuckBytesMax: number
  readonly #clock: Clock
  readonly #unsentBytesMax: number
  #unsentBytes = 0
  #outputs: TurnOutput[] = []
  #spare: TurnOutput[] = []
  readonly #flushAll = (): void => this.#flush()

  constructor(clock: Clock, limits: Partial<OutboxLimits> = {}) {
    this.#clock = clock
    this.#unsentBytesMax = limits.unsentBytesMax ?? UNSENT_BYTES_MAX
    this.stuckBytesMax = limits.stuckBytesMax ?? STUCK_BYTES_MAX
  }

  /** `output.flushTurn()` follows at the end of the turn. The caller adds itself once. */
  add(output: TurnOutput): void {
    if (this.#outputs.length === 0) this.#clock.flush(this.#flushAll)
    this.#outputs.push(output)
  }

  /** Bytes that were flushed, or kept back behind others, and that the kernel has not taken: of all connections. */
  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** A connection's unsent bytes changed. */
  countUnsent(changeBytes: number): void {
    this.#unsentBytes += changeBytes
    this.highWaterBytes = this.#unsentBytes > this.#unsentBytesMax ? SHORT_HIGH_WATER_BYTES : HIGH_WATER_BYTES
  }

  #flush(): void {
    const outputs = this.#outputs
    this.#outputs = this.#spare
    let index = 0
    try {
      while (index < outputs.length) (outputs[index++] as TurnOutput).flushTurn()
    } finally {
      // One that throws (a fault of ours) must not silence those behind it: they go out in the next pass.
      for (; index < outputs.length; index++) this.add(outputs[index] as TurnOutput)
      outputs.length = 0
      this.#spare = outputs
    }
  }
}
