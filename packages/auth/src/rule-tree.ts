/**
 * Finds, among the patterns of many rules, the first that reaches what a client asks for. The time goes with the depth of the name, not
 * with the number of rules: one user may have thousands of rules that differ in their second level. What a pattern reaches is what
 * `covers` and `overlaps` in topic-pattern.ts say; this gives the same answers faster.
 */
import { ALL_BELOW, ONE_LEVEL, isReservedName } from '@ternmq/core'
import type { PatternLevel, Subject } from '@ternmq/core'
import { isLiftedToReserved, levelFor, patternFor } from './topic-pattern.ts'
import type { RuleLevel, TopicPattern, VariableLevel } from './topic-pattern.ts'

/** Something that stands under a pattern. The lower `order` is found first. */
export interface Ruled {
  readonly order: number
  readonly pattern: TopicPattern
}

interface VariableChild<T extends Ruled> {
  readonly level: VariableLevel
  readonly node: Node<T>
}

/** Most have one thing only: nothing is made before it is needed. */
class Node<T extends Ruled> {
  literals: Map<string, Node<T>> | undefined = undefined
  /** Levels with variables; what they stand for depends on who asks. */
  variables: Map<string, VariableChild<T>> | undefined = undefined
  one: Node<T> | undefined = undefined
  /** The pattern ends here. */
  ends: T[] | undefined = undefined
  /** The pattern goes on with everything below. */
  below: T[] | undefined = undefined
  /** No order here or further down is lower: what is above the best found so far need not be looked at. */
  order = Infinity

  get isEmpty(): boolean {
    const { literals, variables, one, ends, below } = this
    return (literals ?? variables ?? one ?? ends ?? below) === undefined
  }
}

export class RuleTree<T extends Ruled> {
  readonly #root = new Node<T>()

  get isEmpty(): boolean {
    return this.#root.isEmpty
  }

  /** No two values have the same order. */
  add(value: T): void {
    let node = this.#root
    node.order = Math.min(node.order, value.order)
    for (const level of value.pattern.levels) {
      if (level === ALL_BELOW) return insert((node.below ??= []), value)
      node = childOf(node, level)
      node.order = Math.min(node.order, value.order)
    }
    insert((node.ends ??= []), value)
  }

  /** One that was added. Branches that become empty go. */
  remove(value: T): void {
    const { levels } = value.pattern
    const isBelow = levels[levels.length - 1] === ALL_BELOW
    const path = [this.#root]
    for (const level of isBelow ? levels.slice(0, -1) : levels) path.push(childOf(path[path.length - 1]!, level))
    const last = path[path.length - 1]!
    if (isBelow) last.below = without(last.below, value)
    else last.ends = without(last.ends, value)
    for (let depth = path.length - 1; depth > 0 && path[depth]!.isEmpty; depth--)
      dropChild(path[depth - 1]!, levels[depth - 1]!)
  }

  /** The first whose pattern matches every name that `wanted` matches, as `covers` says. */
  covering(wanted: readonly PatternLevel[], subject: Subject): T | undefined {
    const search = new Search<T>(wanted, subject, false)
    search.covering(this.#root, 0)
    return search.found
  }

  /** The first whose pattern matches some name that `wanted` matches, reserved names too, as `overlaps` says. */
  overlapping(wanted: readonly PatternLevel[], subject: Subject): T | undefined {
    const search = new Search<T>(wanted, subject, true)
    search.overlapping(this.#root, 0)
    return search.found
  }
}

function childOf<T extends Ruled>(node: Node<T>, level: RuleLevel): Node<T> {
  if (level === ONE_LEVEL) return (node.one ??= new Node<T>())
  if (typeof level === 'string') {
    const literals = (node.literals ??= new Map<string, Node<T>>())
    let child = literals.get(level)
    if (child === undefined) literals.set(level, (child = new Node<T>()))
    return child
  }
  const key = JSON.stringify(level)
  const variables = (node.variables ??= new Map<string, VariableChild<T>>())
  let child = variables.get(key)
  if (child === undefined) variables.set(key, (child = { level: level as VariableLevel, node: new Node<T>() }))
  return child.node
}

function dropChild<T extends Ruled>(node: Node<T>, level: RuleLevel): void {
  if (level === ONE_LEVEL) node.one = undefined
  else if (typeof level === 'string') {
    node.literals!.delete(level)
    if (node.literals!.size === 0) node.literals = undefined
  } else {
    node.variables!.delete(JSON.stringify(level))
    if (node.variables!.size === 0) node.variables = undefined
  }
}

/** Into values in ascending order. */
function insert<T extends Ruled>(values: T[], value: T): void {
  if (values.length === 0 || values[values.length - 1]!.order < value.order) values.push(value)
  else values.splice(placeOf(values, value), 0, value)
}

function without<T extends Ruled>(values: T[] | undefined, value: T): T[] | undefined {
  if (values === undefined || values.length <= 1) return undefined
  values.splice(placeOf(values, value), 1)
  return values
}

/** Index of the value, or where it belongs. */
function placeOf(values: readonly Ruled[], { order }: Ruled): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]!.order < order) low = middle + 1
    else high = middle
  }
  return low
}

