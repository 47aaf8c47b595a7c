/**
 * A client's state: its queue, its subscriptions, its will. It may outlive its connection; when and how it ends is decided here, and
 * what it may subscribe to. Which connection has it is `Sessions`' business, what it has subscribed to `Bindings`'.
 */
import { type Pattern, patternText, QUEUE_PREFIX } from '../routing/address.ts'
import type { Principal, Subject } from '../authorizer.ts'
import { bindingBytes, bindingKey, Bindings, type BindingSpec, startDelivery, type Subscribed } from './bindings.ts'
import { Browsing, type BrowsingSpec } from '../receive/browsing.ts'
import { Consumer, type Parting } from '../queue/consumer.ts'
import { type CreditOwner, CreditPool } from '../queue/credit.ts'
import { ConsumerRoom } from '../receive/consumer-room.ts'
import type { Delivery, DeliverySink } from '../queue/delivery.ts'
import { type CounterLabel, Traffic } from '../counters.ts'
import type { Cancel } from '../env.ts'
import { BINDING_BYTES_PER_SESSION_MAX } from '../limits.ts'
import { jsonRecord, type LoggedBinding, type LoggedSession, numbersRecord, RecordKind } from '../log/records.ts'
import { endingWith, Step } from '../log/groups.ts'
import type { LogRecord } from '@ternmq/store'
import type { DurableSession } from '../log/state.ts'
import type { Message } from '../message/message.ts'
import { Producer, type PublishOwner } from '../publish/producer.ts'
import { Queue } from '../queue/queue.ts'
import { UnsettledBytes } from '../queue/unsettled-bytes.ts'
import { type ConsumeSpec, QueueConsumers } from '../receive/queue-consumers.ts'
import { openReceiver, type Receiver, type ReceiverSpec } from '../receive/receiver.ts'
import { refuse, type Result } from '../refusal.ts'
import type { SessionOwner } from './session-owner.ts'
import type { OpenSession } from './sessions.ts'
import { isTemporary } from '../destinations/temporaries.ts'
import type { Transaction } from '../transaction/transaction.ts'
import type { PeerInfo } from '../connection/transport.ts'
import type { VirtualHost } from '../virtual-host.ts'
import type { HeldWill } from './wills.ts'

export class Session implements CreditOwner {
  readonly clientId: string
  readonly principal: Principal
  readonly queue: Queue
  readonly pool: CreditPool
  /** What it has published and been handed since it is in this process. */
  readonly traffic: Traffic
  /** Of its present connection, or of its last one in this process. */
  protocol: CounterLabel = 'core'
  /** The adapter's own state that lasts as long as the session: packet ids of unfinished exchanges. */
  protocolState: unknown = undefined
  readonly #vhost: VirtualHost
  readonly #consumer: Consumer
  #bindings: Bindings | undefined = undefined
  #queues: QueueConsumers | undefined = undefined
  #consumerRoom: ConsumerRoom | undefined = undefined
  /** Those of its connection. */
  #receivers: Set<Receiver> | undefined = undefined
  #browsings: Set<Browsing> | undefined = undefined
  /** Ids of exactly-once publishes that are in the log and that the client has not let go of. */
  #received: Set<number> | undefined = undefined
  #owner: SessionOwner | undefined
  #sink: DeliverySink | undefined = undefined
  /** Of its connection, or of the last one. */
  #will: HeldWill | undefined = undefined
  #expiryMs: number
  #cancelExpiry: Cancel | undefined = undefined
  #offlineSinceMs = 0
  #parting: Parting = 'lost'
  #isEnded = false
  /** It would be there after a restart. */
  #isInLog = false

