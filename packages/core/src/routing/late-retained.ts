/**
 * Retained messages that were on their way into the log when a binding was made: they are not retained yet, and were routed before the
 * binding was there. It gets them once they are.
 */
import { matches } from './address.ts'
import type { HostLog } from '../log/host-log.ts'
import type { Message } from '../message/message.ts'
import type { Match } from '../queue/delivery.ts'
import type { Binding, Target } from './router.ts'

/** Bindings that wait, made while one batch is on its way. One beyond that gets what is retained already. */
const WAITING_MAX = 4_096

interface Waiting {
  readonly binding: Binding
  readonly match: Match
}

export class LateRetained {
  readonly #log: HostLog
  readonly #waiting = new Set<Waiting>()

  constructor(log: HostLog) {
    this.#log = log
  }

  /** For messages that were published before now. */
  await(binding: Binding, match: Match): void {
    if (!this.#log.isOpen || this.#log.isIdle || this.#waiting.size >= WAITING_MAX) return
    const waiting: Waiting = { binding, match }
    this.#waiting.add(waiting)
    this.#log.afterBatches(() => void this.#waiting.delete(waiting))
  }

  /** A message is retained now; `targets` had it from its publisher. */
  onRetained(levels: readonly string[], message: Message, targets: readonly Target[]): void {
    if (this.#waiting.size === 0 || message.end === message.bodyStart) return
    for (const { binding, match } of this.#waiting) {
      const { pattern, queue, exceptFrom } = binding
      if (queue.isClosed || !matches(pattern, levels) || (exceptFrom !== undefined && message.publisher === exceptFrom)) continue
      if (!targets.some((target) => target.queue === queue)) queue.backfill([message], match)
    }
  }
}
