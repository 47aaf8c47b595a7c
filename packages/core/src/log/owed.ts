/**
 * What had no room in the log and must get into it all the same: tried again a little later, and once more when the log closes. Who
 * waits for an outcome hears nothing until all of it is in. The promise is `Insistent`'s and `Definition`'s, who end up here.
 */
import type { Clock } from '../env.ts'
import { countText } from '../flow/units.ts'
import type { Definition } from './groups.ts'
import type { HostLog } from './host-log.ts'

/** What was refused and must get into the log all the same. */
export interface Retried {
  /** Messages that are where they were after a restart if it never gets in. */
  readonly messageCount: number
  again(): void
}

/** Before what had no room in the log is tried again. */
const RETRY_MS = 1_000

export class Owed {
  readonly #log: HostLog
  readonly #clock: Clock
  #count = 0
  /** Refused; they go in before the next message does. */
  #definitions: Definition[] = []
  /** Refused; tried again in a while. A batch of settles each, a move, or a queue that ended. */
  #refused: Retried[] = []
  #refusedBecause = ''
  /** They hear when all is paid. */
  #creditors: (() => void)[] = []
  #isClosing = false

  constructor(log: HostLog, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  get count(): number {
    return this.#count
  }

  get hasDefinitions(): boolean {
    return this.#definitions.length > 0
  }

  /** Something was refused and is tried again: until `paid`, nobody hears that what came before is done. */
  owe(): void {
    this.#count++
  }

  paid(): void {
    if (--this.#count > 0) return
    const creditors = this.#creditors
    this.#creditors = []
    for (const f of creditors) f()
  }

  /** Runs `f` when nothing is owed; at once if that is so. */
  whenPaid(f: () => void): void {
    if (this.#count === 0) f()
    else this.#creditors.push(f)
  }

  /** `group` was refused with `text`: it goes to the log again a little later, and once more when that is closed. */
  tryLater(group: Retried, text: string): void {
    this.#refused.push(group)
    this.#refusedBecause = text
    if (this.#refused.length === 1) this.#later(() => this.#tryAgain())
  }

  /** Only a refused definition calls this. As many as there are queues and bindings at most. */
  define(definition: Definition): void {
    this.#definitions.push(definition)
    if (this.#definitions.length === 1) this.#later(() => this.defineAgain())
  }

  defineAgain(): void {
    const definitions = this.#definitions
    this.#definitions = []
    for (const definition of definitions) {
      const record = definition.make()
      if (record === undefined) this.paid()
      else this.#log.append(record, definition)
    }
  }

  /** The log closes: there is no later. */
  close(): void {
    this.#isClosing = true
  }

  /** There may be room now. */
  tryOnceMore(): void {
    this.#tryAgain()
    this.defineAgain()
  }

  /** What an operator should know of what is still owed when the log closes. */
  unwrittenText(): string {
    const messages = this.#refused.reduce((sum, { messageCount }) => sum + messageCount, 0)
    const others = this.#definitions.length
    return (
      `the store had no room to the last (${this.#refusedBecause}): ${countText(messages, 'message that was', 'messages that were')} finished with or moved ` +
      `${messages === 1 ? 'is' : 'are'} back at the next start, ` +
      `${countText(others, 'change', 'changes')} of queues, sessions and subscriptions lost; give the store more room before that`
    )
  }

  #tryAgain(): void {
    const refused = this.#refused
    this.#refused = []
    for (const group of refused) group.again()
  }

  /** Runs `again` a little later, if the log is still there. */
  #later(again: () => void): void {
    this.#clock.after(RETRY_MS, () => {
      if (!this.#log.isEnded && !this.#isClosing) again()
    })
  }
}
