/**
 * Patterns of one virtual host as a tree of levels: finds everything bound to a topic in time that grows with the depth of
 * the name and not with the number of patterns.
 */
import { ALL_BELOW, isReservedName, ONE_LEVEL, type PatternLevel } from './address.ts'

/** A level that patterns spell out, for those who look around. */
export interface TopicTreeNode<T> {
  readonly children: ReadonlyMap<string, TopicTreeNode<T>> | undefined
  /** Values whose pattern ends here, without a wildcard as its last level. */
  readonly values: readonly T[] | undefined
}

class Node<T> implements TopicTreeNode<T> {
  children: Map<string, Node<T>> | undefined = undefined
  /** The node behind ONE_LEVEL. */
  one: Node<T> | undefined = undefined
  /** Values whose pattern ends here. */
  values: T[] | undefined = undefined
  /** Values whose pattern ends here with ALL_BELOW. */
  valuesBelow: T[] | undefined = undefined

  get isEmpty(): boolean {
    return this.children === undefined && this.one === undefined && this.values === undefined && this.valuesBelow === undefined
  }
}

export class TopicTree<T> {
  readonly #root = new Node<T>()
  #size = 0

  /** Values in the tree. */
  get size(): number {
    return this.#size
  }

  /** The node that patterns spell out as `levels`; undefined when none does. */
  find(levels: readonly string[]): TopicTreeNode<T> | undefined {
    let node: Node<T> | undefined = this.#root
    for (const level of levels) {
      node = node.children?.get(level)
      if (node === undefined) return undefined
    }
    return node
  }

  add(pattern: readonly PatternLevel[], value: T): void {
    let node = this.#root
    for (const level of pattern) {
      if (level === ALL_BELOW) {
        ;(node.valuesBelow ??= []).push(value)
        this.#size++
        return
      }
      node = level === ONE_LEVEL ? (node.one ??= new Node<T>()) : childOf(node, level)
    }
    ;(node.values ??= []).push(value)
    this.#size++
  }

  /** False when `value` was not there. Branches that become empty go. */
  remove(pattern: readonly PatternLevel[], value: T): boolean {
    const path: Node<T>[] = [this.#root]
    for (const level of pattern) {
      if (level === ALL_BELOW) break
      const parent = path[path.length - 1]!
      const next = level === ONE_LEVEL ? parent.one : parent.children?.get(level)
      if (next === undefined) return false
      path.push(next)
    }
    if (!removeValue(path[path.length - 1]!, pattern[pattern.length - 1] === ALL_BELOW, value)) return false
    this.#size--
    for (let depth = path.length - 1; depth > 0 && path[depth]!.isEmpty; depth--) {
      dropChild(path[depth - 1]!, pattern[depth - 1]!)
    }
    return true
  }

  /** Appends every value whose pattern matches `levels` to `found`. A value bound by several patterns comes several times. */
  match(levels: readonly string[], found: T[]): void {
    collect(this.#root, levels, 0, isReservedName(levels[0]), found)
  }
}

/** `reserved`: the name starts with '$', so a wildcard in first position does not count. [MQTT5-4.7.2-1] [MQTT311-4.7.2-1] */
function collect<T>(node: Node<T>, levels: readonly string[], depth: number, reserved: boolean, found: T[]): void {
  const wildcardsCount = depth > 0 || !reserved
  if (wildcardsCount && node.valuesBelow !== undefined) append(found, node.valuesBelow)
  if (depth === levels.length) {
    if (node.values !== undefined) append(found, node.values)
    return
  }
  const child = node.children?.get(levels[depth]!)
  if (child !== undefined) collect(child, levels, depth + 1, reserved, found)
  if (wildcardsCount && node.one !== undefined) collect(node.one, levels, depth + 1, reserved, found)
}

function childOf<T>(node: Node<T>, level: string): Node<T> {
  node.children ??= new Map()
  let child = node.children.get(level)
  if (child === undefined) node.children.set(level, (child = new Node<T>()))
  return child
}

function removeValue<T>(node: Node<T>, below: boolean, value: T): boolean {
  const values = below ? node.valuesBelow : node.values
  const index = values === undefined ? -1 : values.indexOf(value)
  if (index < 0) return false
  values!.splice(index, 1)
  if (values!.length === 0) {
    if (below) node.valuesBelow = undefined
    else node.values = undefined
  }
  return true
}

function dropChild<T>(parent: Node<T>, level: PatternLevel): void {
  if (level === ONE_LEVEL) {
    parent.one = undefined
  } else {
    parent.children!.delete(level as string)
    if (parent.children!.size === 0) parent.children = undefined
  }
}

/** A spread would put every value on the call stack; a topic with 200,000 subscribers must not overflow it. */
function append<T>(found: T[], values: readonly T[]): void {
  for (const value of values) found.push(value)
}
