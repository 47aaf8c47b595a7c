/** Answers that wait until the log has all that their client has said. Whatever takes the place of what they are about comes behind them. */
import type { VirtualHost } from '@ternmq/core'

export class PostponedAnswers<Subject> {
  readonly #vhost: VirtualHost
  readonly #waiting = new Map<Subject, () => void>()

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  /** What has an answer that waits. */
  get subjects(): Iterable<Subject> {
    return this.#waiting.keys()
  }

  /** `say` follows once, at once where nothing waits for the log. */
  add(subject: Subject, say: () => void): void {
    const { log } = this.#vhost
    if (log.settledSoFar() === undefined) return say()
    this.#waiting.set(subject, say)
    log.afterBatches(() => {
      if (this.#waiting.get(subject) === say) this.sayNow(subject)
    })
  }

  /** Who goes on without having heard the answer does not need the log's word. */
  sayNow(subject: Subject): void {
    const say = this.#waiting.get(subject)
    this.#waiting.delete(subject)
    say?.()
  }
}