  /** `queueNumber` is its place in the log; 0 for a session that ends with its connection or its process. */
  constructor(vhost: VirtualHost, clientId: string, principal: Principal, expiryMs: number, queueNumber: number) {
    this.#vhost = vhost
    this.clientId = clientId
    this.principal = principal
    this.#expiryMs = expiryMs
    this.pool = new CreditPool(0, vhost.turns, new UnsettledBytes(vhost.limits.unsettledBytesMax))
    this.pool.sessionNumber = queueNumber
    this.traffic = new Traffic(vhost.traffic.counters, this)
    this.pool.owner = this
    this.queue = new Queue(vhost, clientId, vhost.subscriptionSettings, expiryMs > 0)
    this.queue.number = queueNumber
    this.#consumer = new Consumer(this.queue, this.pool, undefined)
    this.queue.addConsumer(this.#consumer)
  }

  /** The log knows it: what it is told must be committed before the client hears that it is done. */
  get isDurable(): boolean {
    return this.queue.number !== 0
  }

  /** Who asks, for permissions. */
  get subject(): Subject {
    return { principal: this.principal, clientId: this.clientId }
  }

  /** How its connection ended, or will as far as it is known. */
  get parting(): Parting {
    return this.#parting
  }

  get isConnected(): boolean {
    return this.#owner !== undefined
  }

  get connectionId(): number | undefined {
    return this.#owner?.transport?.id
  }

  /** Unix ms since when it has had no connection; of a session that a restart found, the time of that. Undefined while it has one. */
  get offlineSinceMs(): number | undefined {
    return this.isConnected ? undefined : this.#offlineSinceMs
  }

  /** What it has subscribed to, for operators. */
  get subscribed(): Subscribed {
    return { bindings: this.#bindings, queues: this.#queues, receivers: this.#receivers, browsings: this.#browsings }
  }

  get bindingCount(): number {
    return (this.#bindings?.count ?? 0) + (this.#queues?.count ?? 0) + (this.#receivers?.size ?? 0)
  }

  /** Consumers on queues with a name; a pattern has several. */
  get consumerCount(): number {
    return this.#consumerRoom?.count ?? 0
  }

  /** Handed to its client and not settled, whichever subscription it was for. */
  get unsettledCount(): number {
    let count = this.pool.used
    for (const { pool } of this.#receivers ?? []) count += pool.used
    return count
  }

  /** How long the session stays after its connection; 0 ends it at once, Infinity never. */
  get expiryMs(): number {
    return this.#expiryMs
  }

  /** A connection takes the session, new or again. Only `Sessions` calls this. */
  own({ owner, expiryMs, creditMax, will, protocol = 'core' }: OpenSession): void {
    this.#cancelTimer()
    this.protocol = protocol
    this.#vhost.countFor(protocol, this.traffic)
    this.#owner = owner
    this.#parting = 'lost'
    this.#will?.drop()
    this.#will = will && this.#vhost.wills.hold(this.subject, will, this.queue.number)
    this.#changeExpiry(expiryMs)
    this.queue.keepsUnsettled = expiryMs > 0
    this.pool.setLimit(creditMax)
    this.pool.bytes.setMax(this.#vhost.limits.unsettledBytesMax)
  }

  /** Deliveries start. The adapter calls it once it has told the client that it is connected. */
  startDelivery(sink: DeliverySink): void {
    this.#sink = sink
    for (const consumer of this.#consumers()) startDelivery(consumer, sink)
    this.#queues?.attach(sink)
  }

  /** The transport has room again. */
  onWritable(): void {
    for (const consumer of this.#consumers()) consumer.wake()
    for (const consumer of this.#queues?.all() ?? []) consumer.wake()
    for (const receiver of this.#receivers ?? []) receiver.wake()
  }

  /** `owner` hears of publishes that had to wait for the log. */
  openProducer(owner: PublishOwner): Producer {
    return new Producer(this.#vhost, this.subject, owner, this)
  }

  /**
   * Publishes and settles that happen together or not at all; `producer` is one of this session's, whose order the publishes keep.
   * `onTimedOut` hears when it was rolled back because it had been open for too long.
   */
  beginTransaction(producer: Producer, onTimedOut: () => void = () => {}): Result<Transaction> {
    return this.#vhost.transactions.begin(this, producer, onTimedOut)
  }

  /** Adds or replaces a binding; its retained messages follow at the end of the turn. */
  bind(spec: BindingSpec): Result<{ readonly replaced: boolean }> {
    const { pattern, shareName } = spec
    const key = bindingKey(shareName, pattern)
    const isKnown = this.#bindings?.has(key) === true
    const room = this.#roomFor(key, isKnown)
    if (!room.ok) return room
    if (isTemporary(patternText(pattern)) && this.#vhost.temporaries.ownerOf(patternText(pattern)) !== this) {
      return refuse('not-authorized', key, 'only the session that made a temporary topic reads from it')
    }
    if (!this.#vhost.authorizer.mayMatch(this.subject, 'read', pattern).allowed) {
      return refuse('not-authorized', key, `user '${this.principal.name}' may not subscribe to this filter`)
    }
    this.#knownBindings().add(key, spec, isKnown, this.#sink)
    return { ok: true, value: { replaced: isKnown } }
  }

  /** Reads from a queue, or from all that match; again changes what it wants of them. */
  consume(spec: ConsumeSpec): Result<{ readonly replaced: boolean }> {
    const key = QUEUE_PREFIX + spec.queue
    const isKnown = this.#queues?.has(key) === true
    const room = this.#roomFor(key, isKnown)
    if (!room.ok) return room
    const owner = this.#vhost.temporaries.ownerOf(key)
    if (owner !== undefined && owner !== this) {
      return refuse('not-authorized', key, 'only the session that made a temporary queue reads from it')
    }
    const refusal = this.#vhost.destinations.refusalOf(this.subject, 'read', spec.queue)
    if (refusal !== undefined) return refuse('not-authorized', key, refusal)
    const added = this.#consume(key, spec)
    if (!added.ok) return added
    const { assuranceMax, transientMax, data } = spec
    const logged = { key, pattern: spec.queue, assuranceMax, noLocal: false, data, queue: true } as const
    this.#knownBindings().noteReading({ ...logged, ...(transientMax !== undefined && { transientMax }) }, isKnown)
    return { ok: true, value: { replaced: isKnown } }
  }

  /**
   * False when it did not read from it. What it has and has not settled goes back, or stays until it is settled or the session ends:
   * MQTT goes on with what has begun. [MQTT5-3.10.4-3]
   */
  stopConsuming(queue: string, keepsUnsettled: boolean = false): boolean {
    const key = QUEUE_PREFIX + queue
    if (this.#queues?.remove(key, keepsUnsettled) !== true) return false
    this.#bindings?.forget(key)
    return true
  }

  /** Something to receive from, with a credit and a sink of its own; it ends with the connection. Refused as `openReceiver` says. */
  openReceiver(spec: ReceiverSpec): Result<Receiver> {
    const room = this.#roomFor('', false)
    if (!room.ok) return room
    const vhost = this.#vhost
    const mayReadTemporary = (address: string): boolean => !isTemporary(address) || vhost.temporaries.ownerOf(address) === this
    const consumerRoom = this.#knownConsumerRoom()
    const owner = { vhost, subject: consumerRoom.subject, unsettled: this.pool.bytes, pools: this, consumerRoom, mayReadTemporary }
    const opened = openReceiver(owner, spec, (closed) => this.#receivers?.delete(closed))
    if (opened.ok) (this.#receivers ??= new Set()).add(opened.value)
    return opened
  }

  /** A look through a queue; it ends with the connection. Its `refusal` says whether it may be. */
  openBrowsing(spec: BrowsingSpec): Browsing {
    const opened = new Browsing(this.#vhost, this.subject, spec, (ended) => this.#browsings?.delete(ended))
    ;(this.#browsings ??= new Set()).add(opened)
    return opened
  }

  #consume(key: string, { queue, assuranceMax, transientMax, data, options }: ConsumeSpec, isRestored: boolean = false): Result<void> {
    if (this.#queues === undefined) {
      this.#queues = new QueueConsumers(this.#vhost, this.pool, this.#knownConsumerRoom())
      if (this.#sink !== undefined) this.#queues.attach(this.#sink)
    }
    const match = { data: [data], assuranceMax, memo: undefined }
    return this.#queues.add(key, queue, transientMax === undefined ? match : { ...match, transientMax }, options ?? {}, isRestored)
  }

  #roomFor(key: string, isKnown: boolean): Result<void> {
    if (!isKnown && this.bindingCount >= this.#vhost.limits.bindingsPerSessionMax) {
      const text = `session '${this.clientId}' has as many subscriptions as it may have, ${this.bindingCount} (mqtt.maxSubscriptionsPerSession); unsubscribe first`
      return refuse('limit-reached', key, text)
    }
    const bytes = this.#bindings?.bytes ?? 0
    if (!isKnown && bytes + bindingBytes(key) > BINDING_BYTES_PER_SESSION_MAX) {
      const text = `the subscriptions of session '${this.clientId}' take ${bytes} bytes, close to the limit of ${BINDING_BYTES_PER_SESSION_MAX}; use fewer or shorter filters`
      return refuse('limit-reached', key, text)
    }
    return { ok: true, value: undefined }
  }

  /** Only `AccessRecheck` calls this, after it has ended what was lost. */
  tellAccessLost(text: string): void {
    this.#owner?.onAccessLost?.(text)
  }

  /** False when there was no such binding. */
  unbind(pattern: Pattern, shareName: string | undefined): boolean {
    return this.#bindings?.remove(bindingKey(shareName, pattern)) === true
  }

  /** Of all that it reads from queues with, over whatever connection. */
  #knownConsumerRoom(): ConsumerRoom {
    return (this.#consumerRoom ??= new ConsumerRoom(this.#vhost, this.subject))
  }

  #knownBindings(): Bindings {
    return (this.#bindings ??= new Bindings(this.#vhost, this))
  }

  /** Something is published when its connection is lost, or in a while since it was. */
  get hasWill(): boolean {
    return this.#will?.isPending === true
  }

  /** The will is not wanted any more: the client said goodbye. [MQTT5-3.14.4-3] */
  dropWill(): void {
    this.#will?.drop()
    this.#will = undefined
  }

  /** A later wish of the client; a session that was to end with its connection still does. [MQTT5-3.14.2.2.2-b] */
  setExpiry(expiryMs: number): void {
    if (this.#expiryMs > 0) this.#changeExpiry(expiryMs)
  }

  /** Tells the log who it is and how long it stays. */
  noteOpened(): void {
    this.note(() => jsonRecord(RecordKind.sessionOpened, this.queue.number, this.#loggedSession()))
  }

  #loggedSession(): LoggedSession {
    const { name, anonymous } = this.principal
    return { clientId: this.clientId, user: name, anonymous, expiryMs: this.#expiryMs === Infinity ? null : this.#expiryMs }
  }

  /** After a restart: nobody is connected, the time until it expires begins, and that of its will if it had not begun. */
  startOffline(): void {
    this.#isInLog = true
    this.#offlineSinceMs = this.#vhost.env.clock.wallMs()
    this.#will?.onLost(this.#expiryMs)
    if (this.#expiryMs !== Infinity) {
      this.#cancelExpiry = this.#vhost.env.clock.after(this.#expiryMs, () => this.end())
    }
  }

  /** After a restart: binds again what the log knows. */
  restoreBinding(key: string, logged: LoggedBinding): void {
    const bindings = this.#knownBindings()
    bindings.remember(key, logged)
    if (logged.queue !== true) return bindings.restore(key, logged)
    const { pattern, assuranceMax, transientMax, data } = logged
    this.#consume(key, { queue: pattern, assuranceMax, ...(transientMax !== undefined && { transientMax }), data }, true)
  }

  /**
   * After a restart: what the client had, with the adapter's number. Also of a queue or group that it had left: what has begun is
   * finished. [MQTT5-3.10.4-3]
   */
  restoreUnsettled(queueNumber: number, message: Message, protocolState: number): void {
    const consumer = queueNumber === this.queue.number ? this.#consumer : (this.#consumerOn(queueNumber) ?? this.#departedFrom(queueNumber))
    const delivery = consumer?.queue.claim(message)
    if (consumer === undefined || delivery === undefined) return
    delivery.protocolState = protocolState
    consumer.adopt(delivery)
  }

  /** After a restart: it waits for its delay. */
  restoreWill(will: HeldWill): void {
    this.#will?.drop()
    this.#will = will
  }

  restoreReceived(ids: Set<number>): void {
    if (ids.size > 0) this.#received = ids
  }

  #consumerOn(queueNumber: number): Consumer | undefined {
    return this.#bindings?.on(queueNumber) ?? this.#queues?.on(queueNumber)
  }

  #departedFrom(queueNumber: number): Consumer | undefined {
    const consumer = this.#knownBindings().departedFrom(queueNumber)
    if (consumer !== undefined) return consumer
    this.#queues ??= new QueueConsumers(this.#vhost, this.pool, this.#knownConsumerRoom())
    return this.#queues.departedFrom(queueNumber)
  }

  /** What it has and has not settled, whichever queue it is from, oldest first of each. */
  *unsettled(): Generator<Delivery> {
    for (const consumer of this.#consumers()) yield* consumer.unsettled()
    for (const consumer of this.#queues?.all() ?? []) yield* consumer.unsettled()
    for (const consumer of this.#queues?.departed ?? []) yield* consumer.unsettled()
    for (const consumer of this.#bindings?.departed() ?? []) yield* consumer.unsettled()
  }

  /** Its deliveries' numbers and ids must outlast the process: where one of them stands is told to the log. `then` runs when it is there. */
  noteDelivered(delivery: Delivery, then?: () => void): void {
    const { number } = delivery.consumer!.queue
    this.#vhost.log.noteDelivered(number, delivery.message.lsn, this.queue.number, delivery.protocolState, then)
  }

  /**
   * A delivery whose state is worth noting: after a restart this session will have it again. Not one at least once from a queue that
   * others read from: a restart ends all connections, and then it is anybody's.
   */
  isKept(delivery: Delivery): boolean {
    if (!this.isDurable) return false
    const { queue } = delivery.consumer!
    return (queue === this.queue || delivery.assurance === 2) && queue.isLogged(delivery)
  }

  /** Ids of exactly-once publishes in the log that the client has not let go of. */
  get received(): ReadonlySet<number> | undefined {
    return this.#received
  }

  /** An exactly-once publish is in the log, its id with it. Only `Producer` calls this. */
  onReceived(id: number): void {
    ;(this.#received ??= new Set()).add(id)
  }

  /** The client lets go of an id; `then` runs when the log has that, at once when it never had the id. */
  releaseReceived(id: number, then: () => void): void {
    if (this.#received?.delete(id) !== true) return then()
    this.#vhost.log.append(numbersRecord(RecordKind.receivedReleased, this.queue.number, 0, id), new Step(then))
  }

  /** For a snapshot. */
  capture(): DurableSession {
    return { session: this.#loggedSession(), bindings: this.#bindings?.logged ?? new Map<string, LoggedBinding>(), received: this.#received ?? new Set() }
  }

  /** The client is about to leave in good order: what it has not settled is no failure of its. */
  sayGoodbye(): void {
    this.#parting = 'goodbye'
  }

  /** The connection is gone. Publishes the will in its time and ends the session in its time. */
  disconnect(): void {
    if (this.#owner === undefined) return
    this.#owner = undefined
    this.#sink = undefined
    this.#offlineSinceMs = this.#vhost.env.clock.wallMs()
    this.#vhost.transactions.endOf(this)
    for (const consumer of this.#consumers()) consumer.detach()
    this.#queues?.detach()
    this.#closeReceivers()
    this.#vhost.temporaries.endOf(this)
    if (this.#expiryMs <= 0) return this.end()
    this.#will?.onLost(this.#expiryMs)
    if (this.#expiryMs !== Infinity) {
      this.#cancelExpiry = this.#vhost.env.clock.after(this.#expiryMs, () => this.end())
    }
  }

  /** Tells the owner that it has lost the session. */
  evict(reason: 'taken-over' | 'deleted', by?: PeerInfo): void {
    this.#owner?.onEvicted(reason, by)
  }

  /** Ends for good: the will that still waits goes out, bindings and queue go. [MQTT5-3.1.2-8] Idempotent. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#owner = undefined
    this.#cancelTimer()
    this.#vhost.transactions.endOf(this)
    // Before the will: whoever has been evicted gets nothing more, not even that.
    for (const consumer of this.#consumers()) consumer.detach()
    this.#queues?.close(this.#parting)
    this.#closeReceivers()
    this.#vhost.temporaries.endOf(this)
    this.#will?.publish()
    this.#bindings?.end()
    this.queue.removeConsumer(this.#consumer)
    const held = this.queue.close()
    const { log, sessions } = this.#vhost
    if (this.isDurable) log.endQueue(jsonRecord(RecordKind.queueEnded, this.queue.number, {}), endingWith(held))
    sessions.forget(this)
  }

  #closeReceivers(): void {
    for (const receiver of [...(this.#receivers ?? [])]) receiver.close(this.#parting)
  }

  #changeExpiry(expiryMs: number): void {
    if (expiryMs === this.#expiryMs) return
    this.#expiryMs = expiryMs
    this.noteOpened()
  }

  /** A session that the log cannot keep must not go on as if it could. */
  note(make: () => LogRecord | undefined): void {
    if (!this.isDurable || this.#isEnded) return
    const { log } = this.#vhost
    // One that the log knows may have messages: it stays, and its client hears that it is done when it is.
    if (this.#isInLog) return log.insist(() => (this.#isEnded ? undefined : make()))
    const record = make()
    if (record === undefined) return
    const refused = (): void => {
      this.evict('deleted')
      this.end()
    }
    log.note(record, refused, () => {
      this.#isInLog = true
    })
  }

  #cancelTimer(): void {
    this.#cancelExpiry?.()
    this.#cancelExpiry = undefined
  }

  *#consumers(): Generator<Consumer> {
    yield this.#consumer
    if (this.#bindings !== undefined) yield* this.#bindings.consumers()
  }
}
