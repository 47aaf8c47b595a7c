/**
 * Room for the consumers that one session has on queues: a pattern makes one on each queue that it matches, and a few hundred of them
 * would be more than all queues and all clients together.
 */
import type { Subject } from '../authorizer.ts'
import type { RefusalDetail } from '../refusal.ts'
import type { VirtualHost } from '../virtual-host.ts'

export class ConsumerRoom {
  readonly subject: Subject
  readonly #vhost: VirtualHost
  #count = 0
  /** Operators know that there is no room; again when there was some. */
  #isTold = false

  constructor(vhost: VirtualHost, subject: Subject) {
    this.#vhost = vhost
    this.subject = subject
  }

  get count(): number {
    return this.#count
  }

  get left(): number {
    return Math.max(0, this.#vhost.limits.consumersPerSessionMax - this.#count)
  }

  take(): void {
    this.#count++
  }

  giveBack(count: number): void {
    this.#count -= count
    if (count > 0) this.#isTold = false
  }

  /** For a subscription that would have more consumers than there is room for. */
  refusal(name: string): RefusalDetail {
    const { consumersPerSessionMax } = this.#vhost.limits
    const text =
      `session '${this.subject.clientId}' reads from queues ${this.#count} times, and with all that '${name}' matches it would be more than ` +
      `limits.consumersPerSessionMax ${consumersPerSessionMax}; unsubscribe first, or use a pattern that matches fewer`
    return { refusal: 'limit-reached', subject: name, text }
  }

  /** A pattern does not read from a queue that it matches: nobody but an operator can know. */
  reportUnread(pattern: string, queue: string): void {
    if (this.#isTold) return
    this.#isTold = true
    const { clientId, principal } = this.subject
    const text =
      `queue '${queue}' and those after it are not read by '${pattern}' of session '${clientId}', which matches them: the session reads ` +
      `from queues ${this.#count} times, the limit (limits.consumersPerSessionMax); raise it, or subscribe with fewer patterns`
    this.#vhost.report({ kind: 'limit', source: 'core', clientId, user: principal.name, text })
  }
}
