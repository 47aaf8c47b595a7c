/**
 * What happened in a run, as its clients saw it: told to the checker of histories, and kept as text for whoever replays it.
 * Besides, what the checker cannot know: that a message which was moved is in one of its two queues, and that nobody is told
 * anything after the disk has failed.
 */
import { QueueHistory } from '../history.ts'

/** Where what nobody could take goes. */
export const DEAD_LETTERS = 'DLQ'

/** Lines that are kept for a failure's text. */
const LINES_MAX = 20_000

interface Sent {
  readonly queues: readonly string[]
  /** Unix ms after which it must not be delivered; 0 for ever. */
  readonly expiresAtMs: number
  /** It was once accepted, purged or refused, so it may be nowhere. */
  mayBeGone: boolean
  isConfirmed: boolean
  isMoved: boolean
  isSeenAtEnd: boolean
  mayBeUnmarked: boolean
}

/** A commit without an answer: all of it happened, or nothing. */
interface Committing {
  readonly ids: readonly string[]
  readonly settles: readonly { readonly queue: string; readonly id: string }[]
  readonly seenIds: Set<string>
  /** Settles whose messages came again. */
  readonly again: Set<string>
}

/** A publish that comes to all of its queues or to none. */
interface Together {
  readonly queues: readonly string[]
  readonly seenIn: Set<string>
  /** Purged, or lost with the power, before anybody saw it. */
  readonly mayMiss: Set<string>
}

export interface LedgerCounts {
  published: number
  publishConfirmed: number
  refused: number
  delivered: number
  redelivered: number
  settled: number
  settleConfirmed: number
  moved: number
  purged: number
  expired: number
  transactions: number
  composites: number
}

export class Ledger {
  readonly #seed: number
  readonly #history: QueueHistory
  readonly #sent = new Map<string, Sent>()
  readonly #expiring = new Set<string>()
  readonly #committing = new Set<Committing>()
  /** Messages to several queues. */
  readonly #together = new Map<string, Together>()
  readonly #onLine: ((line: string) => void) | undefined
  readonly #nowMs: () => number
  readonly lines: string[] = []
  /** Set while the last life drains everything. */
  isAtEnd = false
  readonly counts: LedgerCounts = {
    published: 0,
    publishConfirmed: 0,
    refused: 0,
    delivered: 0,
    redelivered: 0,
    settled: 0,
    settleConfirmed: 0,
    moved: 0,
    purged: 0,
    expired: 0,
    transactions: 0,
    composites: 0,
  }

  /** `nowMs` is the clock of the present life. */
  constructor(seed: number, nowMs: () => number, onLine: ((line: string) => void) | undefined) {
    this.#seed = seed
    this.#history = new QueueHistory({ seed })
    this.#nowMs = nowMs
    this.#onLine = onLine
  }

  note(text: string): void {
    const line = `${String(this.#nowMs()).padStart(7)} ${text}`
    if (this.lines.length < LINES_MAX) this.lines.push(line)
    this.#onLine?.(line)
  }

  /** `line` names those messages whose order must hold. */
  published(id: string, queues: readonly string[], line: string, expiresAtMs: number): void {
    this.counts.published++
    this.note(`publish ${id} to ${queues.join(' ')}${expiresAtMs === 0 ? '' : ` until ${expiresAtMs}`}`)
    const flags = { mayBeGone: false, isConfirmed: false, isMoved: false, isSeenAtEnd: false, mayBeUnmarked: false }
    this.#sent.set(id, { queues, expiresAtMs, ...flags })
    if (expiresAtMs !== 0) this.#expiring.add(id)
    for (const queue of queues) this.#history.published(queue, id, line)
  }

  /** What `published` said of it happens in all of its queues, or in none. */
  together(id: string): void {
    this.counts.composites++
    this.#together.set(id, { queues: this.#of(id).queues, seenIn: new Set(), mayMiss: new Set() })
  }

  /** Dead letters from two queues would be one message twice in theirs. */
  isTogether(id: string): boolean {
    return this.#together.has(id)
  }

  publishConfirmed(id: string): void {
    this.counts.publishConfirmed++
    this.note(`  ${id} is confirmed`)
    const sent = this.#of(id)
    sent.isConfirmed = true
    for (const queue of sent.queues) this.#history.publishConfirmed(queue, id)
  }

  publishRefused(id: string, text: string): void {
    this.counts.refused++
    this.note(`  ${id} is refused: ${text}`)
    const sent = this.#of(id)
    sent.mayBeGone = true
    for (const queue of sent.queues) this.#history.publishRefused(queue, id)
  }

  /** `canMark`: the broker could note, up to now, what it hands out. */
  delivered(queue: string, id: string, consumer: string, redelivered: boolean, canMark: boolean): void {
    this.counts.delivered++
    if (redelivered) this.counts.redelivered++
    this.note(`deliver ${id} from ${queue} to ${consumer}${redelivered ? ' again' : ''}`)
    const sent = this.#sent.get(id)
    this.#history.delivered(queue, id, consumer, redelivered || sent?.mayBeUnmarked === true)
    if (sent === undefined) return
    if (this.isAtEnd) sent.isSeenAtEnd = true
    this.#together.get(id)?.seenIn.add(queue)
    for (const each of this.#committing) {
      if (each.ids.includes(id)) each.seenIds.add(id)
      if (each.settles.some((settle) => settle.queue === queue && settle.id === id)) each.again.add(`${id} of ${queue}`)
    }
    // A store that has no room even for a note takes no mark, and whoever waits for room must get something to settle.
    if (!canMark) sent.mayBeUnmarked = true
  }

