/**
 * One name space with all that lives in it: router, retained messages, sessions, counters. Only '/' exists until several
 * can be configured.
 */
import { isReservedName } from './address.ts'
import type { Authorizer, Subject } from './authorizer.ts'
import { Counters } from './counters.ts'
import type { Env } from './env.ts'
import type { CoreLimits } from './limits.ts'
import type { Message } from './message.ts'
import { Producer, type PublishResult } from './producer.ts'
import type { Queue, QueueContext } from './queue.ts'
import type { RefusalDetail } from './refusal.ts'
import { Retained } from './retained.ts'
import { type Route, Router } from './router.ts'
import { Sessions } from './sessions.ts'
import { SharedSubscriptions } from './shared.ts'
import { Turns } from './turns.ts'

export interface VirtualHostOptions {
  readonly env: Env
  readonly name: string
  readonly authorizer: Authorizer
  readonly limits: CoreLimits
}

export class VirtualHost implements QueueContext {
  readonly name: string
  readonly env: Env
  readonly limits: CoreLimits
  readonly authorizer: Authorizer
  readonly counters: Counters = new Counters()
  readonly turns: Turns
  readonly router: Router = new Router()
  readonly retained: Retained
  readonly sessions: Sessions
  readonly shared: SharedSubscriptions
  pressedBy: Queue | undefined = undefined

  constructor(options: VirtualHostOptions) {
    this.name = options.name
    this.env = options.env
    this.limits = options.limits
    this.authorizer = options.authorizer
    this.turns = new Turns(options.env.clock)
    this.retained = new Retained(options.limits)
    this.sessions = new Sessions(this)
    this.shared = new SharedSubscriptions(this)
  }

  /** Retains and routes a message whose publisher was allowed to. Hot path. */
  publish(route: Route, message: Message): Exclude<PublishResult, 'refused'> {
    const { counters } = this
    counters.messagesIn++
    counters.bytesIn += message.end - message.bodyStart
    if (message.retain) this.retained.set(route.levels, message)
    if (this.router.route(route, message) > 0) return 'routed'
    counters.unmatched++
    return 'unmatched'
  }

  /** Why `subject` may not publish to `topic`; undefined when it may. */
  refusalToPublish(subject: Subject, topic: string): RefusalDetail | undefined {
    const levels = topic.split('/')
    if (isReservedName(levels[0])) {
      const text = `topics that start with '$' are the broker's own: publishing to '${topic}' is refused`
      return { refusal: 'not-authorized', subject: topic, text }
    }
    if (this.authorizer.mayUse(subject, 'write', { vhost: this.name, kind: 'topic', levels }).allowed) return undefined
    const text = `user '${subject.principal.name}' may not publish to '${topic}'`
    return { refusal: 'not-authorized', subject: topic, text }
  }

  /**
   * The queue that asked, since the last call, that producers pause. An adapter asks after it has handled what a connection sent,
   * and stops reading from it until the queue lets go; not where that client has acknowledgements to send.
   */
  takePressure(): Queue | undefined {
    const queue = this.pressedBy
    this.pressedBy = undefined
    return queue
  }

  /** Publishes on behalf of somebody who is no longer connected: a will. */
  publishAs(subject: Subject, message: Message): void {
    const producer = new Producer(this, subject)
    producer.publish(producer.target(message.topic), message)
  }
}
