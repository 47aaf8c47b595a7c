/**
 * What an access rule says, and whether it can be: shape, limits, names. Several sources have rules, and each calls its own by a name that
 * decisions and errors use: the configuration by place (`auth.rules[3]`), permissions made through the API by id
 * (`permission 'devices-read'`). Who is reached by which rule is decided in acl.ts.
 */
import { AuthError, quoted } from './errors.ts'
import { PATTERNS_PER_RULE_MAX, RULES_MAX } from './limits.ts'
import { parseTopicPattern } from './topic-pattern.ts'
import type { TopicPattern } from './topic-pattern.ts'
import { ANONYMOUS_NAME, EVERYONE, userNameProblem } from './users.ts'

/**
 * read = subscribe, consume and look; browse = look only; write = publish; admin = create, delete, purge, change a destination.
 */
export type RuleAction = 'read' | 'write' | 'browse' | 'admin'

/** In the order of the documentation. */
export const RULE_ACTIONS: readonly RuleAction[] = ['read', 'write', 'browse', 'admin']

/** For one user or one group: exactly one of the two is there. */
export interface AccessRule {
  /** A name, '*' for everyone, 'anonymous' for clients without one. */
  readonly user?: string | undefined
  readonly group?: string | undefined
  readonly allow?: readonly RuleAction[]
  readonly deny?: readonly RuleAction[]
  /** MQTT spelling, with %u, %c and %%; queues as `$queue/NAME`. */
  readonly topics: readonly string[]
}

/** A rule made while the broker runs. */
export interface Permission extends AccessRule {
  /** 1 to 64 letters, digits, '-', '_' and '.', the first no sign. */
  readonly id: string
  readonly description?: string | undefined
}

/** A rule that can be, with its patterns read. */
export interface CheckedRule {
  /** What decisions call it. */
  readonly name: string
  readonly who: RuleSubject
  readonly allow: readonly RuleAction[]
  readonly deny: readonly RuleAction[]
  readonly patterns: readonly TopicPattern[]
}

export interface RuleSubject {
  readonly kind: 'user' | 'group'
  readonly name: string
}

const PERMISSION_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/i

/** Throws AuthError('AUTH_RULES_INVALID') naming rule, value and what is allowed. `path` is where the rules stand: `auth.rules`. */
export function checkRules(rules: readonly AccessRule[], path: string): CheckedRule[] {
  if (rules.length > RULES_MAX) {
    fail(`${path} has ${rules.length} rules, at most ${RULES_MAX} are allowed`)
  }
  return rules.map((rule, index) => checkRule(rule, `${path}[${index}]`))
}

/** Throws as `checkRules` does; an id stands for one permission only. */
export function checkPermissions(permissions: readonly Permission[]): CheckedRule[] {
  refuseTooManyPermissions(permissions.length)
  const ids = new Set<string>()
  return permissions.map((permission) => {
    const { id } = permission
    if (!PERMISSION_ID.test(id)) {
      fail(
        `permission id ${quoted(id)} is not 1 to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit`,
      )
    }
    if (ids.has(id)) fail(`permission '${id}' is there twice; give one of them another id`)
    ids.add(id)
    return checkRule(permission, permissionRuleName(id))
  })
}

/** Throws as `checkRules` does. */
export function refuseTooManyPermissions(count: number): void {
  if (count > RULES_MAX) fail(`there are ${count} permissions, at most ${RULES_MAX} are allowed; remove some first`)
}

/** What decisions call a permission. */
export function permissionRuleName(id: string): string {
  return `permission '${id}'`
}

/** `allows read on "a/#" for "ann"`: what one pattern of a rule says. */
export function clauseText(
  { who }: CheckedRule,
  verb: 'allows' | 'denies',
  action: RuleAction,
  { text }: TopicPattern,
): string {
  const whom = who.kind === 'group' ? `group ${quoted(who.name)}` : quoted(who.name)
  return `${verb} ${action} on ${quoted(text)} for ${whom}`
}

function checkRule(rule: AccessRule, name: string): CheckedRule {
  const { allow = [], deny = [], topics } = rule
  const who = checkSubject(rule, name)
  if (allow.length + deny.length === 0) {
    fail(`${name} allows and denies nothing; give it allow or deny with read, write, browse or admin`)
  }
  const unknown = [...allow, ...deny].find((action) => !RULE_ACTIONS.includes(action))
  if (unknown !== undefined)
    fail(`${name} names the action ${quoted(unknown)}; read, write, browse and admin are there`)
  if (topics.length === 0) fail(`${name}.topics is empty; name at least one topic pattern, "#" for all`)
  if (topics.length > PATTERNS_PER_RULE_MAX) {
    fail(`${name}.topics has ${topics.length} patterns, at most ${PATTERNS_PER_RULE_MAX} are allowed; split the rule`)
  }
  const patterns = topics.map((topic, index) => readPattern(topic, `${name}.topics[${index}]`))
  return { name, who, allow: [...new Set(allow)], deny: [...new Set(deny)], patterns }
}

function checkSubject({ user, group }: AccessRule, name: string): RuleSubject {
  if (user !== undefined && group !== undefined) fail(`${name} has a user and a group; make a rule for each`)
  if (group !== undefined) {
    const problem = userNameProblem(group)
    if (problem !== undefined) fail(`${name}.group is ${quoted(group)}, which ${problem}; a group name is allowed`)
    return { kind: 'group', name: group }
  }
  if (user === undefined) return fail(`${name} is for nobody; give it a user or a group`)
  const problem = user === EVERYONE || user === ANONYMOUS_NAME ? undefined : userNameProblem(user)
  if (problem !== undefined) {
    fail(`${name}.user is ${quoted(user)}, which ${problem}; a user name, "*" or "anonymous" is allowed`)
  }
  return { kind: 'user', name: user }
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

function fail(problem: string): never {
  throw new AuthError('AUTH_RULES_INVALID', problem)
}
