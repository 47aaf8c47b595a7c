/**
 * Access rules: who may read, write, look into and manage which topics and queues. The core asks through `Authorizer` and keeps the answers.
 *
 * - Without any rule everything is allowed, but 'admin' to anonymous clients.
 * - Deny wins over allow, whatever the order and the source. What no rule reaches gets `defaultAccess`, which is 'deny'.
 * - `user` is a name, '*' (everyone, anonymous clients included) or 'anonymous'; `group` is one that the user is in now.
 * - 'read' means 'browse' too, in an allow and in a deny; 'browse' alone is about looking only. 'create' needs write or admin.
 *   'admin' comes from rules alone, never from `defaultAccess`. Temporary destinations are in no rule: they get `defaultAccess`.
 *   Rules hold in every virtual host.
 * - A pattern of topics reaches no queue, and the other way round; but a deny of '#' reads like "everything" and means it.
 * - A subscription is allowed when ONE allow pattern covers its whole filter and NO deny pattern reaches any of it. A
 *   filter that could deliver even one denied topic is refused as a whole: the alternative is a check per delivery, and
 *   a mistake there leaks. The client subscribes to less instead.
 * - '+' and '#' in first position do not reach names starting with '$' in an allow, as in MQTT; in a deny they do,
 *   because a deny that reads like "everything" must mean it. A variable never lifts a client among those names.
 */
import { ALL_BELOW } from '@ternmq/core'
import type { Action, Address, Authorizer, Cancel, Decision, Pattern, PatternLevel, Subject } from '@ternmq/core'
import { explain } from './explain.ts'
import type { Explanation } from './explain.ts'
import { RuleTree } from './rule-tree.ts'
import type { Ruled } from './rule-tree.ts'
import { checkPermissions, checkRules, clauseText } from './rules.ts'
import type { AccessRule, CheckedRule, Permission, RuleAction } from './rules.ts'
import { covers, patternFor } from './topic-pattern.ts'
import type { TopicPattern } from './topic-pattern.ts'
import { ANONYMOUS_NAME, EVERYONE } from './users.ts'

export interface AccessRules {
  readonly rules: readonly AccessRule[]
  readonly defaultAccess?: 'allow' | 'deny'
}

/** Groups that a user is in now; asked at every decision, so that a change counts at once (see `RuleAuthorizer.forget`). */
export type GroupsOf = (user: string) => readonly string[]

/** One topic pattern of one rule, with its answers made beforehand: no text is built while clients wait. */
interface Grant extends Ruled {
  readonly decision: Decision
}

interface Denial extends Ruled {
  readonly decision: Decision
  readonly partly: Decision
}

interface ActionRules {
  readonly allow: ByKind<Grant>
  readonly deny: ByKind<Denial>
}

type ByKind<T extends Ruled> = Readonly<Record<TopicPattern['kind'], RuleTree<T>>>

/** The rules for one user, one group or everyone, by the action they name. */
type WhoseRules = Map<RuleAction, ActionRules>

interface Compiled {
  readonly hasRules: boolean
  readonly byUser: ReadonlyMap<string, WhoseRules>
  readonly byGroup: ReadonlyMap<string, WhoseRules>
  readonly anonymous: WhoseRules
  readonly everyone: WhoseRules
  readonly fallback: Decision
  readonly noAdmin: Decision
}

/** The actions whose rules decide about an action: a rule about reading is one about looking, too. */
const DECIDED_BY = {
  read: ['read'],
  write: ['write'],
  browse: ['read', 'browse'],
  admin: ['admin'],
} as const satisfies Record<RuleAction, readonly RuleAction[]>

const NO_RULES: Decision = { allowed: true, rule: 'no rules are configured: everything is allowed' }
const ADMIN_ANONYMOUS: Decision = { allowed: false, rule: 'an anonymous client has no admin rights' }
const NO_GROUPS: GroupsOf = () => []

export class RuleAuthorizer implements Authorizer {
  readonly #configPath: string
  readonly #groupsOf: GroupsOf
  readonly #listeners = new Set<() => void>()
  #generation = 0
  #config: readonly CheckedRule[]
  #permissions: readonly CheckedRule[] = []
  #defaultAccess: 'allow' | 'deny'
  #compiled: Compiled

  /**
   * `configPath` is where the rules stand in the configuration, for messages and decisions.
   * Throws AuthError('AUTH_RULES_INVALID') naming rule, value and what is allowed.
   */
  constructor(config: AccessRules, configPath = 'access', groupsOf: GroupsOf = NO_GROUPS) {
    this.#configPath = configPath
    this.#groupsOf = groupsOf
    this.#config = checkRules(config.rules, `${configPath}.rules`)
    this.#defaultAccess = config.defaultAccess ?? 'deny'
    this.#compiled = this.#compile()
  }

  get generation(): number {
    return this.#generation
  }

  /** The rules of the configuration; permissions stay. Throws as the constructor does, and then the old rules stand. */
  replaceConfig(config: AccessRules): void {
    this.#config = checkRules(config.rules, `${this.#configPath}.rules`)
    this.#defaultAccess = config.defaultAccess ?? 'deny'
    this.#recompile()
  }

  /** The permissions made through the API, all of them; the configuration stays. Throws as the constructor does, and then the old ones stand. */
  replacePermissions(permissions: readonly Permission[]): void {
    this.#permissions = checkPermissions(permissions)
    this.#recompile()
  }

