/**
 * Changes of what is defined, one after another: what a change has found, it finds so until it is done. Also between kinds: a plan is made
 * of all of them, and the last administrator is nobody's alone. Nobody's token, role or password is changed through the API while a change
 * of his is under way: that comes before it, and then it is refused at its turn, or after it.
 */
import { ApiError } from '../errors.ts'
import { type Caller, checkStillIn } from '../handlers.ts'

/** Changes that wait for those before them; beyond it one is refused as BUSY. */
const CHANGES_WAITING_MAX = 256

export class DefinitionQueue {
  #last: Promise<unknown> = Promise.resolve()
  #waitingCount = 0

  /** Rejects as `change` does, or with ApiError: BUSY, NOT_LOGGED_IN when the caller would not be let in any more at its turn. */
  run<T>(caller: Pick<Caller, 'isValid'>, change: () => Promise<T>): Promise<T> {
    if (this.#waitingCount >= CHANGES_WAITING_MAX) {
      return Promise.reject(
        new ApiError('BUSY', `${CHANGES_WAITING_MAX} changes of definitions wait already; try again`),
      )
    }
    this.#waitingCount++
    const atItsTurn = (): Promise<T> => {
      checkStillIn(caller)
      return change()
    }
    const result = this.#last.then(atItsTurn).finally(() => {
      this.#waitingCount--
    })
    this.#last = result.catch(() => undefined) // whoever asked for the change gets the error; the next one goes on
    return result
  }
}
