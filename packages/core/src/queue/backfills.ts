/**
 * Retained messages that new bindings asked for: handed over before anything that waits, as fast as the consumer takes them.
 */
import { BACKFILL_MESSAGES_MAX } from '../limits.ts'
import type { Message } from '../message/message.ts'
import type { Match } from './delivery.ts'

interface Backfill {
  readonly messages: readonly Message[]
  readonly match: Match
  position: number
}

export class Backfills {
  readonly #backfills: Backfill[] = []

  get isEmpty(): boolean {
    return this.#backfills.length === 0
  }

  /**
   * One binding gets all there are; when that many wait already, the next ones get none: a client that repeats '#' must not fill the
   * memory with lists. False then.
   */
  add(messages: readonly Message[], match: Match): boolean {
    const waiting = this.#backfills.reduce((sum, each) => sum + each.messages.length - each.position, 0)
    if (waiting > 0 && waiting + messages.length > BACKFILL_MESSAGES_MAX) return false
    this.#backfills.push({ messages, match, position: 0 })
    return true
  }

  /**
   * Offers one after the other, at most `budget`, until `hand` cannot take the next. Returns what is left of the budget; it has
   * nothing more when `isEmpty`.
   */
  run(budget: number, hand: (message: Message, match: Match) => 'taken' | 'expired' | 'later'): number {
    for (let first = this.#backfills[0]; first !== undefined; first = this.#backfills[0]) {
      while (first.position < first.messages.length) {
        if (budget === 0) return 0
        const result = hand(first.messages[first.position]!, first.match)
        if (result === 'later') return budget
        first.position++
        if (result === 'taken') budget--
      }
      this.#backfills.shift()
    }
    return budget
  }
}
