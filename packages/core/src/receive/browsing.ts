/** Somebody looks through a queue, page after page, for as long as the user may. What is held of a page counts as not looked at yet. */
import type { Subject } from '../authorizer.ts'
import { DeadLetterSight } from './dead-letter-sight.ts'
import type { Message } from '../message/message.ts'
import type { VirtualHost } from '../virtual-host.ts'

export interface BrowsingSpec {
  /** Name of the queue. */
  readonly queue: string
  /** The user may not look any more; `text` is for the client. Called by a change of rules. */
  readonly onAccessLost: (text: string) => void
}

export class Browsing {
  readonly queue: string
  readonly onAccessLost: (text: string) => void
  readonly #vhost: VirtualHost
  readonly #subject: Subject
  readonly #sight: DeadLetterSight
  readonly #onEnd: (ended: Browsing) => void
  #decidedAt = -1
  #refusal: string | undefined = undefined

  /** Only `Session.openBrowsing` makes one. */
  constructor(
    vhost: VirtualHost,
    subject: Subject,
    { queue, onAccessLost }: BrowsingSpec,
    onEnd: (ended: Browsing) => void,
  ) {
    this.queue = queue
    this.onAccessLost = onAccessLost
    this.#vhost = vhost
    this.#subject = subject
    this.#sight = new DeadLetterSight(vhost, subject)
    this.#onEnd = onEnd
  }

  /** Why the user may not see any of it now; decided anew when rules have changed. To be asked before anything of it is sent. */
  get refusal(): string | undefined {
    const { authorizer, destinations } = this.#vhost
    if (this.#decidedAt !== authorizer.generation) {
      this.#decidedAt = authorizer.generation
      this.#refusal = destinations.refusalOf(this.#subject, 'browse', this.queue)
    }
    return this.#refusal
  }

  /** False for a dead letter of a queue that the user may not look into: it is passed over. To be asked of each, besides. */
  maySee(message: Message): boolean {
    return this.#sight.refusalFor(message) === undefined
  }

  end(): void {
    this.#onEnd(this)
  }
}
