/**
 * Looks around among topics, page by page and without a copy of all of them: the tree of those that somebody has subscribed to, that have
 * a retained message or that the router remembers, one level at a time; and the retained messages that match a pattern, in the order of
 * their topics' levels.
 */
import { ALL_BELOW, isReservedName, type PatternLevel } from '../routing/address.ts'
import type { Message } from '../message/message.ts'
import { isExpired, type RetainedNode } from '../routing/retained.ts'
import type { Binding } from '../routing/router.ts'
import type { TopicTreeNode } from '../routing/topic-tree.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { sortedNames } from './sorted-names.ts'

/** Topics of one page, or retained messages. */
export const TOPICS_PAGE_MAX = 1_000
/** Levels of the tree that are looked at for one page of retained messages: then the page ends, perhaps empty, and its cursor goes on. */
const LOOKS_PER_PAGE_MAX = 20_000

export interface TopicNode {
  /** The level. */
  readonly name: string
  /** With those above it, joined by '/'. */
  readonly topic: string
  readonly hasChildren: boolean
  /** Bindings whose pattern is just this topic; those with wildcards are not counted. */
  readonly bindingCount: number
  readonly isRetained: boolean
  /** The router remembers it: somebody has published to it, or asked about it, lately. */
  readonly isRouted: boolean
}

export interface TopicsOptions {
  /** Levels above; left out: none. */
  readonly parent?: readonly string[] | undefined
  /** `cursor` of the page before; left out: from the beginning. */
  readonly after?: string | undefined
  /** Up to TOPICS_PAGE_MAX, which it is when left out. */
  readonly limit?: number | undefined
}

export interface TopicsPage {
  /** In the order of their names. */
  readonly nodes: readonly TopicNode[]
  /** For the next page; undefined when there is nothing more. */
  readonly cursor: string | undefined
}

export interface RetainedOptions {
  /** Left out: all but those of reserved names, as for a subscriber. */
  readonly pattern?: readonly PatternLevel[] | undefined
  /** `cursor` of the page before; left out: from the beginning. */
  readonly after?: string | undefined
  /** Up to TOPICS_PAGE_MAX, which it is when left out. */
  readonly limit?: number | undefined
}

export interface RetainedPage {
  readonly messages: readonly Message[]
  /** For the next page; undefined when there is nothing more. */
  readonly cursor: string | undefined
}

/** The level below `parent`. */
export function topicsBelow(vhost: VirtualHost, options: TopicsOptions = {}): TopicsPage {
  const { parent = [], after } = options
  const limit = pageSize(options.limit)
  const nowMs = vhost.env.clock.wallMs()
  const level = levelBelow(vhost, parent)
  const nodes: TopicNode[] = []
  for (const name of sortedNames(level, after)) {
    if (name === after) continue
    const node = nodeOf(level, parent, name, nowMs)
    if (node === undefined) continue
    if (nodes.length === limit) return { nodes, cursor: nodes[limit - 1]!.name }
    nodes.push(node)
  }
  return { nodes, cursor: undefined }
}

/** What is known of the next level, by name, from each of the three. */
interface Level {
  readonly bound: ReadonlyMap<string, TopicTreeNode<Binding>>
  readonly kept: ReadonlyMap<string, RetainedNode>
  readonly routed: ReadonlyMap<string, RoutedName>
  keys(): Iterable<string>
}

interface RoutedName {
  isTopic: boolean
  hasChildren: boolean
}

function levelBelow({ router, retained }: VirtualHost, parent: readonly string[]): Level {
  const bound = router.patternsBelow(parent) ?? NOTHING
  const kept = nodeAt(retained.root, parent)?.children ?? NOTHING
  const routed = new Map<string, RoutedName>()
  for (const { levels } of router.routes()) {
    if (levels.length <= parent.length || !parent.every((level, index) => levels[index] === level)) continue
    const name = levels[parent.length]!
    let known = routed.get(name)
    if (known === undefined) routed.set(name, (known = { isTopic: false, hasChildren: false }))
    if (levels.length === parent.length + 1) known.isTopic = true
    else known.hasChildren = true
  }
  return {
    bound,
    kept,
    routed,
    *keys() {
      yield* bound.keys()
      for (const name of kept.keys()) if (!bound.has(name)) yield name
      for (const name of routed.keys()) if (!bound.has(name) && !kept.has(name)) yield name
    },
  }
}

