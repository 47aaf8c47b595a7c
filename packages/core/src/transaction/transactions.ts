/** The transactions that sessions have open: how many they may be, and what becomes of them when their session's connection ends. */
import { TRANSACTIONS_PER_SESSION_MAX } from '../limits.ts'
import type { Producer } from '../producer.ts'
import { refuse, type Result } from '../refusal.ts'
import type { Session } from '../session.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { Transaction } from './transaction.ts'

export class Transactions {
  readonly #vhost: VirtualHost
  readonly #bySession = new Map<Session, Set<Transaction>>()

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  /** Open, or on their way to the log. */
  get count(): number {
    let count = 0
    for (const own of this.#bySession.values()) count += own.size
    return count
  }

  /** A new one; `producer` is the session's whose order its publishes keep. Refused when the session has too many. */
  begin(session: Session, producer: Producer): Result<Transaction> {
    const own = this.#bySession.get(session) ?? new Set<Transaction>()
    if (own.size >= TRANSACTIONS_PER_SESSION_MAX) {
      const text = `session '${session.clientId}' has ${own.size} transactions open, the limit (TRANSACTIONS_PER_SESSION_MAX); commit some or roll them back`
      return refuse('limit-reached', session.clientId, text)
    }
    const transaction = new Transaction(this.#vhost, producer, session.clientId, (ended) => {
      own.delete(ended)
      if (own.size === 0) this.#bySession.delete(session)
    })
    own.add(transaction)
    this.#bySession.set(session, own)
    return { ok: true, value: transaction }
  }

  /** The session's connection is gone: what is open is rolled back. What is being committed goes on. */
  endOf(session: Session): void {
    for (const transaction of [...(this.#bySession.get(session) ?? [])]) {
      if (transaction.state === 'open') transaction.rollback()
    }
  }
}
