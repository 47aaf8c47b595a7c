/**
 * Durable subscriptions with a name: a queue bound to a topic pattern that outlives its consumers, for one client or shared by many.
 * JMS calls them durable and shared durable subscriptions; sessions of MQTT are something else, see `Session`.
 */
import { type Pattern, patternFromKey, patternKey, patternText } from '../routing/address.ts'
import type { Subject } from '../authorizer.ts'
import type { NamedQueue } from '../destinations/destinations.ts'
import type { LoggedSubscription } from '../log/records.ts'
import { refuse, type Result } from '../refusal.ts'
import { parseSelector } from '../selector/selector.ts'
import { type SelectorHolder, selectorHolder } from './selector-costs.ts'
import type { VirtualHost } from '../virtual-host.ts'

export interface SubscriptionSpec {
  /** Whose it is; undefined for one that clients of any id may share, all of one user. */
  readonly clientId: string | undefined
  readonly name: string
  readonly pattern: Pattern
  /** The topic as the client wrote it, for refusals; in core form without. */
  readonly written?: string
  /** Text of a selector that the bindings applies: what it does not match never comes into the queue. */
  readonly selector?: string | undefined
  /** Leave out what the client itself publishes. */
  readonly noLocal?: boolean
  /** Several consumers at a time. */
  readonly shared: boolean
  /** It goes with its last consumer, and holds nothing over a restart: JMS' shared subscription that is not durable. [JMS 3.1 §4.2.3] */
  readonly volatile?: boolean
  /** It is named without its topic, and stays as it was made: `pattern` and `noLocal` are what it has. */
  readonly asMade?: boolean
}

/** No two subscriptions have the same. */
type SubscriptionKey = Pick<SubscriptionSpec, 'clientId' | 'name'>

/** Name of every anonymous principal, and of no other. */
const ANONYMOUS_NAME = 'anonymous'

/** Names of their queues begin so; no queue that a client names does. */
const SUBSCRIPTION_PREFIX = '$subscription/'

/** Name of a subscription's queue: client id, if it has one, and subscription name, each without ambiguity. */
export function subscriptionQueueName(clientId: string | undefined, name: string, isVolatile: boolean = false): string {
  const owner = clientId === undefined ? '' : encoded(clientId)
  return `${SUBSCRIPTION_PREFIX}${owner}/${encoded(name)}${isVolatile ? '/volatile' : ''}`
}

/** Whose a durable subscription is, as it asks for permissions; undefined for one of the time before that was noted, and for other queues. */
export function subscriptionOwner({ name, subscription }: NamedQueue): Subject | undefined {
  const user = subscription?.user
  if (user === undefined) return undefined
  return { principal: { name: user, anonymous: user === ANONYMOUS_NAME }, clientId: clientIdOf(name) }
}

/** Whose the selector of a durable subscription is. */
export function holderOf({ name, subscription }: NamedQueue): SelectorHolder {
  return selectorHolder(clientIdOf(name) || undefined, subscription?.user ?? '')
}

/** Empty for one that clients of any id may share. */
function clientIdOf(queueName: string): string {
  return decodeURIComponent(queueName.slice(SUBSCRIPTION_PREFIX.length).split('/', 1)[0]!)
}