  /** Answers may have changed with the groups of a user: who keeps some asks again. */
  forget(): void {
    this.#generation++
    for (const listener of this.#listeners) listener()
  }

  /** Called whenever the generation has moved: what was allowed once is to be looked at again. Must not throw. */
  onChange(listener: () => void): Cancel {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  mayUse(subject: Subject, action: Action, address: Address): Decision {
    return this.#decide(subject, action, address)
  }

  mayMatch(subject: Subject, action: Action, pattern: Pattern): Decision {
    return this.#decide(subject, action, pattern)
  }

  /** The decision, and what each rule has to do with it. As slow as there are rules: for people who ask. */
  explain(subject: Subject, action: Action, wanted: Address | Pattern): Explanation {
    const { principal } = subject
    return explain({
      subject,
      action,
      wanted,
      decision: this.#decide(subject, action, wanted),
      groups: principal.anonymous ? [] : this.#groupsOf(principal.name),
      rules: [...this.#config, ...this.#permissions],
    })
  }

  /** A concrete address is the pattern that matches only itself: one path decides both. */
  #decide(subject: Subject, action: Action, wanted: Address | Pattern): Decision {
    if (action !== 'create') return this.#decideOne(subject, action, wanted)
    const write = this.#decideOne(subject, 'write', wanted)
    if (write.allowed) return write
    const admin = this.#decideOne(subject, 'admin', wanted)
    return admin.allowed ? admin : write
  }

  #decideOne(subject: Subject, action: RuleAction, { kind, levels }: Address | Pattern): Decision {
    const { hasRules, fallback: fallbackOfRest, noAdmin } = this.#compiled
    if (!hasRules) return action === 'admin' && subject.principal.anonymous ? ADMIN_ANONYMOUS : NO_RULES
    const fallback = action === 'admin' ? noAdmin : fallbackOfRest
    if (kind !== 'topic' && kind !== 'queue') return fallback

    const concerned = this.#concerned(subject, action)
    for (const { deny } of concerned) {
      const denial = deny[kind].overlapping(levels, subject)
      if (denial !== undefined) return isWhole(denial, subject, levels) ? denial.decision : denial.partly
    }
    if (fallback.allowed) return fallback
    for (const { allow } of concerned) {
      const grant = allow[kind].covering(levels, subject)
      if (grant !== undefined) return grant.decision
    }
    return fallback
  }

  /** The rules for the user, for each of its groups and for everyone. */
  #concerned({ principal }: Subject, action: RuleAction): ActionRules[] {
    const { byUser, byGroup, anonymous, everyone } = this.#compiled
    const result: ActionRules[] = []
    const add = (rules: WhoseRules | undefined): void => {
      for (const named of DECIDED_BY[action]) {
        const found = rules?.get(named)
        if (found !== undefined) result.push(found)
      }
    }
    add(principal.anonymous ? anonymous : byUser.get(principal.name))
    if (byGroup.size > 0 && !principal.anonymous) {
      for (const group of this.#groupsOf(principal.name)) add(byGroup.get(group))
    }
    add(everyone)
    return result
  }

  #recompile(): void {
    this.#compiled = this.#compile()
    this.forget()
  }

  #compile(): Compiled {
    const rules = [...this.#config, ...this.#permissions]
    const byUser = new Map<string, WhoseRules>()
    const byGroup = new Map<string, WhoseRules>()
    const anonymous: WhoseRules = new Map()
    const everyone: WhoseRules = new Map()
    const rulesFor = ({ who: { kind, name } }: CheckedRule): WhoseRules => {
      if (kind === 'user' && name === EVERYONE) return everyone
      if (kind === 'user' && name === ANONYMOUS_NAME) return anonymous
      const byName = kind === 'group' ? byGroup : byUser
      let known = byName.get(name)
      if (known === undefined) byName.set(name, (known = new Map()))
      return known
    }
    let order = 0
    for (const rule of rules) {
      for (const pattern of rule.patterns) addPattern(rulesFor(rule), rule, pattern, order++)
    }
    const others = this.#permissions.length === 0 ? '' : ' and no permission'
    const none = `no rule of ${this.#configPath}.rules${others}`
    const allowed = this.#defaultAccess === 'allow'
    return {
      hasRules: rules.length > 0,
      byUser,
      byGroup,
      anonymous,
      everyone,
      fallback: { allowed, rule: `${none} applies: ${this.#configPath}.defaultAccess is ${this.#defaultAccess}` },
      noAdmin: { allowed: false, rule: `${none} gives admin rights, and nothing else does` },
    }
  }
}

function addPattern(target: WhoseRules, rule: CheckedRule, pattern: TopicPattern, order: number): void {
  for (const action of rule.allow) {
    const decision = { allowed: true, rule: `${rule.name} ${clauseText(rule, 'allows', action, pattern)}` }
    rulesOf(target, action).allow[pattern.kind].add({ order, pattern, decision })
  }
  for (const action of rule.deny) {
    const denies = `${rule.name} ${clauseText(rule, 'denies', action, pattern)}`
    const denial: Denial = {
      order,
      pattern,
      decision: { allowed: false, rule: denies },
      partly: { allowed: false, rule: `${denies}, which is part of what was asked for; ask for less` },
    }
    const { deny } = rulesOf(target, action)
    deny[pattern.kind].add(denial)
    if (pattern.levels[0] === ALL_BELOW && pattern.kind === 'topic') deny.queue.add(denial)
  }
}

function rulesOf(target: WhoseRules, action: RuleAction): ActionRules {
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

/** True when the denial reaches all of what is wanted. */
function isWhole({ pattern }: Denial, subject: Subject, wanted: readonly PatternLevel[]): boolean {
  const levels = patternFor(pattern, subject)
  return levels !== undefined && covers(levels, wanted, true)
}
