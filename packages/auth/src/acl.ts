/**
 * Access rules: who may read and write which topics and queues. The core asks through `Authorizer` and keeps the answers.
 *
 * - Without any rule everything is allowed, but 'admin' to anonymous clients.
 * - Deny wins over allow, whatever the order. What no rule reaches gets `defaultAccess`, which is 'deny'.
 * - `user` is a name, '*' (everyone, anonymous clients included) or 'anonymous'.
 * - 'browse' needs read, 'create' needs write. 'admin' cannot be given by rules; neither can temporary
 *   destinations, which get `defaultAccess`. Rules hold in every virtual host.
 * - A pattern of topics reaches no queue, and the other way round; but a deny of '#' reads like "everything" and means it.
 * - A subscription is allowed when ONE allow pattern covers its whole filter and NO deny pattern reaches any of it. A
 *   filter that could deliver even one denied topic is refused as a whole: the alternative is a check per delivery, and
 *   a mistake there leaks. The client subscribes to less instead.
 * - '+' and '#' in first position do not reach names starting with '$' in an allow, as in MQTT; in a deny they do,
 *   because a deny that reads like "everything" must mean it. A variable never lifts a client among those names.
 */
import type { Action, Address, Authorizer, Decision, Pattern, PatternLevel, Subject } from '@ternmq/core'
import { AuthError, quoted } from './errors.ts'
import { PATTERNS_PER_RULE_MAX, RULES_MAX } from './limits.ts'
import { covers, isLiftedToReserved, overlaps, parseTopicPattern, patternFor } from './topic-pattern.ts'
import type { TopicPattern } from './topic-pattern.ts'
import { ANONYMOUS_NAME, EVERYONE, userNameProblem } from './users.ts'

export type TopicAction = 'read' | 'write'

export interface AccessRule {
  readonly user: string
  readonly allow?: readonly TopicAction[]
  readonly deny?: readonly TopicAction[]
  /** MQTT spelling, with %u, %c and %%. */
  readonly topics: readonly string[]
}

export interface AccessRules {
  readonly rules: readonly AccessRule[]
  readonly defaultAccess?: 'allow' | 'deny'
}

/** One topic pattern of one rule, with its answers made beforehand: no text is built while clients wait. */
interface Grant {
  readonly pattern: TopicPattern
  readonly decision: Decision
}

interface Denial extends Grant {
  readonly partly: Decision
}

interface ActionRules {
  readonly allow: Grant[]
  readonly deny: Denial[]
}

type UserRules = Readonly<Record<TopicAction, ActionRules>>

interface Compiled {
  readonly hasRules: boolean
  readonly byUser: ReadonlyMap<string, UserRules>
  readonly anonymous: UserRules
  readonly everyone: UserRules
  readonly fallback: Decision
}

const TOPIC_ACTION = {
  read: 'read',
  browse: 'read',
  write: 'write',
  create: 'write',
  admin: undefined,
} as const satisfies Record<Action, TopicAction | undefined>

const NO_RULES: Decision = { allowed: true, rule: 'no rules are configured: everything is allowed' }
const ADMIN_ANONYMOUS: Decision = { allowed: false, rule: 'an anonymous client has no admin rights' }
const ADMIN_BY_RULES: Decision = { allowed: false, rule: 'rules give no admin rights' }

export class RuleAuthorizer implements Authorizer {
  readonly #configPath: string
  #generation = 0
  #compiled: Compiled

  /**
   * `configPath` is where the rules stand in the configuration, for messages and decisions.
   * Throws AuthError('AUTH_RULES_INVALID') naming rule, value and what is allowed.
   */
  constructor(rules: AccessRules, configPath = 'access') {
    this.#configPath = configPath
    this.#compiled = compile(rules, configPath)
  }

  get generation(): number {
    return this.#generation
  }

  /** Throws as the constructor does, and then the old rules stand. */
  replace(rules: AccessRules): void {
    this.#compiled = compile(rules, this.#configPath)
    this.#generation++
  }

  mayUse(subject: Subject, action: Action, address: Address): Decision {
    return this.#decide(subject, action, address)
  }

  mayMatch(subject: Subject, action: Action, pattern: Pattern): Decision {
    return this.#decide(subject, action, pattern)
  }

  /** A concrete address is the pattern that matches only itself: one path decides both. */
  #decide(subject: Subject, action: Action, wanted: Address | Pattern): Decision {
    const { hasRules, byUser, anonymous, everyone, fallback } = this.#compiled
    const topicAction = TOPIC_ACTION[action]
    if (topicAction === undefined && (hasRules || subject.principal.anonymous)) {
      return hasRules ? ADMIN_BY_RULES : ADMIN_ANONYMOUS
    }
    if (!hasRules || topicAction === undefined) return NO_RULES
    const { kind } = wanted
    if (kind !== 'topic' && kind !== 'queue') return fallback