/** Undefined for one of which nothing is left but an expired message. */
function nodeOf(
  { bound, kept, routed }: Level,
  parent: readonly string[],
  name: string,
  nowMs: number,
): TopicNode | undefined {
  const pattern = bound.get(name)
  const place = kept.get(name)
  const route = routed.get(name)
  const hasChildren = pattern?.children !== undefined || place?.children !== undefined || route?.hasChildren === true
  const isRetained = place?.message !== undefined && !isExpired(place.message, nowMs)
  if (pattern === undefined && route === undefined && !hasChildren && !isRetained) return undefined
  return {
    name,
    topic: [...parent, name].join('/'),
    hasChildren,
    bindingCount: pattern?.values?.length ?? 0,
    isRetained,
    isRouted: route?.isTopic === true,
  }
}

function nodeAt(root: RetainedNode, levels: readonly string[]): RetainedNode | undefined {
  let node: RetainedNode | undefined = root
  for (const level of levels) node = node?.children?.get(level)
  return node
}

/** Retained messages that match, those above others first; what has expired is left out and stays. */
export function retainedPage(vhost: VirtualHost, options: RetainedOptions = {}): RetainedPage {
  const { pattern = [ALL_BELOW], after } = options
  const limit = pageSize(options.limit)
  const nowMs = vhost.env.clock.wallMs()
  const walk = new RetainedWalk(pattern, after?.split('/'))
  const messages: Message[] = []
  for (const found of walk.below(vhost.retained.root, 0, 0)) {
    if (found === undefined) return { messages, cursor: walk.path.join('/') } // enough was looked at
    if (isExpired(found, nowMs)) continue
    if (messages.length === limit) return { messages, cursor: messages[limit - 1]!.topic }
    messages.push(found)
  }
  return { messages, cursor: undefined }
}

class RetainedWalk {
  readonly #pattern: readonly PatternLevel[]
  /** Where the page before ended; undefined once that is behind. */
  #after: readonly string[] | undefined
  /** Levels of the node at hand. */
  readonly path: string[] = []
  #looks = 0

  constructor(pattern: readonly PatternLevel[], after: readonly string[] | undefined) {
    this.#pattern = pattern
    this.#after = after
  }

  /** `at` is the place in the pattern: below ALL_BELOW it does not grow. Undefined: so many levels have been looked at that it ends here. */
  *below(node: RetainedNode, depth: number, at: number): Generator<Message | undefined> {
    const level = this.#pattern[at]
    if (this.#after !== undefined && depth === this.#after.length) this.#after = undefined // this one the page before has had
    else if (this.#after === undefined) {
      if ((level === undefined || level === ALL_BELOW) && node.message !== undefined) yield node.message
      if (++this.#looks >= LOOKS_PER_PAGE_MAX) yield undefined
    }
    if (level === undefined || node.children === undefined) return
    for (const name of this.#namesOf(node.children, depth, level)) {
      const child = node.children?.get(name)
      if (child === undefined) continue
      // One that the page before ended in, or one behind it.
      if (this.#after !== undefined && name !== this.#after[depth]) this.#after = undefined
      this.path[depth] = name
      this.path.length = depth + 1
      yield* this.below(child, depth + 1, level === ALL_BELOW ? at : at + 1)
    }
    // It was below here, and nothing of it is left.
    this.#after = undefined
  }

  *#namesOf(children: ReadonlyMap<string, RetainedNode>, depth: number, level: PatternLevel): Generator<string> {
    const from = this.#after?.[depth]
    if (typeof level === 'string') {
      if (from === undefined || level >= from) yield level
      return
    }
    for (const name of sortedNames(children, from)) {
      // A wildcard in first position does not match the broker's own names. [MQTT5-4.7.2-1]
      if (depth === 0 && isReservedName(name)) continue
      yield name
    }
  }
}

function pageSize(limit: number = TOPICS_PAGE_MAX): number {
  return Math.max(1, Math.min(limit, TOPICS_PAGE_MAX))
}

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>()
