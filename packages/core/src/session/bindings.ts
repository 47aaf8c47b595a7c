/**
 * What one session has subscribed to: the bindings of its own queue, its places in shared groups, what all of it weighs and how the
 * log has it. Whether it may subscribe, and its consumers on named queues, are the session's and `QueueConsumers`' business. Made with
 * the first subscription: an idle device that only publishes has none.
 */
import type { Browsing } from '../receive/browsing.ts'
import { type Pattern, patternFromKey, patternKey, type PatternLevel } from '../routing/address.ts'
import { jsonRecord, type LoggedBinding, RecordKind } from '../log/records.ts'
import type { Assurance } from '../message/message.ts'
import { Consumer, CREDIT_UNLIMITED } from '../queue/consumer.ts'
import type { BindingData, DeliverySink } from '../queue/delivery.ts'
import type { Queue } from '../queue/queue.ts'
import type { QueueConsumers } from '../receive/queue-consumers.ts'
import type { Receiver } from '../receive/receiver.ts'
import { type Binding, matchOf } from '../routing/router.ts'
import type { Session } from './session.ts'
import type { VirtualHost } from '../virtual-host.ts'

export interface BindingSpec {
  readonly pattern: Pattern
  /** Name of the group that shares the messages; undefined for a subscription of one's own. */
  readonly shareName: string | undefined
  readonly assuranceMax: Assurance
  /** As `assuranceMax`, for messages that need not outlive the process; the same when left out. */
  readonly transientMax?: Assurance
  /** Leave out what this session itself publishes. */
  readonly noLocal: boolean
  /** Which retained messages come at once. */
  readonly retained: 'always' | 'if-new' | 'never'
  readonly data: BindingData
}

/**
 * By what a session receives: bindings of its own queue and places in groups, readings of queues, and receivers of its connection; and what it
 * looks through.
 */
export interface Subscribed {
  readonly bindings: Bindings | undefined
  readonly queues: QueueConsumers | undefined
  readonly receivers: ReadonlySet<Receiver> | undefined
  readonly browsings: ReadonlySet<Browsing> | undefined
}

export class Bindings {
  readonly #vhost: VirtualHost
  readonly #session: Session
  #own: Map<string, Binding> | undefined = undefined
  /** Its consumers in groups. */
  #shared: Map<string, Consumer> | undefined = undefined
  /** Of shared subscriptions that it left with deliveries to finish. As many as deliveries at most. */
  #departed: Consumer[] | undefined = undefined
  /** As the log has them, those on named queues included; of a durable session only. */
  #logged: Map<string, LoggedBinding> | undefined = undefined
  #bytes = 0

  constructor(vhost: VirtualHost, session: Session) {
    this.#vhost = vhost
    this.#session = session
  }