    const own = subject.principal.anonymous ? anonymous : byUser.get(subject.principal.name)
    const forAll = everyone[topicAction]
    const forUser = own?.[topicAction]
    return (
      findDenial(forUser?.deny, subject, kind, wanted.levels) ??
      findDenial(forAll.deny, subject, kind, wanted.levels) ??
      (fallback.allowed ? fallback : undefined) ??
      findGrant(forUser?.allow, subject, kind, wanted.levels) ??
      findGrant(forAll.allow, subject, kind, wanted.levels) ??
      fallback
    )
  }
}

function findDenial(
  denials: readonly Denial[] = [],
  subject: Subject,
  kind: TopicPattern['kind'],
  wanted: readonly PatternLevel[],
): Decision | undefined {
  for (const denial of denials) {
    if (denial.pattern.text === '#' && kind === 'queue') return denial.decision
    if (denial.pattern.kind !== kind) continue
    const levels = patternFor(denial.pattern, subject)
    if (levels !== undefined && overlaps(levels, wanted, true)) {
      return covers(levels, wanted, true) ? denial.decision : denial.partly
    }
  }
  return undefined
}

function findGrant(
  grants: readonly Grant[] = [],
  subject: Subject,
  kind: TopicPattern['kind'],
  wanted: readonly PatternLevel[],
): Decision | undefined {
  for (const grant of grants) {
    if (grant.pattern.kind !== kind) continue
    const levels = patternFor(grant.pattern, subject)
    if (levels !== undefined && covers(levels, wanted) && !isLiftedToReserved(grant.pattern, levels))
      return grant.decision
  }
  return undefined
}

function compile(config: AccessRules, configPath: string): Compiled {
  if (config.rules.length > RULES_MAX) {
    throw new AuthError(
      'AUTH_RULES_INVALID',
      `${configPath}.rules has ${config.rules.length} rules, at most ${RULES_MAX} are allowed`,
    )
  }
  const byUser = new Map<string, UserRules>()
  const anonymous = noRules()
  const everyone = noRules()
  const rulesOf = (user: string): UserRules => {
    if (user === EVERYONE) return everyone
    if (user === ANONYMOUS_NAME) return anonymous
    const rules = byUser.get(user) ?? noRules()
    byUser.set(user, rules)
    return rules
  }
  for (const [index, rule] of config.rules.entries()) {
    const path = `${configPath}.rules[${index}]`
    checkRule(rule, path)
    addRule(rule, path, rulesOf(rule.user))
  }
  const allowed = config.defaultAccess === 'allow'
  const rule = `no rule of ${configPath}.rules applies: ${configPath}.defaultAccess is ${allowed ? 'allow' : 'deny'}`
  return { hasRules: config.rules.length > 0, byUser, anonymous, everyone, fallback: { allowed, rule } }
}

function noRules(): UserRules {
  return { read: { allow: [], deny: [] }, write: { allow: [], deny: [] } }
}

function checkRule(rule: AccessRule, path: string): void {
  const fail = (problem: string): never => {
    throw new AuthError('AUTH_RULES_INVALID', `${path}${problem}`)
  }
  const problem = rule.user === EVERYONE || rule.user === ANONYMOUS_NAME ? undefined : userNameProblem(rule.user)
  if (problem !== undefined)
    fail(`.user is ${quoted(rule.user)}, which ${problem}; a user name, "*" or "anonymous" is allowed`)
  const actionCount = (rule.allow?.length ?? 0) + (rule.deny?.length ?? 0)
  if (actionCount === 0) fail(' allows and denies nothing; give it allow or deny with read, write or both')
  if (rule.topics.length === 0) fail('.topics is empty; name at least one topic pattern, "#" for all')
  if (rule.topics.length > PATTERNS_PER_RULE_MAX) {
    fail(`.topics has ${rule.topics.length} patterns, at most ${PATTERNS_PER_RULE_MAX} are allowed; split the rule`)
  }
}

function addRule(rule: AccessRule, path: string, target: UserRules): void {
  for (const [index, topic] of rule.topics.entries()) {
    const pattern = readPattern(topic, `${path}.topics[${index}]`)
    const about = `${quoted(topic)} for ${quoted(rule.user)}`
    for (const action of new Set(rule.allow)) {
      target[action].allow.push({ pattern, decision: { allowed: true, rule: `${path} allows ${action} on ${about}` } })
    }
    for (const action of new Set(rule.deny)) {
      const denies = `${path} denies ${action} on ${about}`
      target[action].deny.push({
        pattern,
        decision: { allowed: false, rule: denies },
        partly: { allowed: false, rule: `${denies}, which is part of what was asked for; ask for less` },
      })
    }
  }
}

function readPattern(topic: string, path: string): TopicPattern {
  try {
    return parseTopicPattern(topic)
  } catch (cause) {
    throw new AuthError('AUTH_RULES_INVALID', `${path} is ${quoted(topic)}, which ${(cause as Error).message}`, {
      cause,
    })
  }
}
