/**
 * One name space with all that lives in it: router, retained messages, sessions, counters. Only '/' exists until several
 * can be configured.
 */
import { isReservedName, queueNameOf } from './routing/address.ts'
import { AccessRecheck } from './session/access-recheck.ts'
import type { Authorizer, Subject } from './authorizer.ts'
import { Connections } from './connection/connections.ts'
import { type CounterLabel, type Counters, LabelledCounters, Traffic } from './counters.ts'
import type { Env } from './env.ts'
import type { EventDetails } from './events.ts'
import { Flow } from './flow/flow.ts'
import type { Engine } from '@ternmq/store'
import { Departures } from './session/departures.ts'
import { Destinations } from './destinations/destinations.ts'
import { LateRetained } from './routing/late-retained.ts'
import { CONNECTION_HISTORY_MAX_DEFAULT, type CoreLimits } from './limits.ts'
import { captureState } from './log/capture.ts'
import { endingWith } from './log/groups.ts'
import { HostLog, type LogEnded } from './log/host-log.ts'
import { jsonRecord, RecordKind } from './log/records.ts'
import { readLog, restore } from './log/replay.ts'
import { encodeState } from './log/snapshot.ts'
import type { HeaderCodec, Message } from './message/message.ts'
import { Mover } from './destinations/mover.ts'
import { Policies } from './destinations/policies.ts'
import { Producer } from './publish/producer.ts'
import type { Consumer } from './queue/consumer.ts'
import type { Delivery, Match } from './queue/delivery.ts'
import type { WaitingBytes } from './queue/lanes.ts'
import type { MoveCause, QueueContext } from './queue/context.ts'
import type { Queue } from './queue/queue.ts'
import type { QueueSettings } from './queue/settings.ts'
import { isExhausted, nextDelayMs } from './queue/redelivery-policy.ts'
import { subscriptionSettings } from './queue/settings.ts'
import type { RefusalDetail } from './refusal.ts'
import { Retained } from './routing/retained.ts'
import { type Binding, matchOf, offerAll, type Route, Router, type Target, targetsOf } from './routing/router.ts'
import { Schedule } from './schedule/schedule.ts'
import { SelectorCosts } from './session/selector-costs.ts'
import { Sessions } from './session/sessions.ts'
import { SharedSubscriptions } from './session/shared.ts'
import { Subscriptions } from './session/subscriptions.ts'
import { isTemporary, Temporaries } from './destinations/temporaries.ts'
import { Transactions } from './transaction/transactions.ts'
import type { Tracer } from './tracing/tracer.ts'
import { Turns } from './turns.ts'
import { UnfinishedInput } from './connection/unfinished-input.ts'
import { Wills } from './session/wills.ts'

export interface VirtualHostOptions {
  readonly env: Env
  readonly name: string
  readonly authorizer: Authorizer
  readonly limits: CoreLimits
  /** The log has failed for good: stop the broker, nothing can be promised any more. Only with `openLog`. */
  readonly onLogEnded?: LogEnded
  /** What operators should know: queues that hold publishers, slow consumers. */
  readonly onEvent?: (event: EventDetails) => void
  /** Ended connections that are remembered; CONNECTION_HISTORY_MAX_DEFAULT when left out. */
  readonly connectionHistoryMax?: number
  /** Follows messages on their way; nobody does when left out. */
  readonly tracer?: Tracer | undefined
}

/** The embedded engines have one partition per virtual host. */
const LOG_PARTITION = 0
const LOG_NODE = 'local'

