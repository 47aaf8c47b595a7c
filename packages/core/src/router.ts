/**
 * From a topic to the queues that want its messages. Matching is done once per topic and set of bindings, then remembered in
 * the topic's `Route`: publishing costs the same with ten bindings as with a hundred thousand.
 */
import type { PatternLevel } from './address.ts'
import type { BindingData, Match } from './delivery.ts'
import { ROUTES_MAX } from './limits.ts'
import type { Assurance, Message } from './message.ts'
import type { Queue } from './queue.ts'
import { TopicTree } from './topic-tree.ts'

/** A rule: what is published to `pattern` goes to `queue`. */
export interface Binding {
  readonly pattern: readonly PatternLevel[]
  readonly queue: Queue
  readonly assuranceMax: Assurance
  /** Identity of the session whose own messages it does not want; undefined for none. [MQTT5-3.8.3-3] */
  readonly exceptFrom: object | undefined
  readonly data: BindingData
}

/** One queue that a topic goes to, with all its bindings that matched. */
interface Target {
  readonly queue: Queue
  readonly match: Match
  /** Set when some binding refuses its own session's messages. */
  readonly selective: readonly Binding[] | undefined
}

/** What is known of one topic. Producers keep it; `generation` says whether `targets` still hold. */
export class Route {
  readonly topic: string
  readonly levels: readonly string[]
  generation = -1
  targets: readonly Target[] = []

  constructor(topic: string) {
    this.topic = topic
    this.levels = topic.split('/')
  }
}

export class Router {
  readonly #tree = new TopicTree<Binding>()
  readonly #routes = new Map<string, Route>()
  #generation = 0

  get bindingCount(): number {
    return this.#tree.size
  }

  bind(binding: Binding): void {
    this.#tree.add(binding.pattern, binding)
    this.#generation++
  }

  unbind(binding: Binding): void {
    this.#tree.remove(binding.pattern, binding)
    this.#generation++
  }

  /** The route of a topic in core form. Keep it: the look-up costs more than the publish. */
  routeOf(topic: string): Route {
    let route = this.#routes.get(topic)
    if (route === undefined) {
      route = new Route(topic)
      if (this.#routes.size >= ROUTES_MAX) this.#routes.delete(this.#routes.keys().next().value!)
      this.#routes.set(topic, route)
    }
    return route
  }

  /** Offers the message to every queue bound to its topic. Returns how many targets there were. Hot path. */
  route(route: Route, message: Message): number {
    if (route.generation !== this.#generation) this.#resolve(route)
    const targets = route.targets
    for (let index = 0; index < targets.length; index++) {
      const target = targets[index]!
      if (target.selective === undefined) target.queue.offer(message, target.match)
      else offerSelectively(target, message)
    }
    return targets.length
  }

  #resolve(route: Route): void {
    const bindings: Binding[] = []
    this.#tree.match(route.levels, bindings)
    const byQueue = new Map<Queue, Binding[]>()
    for (const binding of bindings) {
      const known = byQueue.get(binding.queue)
      if (known === undefined) byQueue.set(binding.queue, [binding])
      else known.push(binding)
    }
    const targets: Target[] = []
    for (const [queue, matched] of byQueue) {
      const isSelective = matched.some((binding) => binding.exceptFrom !== undefined)
      targets.push({ queue, match: matchOf(matched), selective: isSelective ? matched : undefined })
    }
    route.targets = targets
    route.generation = this.#generation
  }
}

/** One delivery for all bindings of a queue, at the highest assurance among them. [MQTT5-3.3.4-2] */
export function matchOf(bindings: readonly Binding[]): Match {
  let assuranceMax: Assurance = 0
  for (const binding of bindings) if (binding.assuranceMax > assuranceMax) assuranceMax = binding.assuranceMax
  return { data: bindings.map((binding) => binding.data), assuranceMax, memo: undefined }
}

/** Leaves out the bindings that do not want what their own session publishes. */
function offerSelectively(target: Target, message: Message): void {
  const wanting = target.selective!.filter(
    (binding) => binding.exceptFrom === undefined || binding.exceptFrom !== message.publisher,
  )
  if (wanting.length === target.selective!.length) target.queue.offer(message, target.match)
  else if (wanting.length > 0) target.queue.offer(message, matchOf(wanting))
}
