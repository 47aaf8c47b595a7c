/**
 * The sending end: one per connection that publishes. It decides permission once per topic and keeps the answer, routes,
 * retains, and says what became of each message.
 */
import type { Subject } from './authorizer.ts'
import type { Message } from './message.ts'
import type { RefusalDetail } from './refusal.ts'
import type { Route } from './router.ts'
import type { VirtualHost } from './virtual-host.ts'

/**
 * routed: every queue that wanted it has it. unmatched: nobody wanted it. refused: see `Producer.refusal`.
 */
export type PublishResult = 'routed' | 'unmatched' | 'refused'

/** A topic as one producer sees it; keep it for the next message to the same topic. */
export class ProducerTarget {
  readonly route: Route
  readonly size: number
  refusal: RefusalDetail | undefined = undefined
  /** Generation of the authorizer that `refusal` is from. */
  decidedAt = -1

  constructor(route: Route) {
    this.route = route
    this.size = route.topic.length
  }
}

export class Producer {
  readonly #vhost: VirtualHost
  readonly #subject: Subject
  /** Why the last publish was refused. */
  refusal: RefusalDetail | undefined = undefined

  constructor(vhost: VirtualHost, subject: Subject) {
    this.#vhost = vhost
    this.#subject = subject
  }

  /** What `publish` needs to know of a topic, in core form. */
  target(topic: string): ProducerTarget {
    return new ProducerTarget(this.#vhost.router.routeOf(topic))
  }

  /** Hot path. The message is routed when this returns; nothing of it is kept that was not detached. */
  publish(target: ProducerTarget, message: Message): PublishResult {
    const vhost = this.#vhost
    if (target.decidedAt !== vhost.authorizer.generation) this.#decide(target)
    if (target.refusal !== undefined) {
      this.refusal = target.refusal
      vhost.counters.refused++
      return 'refused'
    }
    return vhost.publish(target.route, message)
  }

  #decide(target: ProducerTarget): void {
    target.decidedAt = this.#vhost.authorizer.generation
    target.refusal = this.#vhost.refusalToPublish(this.#subject, target.route.topic)
  }
}
