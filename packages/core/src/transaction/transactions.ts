/**
 * The transactions that sessions have open: how many they may be, what they may hold, how long they may stay open, and what becomes of
 * them when their session's connection ends. What they hold keeps room from everybody's messages, so nobody may have all of it.
 */
import { bytesText, durationText } from '../flow/units.ts'
import { TRANSACTION_AGE_TICK_MS, TRANSACTIONS_PER_SESSION_MAX } from '../limits.ts'
import type { Producer } from '../publish/producer.ts'
import { refuse, type Result } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { TimerWheel } from '../timer-wheel.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { Transaction, type TransactionScope } from './transaction.ts'

export class Transactions {
  readonly #vhost: VirtualHost
  readonly #bySession = new Map<Session, SessionTransactions>()
  readonly #ages: TimerWheel
  /** Memory of the messages of all of them. */
  #bytes = 0

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
    this.#ages = new TimerWheel(vhost.env.clock, TRANSACTION_AGE_TICK_MS)
  }

  /** Open, or on their way to the log. */
  get count(): number {
    let count = 0
    for (const { size } of this.#bySession.values()) count += size
    return count
  }

  /**
   * A new one; `producer` is the session's whose order its publishes keep. Refused when the session has too many. `onTimedOut` hears when it
   * has been open for too long and was rolled back.
   */
  begin(session: Session, producer: Producer, onTimedOut: () => void): Result<Transaction> {
    const known = this.#bySession.get(session)
    if (known !== undefined && known.size >= TRANSACTIONS_PER_SESSION_MAX) {
      const text = `session '${session.clientId}' has ${known.size} transactions open, the limit (TRANSACTIONS_PER_SESSION_MAX); commit some or roll them back`
      return refuse('limit-reached', session.clientId, text)
    }
    const own = known ?? new SessionTransactions(this, session)
    const transaction = new Transaction(this.#vhost, producer, own, onTimedOut)
    this.#bySession.set(session, own)
    own.add(transaction)
    const { transactionAgeMaxMs } = this.#vhost.limits
    if (transactionAgeMaxMs > 0) this.#ages.add(transaction, transactionAgeMaxMs)
    return { ok: true, value: transaction }
  }

  /** The session's connection is gone: what is open is rolled back. What is being committed goes on. */
  endOf(session: Session): void {
    this.#bySession.get(session)?.rollbackAll()
  }

  /** The virtual host closes: nothing happens by itself any more. */
  close(): void {
    this.#ages.close()
  }

  // ── for SessionTransactions ──

  /** Why a session with `held` bytes in transactions may not hold `bytes` more; undefined when it may. */
  refusalOf(held: number, bytes: number): string | undefined {
    const { limits, waiting } = this.#vhost
    if (held + bytes > limits.transactionBytesMax) {
      return `the transactions of its connection hold ${bytesText(held)}, and with ${bytesText(bytes)} more exceed limits.transactionBytesMax ${limits.transactionBytesMax}`
    }
    // Half of the memory is for messages that somebody can receive.
    if (this.#bytes + bytes <= waiting.bytesMax / 2) return undefined
    return `the transactions of all clients hold ${bytesText(this.#bytes)}, and may hold half of limits.waitingBytesMax ${waiting.bytesMax}`
  }

  hold(bytes: number): void {
    this.#bytes += bytes
    this.#vhost.waiting.bytes += bytes
  }

  /** It is committed or rolled back, or about to be: its time does not count any more. */
  stopClock(transaction: Transaction): void {
    this.#ages.remove(transaction)
  }

  onTimedOut({ clientId, principal }: Session, { operationCount, bytes }: Transaction): void {
    const { limits } = this.#vhost
    const text =
      `a transaction with ${operationCount} publishes and settles (${bytesText(bytes)}) was open for longer than limits.transactionAgeMaxMs ` +
      `${limits.transactionAgeMaxMs} (${durationText(limits.transactionAgeMaxMs)}) and was rolled back`
    this.#vhost.report({ kind: 'limit', source: 'core', clientId, user: principal.name, text })
  }

  forget(session: Session): void {
    this.#bySession.delete(session)
  }
}

/** Those of one session, and what they hold together. */
class SessionTransactions implements TransactionScope {
  readonly #all: Transactions
  readonly #session: Session
  readonly #own = new Set<Transaction>()
  #bytes = 0

  constructor(all: Transactions, session: Session) {
    this.#all = all
    this.#session = session
  }

  get name(): string {
    return this.#session.clientId
  }

  get size(): number {
    return this.#own.size
  }

  add(transaction: Transaction): void {
    this.#own.add(transaction)
  }

  rollbackAll(): void {
    for (const transaction of [...this.#own]) if (transaction.state === 'open') transaction.rollback()
  }

  // ── TransactionScope ──

  refusalOf(bytes: number): string | undefined {
    return this.#all.refusalOf(this.#bytes, bytes)
  }

  hold(bytes: number): void {
    this.#bytes += bytes
    this.#all.hold(bytes)
  }

  onCommitting(transaction: Transaction): void {
    this.#all.stopClock(transaction)
  }

  onTimedOut(transaction: Transaction): void {
    this.#all.onTimedOut(this.#session, transaction)
  }

  onEnded(transaction: Transaction): void {
    this.#all.stopClock(transaction)
    this.#own.delete(transaction)
    if (this.#own.size === 0) this.#all.forget(this.#session)
  }
}
