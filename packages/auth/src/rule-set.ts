/**
 * The rules of one source as decisions look for them: by whom they are for, by action, by pattern. A rule comes, changes and goes without
 * the others being looked at. Which rules decide about what is in acl.ts.
 */
import { ALL_BELOW } from '@ternmq/core'
import type { Decision } from '@ternmq/core'
import { PATTERNS_PER_RULE_MAX } from './limits.ts'
import { RuleTree } from './rule-tree.ts'
import type { Ruled } from './rule-tree.ts'
import { clauseText } from './rules.ts'
import type { CheckedRule, RuleAction, RuleSubject } from './rules.ts'
import type { TopicPattern } from './topic-pattern.ts'
import { ANONYMOUS_NAME, EVERYONE } from './users.ts'

/** One topic pattern of one rule, with its answers made beforehand: no text is built while clients wait. */
export interface Grant extends Ruled {
  readonly decision: Decision
}

export interface Denial extends Ruled {
  readonly decision: Decision
  readonly partly: Decision
}

export interface ActionRules {
  readonly allow: ByKind<Grant>
  readonly deny: ByKind<Denial>
}

type ByKind<T extends Ruled> = Readonly<Record<TopicPattern['kind'], RuleTree<T>>>

/** The rules for one user, one group or everyone, by the action they name. */
export type WhoseRules = ReadonlyMap<RuleAction, ActionRules>

/** What a rule has in the trees. */
interface Entry {
  readonly kind: TopicPattern['kind']
  readonly action: RuleAction
  readonly grant?: Grant
  readonly denial?: Denial
}

interface Placed {
  readonly rule: CheckedRule
  /** Its place among all that there were. */
  readonly place: number
  readonly entries: readonly Entry[]
}

export class RuleSet {
  readonly #byName = new Map<string, Placed>()
  readonly #byUser = new Map<string, Map<RuleAction, ActionRules>>()
  readonly #byGroup = new Map<string, Map<RuleAction, ActionRules>>()
  readonly #special = {
    [ANONYMOUS_NAME]: new Map<RuleAction, ActionRules>(),
    [EVERYONE]: new Map<RuleAction, ActionRules>(),
  }
  #nextPlace = 0

  constructor(rules: Iterable<CheckedRule> = []) {
    for (const rule of rules) this.put(rule)
  }

  get size(): number {
    return this.#byName.size
  }

  /** With these put and those removed. */
  sizeWith(put: Iterable<string>, removed: Iterable<string>): number {
    let size = this.size
    for (const name of put) if (!this.#byName.has(name)) size++
    for (const name of removed) if (this.#byName.has(name)) size--
    return size
  }

  get hasGroups(): boolean {
    return this.#byGroup.size > 0
  }

  get anonymous(): WhoseRules {
    return this.#special[ANONYMOUS_NAME]
  }

  get everyone(): WhoseRules {
    return this.#special[EVERYONE]
  }

  forUser(name: string): WhoseRules | undefined {
    return this.#byUser.get(name)
  }

  forGroup(name: string): WhoseRules | undefined {
    return this.#byGroup.get(name)
  }

  /** In the order of their places. */
  *rules(): Generator<CheckedRule> {
    for (const { rule } of this.#byName.values()) yield rule
  }

  /** Behind all others, or in the place of the one of that name. */
  put(rule: CheckedRule): void {
    const before = this.#byName.get(rule.name)
    if (before !== undefined) this.#take(before)
    const place = before?.place ?? this.#nextPlace++
    const entries = entriesOf(rule, place * PATTERNS_PER_RULE_MAX)
    this.#byName.set(rule.name, { rule, place, entries })
    if (entries.length === 0) return
    const whose = this.#ensureWhose(rule.who)
    for (const { kind, action, grant, denial } of entries) {
      const { allow, deny } = rulesOf(whose, action)
      if (grant !== undefined) allow[kind].add(grant)
      if (denial !== undefined) deny[kind].add(denial)
    }
  }

  /** Nothing where there is none of that name. */
  remove(name: string): void {
    const placed = this.#byName.get(name)
    if (placed === undefined) return
    this.#byName.delete(name)
    this.#take(placed)
  }

  #take({ rule: { who }, entries }: Placed): void {
    const whose = this.#ensureWhose(who)
    for (const { kind, action, grant, denial } of entries) {
      const { allow, deny } = rulesOf(whose, action)
      if (grant !== undefined) allow[kind].remove(grant)
      if (denial !== undefined) deny[kind].remove(denial)
    }
    for (const [action, { allow, deny }] of whose) {
      if ([allow.topic, allow.queue, deny.topic, deny.queue].every((tree) => tree.isEmpty)) whose.delete(action)
    }
    if (whose.size === 0) (who.kind === 'group' ? this.#byGroup : this.#byUser).delete(who.name)
  }

  #ensureWhose({ kind, name }: RuleSubject): Map<RuleAction, ActionRules> {
    if (kind === 'user' && (name === EVERYONE || name === ANONYMOUS_NAME)) return this.#special[name]
    const byName = kind === 'group' ? this.#byGroup : this.#byUser
    let known = byName.get(name)
    if (known === undefined) byName.set(name, (known = new Map<RuleAction, ActionRules>()))
    return known
  }
}

function entriesOf(rule: CheckedRule, firstOrder: number): Entry[] {
  return rule.patterns.flatMap((pattern, index) => [...entriesOfPattern(rule, pattern, firstOrder + index)])
}

function* entriesOfPattern(rule: CheckedRule, pattern: TopicPattern, order: number): Generator<Entry> {
  const { kind } = pattern
  for (const action of rule.allow) {
    const decision = { allowed: true, rule: `${rule.name} ${clauseText(rule, 'allows', action, pattern)}` }
    yield { kind, action, grant: { order, pattern, decision } }
  }
  for (const action of rule.deny) {
    const denies = `${rule.name} ${clauseText(rule, 'denies', action, pattern)}`
    const denial: Denial = {
      order,
      pattern,
      decision: { allowed: false, rule: denies, isDenied: true },
      partly: { allowed: false, rule: `${denies}, which is part of what was asked for; ask for less`, isDenied: true },
    }
    yield { kind, action, denial }
    // A deny of '#' reads like "everything".
    if (pattern.levels[0] === ALL_BELOW && kind === 'topic') yield { kind: 'queue', action, denial }
  }
}

function rulesOf(target: Map<RuleAction, ActionRules>, action: RuleAction): ActionRules {
  let known = target.get(action)
  if (known === undefined) {
    known = {
      allow: { topic: new RuleTree(), queue: new RuleTree() },
      deny: { topic: new RuleTree(), queue: new RuleTree() },
    }
    target.set(action, known)
  }
  return known
}
