/**
 * The queues that have a name: made by a definition or by being used, found again after a restart, with settings from policies. What
 * reads from them or writes to them is elsewhere. [architecture.md §4]
 */
import { isReservedName, patternFromKey, queueLevels, QUEUE_PREFIX } from '../routing/address.ts'
import type { Subject } from '../authorizer.ts'
import { spread } from '../routing/composites.ts'
import { nextTurn } from '../env.ts'
import { QUEUES_PER_TURN } from '../limits.ts'
import { jsonRecord, type LoggedQueue, type LoggedSubscription, RecordKind } from '../log/records.ts'
import { isQueuePattern, laidOver, type PolicySettings, queuePattern } from './policies.ts'
import type { BindingData, Match } from '../queue/delivery.ts'
import type { Lane } from '../queue/lanes.ts'
import { Queue } from '../queue/queue.ts'
import { checkRedeliveryPolicy } from '../queue/redelivery-policy.ts'
import type { QueueSettings } from '../queue/settings.ts'
import { type RefusalDetail, refuse, type Result } from '../refusal.ts'
import { type Binding, Route, type RouteSource, type Target } from '../routing/router.ts'
import { parseSelector } from '../selector/selector.ts'
import { holderOf } from '../session/subscriptions.ts'
import { isTemporary } from './temporaries.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** Longest name, in UTF-16 units. */
const NAME_LENGTH_MAX = 1_024

/** Queues that are made of what is left of others begin so. */
const RECOVERED_PREFIX = 'recovered.'

/** `Consumer.GROUP.VirtualTopic.NAME` is bound to the topic `VirtualTopic.NAME`: one queue for each group of consumers. */
const VIRTUAL_TOPIC_QUEUE = /^Consumer\.[^.]+\.(VirtualTopic\..+)$/

/** Shared by all queues that have nothing of their own: there may be very many. */
const NOTHING_GIVEN: PolicySettings = {}
const NO_DATA: readonly BindingData[] = []

export interface QueueDefinition {
  readonly name: string
  /** Beside what policies say. */
  readonly settings?: PolicySettings
  readonly subscription?: LoggedSubscription
}

/** A queue with its name's business around it. */
export class NamedQueue {
  readonly queue: Queue
  /** Given for this queue; the rest comes from policies. */
  given: PolicySettings
  /** Made by being used, and not defined since. */
  automatic: boolean
  readonly subscription: LoggedSubscription | undefined
  readonly target: Target
  /** From topics, of a virtual topic's queue or a durable subscription. */
  binding: Binding | undefined = undefined
  /** Since when it has had neither messages nor consumers; for `autoDeleteMs`. */
  idleSinceMs: number | undefined = undefined
  #levels: readonly string[] | undefined = undefined

  constructor(queue: Queue, definition: QueueDefinition, automatic: boolean) {
    this.queue = queue
    this.given = definition.settings ?? NOTHING_GIVEN
    this.automatic = automatic
    this.subscription = definition.subscription
    const match: Match = { data: NO_DATA, assuranceMax: 2, memo: undefined }
    this.target = { queue, match, selective: undefined }
  }

  get name(): string {
    return this.queue.name
  }

  get match(): Match {
    return this.target.match
  }

  /** Of its name, as patterns see it. Each of ten thousand subscriptions may ask all queues. */
  get levels(): readonly string[] {
    return (this.#levels ??= queueLevels(this.name))
  }
}

/** Hears of queues that come and go. */
export interface DestinationWatcher {
  onQueueCreated(named: NamedQueue): void
  onQueueDeleted(named: NamedQueue): void
}

export class Destinations implements RouteSource {
  readonly #vhost: VirtualHost
  readonly #byName = new Map<string, NamedQueue>()
  /** Of all queues. */
  readonly #watchers = new Set<DestinationWatcher>()
  /** Of queues of one name: there may be very many of these, and a queue that comes or goes concerns few. */
  readonly #watchersOf = new Map<string, Set<DestinationWatcher>>()
  #generation = 0

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  get generation(): number {
    return this.#generation
  }