/** A queue's name with '*' for a level would be a pattern. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll('*', '%2A')
}

export class Subscriptions {
  readonly #vhost: VirtualHost

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  /**
   * The subscription's queue, made if it is not there; consumers attach to it. With another topic or selector than before it begins
   * anew, as JMS asks [JMS 3.1 §4.2.5]; that is refused while somebody consumes from it, and to whom it does not belong.
   */
  open(spec: SubscriptionSpec, subject: Subject): Result<NamedQueue> {
    const { destinations, authorizer, selectorCosts } = this.#vhost
    const isVolatile = spec.volatile === true
    const name = subscriptionQueueName(spec.clientId, spec.name, isVolatile)
    if (!authorizer.mayMatch(subject, 'read', spec.pattern).allowed) {
      const { written = `topic '${patternText(spec.pattern)}'` } = spec
      return refuse('not-authorized', spec.name, `user '${subject.principal.name}' may not subscribe to ${written}`)
    }
    const parsed = spec.selector === undefined ? undefined : parseSelector(spec.selector)
    if (parsed?.ok === false) {
      return refuse('mismatch', spec.name, `selector at character ${parsed.error.position}: ${parsed.error.text}`)
    }
    const wanted = loggedOf(spec, subject)
    const known = this.#remaining(name)
    if (known !== undefined) {
      const foreign = this.#refusalOf(known.subscription!, spec, subject)
      if (foreign !== undefined) return refuse('not-authorized', spec.name, foreign)
      const isBusy = known.queue.consumers.length > 0
      if (isSame(known.subscription, wanted) || (spec.asMade === true && spec.selector === undefined)) {
        if (isBusy && !spec.shared) return refuse('in-use', spec.name, `subscription '${spec.name}' has a consumer; only a shared one takes several`)
        return { ok: true, value: known }
      }
      if (spec.asMade === true) {
        return refuse('mismatch', spec.name, `subscription '${spec.name}' has another selector; leave yours out, or subscribe to its topic again with it`)
      }
      if (isBusy) {
        const text = `subscription '${spec.name}' is in use with another topic or selector; end its consumers first`
        return refuse('in-use', spec.name, text)
      }
    }
    const holder = selectorHolder(spec.clientId, subject.principal.name)
    const tooDear = selectorCosts.refusalOf(holder, spec.name, parsed?.selector.cost ?? 0, known?.binding?.selector?.cost)
    if (tooDear !== undefined) return { ok: false, detail: tooDear }
    if (known !== undefined) destinations.delete(known)
    const { messagesMax, bytesMax } = this.#vhost.subscriptionSettings
    return destinations.define({
      name,
      settings: { messagesMax, bytesMax, whenFull: 'drop-newest', ...(isVolatile && { durability: 'memory' as const }) },
      subscription: wanted,
    })
  }

  /** What is known of it to whom it belongs. */
  find(clientId: string | undefined, name: string, subject: Subject): Result<NamedQueue> {
    const known = this.#remaining(subscriptionQueueName(clientId, name))
    if (known === undefined) return refuse('not-found', name, `there is no subscription '${name}' of this client`)
    const foreign = this.#refusalOf(known.subscription!, { clientId, name }, subject)
    return foreign === undefined ? { ok: true, value: known } : refuse('not-authorized', name, foreign)
  }

  /** Unsubscribes: the queue goes with what is in it. Refused while somebody consumes from it, and to whom it does not belong. */
  delete(clientId: string | undefined, name: string, subject: Subject): Result<void> {
    const found = this.find(clientId, name, subject)
    if (!found.ok) return found
    const { queue } = found.value
    if (queue.consumers.length > 0) {
      return refuse('in-use', name, `subscription '${name}' is being read, consumers: ${queue.consumers.length}; end them first`)
    }
    this.#vhost.destinations.delete(found.value)
    return { ok: true, value: undefined }
  }

  /** A consumer of a volatile one has ended: the last one takes it along. */
  endVolatile(clientId: string | undefined, name: string): void {
    const { destinations } = this.#vhost
    const known = destinations.find(subscriptionQueueName(clientId, name, true))
    if (known !== undefined && known.queue.consumers.length === 0) destinations.delete(known)
  }

  /** The queue of that name, unless its user is gone. */
  #remaining(queueName: string): NamedQueue | undefined {
    const { destinations, departures } = this.#vhost
    const known = destinations.find(queueName)
    if (known === undefined || !departures.hasQueue(known)) return known
    destinations.delete(known)
    return undefined
  }

  /** Why what waits in the subscription is none of the user's business; a client's id or a name is no secret, and no proof. */
  #refusalOf({ pattern, user }: LoggedSubscription, { clientId, name }: SubscriptionKey, subject: Subject): string | undefined {
    const { authorizer, name: vhost } = this.#vhost
    const asks = subject.principal.name
    if (user !== undefined && user !== asks) {
      return clientId === undefined
        ? `subscription '${name}' belongs to another user than '${asks}', and is shared by clients of that user only; take another name`
        : `subscription '${name}' of this client id belongs to user '${user}', not to '${asks}'; take another client id`
    }
    if (authorizer.mayMatch(subject, 'read', { vhost, kind: 'topic', levels: patternFromKey(pattern) }).allowed) return undefined
    return `user '${asks}' may not subscribe to the topic that subscription '${name}' has been made for; take another name`
  }
}

function loggedOf(spec: SubscriptionSpec, subject: Subject): LoggedSubscription {
  return {
    pattern: patternKey(spec.pattern.levels),
    user: subject.principal.name,
    ...(spec.selector !== undefined && { selector: spec.selector }),
    ...(spec.noLocal === true && spec.clientId !== undefined && { noLocalOf: spec.clientId }),
  }
}

function isSame(one: LoggedSubscription | undefined, other: LoggedSubscription): boolean {
  return one?.pattern === other.pattern && one.selector === other.selector && one.noLocalOf === other.noLocalOf
}
