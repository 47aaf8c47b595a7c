/**
 * From a topic to the queues that want its messages. Matching is done once per topic and set of bindings, then remembered in
 * the topic's `Route`: publishing costs the same with ten bindings as with a hundred thousand.
 */
import type { Durability } from '@ternmq/store'
import type { PatternLevel } from './address.ts'
import { assuranceMaxFor, assuranceOf, type BindingData, type Match } from '../queue/delivery.ts'
import { ROUTE_TARGETS_BYTES_MAX, ROUTES_BYTES_MAX, ROUTES_MAX } from '../limits.ts'
import type { Assurance, Message } from '../message/message.ts'
import type { Queue } from '../queue/queue.ts'
import { propertiesOf } from '../queue/message-properties.ts'
import type { RefusalDetail } from '../refusal.ts'
import type { Selector } from '../selector/selector.ts'
import { TopicTree, type TopicTreeNode } from './topic-tree.ts'

/** A rule: what is published to `pattern` goes to `queue`. */
export interface Binding {
  readonly pattern: readonly PatternLevel[]
  readonly queue: Queue
  readonly assuranceMax: Assurance
  /** See `Match.transientMax`. */
  readonly transientMax?: Assurance
  /** Client id whose own messages it does not want; undefined for none. [MQTT5-3.8.3-3] */
  readonly exceptFrom: string | undefined
  /** Takes what it matches only. */
  readonly selector?: Selector
  readonly data: BindingData
  /** Its target where no other binding of its queue matches: one for all topics. Only the router touches it. */
  alone?: Target
}

/** One queue that a topic goes to, with all its bindings that matched. */
export interface Target {
  readonly queue: Queue
  readonly match: Match
  /** Set when some binding refuses its own session's messages, or those that its selector does not match. */
  readonly selective: readonly Binding[] | undefined
}

/** Who knows the targets of a route: the router for topics, the destinations for queues. */
export interface RouteSource {
  /** Moves on whenever targets may have changed. */
  readonly generation: number
  /** Fills in the targets. */
  resolve(route: Route): void
}

/** What is known of one address. Producers keep it; `generation` says whether `targets` still hold. */
export class Route {
  /** Address in core form; of a queue `$queue/` and its name. */
  readonly topic: string
  readonly levels: readonly string[]
  readonly source: RouteSource
  generation = -1
  targets: readonly Target[] = []
  /** Some target outlives the process. */
  hasDurable = false
  /** Some target has to know what is on its way to it: it lets publishers wait, or refuses them, when it is full. */
  hasLimits = false
  /** Some target has something to say of how long its messages live. */
  hasTtl = false
  /** How sure a message must be before it is acknowledged: the most that a target asks for. */
  durability: Durability = 'fsync-local'
  /** Of a composite: where its messages go, which may be this address as well. They are for `Outgoing`, all of them or none. */
  parts: readonly Route[] | undefined = undefined
  /** Of a list: what it is made of. */
  readonly addresses: readonly string[] | undefined
  /** Why nothing can be sent to `parts`. */
  flaw: RefusalDetail | undefined = undefined

  constructor(topic: string, source: RouteSource, addresses?: readonly string[]) {
    this.topic = topic
    this.addresses = addresses
    this.levels = topic.split('/')
    this.source = source
  }

  /** Only its source calls this. */
  lead(targets: readonly Target[], generation: number, parts?: readonly Route[], flaw?: RefusalDetail): void {
    this.parts = parts
    this.flaw = flaw
    this.targets = targets
    this.generation = generation
    this.hasDurable = false
    this.hasLimits = false
    this.hasTtl = false
    let isSynced = false
    for (const { queue } of targets) {
      if (hasTtl(queue)) this.hasTtl = true
      const { durability } = queue.settings
      if (queue.countsUnderWay) this.hasLimits = true
      if (queue.number === 0) continue
      this.hasDurable = true
      if (durability === 'fsync-local') isSynced = true
    }
    this.durability = isSynced || !this.hasDurable ? 'fsync-local' : 'page-cache'
  }

  /**
   * Gives a message the time to live that the settings of its queues ask for; the publisher's own may be shorter. One that was sent to
   * a topic, which others may have as well, gets a time for each such queue. Asked again, it leaves what it gave.
   */
  limitLife(message: Message, nowMs: number): void {
    if (this.targets.length === 1 && this.levels[0] === QUEUE_LEVEL) {
      message.expiresAtMs = limitedLife(this.targets[0]!.queue, message.expiresAtMs, nowMs)
      return
    }
    for (const { queue } of this.targets) {
      if (!hasTtl(queue) || message.lives?.has(queue) === true) continue
      const atMs = limitedLife(queue, message.expiresAtMs, nowMs)
      if (atMs !== message.expiresAtMs) (message.lives ??= new Map<Queue, number>()).set(queue, atMs)
    }
  }

