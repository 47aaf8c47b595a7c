/**
 * A writer for tests: numbers the groups, collects the outcomes, and finds the lsn of every record the way the core
 * does. What an outcome says against the contract of `WriterOwner` is thrown at the next `outcome`.
 */
import type { Durability, LogRecord, Lsn, Writer, WriterOwner } from '../engine.ts'
import type { Fenced, NotAppended, Unknown } from '../errors.ts'

export type Outcome =
  | { readonly kind: 'committed'; readonly lsns: readonly Lsn[]; readonly atMs: number }
  | { readonly kind: 'failed'; readonly error: NotAppended }
  | { readonly kind: 'ended'; readonly error: Fenced | Unknown }

interface Pending {
  readonly ticket: number
  readonly recordCount: number
  readonly resolve: (outcome: Outcome) => void
}

export class Appender implements WriterOwner {
  #writer: Writer | undefined = undefined
  readonly #pending: Pending[] = []
  readonly #outcomes = new Map<number, Promise<Outcome>>()
  readonly #violations: string[] = []
  #ended: Outcome | undefined = undefined
  #lastTicket = 0
  #lastLsn: Lsn = 0
  #submitting = false

  attach(writer: Writer): void {
    this.#writer = writer
  }

  get writer(): Writer {
    if (this.#writer === undefined) throw new Error('attach a writer first')
    return this.#writer
  }

  /** Returns the ticket. Tickets have holes, as the contract allows. */
  submit(group: readonly LogRecord[], level: Durability = 'fsync-local'): number {
    const ticket = (this.#lastTicket += 3)
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.#outcomes.set(ticket, promise)
    if (this.#ended === undefined) this.#pending.push({ ticket, recordCount: group.length, resolve })
    else resolve(this.#ended)
    this.#submitting = true
    this.writer.submit(group, ticket, level)
    this.#submitting = false
    return ticket
  }

  async outcome(ticket: number): Promise<Outcome> {
    const outcome = await this.#outcomes.get(ticket)
    if (this.#violations.length > 0) throw new Error(this.#violations.join('; '))
    if (outcome === undefined) throw new Error(`ticket ${ticket} was never submitted`)
    return outcome
  }

  /** Submits, and resolves with the lsns. Throws what the outcome was otherwise. */
  async append(group: readonly LogRecord[], level?: Durability): Promise<readonly Lsn[]> {
    const outcome = await this.outcome(this.submit(group, level))
    if (outcome.kind !== 'committed') throw outcome.error
    return outcome.lsns
  }

  /** Tickets that have no outcome yet. */
  get waiting(): number {
    return this.#pending.length
  }

  onCommitted(lastTicket: number, firstLsn: Lsn, atMs: number): void {
    this.#expect(firstLsn > this.#lastLsn, `onCommitted from lsn ${firstLsn} after lsn ${this.#lastLsn}`)
    this.#expect(
      this.#pending.some(({ ticket }) => ticket === lastTicket),
      `onCommitted up to ticket ${lastTicket}, which is not waiting`,
    )
    let lsn = firstLsn
    while ((this.#pending[0]?.ticket ?? Infinity) <= lastTicket) {
      const pending = this.#pending.shift()
      const lsns = Array.from({ length: pending?.recordCount ?? 0 }, () => lsn++)
      pending?.resolve({ kind: 'committed', lsns, atMs })
    }
    this.#lastLsn = lsn - 1
  }

  onFailed(ticket: number, error: NotAppended): void {
    const pending = this.#pending.shift()
    this.#expect(pending?.ticket === ticket, `onFailed of ticket ${ticket}, but ticket ${pending?.ticket} is next`)
    pending?.resolve({ kind: 'failed', error })
  }

  onEnded(error: Fenced | Unknown): void {
    this.#expect(true, 'onEnded')
    this.#ended = { kind: 'ended', error }
    for (const { resolve } of this.#pending.splice(0)) resolve(this.#ended)
  }

  #expect(holds: boolean, what: string): void {
    if (this.#submitting) this.#violations.push(`${what} came from inside submit`)
    else if (this.#ended !== undefined) this.#violations.push(`${what} came after onEnded`)
    else if (!holds) this.#violations.push(what)
  }
}
