/**
 * Who may look at dead letters: whoever may look into the queue that they are in, and into all that they died in.
 * Else whoever may look into a queue of dead letters had only to make another queue's consumers fail. Who takes them is another matter: the
 * right to read a queue is one to all that comes to it.
 */
import { type Address, ALL_BELOW, type PatternLevel, queueNameOf } from '../routing/address.ts'
import type { Authorizer, Subject } from '../authorizer.ts'
import type { Destinations } from '../destinations/destinations.ts'
import { originsOf } from '../destinations/origins.ts'
import type { Message } from '../message/message.ts'

/** Answers that are kept; beyond it they are asked for anew: there are as many as there are queues, and publishers may name others. */
const ORIGINS_KEPT_MAX = 10_000

/** No address: of a letter that has been in more queues than are kept. */
const ANYWHERE = ''

interface Deciding {
  readonly name: string
  readonly authorizer: Authorizer
  readonly destinations: Pick<Destinations, 'refusalOf'>
}

/** Of one user. Each origin is asked about once, as long as no rule changes. */
export class DeadLetterSight {
  readonly #vhost: Deciding
  readonly #subject: Subject
  readonly #kept = new Map<string, string | undefined>()
  #decidedAt = -1

  constructor(vhost: Deciding, subject: Subject) {
    this.#vhost = vhost
    this.#subject = subject
  }

  /** Why the user may not see a message; undefined where he may, of what is no dead letter, and where nothing tells the origin. */
  refusalFor(message: Message): string | undefined {
    const origins = originsOf(message)
    if (origins === undefined) return this.#keptRefusal(ANYWHERE)
    for (const origin of origins) {
      const refusal = this.#keptRefusal(origin)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  #keptRefusal(origin: string): string | undefined {
    const { generation } = this.#vhost.authorizer
    if (this.#decidedAt !== generation || this.#kept.size >= ORIGINS_KEPT_MAX) this.#kept.clear()
    this.#decidedAt = generation
    if (!this.#kept.has(origin)) this.#kept.set(origin, this.#refusalOf(origin))
    return this.#kept.get(origin)
  }

  #refusalOf(origin: string): string | undefined {
    const { name: vhost, destinations, authorizer } = this.#vhost
    if (origin === ANYWHERE) {
      if (mayBrowseAll(this.#vhost, this.#subject)) return undefined
      return `user '${this.#subject.principal.name}' may not browse everything, and it has died in too many queues to tell which; it needs the permission 'browse' of '#' and '$queue/>'`
    }
    const queue = queueNameOf(origin)
    const topic: Address = { vhost, kind: 'topic', levels: origin.split('/') }
    const refusal =
      queue !== undefined
        ? destinations.refusalOf(this.#subject, 'browse', queue)
        : authorizer.mayUse(this.#subject, 'browse', topic).allowed
          ? undefined
          : `user '${this.#subject.principal.name}' may not browse '${origin}'`
    if (refusal === undefined) return undefined
    return `${refusal}, where it was before it died; it needs the permission 'browse' of '${origin}'`
  }
}

/** All topics and all queues, without any that a rule denies. */
export function mayBrowseAll(
  { name: vhost, authorizer }: Pick<Deciding, 'name' | 'authorizer'>,
  subject: Subject,
): boolean {
  const levels: readonly PatternLevel[] = [ALL_BELOW]
  return (['topic', 'queue'] as const).every(
    (kind) => authorizer.mayMatch(subject, 'browse', { vhost, kind, levels }).allowed,
  )
}