  /** Memory without the targets. */
  get bytes(): number {
    return ROUTE_BYTES + this.topic.length * 2 + this.levels.length * LEVEL_BYTES
  }
}

/** First level of a queue's address. */
const QUEUE_LEVEL = '$queue'

function hasTtl({ settings }: Queue): boolean {
  return settings.ttlMs > 0 || settings.ttlMaxMs > 0
}

/** Unix ms until which a message may stay in a queue; 0: for ever. */
function limitedLife({ settings }: Queue, expiresAtMs: number, nowMs: number): number {
  const { ttlMs, ttlMaxMs } = settings
  const atMs = expiresAtMs === 0 && ttlMs > 0 ? nowMs + ttlMs : expiresAtMs
  return ttlMaxMs > 0 && (atMs === 0 || atMs > nowMs + ttlMaxMs) ? nowMs + ttlMaxMs : atMs
}

export interface RouterLimits {
  readonly routesMax: number
  readonly routesBytesMax: number
  readonly targetsBytesMax: number
}

const DEFAULT_LIMITS: RouterLimits = {
  routesMax: ROUTES_MAX,
  routesBytesMax: ROUTES_BYTES_MAX,
  targetsBytesMax: ROUTE_TARGETS_BYTES_MAX,
}

/** The queues that want an address's messages now. Replaced, never changed: a caller may keep them. Hot path. */
export function targetsOf(route: Route): readonly Target[] {
  if (route.generation !== route.source.generation) route.source.resolve(route)
  return route.targets
}

export class Router implements RouteSource {
  readonly #limits: RouterLimits
  readonly #tree = new TopicTree<Binding>()
  readonly #routes = new Map<string, Route>()
  #routesBytes = 0
  /** Bytes of targets, of routes with many; whoever was resolved first comes first. Producers may hold routes that `#routes` forgot. */
  readonly #wide = new Map<Route, number>()
  #wideBytes = 0
  #generation = 0

  constructor(limits: RouterLimits = DEFAULT_LIMITS) {
    this.#limits = limits
  }

  get bindingCount(): number {
    return this.#tree.size
  }

  get generation(): number {
    return this.#generation
  }

  bind(binding: Binding): void {
    this.#tree.add(binding.pattern, binding)
    this.#generation++
  }

  unbind(binding: Binding): void {
    this.#tree.remove(binding.pattern, binding)
    this.#generation++
  }

  /** A queue has become durable, or has other settings: what is remembered of routes does not hold any more. */
  forgetTargets(): void {
    this.#generation++
  }

  /** The route of a topic in core form. Keep it: the look-up costs more than the publish. */
  routeOf(topic: string): Route {
    let route = this.#routes.get(topic)
    if (route === undefined) {
      route = new Route(topic, this)
      this.#routesBytes += route.bytes
      this.#routes.set(topic, route)
      this.#forgetRoutes()
    }
    return route
  }

  /** The levels of patterns below `parent`, as they are spelled out; for those who look around. */
  patternsBelow(parent: readonly string[]): ReadonlyMap<string, TopicTreeNode<Binding>> | undefined {
    return this.#tree.find(parent)?.children
  }

  /** Those that are remembered: of topics that somebody has published to, or asked about, lately. */
  routes(): Iterable<Route> {
    return this.#routes.values()
  }

  /** Somebody reads the topic now. */
  isHeard(topic: string): boolean {
    return targetsOf(this.routeOf(topic)).length > 0
  }

