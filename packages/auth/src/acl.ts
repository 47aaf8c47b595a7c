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
import type { Action, Address, Authorizer, Cancel, Decision, Pattern, PatternLevel, Subject } from '@ternmq/core'
import { isDeepStrictEqual } from 'node:util'
import { explain } from './explain.ts'
import type { Explanation } from './explain.ts'
import { PATTERNS_PER_PIECE, PATTERNS_PER_RULE_MAX } from './limits.ts'
import { RuleSet } from './rule-set.ts'
import type { ActionRules, Denial, WhoseRules } from './rule-set.ts'
import { checkPermissions, checkRules, permissionRuleName, refuseTooManyPermissions } from './rules.ts'
import type { AccessRule, CheckedRule, Permission, RuleAction } from './rules.ts'
import { covers, patternFor } from './topic-pattern.ts'

export interface AccessRules {
  readonly rules: readonly AccessRule[]
  readonly defaultAccess?: 'allow' | 'deny'
}

/** Groups that a user is in now; asked at every decision, so that a change counts at once (see `RuleAuthorizer.forget`). */
export type GroupsOf = (user: string) => readonly string[]

/** Lets everybody else have a turn; resolves when the work may go on. */
export type Pause = () => Promise<void>

/** What holds where no rule says anything. */
interface Defaults {
  readonly hasRules: boolean
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

const NO_RULES: Decision = { allowed: true, rule: 'there are no permissions: everybody may do everything' }
const ADMIN_ANONYMOUS: Decision = { allowed: false, rule: 'an anonymous client has no admin rights' }
const NO_GROUPS: GroupsOf = () => []

export class RuleAuthorizer implements Authorizer {
  readonly #configPath: string
  readonly #groupsOf: GroupsOf
  readonly #listeners = new Set<() => void>()
  #generation = 0
  #config: readonly AccessRule[]
  #configRules: RuleSet
  #permissions = new RuleSet()
  #defaultAccess: 'allow' | 'deny'
  #defaults: Defaults

  /**
   * `configPath` is where the rules stand in the configuration, for messages and decisions.
   * Throws AuthError('AUTH_RULES_INVALID') naming rule, value and what is allowed.
   */
  constructor(config: AccessRules, configPath = 'access', groupsOf: GroupsOf = NO_GROUPS) {
    this.#configPath = configPath
    this.#groupsOf = groupsOf
    this.#config = config.rules
    this.#configRules = new RuleSet(checkRules(config.rules, `${configPath}.rules`))
    this.#defaultAccess = config.defaultAccess ?? 'deny'
    this.#defaults = this.#makeDefaults()
  }

  get generation(): number {
    return this.#generation
  }

