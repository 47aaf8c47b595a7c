/**
 * After a change of who may do what: looks again at everything that sessions read from, connected or kept, and ends exactly what would be
 * refused if it were asked for now. Publishes need none of it: they are decided anew by themselves. Adapters tell their clients in their own
 * words; operators hear of every session that has lost something, and why.
 */
import {
  ALL_BELOW,
  DEFAULT_VHOST,
  ONE_LEVEL,
  type Pattern,
  patternFromKey,
  type PatternLevel,
} from '../routing/address.ts'
import type { Subject } from '../authorizer.ts'
import { sharedOf } from './bindings.ts'
import type { NamedQueue } from '../destinations/destinations.ts'
import { ACCESS_CHECKS_PER_TURN } from '../limits.ts'
import type { Receiver } from '../receive/receiver.ts'
import type { Session } from './session.ts'
import { subscriptionOwner } from './subscriptions.ts'
import type { TurnWork } from '../turns.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** What one session may not read any more. */
interface Loss {
  /** For people: `'a/#'`, `queue 'orders'`. */
  readonly what: string
  /** The rule, or what the core says of it. */
  readonly why: string
}

export class AccessRecheck implements TurnWork {
  readonly #vhost: VirtualHost
  /** One step per check; undefined while nothing is under way. */
  #steps: Iterator<void> | undefined = undefined
  /** Something has changed since it began. */
  #isStale = false

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  /** Begins at the end of this turn. While one is under way it is done all over again after it, once for any number of calls. */
  start(): void {
    this.#isStale = this.#steps !== undefined
    if (this.#isStale) return
    this.#steps = this.#all()
    this.#vhost.turns.wake(this)
  }

  runTurn(): void {
    for (let count = 0; count < ACCESS_CHECKS_PER_TURN; count++) {
      if (this.#steps!.next().done !== true) continue
      this.#steps = undefined
      if (this.#isStale) this.start()
      return
    }
    this.#vhost.turns.wakeNextTurn(this)
  }

  /** Sessions that begin meanwhile are asked for permission anyway; those that end are passed over. */
  *#all(): Generator<void> {
    for (const session of this.#vhost.sessions.all()) {
      yield
      yield* this.#session(session)
    }
    for (const named of this.#vhost.destinations.all()) {
      yield
      if (named.subscription !== undefined) this.#subscription(named)
    }
  }

  *#session(session: Session): Generator<void> {
    const { subject, subscribed } = session
    const lost: Loss[] = []
    for (const { pattern } of subscribed.bindings?.own() ?? []) {
      yield
      const loss = this.#topicLoss(subject, pattern)
      if (loss !== undefined && session.unbind(topics(pattern), undefined)) lost.push(loss)
    }
    for (const [key] of subscribed.bindings?.shared() ?? []) {
      yield
      const { shareName, levels } = sharedOf(key)
      const loss = this.#topicLoss(subject, levels)
      if (loss !== undefined && session.unbind(topics(levels), shareName)) lost.push(loss)
    }
    for (const { name } of subscribed.queues?.readings() ?? []) {
      yield
      const loss = this.#queueLoss(subject, name)
      if (loss !== undefined && session.stopConsuming(name, true)) lost.push(loss)
    }
    subscribed.queues?.leaveUnreadable()
    if (lost.length > 0) {
      this.#report(subject, lost)
      session.tellAccessLost(textOf(subject, lost))
    }
    for (const receiver of subscribed.receivers ?? []) {
      yield
      this.#receiver(subject, receiver)
    }
    for (const { queue, refusal, onAccessLost } of subscribed.browsings ?? []) {
      yield
      if (refusal === undefined) continue
      const loss = { what: `queue '${queue}'`, why: refusal }
      this.#report(subject, [loss])
      onAccessLost(textOf(subject, [loss]))
    }
  }

  #receiver(subject: Subject, receiver: Receiver): void {
    const { source, sink } = receiver.spec
    const loss =
      source.kind === 'queue'
        ? this.#queueLoss(subject, source.queue)
        : this.#topicLoss(subject, source.kind === 'topic' ? source.pattern.levels : source.subscription.pattern.levels)
    if (loss === undefined) return receiver.leaveUnreadable()
    this.#report(subject, [loss])
    if (sink.onAccessLost === undefined) receiver.close('goodbye')
    else sink.onAccessLost(textOf(subject, [loss]))
  }

  /** What is in the subscription of a user who may not read its topic stays there, and nothing comes to it until the user may. */
  #subscription(named: NamedQueue): void {
    const subject = subscriptionOwner(named)
    if (subject === undefined) return
    const loss = this.#topicLoss(subject, patternFromKey(named.subscription!.pattern))
    if (this.#vhost.destinations.feed(named, loss === undefined) && loss !== undefined) this.#report(subject, [loss])
  }

  #topicLoss(subject: Subject, levels: readonly PatternLevel[]): Loss | undefined {
    const { allowed, rule } = this.#vhost.authorizer.mayMatch(subject, 'read', topics(levels))
    return allowed ? undefined : { what: `'${filterText(levels)}'`, why: rule }
  }

  #queueLoss(subject: Subject, name: string): Loss | undefined {
    const why = this.#vhost.destinations.refusalOf(subject, 'read', name)
    return why === undefined ? undefined : { what: `queue '${name}'`, why }
  }

  #report(subject: Subject, lost: readonly Loss[]): void {
    const { name } = subject.principal
    const text = `client '${subject.clientId}' of user '${name}' may not read ${listOf(lost)} any more: ${lost[0]!.why}`
    this.#vhost.report({ kind: 'refused', source: 'core', clientId: subject.clientId, user: name, text })
  }
}

/** For the client: the rule is none of its business. */
function textOf({ principal }: Subject, lost: readonly Loss[]): string {
  return `user '${principal.name}' may not read ${listOf(lost)} any more`
}

function listOf([first, ...others]: readonly Loss[]): string {
  return others.length === 0 ? first!.what : `${first!.what} and ${others.length} more`
}

function topics(levels: readonly PatternLevel[]): Pattern {
  return { vhost: DEFAULT_VHOST, kind: 'topic', levels }
}

/** As MQTT and access rules write it. */
function filterText(levels: readonly PatternLevel[]): string {
  return levels.map((level) => (level === ONE_LEVEL ? '+' : level === ALL_BELOW ? '#' : level)).join('/')
}
