/** How a broker ends: because it is told to, or because its store failed and nothing can be promised any more. */
import { BrokerError } from './errors.ts'
import type { Log } from './reports/log.ts'
import type { UndoStack } from './undo-stack.ts'

export class Life {
  readonly #log: Log
  readonly #undo: UndoStack
  readonly #end = Promise.withResolvers<void>()
  #stopped: Promise<void> | undefined = undefined
  #failure: BrokerError | undefined = undefined

  constructor(log: Log, undo: UndoStack) {
    this.#log = log
    this.#undo = undo
    this.#end.promise.catch(() => undefined) // whoever looks at `ended` gets the error; nobody has to
  }

  get ended(): Promise<void> {
    return this.#end.promise
  }

  /** Idempotent. Rejects with the first error of what could not be stopped. */
  readonly stop = (): Promise<void> => (this.#stopped ??= this.#run())

  /** Says why, and stops. To be called from where nothing may throw. */
  fail(cause: Error): void {
    if (this.#failure !== undefined) return
    const text =
      `the store has failed: ${cause.message}; nothing is acknowledged any more and the broker stops. ` +
      'What was acknowledged before is kept; see to the disk, then start again'
    this.#failure = new BrokerError('STORE_FAILED', text, { cause })
    this.#log.fatal({ code: this.#failure.code, stack: cause.stack }, text)
    this.stop().catch(() => undefined) // the failure is what matters, and `ended` has it
  }

  /** For the end of a start: what failed on the way is no broker. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  async #run(): Promise<void> {
    try {
      await this.#undo.run()
    } finally {
      if (this.#failure === undefined) this.#end.resolve()
      else this.#end.reject(this.#failure)
    }
  }
}