  /** Whether what no rule allows would be denied with those of a configuration, its own when left out, and so many permissions. */
  isLimitedWith(permissionCount: number, config?: AccessRules): boolean {
    const { rules, defaultAccess = 'deny' } = config ?? { rules: this.#config, defaultAccess: this.#defaultAccess }
    return defaultAccess === 'deny' && rules.length + permissionCount > 0
  }

  /** Throws as the constructor does for rules that cannot be. */
  checkConfig({ rules }: AccessRules): void {
    if (!isDeepStrictEqual(rules, this.#config)) checkRules(rules, `${this.#configPath}.rules`)
  }

  /** The rules of the configuration, where they are others; permissions stay. Throws as the constructor does, and then the old rules stand. */
  replaceConfig({ rules, defaultAccess = 'deny' }: AccessRules): void {
    const isSame = isDeepStrictEqual(rules, this.#config)
    if (isSame && defaultAccess === this.#defaultAccess) return
    if (!isSame) this.#configRules = new RuleSet(checkRules(rules, `${this.#configPath}.rules`))
    this.#config = rules
    this.#defaultAccess = defaultAccess
    this.#changed()
  }

  /** The permissions made through the API, all of them; the configuration stays. Throws as the constructor does, and then the old ones stand. */
  replacePermissions(permissions: readonly Permission[]): void {
    this.#permissions = new RuleSet(checkPermissions(permissions))
    this.#changed()
  }

  /**
   * Permissions by id that are new, are others now, or, undefined, are gone; all others stay. They count all at once when it resolves; many
   * of them take some turns, in which decisions are those of before. One call at a time. Rejects as the constructor throws, and then the
   * old ones stand.
   */
  async changePermissions(changes: ReadonlyMap<string, Permission | undefined>, pause: Pause): Promise<void> {
    const read = paced(pause)
    const checked = new Map<string, CheckedRule>()
    const removed = new Set<string>()
    for (const [id, permission] of changes) {
      if (permission === undefined) removed.add(permissionRuleName(id))
      else {
        for (const rule of checkPermissions([permission])) checked.set(rule.name, rule)
        await read(permission.topics.length)
      }
    }
    refuseTooManyPermissions(this.#permissions.sizeWith(checked.keys(), removed))
    // No more than one permission may have: not worth a look at all others.
    if (sizeOf(checked.values()) + removed.size <= PATTERNS_PER_RULE_MAX) {
      for (const name of removed) this.#permissions.remove(name)
      for (const rule of checked.values()) this.#permissions.put(rule)
    } else {
      this.#permissions = await changedInPieces(this.#permissions, checked, removed, pause)
    }
    this.#changed()
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

  /**
   * The decision of now, and what each rule of now has to do with it, whatever changes while it looks. As slow as there are rules, with
   * pauses: for people who ask.
   */
  explain(subject: Subject, action: Action, wanted: Address | Pattern, pause: Pause): Promise<Explanation> {
    const { principal } = subject
    const question = {
      subject,
      action,
      wanted,
      decision: this.#decide(subject, action, wanted),
      groups: principal.anonymous ? [] : this.#groupsOf(principal.name),
      rules: [...this.#configRules.rules(), ...this.#permissions.rules()],
    }
    return explain(question, pause)
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
    const { hasRules, fallback: fallbackOfRest, noAdmin } = this.#defaults
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
    const config = this.#configRules
    const permissions = this.#permissions
    const result: ActionRules[] = []
    const add = (rules: WhoseRules | undefined, others: WhoseRules | undefined): void => {
      for (const named of DECIDED_BY[action]) {
        const found = rules?.get(named)
        const foundToo = others?.get(named)
        if (found !== undefined) result.push(found)
        if (foundToo !== undefined) result.push(foundToo)
      }
    }
    if (principal.anonymous) add(config.anonymous, permissions.anonymous)
    else {
      const { name } = principal
      add(config.forUser(name), permissions.forUser(name))
      if (config.hasGroups || permissions.hasGroups) {
        for (const group of this.#groupsOf(name)) add(config.forGroup(group), permissions.forGroup(group))
      }
    }
    add(config.everyone, permissions.everyone)
    return result
  }

  #changed(): void {
    this.#defaults = this.#makeDefaults()
    this.forget()
  }

  #makeDefaults(): Defaults {
    const others = this.#permissions.size === 0 ? '' : ' and no permission'
    const none = `no rule of ${this.#configPath}.rules${others}`
    const allowed = this.#defaultAccess === 'allow'
    return {
      hasRules: this.#configRules.size + this.#permissions.size > 0,
      fallback: { allowed, rule: `${none} applies: ${this.#configPath}.defaultAccess is ${this.#defaultAccess}` },
      noAdmin: { allowed: false, rule: `${none} gives admin rights, and nothing else does` },
    }
  }
}

/** The set as it is with the changes, made beside it. A rule that was there keeps its place. */
async function changedInPieces(
  before: RuleSet,
  changed: ReadonlyMap<string, CheckedRule>,
  removed: ReadonlySet<string>,
  pause: Pause,
): Promise<RuleSet> {
  const after = new RuleSet()
  const left = new Map(changed)
  const read = paced(pause)
  const put = (rule: CheckedRule): Promise<void> => {
    after.put(rule)
    return read(rule.patterns.length)
  }
  for (const rule of before.rules()) {
    if (removed.has(rule.name)) continue
    await put(left.get(rule.name) ?? rule)
    left.delete(rule.name)
  }
  for (const rule of left.values()) await put(rule)
  return after
}

/** To be told of each rule that was read, with how many patterns it has; resolves when the next one may be. */
function paced(pause: Pause): (patternCount: number) => Promise<void> {
  let count = 0
  return async (patternCount) => {
    count += patternCount
    if (count < PATTERNS_PER_PIECE) return
    count = 0
    await pause()
  }
}

function sizeOf(rules: Iterable<CheckedRule>): number {
  let count = 0
  for (const { patterns } of rules) count += patterns.length
  return count
}

/** True when the denial reaches all of what is wanted. */
function isWhole({ pattern }: Denial, subject: Subject, wanted: readonly PatternLevel[]): boolean {
  const levels = patternFor(pattern, subject)
  return levels !== undefined && covers(levels, wanted, true)
}