class Search<T extends Ruled> {
  readonly #wanted: readonly PatternLevel[]
  readonly #subject: Subject
  /** A wildcard in first position reaches names that start with '$'. */
  readonly #reservedToo: boolean
  found: T | undefined = undefined

  constructor(wanted: readonly PatternLevel[], subject: Subject, reservedToo: boolean) {
    this.#wanted = wanted
    this.#subject = subject
    this.#reservedToo = reservedToo
  }

  covering(node: Node<T>, index: number): void {
    if (node.order >= (this.found?.order ?? Infinity)) return
    const wildcardsMeet = this.#wildcardsMeet(index)
    if (wildcardsMeet) this.#take(node.below)
    const theirs = this.#wanted[index]
    if (theirs === undefined) return this.#take(node.ends)
    // '#' alone says the same as '+/#', since a name has a level at least; elsewhere it matches the parent too.
    if (theirs === ALL_BELOW) return index === 0 && node.one !== undefined ? this.#take(node.one.below) : undefined
    if (node.one !== undefined && wildcardsMeet) this.covering(node.one, index + 1)
    if (theirs === ONE_LEVEL) return
    const literal = node.literals?.get(theirs)
    if (literal !== undefined) this.covering(literal, index + 1)
    for (const { level, node: child } of node.variables?.values() ?? []) {
      if (levelFor(level, this.#subject) === theirs) this.covering(child, index + 1)
    }
  }

  overlapping(node: Node<T>, index: number): void {
    if (node.order >= (this.found?.order ?? Infinity)) return
    const wildcardsMeet = this.#wildcardsMeet(index)
    if (wildcardsMeet) this.#take(node.below)
    const theirs = this.#wanted[index]
    if (theirs === undefined) return this.#take(node.ends)
    const next = theirs === ALL_BELOW ? index : index + 1
    if (node.one !== undefined && wildcardsMeet) this.#descend(node.one, next)
    if (typeof theirs === 'string') {
      const literal = node.literals?.get(theirs)
      if (literal !== undefined) this.#descend(literal, next)
    } else {
      for (const [level, child] of node.literals ?? []) {
        if (index > 0 || !isReservedName(level)) this.#descend(child, next)
      }
    }
    for (const { level, node: child } of node.variables?.values() ?? []) {
      const value = levelFor(level, this.#subject)
      if (value === undefined) continue
      if (typeof theirs === 'string' ? value === theirs : index > 0 || !isReservedName(value))
        this.#descend(child, next)
    }
  }

  #descend(node: Node<T>, index: number): void {
    if (this.#wanted[index] === ALL_BELOW) this.#all(node)
    else this.overlapping(node, index)
  }

  /** Everything here and further down: 'everything below' means the parent too, and whatever a pattern goes on with. */
  #all(node: Node<T>): void {
    if (node.order >= (this.found?.order ?? Infinity)) return
    this.#take(node.below)
    this.#take(node.ends)
    if (node.one !== undefined) this.#all(node.one)
    for (const child of node.literals?.values() ?? []) this.#all(child)
    for (const { level, node: child } of node.variables?.values() ?? []) {
      if (levelFor(level, this.#subject) !== undefined) this.#all(child)
    }
  }

  /** Whether a wildcard of ours in this position meets what is wanted: in first position it does not meet reserved names. */
  #wildcardsMeet(index: number): boolean {
    const theirs = this.#wanted[index]
    return index > 0 || this.#reservedToo || typeof theirs !== 'string' || !isReservedName(theirs)
  }

  #take(values: readonly T[] | undefined): void {
    for (const value of values ?? []) {
      if (value.order >= (this.found?.order ?? Infinity)) return
      // An allow must not be lifted among reserved names by a variable; a deny may.
      if (!this.#reservedToo && this.#isLifted(value.pattern)) continue
      this.found = value
      return
    }
  }

  #isLifted(pattern: TopicPattern): boolean {
    const levels = patternFor(pattern, this.#subject)
    return levels === undefined || isLiftedToReserved(pattern, levels)
  }
}