  get count(): number {
    return (this.#own?.size ?? 0) + (this.#shared?.size ?? 0)
  }

  /** Memory of all subscriptions, about. */
  get bytes(): number {
    return this.#bytes
  }

  get logged(): Map<string, LoggedBinding> | undefined {
    return this.#logged
  }

  has(key: string): boolean {
    return this.#own?.has(key) === true || this.#shared?.has(key) === true
  }

  /** Adds or replaces (`isKnown`) one; `sink` is the session's, if deliveries have started. */
  add(key: string, spec: BindingSpec, isKnown: boolean, sink: DeliverySink | undefined): void {
    this.#bind(key, spec, isKnown, sink)
    if (!isKnown) this.#bytes += bindingBytes(key)
    this.#note(key, spec)
  }

  /** False when there was no such binding. What it has of a group and has not settled it may finish. */
  remove(key: string): boolean {
    const binding = this.#own?.get(key)
    if (binding !== undefined) {
      this.#own!.delete(key)
      this.#vhost.router.unbind(binding)
      this.forget(key)
      return true
    }
    const consumer = this.#leave(key)
    if (consumer === undefined) return false
    if (consumer.unsettledCount > 0) {
      const before = this.#departed?.filter(({ unsettledCount }) => unsettledCount > 0) ?? []
      this.#departed = [...before, consumer]
    }
    this.forget(key)
    return true
  }

  /** After a restart, of one that is no reading of a queue. */
  restore(key: string, { pattern, shareName, assuranceMax, transientMax, noLocal, data }: LoggedBinding): void {
    const levels = patternFromKey(pattern)
    const spec: BindingSpec = {
      pattern: { vhost: this.#vhost.name, kind: 'topic', levels },
      shareName,
      assuranceMax,
      ...(transientMax !== undefined && { transientMax }),
      noLocal,
      retained: 'never',
      data,
    }
    this.#bind(key, spec, true, undefined)
  }

  /** After a restart: the log has it. */
  remember(key: string, logged: LoggedBinding): void {
    ;(this.#logged ??= new Map()).set(key, logged)
    this.#bytes += bindingBytes(key)
  }

  /** The session reads from queues, as `logged` says. */
  noteReading(logged: LoggedBinding, isKnown: boolean): void {
    if (!isKnown) this.#bytes += bindingBytes(logged.key)
    this.#noteLogged(logged)
  }

  /** A binding, or a reading of queues, is gone. */
  forget(key: string): void {
    this.#bytes -= bindingBytes(key)
    this.#logged?.delete(key)
    const session = this.#session
    session.note(() => (this.#logged?.has(key) === true ? undefined : jsonRecord(RecordKind.unbound, session.queue.number, { key })))
  }

  /** Of its own queue. */
  own(): Iterable<Binding> {
    return this.#own?.values() ?? NO_BINDINGS
  }

  /** Its places in groups, by key. */
  shared(): Iterable<[key: string, consumer: Consumer]> {
    return this.#shared ?? NO_PLACES
  }

  /** Its consumers in groups. */
  consumers(): Iterable<Consumer> {
    return this.#shared?.values() ?? NONE
  }

  /** In groups that it has left. */
  departed(): readonly Consumer[] {
    return this.#departed ?? NONE
  }

  /** Its consumer in a group, by the number of the group's queue. */
  on(queueNumber: number): Consumer | undefined {
    for (const consumer of this.consumers()) if (consumer.queue.number === queueNumber) return consumer
    return undefined
  }

  /** After a restart: as `on`, of a group that it had left. */
  departedFrom(queueNumber: number): Consumer | undefined {
    const known = this.#departed?.find(({ queue }) => queue.number === queueNumber)
    if (known !== undefined) return known
    for (const queue of this.#vhost.shared.queues()) {
      if (queue.number !== queueNumber) continue
      const consumer = new Consumer(queue, this.#session.pool, undefined)
      ;(this.#departed ??= []).push(consumer)
      return consumer
    }
    return undefined
  }

  /** The session ends: its bindings go, and what it has of groups goes to the others. */
  end(): void {
    const { router, shared } = this.#vhost
    for (const binding of this.#own?.values() ?? []) router.unbind(binding)
    this.#own = undefined
    for (const consumer of this.consumers()) shared.giveUp(consumer)
    for (const consumer of this.departed()) shared.giveUp(consumer)
    for (const key of [...(this.#shared?.keys() ?? [])]) this.#leave(key)
  }

  #bind(key: string, spec: BindingSpec, isKnown: boolean, sink: DeliverySink | undefined): void {
    if (spec.shareName === undefined) this.#bindOwn(key, spec, isKnown)
    else this.#join(key, spec.shareName, spec, sink)
  }

  #bindOwn(key: string, spec: BindingSpec, isKnown: boolean): void {
    const { clientId, queue } = this.#session
    const { router } = this.#vhost
    const before = this.#own?.get(key)
    const binding: Binding = {
      pattern: spec.pattern.levels,
      queue,
      assuranceMax: spec.assuranceMax,
      ...(spec.transientMax !== undefined && { transientMax: spec.transientMax }),
      exceptFrom: spec.noLocal ? clientId : undefined,
      data: spec.data,
    }
    if (before !== undefined) router.unbind(before)
    this.#own ??= new Map()
    this.#own.set(key, binding)
    router.bind(binding)
    if (spec.retained === 'always' || (spec.retained === 'if-new' && !isKnown)) this.#vhost.offerRetained(binding)
  }

  /** Retained messages are not for shared subscriptions. [MQTT5-4.8.2] */
  #join(key: string, shareName: string, spec: BindingSpec, sink: DeliverySink | undefined): void {
    const match = matchOf([sharedBinding(this.#session.queue, spec)])
    const before = this.#shared?.get(key)
    if (before !== undefined) {
      // It takes part once, however often it subscribes, and loses nothing by it. [MQTT5 §4.8.2]
      before.match = match
      before.wake()
      return
    }
    const consumer = this.#vhost.shared.join(key, shareName, spec, this.#session, match)
    this.#shared ??= new Map()
    this.#shared.set(key, consumer)
    if (sink !== undefined) startDelivery(consumer, sink)
  }

  #leave(key: string): Consumer | undefined {
    const consumer = this.#shared?.get(key)
    if (consumer === undefined) return undefined
    this.#shared!.delete(key)
    this.#vhost.shared.leave(key, consumer)
    return consumer
  }

  #note(key: string, { pattern, shareName, assuranceMax, transientMax, noLocal, data }: BindingSpec): void {
    if (!this.#session.isDurable) return
    const groupQueue = this.#shared?.get(key)?.queue.number
    this.#noteLogged({
      key,
      pattern: patternKey(pattern.levels),
      ...(shareName !== undefined && { shareName }),
      ...(groupQueue !== undefined && { groupQueue }),
      assuranceMax,
      ...(transientMax !== undefined && { transientMax }),
      noLocal,
      data,
    })
  }

  #noteLogged(binding: LoggedBinding): void {
    const session = this.#session
    if (!session.isDurable) return
    ;(this.#logged ??= new Map()).set(binding.key, binding)
    session.note(() =>
      this.#logged?.get(binding.key) === binding ? jsonRecord(RecordKind.bound, session.queue.number, binding) : undefined,
    )
  }
}

/** From now on the consumer is bounded by its session's credit alone. */
export function startDelivery(consumer: Consumer, sink: DeliverySink): void {
  consumer.grant(CREDIT_UNLIMITED)
  consumer.attach(sink)
}

const NONE: readonly Consumer[] = []
const NO_BINDINGS: readonly Binding[] = []
const NO_PLACES: readonly [string, Consumer][] = []

/** A level of the topic tree, its map and the name's share of it. */
const LEVEL_BYTES = 280

/** Memory of the binding with that key, about. */
export function bindingBytes(key: string): number {
  let levels = 1
  for (let at = key.indexOf('\0'); at >= 0; at = key.indexOf('\0', at + 1)) levels++
  return levels * LEVEL_BYTES + key.length * 2
}

export function bindingKey(shareName: string | undefined, { levels }: Pattern): string {
  const key = patternKey(levels)
  return shareName === undefined ? key : `${shareName}\0\0${key}`
}

/** Name of the group and pattern of a key of `bindingKey` that has a group. */
export function sharedOf(key: string): { readonly shareName: string; readonly levels: PatternLevel[] } {
  const at = key.indexOf('\0\0')
  return { shareName: key.slice(0, at), levels: patternFromKey(key.slice(at + 2)) }
}

function sharedBinding(queue: Queue, { pattern, assuranceMax, transientMax, data }: BindingSpec): Binding {
  return {
    pattern: pattern.levels,
    queue,
    assuranceMax,
    ...(transientMax !== undefined && { transientMax }),
    exceptFrom: undefined,
    data,
  }
}