  get count(): number {
    return this.#byName.size
  }

  all(): IterableIterator<NamedQueue> {
    return this.#byName.values()
  }

  find(name: string): NamedQueue | undefined {
    return this.#byName.get(name)
  }

  /** Tells `watcher` of queues of that name; of all queues without one. */
  watch(watcher: DestinationWatcher, name?: string): void {
    if (name === undefined) return void this.#watchers.add(watcher)
    const known = this.#watchersOf.get(name)
    if (known === undefined) this.#watchersOf.set(name, new Set([watcher]))
    else known.add(watcher)
  }

  unwatch(watcher: DestinationWatcher, name?: string): void {
    if (name === undefined) return void this.#watchers.delete(watcher)
    const known = this.#watchersOf.get(name)
    known?.delete(watcher)
    if (known?.size === 0) this.#watchersOf.delete(name)
  }

  *#watchersOfQueue(name: string): Generator<DestinationWatcher> {
    yield* this.#watchers
    yield* this.#watchersOf.get(name) ?? []
  }

  /** The route to a queue, whether it exists yet or not. Keep it. */
  routeOf(name: string): Route {
    return new Route(QUEUE_PREFIX + name, this)
  }

  resolve(route: Route): void {
    const named = this.ensure(route.topic.slice(QUEUE_PREFIX.length))
    if (!named.ok) return route.lead([], this.#generation, undefined, named.detail)
    const targets = [named.value.target]
    if (named.value.queue.settings.forwardTo.length === 0) return route.lead(targets, this.#generation)
    const { parts, flaw } = spread(this.#vhost, route.topic, [route])
    route.lead(targets, this.#generation, parts, flaw) // after `spread`, which may have made queues
  }

  /** The queue of that name, made if it is not there. Refused where queues are not made by being used, or there are too many. */
  ensure(name: string): Result<NamedQueue> {
    const known = this.#byName.get(name)
    if (known !== undefined) return { ok: true, value: known }
    if (isReservedName(name)) {
      return refuse(
        'not-found',
        name,
        `there is no queue '${name}': names that start with '$' are the broker's own, and temporary ones go with their connection`,
      )
    }
    if (!this.#vhost.limits.queuesAutoCreate) {
      return refuse(
        'not-found',
        name,
        `there is no queue '${name}' and queues are not made by being used (queues.autoCreate); define it first`,
      )
    }
    return this.#create({ name }, true)
  }

  /** As `ensure`, for somebody who reads from it or looks into it, and may: to make it asks for the right to write to it or to administer it, too. */
  ensureFor(subject: Subject, name: string): Result<NamedQueue> {
    const known = this.#byName.get(name)
    if (known !== undefined) return { ok: true, value: known }
    const { authorizer, name: vhost } = this.#vhost
    const mayMake =
      isReservedName(name) || authorizer.mayUse(subject, 'create', { vhost, kind: 'queue', levels: queueLevels(name) }).allowed
    if (mayMake) return this.ensure(name)
    const text = `queue '${name}' does not exist and user '${subject.principal.name}' may not make it: that needs the right to write to it or to administer it`
    return refuse('not-authorized', name, text)
  }

  /** Makes a queue, or gives one that exists other settings of its own. Refused as 'mismatch' where these cannot be. */
  define(definition: QueueDefinition): Result<NamedQueue> {
    const { redelivery } = definition.settings ?? {}
    const checked = redelivery === undefined ? undefined : checkRedeliveryPolicy(redelivery)
    if (checked?.ok === false)
      return refuse('mismatch', definition.name, `queue '${definition.name}': ${checked.errors.join('; ')}`)
    const known = this.#byName.get(definition.name)
    if (known === undefined) return this.#create(definition, false)
    const given = definition.settings ?? {}
    const settings = this.#settingsFor(known.name, given)
    if ((settings.durability === 'memory') !== (known.queue.number === 0)) {
      const text = `queue '${known.name}' cannot become ${settings.durability}: whether a queue outlives the process is decided when it is made; delete it first`
      return refuse('mismatch', known.name, text)
    }
    known.given = given
    known.automatic = false
    this.#use(known, settings)
    this.#noteDefined(known)
    return { ok: true, value: known }
  }

  /**
   * Policies have changed: all queues take their new settings, so many in each turn; resolves when all have. Meanwhile each goes by its old
   * ones or its new ones, as a whole, and one that is made has the new ones at once.
   */
  async applyPolicies(): Promise<void> {
    let count = 0
    for (const named of this.#byName.values()) {
      this.#use(named, this.#settingsFor(named.name, named.given))
      if (++count % QUEUES_PER_TURN === 0) await nextTurn(this.#vhost.env.clock)
    }
  }

  /** Stops or goes on handing out; lasts over a restart. */
  setPaused(named: NamedQueue, isPaused: boolean): void {
    if (isPaused) named.queue.pause()
    else named.queue.resume()
    this.#noteDefined(named)
  }

  /**
   * Ends a queue with all that is in it. Its consumers are told by `onQueueDeleted`. What was on its way to it before goes with it, and what
   * was on its way elsewhere arrives there: `queue.gone` says what went when `log.settledSoFar()` has resolved.
   */
  delete(named: NamedQueue): void {
    if (this.#byName.get(named.name) !== named) return
    this.#byName.delete(named.name)
    this.#generation++
    this.#unbind(named)
    for (const consumer of [...named.queue.consumers]) consumer.detach()
    this.#vhost.flow.sweeper.onDeleted(named)
    const { queue } = named
    queue.beginEnd()
    for (const watcher of this.#watchersOfQueue(named.name)) watcher.onQueueDeleted(named)
    if (queue.number === 0) this.#vhost.log.mark(() => void queue.close())
    else this.#vhost.log.endQueue(jsonRecord(RecordKind.queueEnded, queue.number, {}), queue)
  }

  /** As `delete`, where nothing is in the queue or on its way to it. Resolves with how many messages are in the way: 0 when it is gone. */
  async deleteIfEmpty(named: NamedQueue): Promise<number> {
    if (inTheWay(named) > 0) return inTheWay(named)
    this.#countUnderWay(named, true)
    await new Promise<void>((resolve) => this.#vhost.log.mark(() => resolve())) // by then, what nobody counted is there
    const count = inTheWay(named)
    this.#countUnderWay(named, false)
    if (count === 0) this.delete(named)
    return count
  }

  /** Whether what is published comes into the queue of a durable subscription. False when that was so already. */
  feed(named: NamedQueue, isFed: boolean): boolean {
    if (isFed === (named.binding !== undefined)) return false
    if (isFed) this.#bind(named)
    else this.#unbind(named)
    return true
  }

  /** After a restart. */
  restore(number: number, logged: LoggedQueue, lanes: readonly Lane[]): void {
    const { name, automatic, subscription } = logged
    const settings = hasAny(logged.settings) ? fromLogged(logged.settings) : NOTHING_GIVEN
    const queue = new Queue(this.#vhost, name, this.#settingsFor(name, settings), true)
    queue.number = number
    queue.restore(lanes)
    if (logged.paused === true) queue.pause()
    this.#add(new NamedQueue(queue, { name, settings, ...(subscription !== undefined && { subscription }) }, automatic))
  }

  /** After a restart: what is left of a queue or session whose definition the log has lost. Operators are told. */
  recover(number: number, lanes: readonly Lane[], count: number): void {
    let name = `${RECOVERED_PREFIX}${number}`
    while (this.#byName.has(name)) name += '_'
    this.restore(number, { name, settings: {}, automatic: false }, lanes)
    this.#noteDefined(this.#byName.get(name)!)
    const text =
      `${count} ${count === 1 ? 'message belongs' : 'messages belong'} to a queue or session that the log does not define any more (number ${number}), by damage to the store: ` +
      `they are in queue '${name}' now; move them to where they belong and delete it`
    this.#vhost.report({ kind: 'failure', source: 'core', text })
  }

  /** What a snapshot has to know of a queue. */
  loggedOf(named: NamedQueue): LoggedQueue {
    return {
      name: named.name,
      settings: toLogged(named.given),
      automatic: named.automatic,
      ...(named.queue.isPaused && { paused: true }),
      ...(named.subscription !== undefined && { subscription: named.subscription }),
    }
  }

  /** May `subject` do that with the queue? Undefined when it may. */
  refusalOf(subject: Subject, action: 'read' | 'write' | 'browse', name: string): string | undefined {
    if (isTemporary(name)) return action === 'browse' ? this.#refusalToBrowseTemporary(subject, name) : undefined
    if (isReservedName(name))
      return `queue '${name}' is the broker's own: it is read by subscribing, and nobody sends to it`
    const { authorizer, name: vhost } = this.#vhost
    const { allowed } = isQueuePattern(name)
      ? authorizer.mayMatch(subject, action, { vhost, kind: 'queue', levels: queuePattern(name) })
      : authorizer.mayUse(subject, action, { vhost, kind: 'queue', levels: queueLevels(name) })
    if (!allowed) return `user '${subject.principal.name}' may not ${ACTION_WORDS[action]} queue '${name}'`
    if (action === 'write' || this.mayReadFeed(subject, name)) return undefined
    const feed = `it gets what is published to topic '${virtualTopicOf(name)!}', which the user may not read`
    return `user '${subject.principal.name}' may not ${ACTION_WORDS[action]} queue '${name}': ${feed}`
  }

  /** There is a queue of that name that `subject` may do that with: of others nobody is to learn whether they are there. */
  isKnownTo(subject: Subject, action: 'read' | 'write' | 'browse', name: string): boolean {
    return this.#byName.has(name) && this.refusalOf(subject, action, name) === undefined
  }

  /** False for a virtual topic's queue whose topic `subject` may not read: whoever makes the queue would have its messages. */
  mayReadFeed(subject: Subject, name: string): boolean {
    const topic = virtualTopicOf(name)
    if (topic === undefined) return true
    const { authorizer, name: vhost } = this.#vhost
    return authorizer.mayUse(subject, 'read', { vhost, kind: 'topic', levels: topic.split('.') }).allowed
  }

  /** Who knows the name may send; who reads, `Session` decides; only its owner looks into it. */
  #refusalToBrowseTemporary({ clientId }: Subject, name: string): string | undefined {
    const owner = this.#vhost.temporaries.ownerOf(QUEUE_PREFIX + name)
    return owner?.clientId === clientId ? undefined : 'only the session that made a temporary queue looks into it'
  }

  /** Why nobody can send to a queue of that name; undefined when it is there now. */
  refusalToMake(name: string): RefusalDetail | undefined {
    const made = this.ensure(name)
    return made.ok ? undefined : made.detail
  }

  #create(definition: QueueDefinition, automatic: boolean): Result<NamedQueue> {
    const { name } = definition
    if (name === '' || name.length > NAME_LENGTH_MAX) {
      return refuse('invalid-name', name, `a queue's name has 1 to ${NAME_LENGTH_MAX} characters, not ${name.length}`)
    }
    if (isQueuePattern(name)) {
      return refuse(
        'invalid-name',
        name,
        `'${name}' is a pattern of queues: read from all that match, but send to one by its name`,
      )
    }
    const { queuesMax } = this.#vhost.limits
    if (this.#byName.size >= queuesMax) {
      return refuse(
        'limit-reached',
        name,
        `no room for another queue: there are ${this.#byName.size} of at most ${queuesMax} (limits.queuesMax); delete some first`,
      )
    }
    const settings = this.#settingsFor(name, definition.settings ?? {})
    const queue = new Queue(this.#vhost, name, settings, true)
    if (settings.durability !== 'memory') queue.number = this.#vhost.log.newQueueNumber()
    const named = new NamedQueue(queue, definition, automatic)
    this.#add(named)
    this.#noteDefined(named)
    return { ok: true, value: named }
  }

  #add(named: NamedQueue): void {
    this.#byName.set(named.name, named)
    this.#generation++
    this.#bind(named)
    this.#vhost.flow.sweeper.onSettings(named)
    for (const watcher of this.#watchersOfQueue(named.name)) watcher.onQueueCreated(named)
  }

  #bind(named: NamedQueue): void {
    const binding = this.#bindingOf(named)
    if (binding === undefined) return
    named.binding = binding
    this.#vhost.router.bind(binding)
    if (named.subscription !== undefined) this.#vhost.selectorCosts.add(holderOf(named), binding)
  }

  #unbind(named: NamedQueue): void {
    const { binding } = named
    if (binding === undefined) return
    named.binding = undefined
    this.#vhost.router.unbind(binding)
    if (named.subscription !== undefined) this.#vhost.selectorCosts.remove(holderOf(named), binding)
  }

  #bindingOf(named: NamedQueue): Binding | undefined {
    if (named.subscription !== undefined) return subscriptionBinding(named.queue, named.subscription)
    const topic = virtualTopicOf(named.name)
    if (topic === undefined) return undefined
    return { pattern: topic.split('.'), queue: named.queue, assuranceMax: 2, exceptFrom: undefined, data: {} }
  }

  #use(named: NamedQueue, settings: QueueSettings): void {
    named.queue.use(settings)
    this.#vhost.flow.sweeper.onSettings(named)
    this.#generation++
    if (named.binding !== undefined) this.#vhost.router.forgetTargets()
  }

  #settingsFor(name: string, given: PolicySettings): QueueSettings {
    const settings = this.#vhost.policies.settingsFor(name)
    return hasAny(given) ? laidOver(settings, given) : settings
  }

  #countUnderWay({ queue, binding }: NamedQueue, isAsked: boolean): void {
    queue.isAskedForEmpty = isAsked
    this.#generation++
    if (binding !== undefined) this.#vhost.router.forgetTargets()
  }

  #noteDefined(named: NamedQueue): void {
    const { number } = named.queue
    if (number === 0) return
    this.#vhost.log.insist(() =>
      this.#byName.get(named.name) === named
        ? jsonRecord(RecordKind.queueDefined, number, this.loggedOf(named))
        : undefined,
    )
  }
}

/** Topic that a virtual topic's queue is bound to, with '.' between levels. */
function virtualTopicOf(queue: string): string | undefined {
  return VIRTUAL_TOPIC_QUEUE.exec(queue)?.[1]
}

function inTheWay({ queue }: NamedQueue): number {
  return queue.waitingCount + queue.inflightCount + queue.underWayCount
}

function hasAny(given: object): boolean {
  return Object.keys(given).length > 0
}

/** JSON has no undefined: a queue that is to have no dead-letter queue must not get that of its policies with the next start. */
function toLogged(given: PolicySettings): LoggedQueue['settings'] {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, value ?? null]))
}

function fromLogged(logged: LoggedQueue['settings']): PolicySettings {
  return Object.fromEntries(Object.entries(logged).map(([key, value]) => [key, value ?? undefined]))
}

/** A selector that the log has was good when it was given, whatever limits have come since. */
function subscriptionBinding(queue: Queue, { pattern, selector, noLocalOf }: LoggedSubscription): Binding {
  const parsed = selector === undefined ? undefined : parseSelector(selector, { anyCost: true })
  if (parsed?.ok === false) throw new Error(`selector '${selector}' of ${queue.name}: ${parsed.error.text}`)
  return {
    pattern: patternFromKey(pattern),
    queue,
    assuranceMax: 2,
    exceptFrom: noLocalOf,
    ...(parsed !== undefined && { selector: parsed.selector }),
    data: {},
  }
}

const ACTION_WORDS = { read: 'consume from', write: 'send to', browse: 'browse' } as const
