/**
 * The last retained message of every topic, and who a pattern would give them to.
 */
import { ALL_BELOW, isReservedName, ONE_LEVEL, type PatternLevel } from './address.ts'
import { type CoreLimits, RETAINED_NODES_MIN, RETAINED_NODES_PER_MESSAGE } from '../limits.ts'
import type { Message } from '../message/message.ts'

/** A level of the tree of retained messages, for those who look around. */
export interface RetainedNode {
  readonly children: ReadonlyMap<string, RetainedNode> | undefined
  /** Expired perhaps. */
  readonly message: Message | undefined
}

class Node implements RetainedNode {
  children: Map<string, Node> | undefined = undefined
  message: Message | undefined = undefined
}

export class Retained {
  readonly #limits: CoreLimits
  readonly #onExpired: (message: Message) => void
  readonly #root = new Node()
  #count = 0
  #ownCount = 0
  #bytes = 0
  /** Of the tree, without its root. */
  #nodeCount = 0
  /** New topics not retained because of a limit. */
  refusedCount = 0

  /** `onExpired` hears of each message that goes because its time is over. */
  constructor(limits: CoreLimits, onExpired: (message: Message) => void) {
    this.#limits = limits
    this.#onExpired = onExpired
  }

  get count(): number {
    return this.#count
  }

  /** Those of topics that are the broker's own, such as `$SYS`: no list of topics has them that does not ask for them. */
  get ownCount(): number {
    return this.#ownCount
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Keeps `message` as the topic's last; an empty body removes what was kept. [MQTT5-3.3.1-5] [MQTT5-3.3.1-6] [MQTT5-3.3.1-7]
   * False when a limit forbids it: then an older message of that topic is gone too, since it is no longer the last.
   */
  set(levels: readonly string[], message: Message): boolean {
    if (message.end === message.bodyStart) {
      this.#remove(levels)
      return true
    }
    const node = this.#nodeOf(levels)
    const before = node?.message
    const isOver =
      (before === undefined && (this.#count >= this.#limits.retainedMessagesMax || this.#isTreeFull(levels.length))) ||
      this.#bytes - (before?.size ?? 0) + message.size > this.#limits.retainedBytesMax
    if (isOver) {
      this.refusedCount++
      if (before !== undefined) this.#remove(levels)
      return false
    }
    message.detach()
    const place = node ?? this.#grow(levels)
    if (before === undefined) this.#counted(levels, 1)
    this.#bytes += message.size - (before?.size ?? 0)
    place.message = message
    return true
  }

  get(levels: readonly string[]): Message | undefined {
    return this.#nodeOf(levels)?.message
  }

  get root(): RetainedNode {
    return this.#root
  }

  /** Keeps none of that topic any more. What it had; undefined when that was nothing. */
  clear(levels: readonly string[]): Message | undefined {
    const message = this.get(levels)
    this.#remove(levels)
    return message
  }

  /** Every message, expired or not. */
  *all(): Generator<Message> {
    const nodes: Node[] = [this.#root]
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (node.message !== undefined) yield node.message
      if (node.children !== undefined) nodes.push(...node.children.values())
    }
  }

  /** All that are not expired and match, in no promised order. Expired ones that it meets are removed. */
  matching(pattern: readonly PatternLevel[], nowMs: number): Message[] {
    const found: Message[] = []
    const expired: Message[] = []
    collect(this.#root, true, pattern, 0, nowMs, found, expired)
    for (const message of expired) {
      this.#remove(message.topic.split('/'))
      this.#onExpired(message)
    }
    return found
  }

  #counted([first = '']: readonly string[], change: 1 | -1): void {
    this.#count += change
    if (isReservedName(first)) this.#ownCount += change
  }

  #isTreeFull(wanted: number): boolean {
    const nodesMax = RETAINED_NODES_MIN + this.#limits.retainedMessagesMax * RETAINED_NODES_PER_MESSAGE
    return this.#nodeCount + wanted > nodesMax
  }

  #nodeOf(levels: readonly string[]): Node | undefined {
    let node: Node | undefined = this.#root
    for (const level of levels) {
      node = node.children?.get(level)
      if (node === undefined) return undefined
    }
    return node
  }

  #grow(levels: readonly string[]): Node {
    let node = this.#root
    for (const level of levels) {
      node.children ??= new Map()
      let child = node.children.get(level)
      if (child === undefined) {
        node.children.set(level, (child = new Node()))
        this.#nodeCount++
      }
      node = child
    }
    return node
  }

  #remove(levels: readonly string[]): void {
    const path: Node[] = [this.#root]
    for (const level of levels) {
      const next = path[path.length - 1]!.children?.get(level)
      if (next === undefined) return
      path.push(next)
    }
    const last = path[path.length - 1]!
    if (last.message === undefined) return
    this.#counted(levels, -1)
    this.#bytes -= last.message.size
    last.message = undefined
    for (let depth = path.length - 1; depth > 0; depth--) {
      const node = path[depth]!
      if (node.message !== undefined || node.children !== undefined) return
      const parent = path[depth - 1]!
      parent.children!.delete(levels[depth - 1]!)
      this.#nodeCount--
      if (parent.children!.size === 0) parent.children = undefined
    }
  }
}

/** `depth` is the place in the pattern: below ALL_BELOW it does not grow, so it does not say what the first level is. */
function collect(
  node: Node,
  isTop: boolean,
  pattern: readonly PatternLevel[],
  depth: number,
  nowMs: number,
  found: Message[],
  expired: Message[],
): void {
  const level = pattern[depth]
  if (level === undefined || level === ALL_BELOW) {
    if (node.message !== undefined) (isExpired(node.message, nowMs) ? expired : found).push(node.message)
    if (level === undefined) return
  }
  if (node.children === undefined) return
  if (typeof level === 'string') {
    const child = node.children.get(level)
    if (child !== undefined) collect(child, false, pattern, depth + 1, nowMs, found, expired)
    return
  }
  for (const [name, child] of node.children) {
    // A wildcard in first position does not match the broker's own names. [MQTT5-4.7.2-1] [MQTT311-4.7.2-1]
    if (isTop && isReservedName(name)) continue
    collect(child, false, pattern, level === ONE_LEVEL ? depth + 1 : depth, nowMs, found, expired)
  }
}

/** Its time is over, though it is still there. */
export function isExpired(message: Message, nowMs: number): boolean {
  return message.expiresAtMs !== 0 && message.expiresAtMs <= nowMs
}