  settled(queue: string, id: string, how: string): void {
    this.counts.settled++
    this.note(`settle ${id} of ${queue}: ${how}`)
    this.#of(id).mayBeGone = true
    this.#history.settled(queue, id)
  }

  settleConfirmed(queue: string, id: string): void {
    this.counts.settleConfirmed++
    this.note(`  settle of ${id} of ${queue} is confirmed`)
    this.#history.settleConfirmed(queue, id)
  }

  settleUndone(queue: string, id: string): void {
    this.note(`  settle of ${id} of ${queue} is undone`)
    this.#history.settleUndone(queue, id)
  }

  released(queue: string, id: string, how: string): void {
    this.note(`settle ${id} of ${queue}: ${how}`)
    this.#history.released(queue, id)
  }

  /** Rejected or failed too often: on its way to the dead letters. */
  moved(queue: string, id: string, why: string): void {
    const sent = this.#of(id)
    this.note(`move ${id} of ${queue}: ${why}`)
    this.counts.moved++
    this.#history.settled(queue, id)
    if (queue === DEAD_LETTERS) {
      sent.mayBeGone = true
      return
    }
    if (!sent.isMoved) this.#history.published(DEAD_LETTERS, id, `${id} moved`)
    sent.isMoved = true
  }

  moveConfirmed(queue: string, id: string): void {
    this.settleConfirmed(queue, id)
    if (queue !== DEAD_LETTERS) this.#history.publishConfirmed(DEAD_LETTERS, id)
  }

  /** A transaction is on its way to the log. Call what it returns when there is an answer. */
  committing(ids: readonly string[], settles: Committing['settles']): () => void {
    const committing: Committing = { ids, settles, seenIds: new Set(), again: new Set() }
    this.counts.transactions++
    this.#committing.add(committing)
    return () => void this.#committing.delete(committing)
  }

  /** All that is in the queue may be gone; `waiting` of it is, once that is confirmed. */
  purged(queue: string, waiting: readonly string[]): () => void {
    this.note(`purge ${queue}: ${waiting.join(' ')}`)
    this.counts.purged += waiting.length
    for (const [id, sent] of this.#sent) {
      if (!sent.queues.includes(queue) && !(queue === DEAD_LETTERS && sent.isMoved)) continue
      sent.mayBeGone = true
      this.#together.get(id)?.mayMiss.add(queue)
      this.#history.settled(queue, id)
    }
    return () => {
      this.note(`  purge of ${queue} is confirmed`)
      for (const id of waiting) this.#history.settleConfirmed(queue, id)
    }
  }

  consumerGone(consumer: string): void {
    this.note(`${consumer} is gone`)
    this.#history.consumerGone(consumer)
  }

  brokerEnded(how: string): void {
    this.note(`broker ends: ${how}`)
    this.#history.brokerEnded()
  }

  /** The power went, and with it what a queue promised to keep over the end of the process only. */
  powerLost(queue: string): void {
    for (const [id, sent] of this.#sent) {
      if (!sent.queues.includes(queue)) continue
      sent.mayBeGone = true
      sent.mayBeUnmarked = true
      this.#together.get(id)?.mayMiss.add(queue)
      this.#history.settled(queue, id)
    }
  }

  /** What is over must not be delivered from now on. */
  expire(wallMs: number): void {
    for (const id of this.#expiring) {
      const sent = this.#of(id)
      if (sent.expiresAtMs > wallMs) continue
      this.#expiring.delete(id)
      this.counts.expired++
      sent.mayBeGone = true
      for (const queue of sent.queues) this.#history.discarded(queue, id)
    }
  }

  /** After everything has been drained. */
  verify(): void {
    this.#history.verify(new Map())
    for (const committing of this.#committing) this.#checkCommitting(committing)
    for (const [id, { queues, seenIn, mayMiss }] of this.#together) {
      const missing = queues.filter((queue) => !seenIn.has(queue) && !mayMiss.has(queue))
      if (seenIn.size === 0 || missing.length === 0) continue
      throw new Error(`history of seed ${this.#seed}: half a publish: ${id} came to ${[...seenIn].join(' ')}, not to ${missing.join(' ')}`)
    }
    for (const [id, sent] of this.#sent) {
      const isLost = sent.isConfirmed && sent.isMoved && !sent.mayBeGone && !sent.isSeenAtEnd
      if (isLost)
        throw new Error(
          `history of seed ${this.#seed}: ${id} was moved from ${sent.queues.join(' ')} and is in neither queue`,
        )
    }
  }

  /** Everything has been drained: what was in a transaction has been seen, or never will be. */
  #checkCommitting({ ids, settles, seenIds, again }: Committing): void {
    const told = `transaction with ${ids.join(' ')} and ${settles.map(({ queue, id }) => `${id} of ${queue}`).join(', ')}`
    if (seenIds.size > 0 && ids.some((id) => !seenIds.has(id) && !this.#of(id).mayBeGone)) {
      throw new Error(`history of seed ${this.#seed}: half a ${told}: only ${[...seenIds].join(' ')} came`)
    }
    if (seenIds.size > 0 && again.size > 0) {
      throw new Error(
        `history of seed ${this.#seed}: half a ${told}: its messages came, and ${[...again].join(', ')} again`,
      )
    }
  }

  #of(id: string): Sent {
    const sent = this.#sent.get(id)
    if (sent === undefined) throw new Error(`ledger: ${id} was never published`)
    return sent
  }
}