  resolve(route: Route): void {
    const bindings: Binding[] = []
    this.#tree.match(route.levels, bindings)
    const byQueue = new Map<Queue, Binding[]>()
    for (const binding of bindings) {
      const known = byQueue.get(binding.queue)
      if (known === undefined) byQueue.set(binding.queue, [binding])
      else known.push(binding)
    }
    const targets: Target[] = []
    let bytes = 0
    for (const [queue, matched] of byQueue) {
      const [first] = matched
      if (matched.length === 1 && first !== undefined) targets.push((first.alone ??= targetOf(queue, matched)))
      else targets.push(targetOf(queue, matched))
      bytes += matched.length === 1 ? POINTER_BYTES : TARGET_BYTES
    }
    route.lead(targets, this.#generation)
    this.#noteWidth(route, bytes)
  }

  #forgetRoutes(): void {
    const { routesMax, routesBytesMax } = this.#limits
    for (const [topic, route] of this.#routes) {
      if (this.#routes.size <= routesMax && this.#routesBytes <= routesBytesMax) return
      this.#routesBytes -= route.bytes
      this.#routes.delete(topic)
    }
  }

  /** Routes with few targets are bounded by their number, and by what producers keep. */
  #noteWidth(route: Route, bytes: number): void {
    const before = this.#wide.get(route)
    if (before !== undefined) {
      this.#wide.delete(route)
      this.#wideBytes -= before
    }
    if (bytes <= NARROW_BYTES_MAX) return
    this.#wide.set(route, bytes)
    this.#wideBytes += bytes
    for (const [oldest, size] of this.#wide) {
      if (this.#wideBytes <= this.#limits.targetsBytesMax || oldest === route) return
      oldest.targets = []
      oldest.generation = -1
      this.#wide.delete(oldest)
      this.#wideBytes -= size
    }
  }
}

/** Measured with --expose-gc: a route, one of its levels, a target with its match. */
const ROUTE_BYTES = 300
const LEVEL_BYTES = 32
const TARGET_BYTES = 400
const POINTER_BYTES = 8
/** Targets of a route that are not counted. */
const NARROW_BYTES_MAX = 1_024

function targetOf(queue: Queue, matched: readonly Binding[]): Target {
  const isSelective = matched.some(({ exceptFrom, selector }) => exceptFrom !== undefined || selector !== undefined)
  return { queue, match: matchOf(matched), selective: isSelective ? matched : undefined }
}

/** One delivery for all bindings of a queue, at the highest assurance among them. [MQTT5-3.3.4-2] */
export function matchOf(bindings: readonly Binding[]): Match {
  let assuranceMax: Assurance = 0
  let transientMax: Assurance = 0
  for (const binding of bindings) {
    if (binding.assuranceMax > assuranceMax) assuranceMax = binding.assuranceMax
    const own = binding.transientMax ?? binding.assuranceMax
    if (own > transientMax) transientMax = own
  }
  const match = { data: bindings.map((binding) => binding.data), assuranceMax, memo: undefined }
  return transientMax < assuranceMax ? { ...match, transientMax } : match
}

/** From here on one copy that all share beats a copy for each (measured: 16 B and 1 KiB, 2 to 50 subscribers). */
const SHARING_TARGETS_MIN = 4

/** Offers the message to every target. False when none wanted it after all: no binding but the publisher's own no-local ones. Hot path. */
export function offerAll(targets: readonly Target[], message: Message): boolean {
  if (message.assurance === 0 && targets.length >= SHARING_TARGETS_MIN) message.detachInRun()
  let isWanted = false
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index]!
    if (target.selective === undefined) {
      target.queue.offer(message, target.match)
      isWanted = true
    } else if (offerSelectively(target, message)) {
      isWanted = true
    }
  }
  return isWanted
}

/** Numbers of the durable queues among the targets that will have to settle the message. */
export function durableQueues(targets: readonly Target[], message: Message): number[] {
  const numbers: number[] = []
  for (const target of targets) {
    const { queue, match } = target
    if (queue.number === 0 || assuranceOf(message, match) === 0) continue
    if (isWanted(target, message)) numbers.push(queue.number)
  }
  return numbers
}

/** Somebody may have the message as soon as it is committed. */
export function mayBeDelivered(targets: readonly Target[]): boolean {
  for (const { queue } of targets) if (queue.number !== 0 && queue.hasAttachedConsumer) return true
  return false
}

/** Leaves out the bindings that do not want what their own session publishes. False when none is left. */
function offerSelectively(target: Target, message: Message): boolean {
  const wanting = target.selective!.filter((binding) => wants(binding, message))
  if (wanting.length === 0) return false
  target.queue.offer(message, wanting.length === target.selective!.length ? target.match : matchOf(wanting))
  return true
}

/** Some binding of the target wants the message so that it must be acknowledged. */
export function isWanted({ selective }: Target, message: Message): boolean {
  return selective?.some((binding) => wants(binding, message) && assuranceMaxFor(message, binding) > 0) ?? true
}

function wants(binding: Binding, message: Message): boolean {
  if (binding.exceptFrom !== undefined && binding.exceptFrom === message.publisher) return false
  return binding.selector === undefined || binding.selector.matches(propertiesOf(message))
}
