/** A virtual host with clients, as an adapter would use it; time moves when the test says so. */
import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { allowAll, type Authorizer } from '../src/authorizer.ts'
import type { Outcome } from '../src/queue/delivery.ts'
import { type CoreLimits, DEFAULT_CORE_LIMITS } from '../src/limits.ts'
import type { Assurance } from '../src/message/message.ts'
import type { Producer, PublishResult } from '../src/publish/producer.ts'
import type { Result } from '../src/refusal.ts'
import type { BindingSpec } from '../src/session/bindings.ts'
import type { Session } from '../src/session/session.ts'
import type { OpenSession } from '../src/session/sessions.ts'
import { VirtualHost } from '../src/virtual-host.ts'
import type { Will } from '../src/session/wills.ts'
import { messageOf, type MessageOptions, TestSink, topicPattern, user } from './support.ts'

export interface WorldOptions {
  readonly limits?: Partial<CoreLimits>
  readonly authorizer?: Authorizer
}

export interface BindOptions extends Partial<Omit<BindingSpec, 'pattern'>> {
  readonly share?: string
}

export class World {
  readonly env: VirtualEnv = virtualEnv()
  readonly vhost: VirtualHost
  /** What operators are told. */
  readonly events: string[] = []

  constructor(options: WorldOptions = {}) {
    const limits = { ...DEFAULT_CORE_LIMITS, ...options.limits }
    this.vhost = new VirtualHost({
      env: this.env,
      name: '/',
      authorizer: options.authorizer ?? allowAll,
      limits,
      onEvent: ({ text }) => void this.events.push(text),
    })
  }

  /** As CONNECT: refusals come back. */
  tryOpen(clientId: string, options: Partial<OpenSession> = {}): Result<Client> {
    const evictions: string[] = []
    const owner = { onEvicted: (reason: string) => void evictions.push(reason) }
    const defaults = { principal: user('u'), cleanStart: false, expiryMs: 0, creditMax: 100, will: undefined, owner }
    const opened = this.vhost.sessions.open({ clientId, ...defaults, ...options })
    if (!opened.ok) return opened
    return { ok: true, value: new Client(this, opened.value.session, opened.value.present, evictions) }
  }

  /** Opens and starts delivery, as a client whose CONNECT was accepted. */
  connect(clientId: string, options: Partial<OpenSession> = {}): Client {
    const opened = this.tryOpen(clientId, options)
    if (!opened.ok) throw new Error(opened.detail.text)
    opened.value.session.startDelivery(opened.value.sink)
    return opened.value
  }

  /** Publishes on behalf of nobody in particular. */
  publish(topic: string, text: string, options: MessageOptions = {}): PublishResult {
    const message = messageOf(topic, text, options)
    return this.vhost.publish(this.vhost.router.routeOf(topic), message, this.vhost.traffic)
  }

  settle(): void {
    this.env.clock.settle()
  }

  advance(ms: number): void {
    this.env.clock.advance(ms)
  }
}

export class Client {
  readonly world: World
  readonly session: Session
  readonly present: boolean
  readonly evictions: readonly string[]
  readonly sink: TestSink = new TestSink()
  readonly producer: Producer
  /** Answers to its publishes, in their order; those that waited included. */
  readonly results: Exclude<PublishResult, 'pending'>[] = []

  constructor(world: World, session: Session, present: boolean, evictions: readonly string[]) {
    this.world = world
    this.session = session
    this.present = present
    this.evictions = evictions
    this.producer = session.openProducer({ onPublishSettled: (_tag, result) => void this.results.push(result) })
  }

  get texts(): string[] {
    return this.sink.texts
  }

  tryBind(filter: string, options: BindOptions = {}): Result<{ readonly replaced: boolean }> {
    const { share, ...spec } = options
    const defaults = { assuranceMax: 2 as Assurance, noLocal: false, retained: 'always' as const, data: { filter } }
    return this.session.bind({ ...defaults, ...spec, pattern: topicPattern(filter), shareName: share })
  }

  /** Binds; the answer says whether the binding was there before. */
  bind(filter: string, options: BindOptions = {}): boolean {
    const bound = this.tryBind(filter, options)
    if (!bound.ok) throw new Error(bound.detail.text)
    return bound.value.replaced
  }

  unbind(filter: string, share?: string): boolean {
    return this.session.unbind(topicPattern(filter), share)
  }

  publish(topic: string, text: string, options: MessageOptions = {}): PublishResult {
    const message = messageOf(topic, text, { publisher: this.session.clientId, ...options })
    const result = this.producer.publish(this.producer.target(topic), message, 0)
    if (result !== 'pending') this.results.push(result)
    return result
  }

  /** Settles the oldest that this connection has not settled. */
  settleFirst(outcome: Outcome = 'accepted'): void {
    const delivery = this.sink.held.shift()!
    delivery.consumer!.settle(delivery, outcome)
  }

  settleAll(outcome: Outcome = 'accepted'): void {
    while (this.sink.held.length > 0) this.settleFirst(outcome)
  }
}

export function willOf(topic: string, text: string, delayMs: number, options: MessageOptions = {}): Will {
  return { delayMs, makeMessage: (_nowMs, publisher) => messageOf(topic, text, { ...options, publisher }) }
}