export class VirtualHost implements QueueContext {
  readonly name: string
  readonly env: Env
  readonly limits: CoreLimits
  readonly authorizer: Authorizer
  /** Undefined while tracing is off. */
  readonly tracer: Tracer | undefined
  readonly connections: Connections
  readonly #counters: LabelledCounters = new LabelledCounters()
  readonly traffic: Traffic = new Traffic(this.#counters.core)
  readonly turns: Turns
  readonly log: HostLog
  readonly router: Router = new Router()
  readonly policies: Policies = new Policies()
  readonly destinations: Destinations
  readonly mover: Mover
  readonly schedule: Schedule
  readonly selectorCosts: SelectorCosts
  readonly subscriptions: Subscriptions
  readonly departures: Departures
  readonly temporaries: Temporaries
  readonly transactions: Transactions
  readonly retained: Retained
  readonly sessions: Sessions
  readonly shared: SharedSubscriptions
  readonly wills: Wills
  readonly waiting: WaitingBytes
  readonly unfinished: UnfinishedInput
  readonly flow: Flow
  readonly #lateRetained: LateRetained
  readonly #accessRecheck: AccessRecheck = new AccessRecheck(this)
  readonly #onEvent: (event: EventDetails) => void
  pressedBy: Queue | undefined = undefined
  #isStopping = false
  #subscriptionSettings: QueueSettings | undefined = undefined

  constructor(options: VirtualHostOptions) {
    this.name = options.name
    this.env = options.env
    this.limits = options.limits
    this.authorizer = options.authorizer
    this.tracer = options.tracer
    this.turns = new Turns(options.env.clock)
    this.countFor('core', this.traffic)
    this.connections = new Connections(options.env.clock, options.connectionHistoryMax ?? CONNECTION_HISTORY_MAX_DEFAULT)
    this.#onEvent = options.onEvent ?? ignoreEvent
    this.waiting = { bytes: 0, bytesMax: options.limits.queuedBytesTotalMax, isAwaited: false }
    this.unfinished = new UnfinishedInput(options.limits)
    this.log = new HostLog({
      clock: options.env.clock,
      onEnded: options.onLogEnded ?? throwLogEnded,
      onUnwritten: (text) => this.report({ kind: 'failure', source: 'core', text }),
    })
    this.#lateRetained = new LateRetained(this.log)
    this.flow = new Flow(this)
    this.selectorCosts = new SelectorCosts(options.limits)
    this.destinations = new Destinations(this)
    this.mover = new Mover(this)
    this.schedule = new Schedule(this)
    this.subscriptions = new Subscriptions(this)
    this.departures = new Departures(this)
    this.temporaries = new Temporaries(this)
    this.transactions = new Transactions(this)
    this.retained = new Retained(options.limits, (message) => {
      if (message.lsn !== 0) this.#noteCleared(message)
    })
    this.sessions = new Sessions(this)
    this.shared = new SharedSubscriptions(this)
    this.wills = new Wills(this)
  }

  /** Takes the log's engine and what it kept of an earlier life. Before the first session. Rejects as `PartitionLog.own` does. */
  async openLog(engine: Engine, codecs: readonly HeaderCodec[]): Promise<void> {
    const byId = new Map(codecs.map((codec) => [codec.id, codec]))
    const { state, released } = await readLog(engine.partition(LOG_PARTITION), byId)
    await this.log.open(engine, LOG_PARTITION, LOG_NODE, state, byId, () => encodeState(captureState(this)))
    await restore(this, state)
    for (const lsn of released) this.log.release(lsn)
  }

  /** Of queues of sessions and groups. The same object as long as the limits stay. */
  get subscriptionSettings(): QueueSettings {
    const { queuedMessagesMax: messagesMax, queuedBytesMax: bytesMax } = this.limits
    if (this.#subscriptionSettings?.messagesMax !== messagesMax || this.#subscriptionSettings.bytesMax !== bytesMax) {
      this.#subscriptionSettings = subscriptionSettings({ messagesMax, bytesMax })
    }
    return this.#subscriptionSettings
  }

  /** As they are now, the same object each time. Takes a look at each connection. */
  get countersBy(): LabelledCounters {
    this.#counters.update()
    return this.#counters
  }

  /** Of all protocols together, as they are now. */
  get counters(): Readonly<Counters> {
    return this.countersBy.sum()
  }

  /** A session has a connection, for whose protocol its messages count from now on. Only `Session` calls this. */
  countFor(label: CounterLabel, traffic: Traffic): void {
    traffic.countFor(this.#counters[label])
    this.#counters.watch(traffic)
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Adapters are about to end all connections. */
  beginStop(): void {
    this.#isStopping = true
  }

  /** Waits until the log has all it was told, and lets it go. Nothing happens by itself any more. */
  async close(): Promise<void> {
    this.flow.close()
    this.schedule.close()
    this.transactions.close()
    this.wills.close()
    await this.log.close()
  }

  /**
   * The answers of `authorizer` may have changed: what sessions read from and may not any more ends, in bounded steps; see `SessionOwner`
   * and `DeliverySink`, whose `onAccessLost` hear of it. Cheap to call often.
   */
  recheckAccess(): void {
    this.#accessRecheck.start()
  }

  // ── QueueContext ──

  matchFor(queue: Queue, message: Message): Match {
    const named = this.destinations.find(queue.name)
    if (named?.queue === queue) return named.match
    const route = this.router.routeOf(message.topic)
    const target = targetsOf(route).find((each) => each.queue === queue)
    return target?.match ?? { data: [], assuranceMax: message.assurance, memo: undefined }
  }

  moveAway(queue: Queue, delivery: Delivery, target: string, cause: MoveCause, reason: string | undefined): void {
    this.mover.deadLetter(queue, delivery, target, cause, reason)
  }

  nextAttemptMs({ redelivery }: QueueSettings, failedCount: number): number | undefined {
    return isExhausted(redelivery, failedCount) ? undefined : nextDelayMs(redelivery, failedCount, this.env.random.u32())
  }

  onEased(queue: Queue): void {
    this.flow.gates.onEased(queue)
  }

  onLost(queue: Queue, count: number): void {
    const text =
      `${count} ${count === 1 ? 'message' : 'messages'} of queue '${queue.name}' cannot be read from the store any more and went; ` +
      'stop the broker and run `ternmq store verify` to see where it is damaged'
    this.report({ kind: 'failure', source: 'core', text })
  }

  onTooLarge(queue: Queue, { pool }: Consumer, message: Message): void {
    const text =
      `a message of ${message.size} bytes in queue '${queue.name}' is larger than its receiver takes (MQTT: Maximum Packet Size, AMQP: max-message-size); ` +
      'that one and others like it wait for another receiver, which may have to be started'
    const { owner } = pool
    const who = owner === undefined ? {} : { clientId: owner.clientId, user: owner.principal.name }
    this.report({ kind: 'limit', source: 'core', ...who, text })
  }

  report(event: EventDetails): void {
    this.#onEvent(event)
  }

  /**
   * True for a message that must be in the log before anybody has it: it goes to a queue that outlives the process, or stays as its
   * topic's last. Hot path.
   */
  mustLog(route: Route, message: Message): boolean {
    if (!message.retain && !message.durable) return false
    targetsOf(route)
    return this.log.isOpen && (message.retain || route.hasDurable)
  }

  /** Retains and routes a message whose publisher was allowed to, and counts for `from`. Hot path. */
  publish(route: Route, message: Message, from: Traffic): 'routed' | 'unmatched' {
    const targets = targetsOf(route)
    if (route.hasTtl) route.limitLife(message, this.env.clock.wallMs())
    return this.publishTo(targets, route, message, from)
  }

  /** As `publish`, to the targets there were when the message was logged. Hot path. */
  publishTo(targets: readonly Target[], route: Route, message: Message, from: Traffic): 'routed' | 'unmatched' {
    from.messagesIn++
    from.bytesIn += message.end - message.bodyStart
    if (!from.isWatched) this.#counters.watch(from) // its session has ended, and had this on its way
    if (message.retain) {
      this.retain(route, message)
      this.#lateRetained.onRetained(route.levels, message, targets)
    }
    const isWanted = offerAll(targets, message)
    if (message.lives !== undefined) message.lives = undefined // where it stays, it must not hold on to queues
    if (isWanted) return 'routed'
    from.counters.unmatched++
    return 'unmatched'
  }

  /** What is retained goes to a new binding, and what is about to be. */
  offerRetained(binding: Binding): void {
    const { pattern, queue, exceptFrom } = binding
    const match = matchOf([binding])
    const kept = this.retained.matching(pattern, this.env.clock.wallMs())
    queue.backfill(exceptFrom === undefined ? kept : kept.filter(({ publisher }) => publisher !== exceptFrom), match)
    this.#lateRetained.await(binding, match)
  }

  /** Makes a message the last of its topic, or none with an empty body. */
  retain(route: Route, message: Message): void {
    const before = this.retained.get(route.levels)
    const isKept = this.retained.set(route.levels, message)
    if (before !== undefined && before.lsn !== 0) this.log.unref(before.lsn)
    if (message.lsn === 0 || (isKept && message.end > message.bodyStart)) return
    this.#noteCleared(message)
  }

  /** Forgets the last message of a topic, and tells nobody. False when there was none. */
  clearRetained(levels: readonly string[]): boolean {
    const message = this.retained.clear(levels)
    if (message === undefined) return false
    if (message.lsn !== 0) this.#noteCleared(message)
    return true
  }

  /** The message is retained no more. Without a record of it, an older one that some queue still holds would be after a restart. */
  #noteCleared(message: Message): void {
    const { topic, lsn } = message
    this.log.endQueue(jsonRecord(RecordKind.retainedCleared, 0, { topic, lsn }), endingWith([lsn]))
  }

  /** Why `subject` may not publish to an address in core form; undefined when it may. */
  refusalToPublish(subject: Subject, topic: string): RefusalDetail | undefined {
    const text = this.refusalToWrite(subject, topic)
    if (text !== undefined) return { refusal: 'not-authorized', subject: topic, text }
    const queue = queueNameOf(topic)
    if (queue !== undefined) return this.destinations.refusalToMake(queue)
    if (!isTemporary(topic) || this.temporaries.ownerOf(topic) !== undefined) return undefined
    return { refusal: 'not-found', subject: topic, text: `temporary topic '${topic}' went with the connection that made it` }
  }

  /** As `refusalToPublish`, of what rules say: whether there is something of that name is another question. */
  refusalToWrite(subject: Subject, topic: string): string | undefined {
    const queue = queueNameOf(topic)
    if (queue !== undefined) return this.destinations.refusalOf(subject, 'write', queue)
    if (isTemporary(topic)) return undefined
    const levels = topic.split('/')
    if (isReservedName(levels[0])) return `topics that start with '$' are the broker's own: publishing to '${topic}' is refused`
    if (this.authorizer.mayUse(subject, 'write', { vhost: this.name, kind: 'topic', levels }).allowed) return undefined
    return `user '${subject.principal.name}' may not publish to '${topic}'`
  }

  /**
   * The queue that asked, since the last call, that producers pause. An adapter asks after it has handled what a connection sent,
   * and stops reading from it until the queue lets go; not where that client has acknowledgements to send.
   */
  takePressure(): Queue | undefined {
    const queue = this.pressedBy
    this.pressedBy = undefined
    return queue?.isFilling === true ? queue : undefined
  }

  /** Publishes on behalf of somebody who is no longer connected: a will. */
  publishAs(subject: Subject, message: Message): void {
    const producer = new Producer(this, subject, undefined, undefined)
    producer.publish(producer.target(message.topic), message, 0)
  }
}

function ignoreEvent(): void {}

function throwLogEnded(error: Error): never {
  throw error
}
