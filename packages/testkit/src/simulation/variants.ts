/**
 * Ways to break the broker on purpose. Each does, between core and engine, what a bug in one of them would do; the checker
 * must find it within a few seeds, or it would not find the bug either.
 */
import { RecordKind, settledRecord } from '@ternmq/core/log'
import type { Durability, LogRecord, Stored } from '@ternmq/store'
import type { SeededRandom, VirtualClock } from '../virtual-clock.ts'

type Submit = (group: readonly LogRecord[], ticket: number, level: Durability) => void

/** One life of a broken engine. The plain one changes nothing. */
export class Variant {
  protected readonly random: SeededRandom
  protected readonly clock: VirtualClock
  /** The end of the log is not told; what waited is told to be there. */
  readonly hidesEnd: boolean = false

  constructor(random: SeededRandom, clock: VirtualClock) {
    this.random = random
    this.clock = clock
  }

  onSubmit(records: readonly LogRecord[], ticket: number, level: Durability, submit: Submit): void {
    submit(records, ticket, level)
  }

  onRead(found: readonly (Stored | undefined)[]): (Stored | undefined)[] {
    return found.slice()
  }

  /** False: the engine does not hear of it. */
  onRelease(_first: number, _last: number): boolean {
    return true
  }
}

/** Nothing is synced before it is acknowledged. */
class AckBeforeSync extends Variant {
  override onSubmit(records: readonly LogRecord[], ticket: number, _level: Durability, submit: Submit): void {
    submit(records, ticket, 'page-cache')
  }
}

/** Some settles are told to be in the log, and are not. */
class LoseSettle extends Variant {
  override onSubmit(records: readonly LogRecord[], ticket: number, level: Durability, submit: Submit): void {
    const changed = records.map((record) =>
      record.kind === RecordKind.settled && this.random.below(4) === 0 ? settledRecord([], []) : record,
    )
    submit(changed, ticket, level)
  }
}

/** Two messages of one turn to one queue change places in the log. */
class ReorderAppends extends Variant {
  #held: LogRecord | undefined = undefined
  #heldTicket = 0
  #heldLevel: Durability = 'fsync-local'

  override onSubmit(records: readonly LogRecord[], ticket: number, level: Durability, submit: Submit): void {
    const [record] = records
    if (this.#held !== undefined) {
      const held = this.#held
      this.#held = undefined
      const swaps = records.length === 1 && record!.kind === RecordKind.message && record!.dest === held.dest
      submit(swaps ? records : [held], this.#heldTicket, this.#heldLevel)
      submit(swaps ? [held] : records, ticket, level)
      return
    }
    if (records.length !== 1 || record!.kind !== RecordKind.message) return submit(records, ticket, level)
    this.#held = record
    this.#heldTicket = ticket
    this.#heldLevel = level
    this.clock.endOfTurn(() => {
      if (this.#held === undefined) return
      const held = this.#held
      this.#held = undefined
      submit([held], this.#heldTicket, this.#heldLevel)
    })
  }
}

/** Some of what nobody holds any more stays in the store for ever. */
class ForgetRelease extends Variant {
  override onRelease(): boolean {
    return this.random.below(8) !== 0
  }
}

/** Of messages read back for dispatch, some are said to be lost. */
class DropOnStaging extends Variant {
  override onRead(found: readonly (Stored | undefined)[]): (Stored | undefined)[] {
    return found.map((record) => (this.random.below(8) === 0 ? undefined : record))
  }
}

/** A disk that failed is said to have taken everything. */
class HideEnd extends Variant {
  override readonly hidesEnd: boolean = true
}

/** Of a group with several records, the last one goes missing: a move leaves its original behind. */
class SplitGroup extends Variant {
  override onSubmit(records: readonly LogRecord[], ticket: number, level: Durability, submit: Submit): void {
    if (records.length === 1 || this.random.below(2) === 0) return submit(records, ticket, level)
    submit([...records.slice(0, -1), settledRecord([], [])], ticket, level)
  }
}

/** By name, as the command line takes them. */
export const VARIANTS: Readonly<Record<string, new (random: SeededRandom, clock: VirtualClock) => Variant>> = {
  'ack-before-sync': AckBeforeSync,
  'lose-settle': LoseSettle,
  'reorder-appends': ReorderAppends,
  'forget-release': ForgetRelease,
  'drop-on-staging': DropOnStaging,
  'hide-end': HideEnd,
  'split-group': SplitGroup,
}
