/**
 * Says why a decision came out as it did: which rules were looked at, and what each of them has to do with the question. Slow and thorough,
 * for people who ask one question; clients are answered by acl.ts, and a test holds the two together.
 */
import { ALL_BELOW, ONE_LEVEL } from '@ternmq/core'
import type { Action, Address, Decision, Pattern, PatternLevel, Subject } from '@ternmq/core'
import { EXPLAINED_RULES_MAX, PATTERNS_PER_PIECE } from './limits.ts'
import { clauseText } from './rules.ts'
import type { CheckedRule, RuleAction } from './rules.ts'
import { covers, isLiftedToReserved, overlaps, patternFor } from './topic-pattern.ts'
import type { TopicPattern } from './topic-pattern.ts'
import { ANONYMOUS_NAME, EVERYONE } from './users.ts'

/** One pattern of one rule, and what it has to do with the question. */
export interface LookedAt {
  /** As in a decision: `auth.rules[3] allows read on "a/#" for "ann"`. */
  readonly rule: string
  /** decides: the answer is its own. applies: it would answer, but another does. none: it says nothing about this. */
  readonly weight: 'decides' | 'applies' | 'none'
  /** Why, as the end of a sentence about the rule. */
  readonly because: string
}

export interface Explanation {
  readonly decision: Decision
  /** What decides first, then what applies, then the others, each in the order of the rules; at most 200. */
  readonly rules: readonly LookedAt[]
  /** Rules beyond those, of the least weight. */
  readonly leftOutCount: number
}

/** A question as `explain` takes it apart. */
export interface Question {
  readonly subject: Subject
  readonly action: Action
  readonly wanted: Address | Pattern
  readonly decision: Decision
  /** Of the user who asks. */
  readonly groups: readonly string[]
  readonly rules: readonly CheckedRule[]
}

/** Which rules are about what is asked for. */
const ABOUT: Readonly<Record<Action, readonly RuleAction[]>> = {
  read: ['read'],
  browse: ['read', 'browse'],
  write: ['write'],
  create: ['write', 'admin'],
  admin: ['admin'],
}

const WEIGHTS = ['decides', 'applies', 'none'] as const satisfies readonly LookedAt['weight'][]

/** `pause` is called now and then. */
export async function explain(question: Question, pause: () => Promise<void>): Promise<Explanation> {
  const byWeight: Record<LookedAt['weight'], LookedAt[]> = { decides: [], applies: [], none: [] }
  let count = 0
  let patternCount = 0
  for (const rule of question.rules) {
    for (const pattern of rule.patterns) {
      if (++patternCount % PATTERNS_PER_PIECE === 0) await pause()
      for (const looked of lookAt(question, rule, pattern)) {
        count++
        const shelf = byWeight[looked.weight]
        if (shelf.length < EXPLAINED_RULES_MAX) shelf.push(looked)
      }
    }
  }
  const rules = WEIGHTS.flatMap((weight) => byWeight[weight]).slice(0, EXPLAINED_RULES_MAX)
  return { decision: question.decision, rules, leftOutCount: count - rules.length }
}

/** What one pattern of a rule says: once for each action that matters, of what it allows and of what it denies. */
function* lookAt(question: Question, rule: CheckedRule, pattern: TopicPattern): Generator<LookedAt> {
  for (const verb of ['denies', 'allows'] as const) {
    const actions = verb === 'denies' ? rule.deny : rule.allow
    const nameFor = (action: RuleAction): string => `${rule.name} ${clauseText(rule, verb, action, pattern)}`
    const [first] = actions
    if (first === undefined) continue
    const about = ABOUT[question.action].filter((action) => actions.includes(action))
    const foreign = notForSubject(question, rule)
    if (foreign !== undefined) yield { rule: nameFor(about[0] ?? first), weight: 'none', because: foreign }
    else if (about.length === 0) {
      yield { rule: nameFor(first), weight: 'none', because: `is not about ${wordOf(question.action)}` }
    } else {
      const reach = verb === 'denies' ? reachOfDeny(question, pattern) : reachOfAllow(question, pattern)
      for (const action of about) yield judged(question, nameFor(action), reach)
    }
  }
}

/** How a pattern meets what is wanted: whether the rule applies, and in what words. */
interface Reach {
  readonly applies: boolean
  readonly because: string
}

function judged({ decision }: Question, rule: string, { applies, because }: Reach): LookedAt {
  if (!applies) return { rule, weight: 'none', because }
  const decides = decision.rule === rule || decision.rule.startsWith(`${rule}, which is part of`)
  if (decides) return { rule, weight: 'decides', because }
  return { rule, weight: 'applies', because: `${because}; decided without it` }
}

/** Why the rule is somebody else's. */
function notForSubject(
  { subject: { principal }, groups }: Question,
  { who: { kind, name } }: CheckedRule,
): string | undefined {
  if (kind === 'group') {
    if (principal.anonymous) return 'is for a group, and an anonymous client is in none'
    return groups.includes(name) ? undefined : `is for a group that ${principal.name} is not in`
  }
  if (name === EVERYONE) return undefined
  if (name === ANONYMOUS_NAME) return principal.anonymous ? undefined : 'is for clients without a user name'
  return !principal.anonymous && name === principal.name ? undefined : 'is for another user'
}

function reachOfDeny({ subject, wanted: { kind, levels: wanted } }: Question, pattern: TopicPattern): Reach {
  if (pattern.kind !== kind && pattern.text !== '#') return otherKind(pattern)
  const levels = patternFor(pattern, subject)
  if (levels === undefined) return unknownValue(pattern)
  if (!overlaps(levels, wanted, true)) return { applies: false, because: 'reaches nothing of what was asked for' }
  if (covers(levels, wanted, true)) return { applies: true, because: 'reaches all of what was asked for' }
  return {
    applies: true,
    because: `reaches ${spelled(common(levels, wanted), kind)}, which is part of what was asked for`,
  }
}

function reachOfAllow({ subject, wanted: { kind, levels: wanted } }: Question, pattern: TopicPattern): Reach {
  if (pattern.kind !== kind) return otherKind(pattern)
  const levels = patternFor(pattern, subject)
  if (levels === undefined) return unknownValue(pattern)
  if (covers(levels, wanted)) {
    if (!isLiftedToReserved(pattern, levels)) return { applies: true, because: 'reaches all of what was asked for' }
    return { applies: false, because: "reaches no name that starts with '$' by way of a variable" }
  }
  if (!overlaps(levels, wanted, true)) return { applies: false, because: 'reaches nothing of what was asked for' }
  if (covers(levels, wanted, true)) {
    return { applies: false, because: "reaches no name that starts with '$', which an allow has to spell out" }
  }
  const part = spelled(common(levels, wanted), kind)
  return { applies: false, because: `reaches only ${part}, and one rule must allow all of what was asked for` }
}

function otherKind({ kind }: TopicPattern): Reach {
  return { applies: false, because: kind === 'queue' ? 'is about queues' : 'is about topics' }
}

function unknownValue({ text }: TopicPattern): Reach {
  const variable = text.includes('%c') ? '%c, and the client id is not known' : '%u, and the client has no user name'
  return { applies: false, because: `has ${variable}` }
}

function wordOf(action: Action): string {
  return action === 'create' ? 'write or admin' : action
}

/** What two patterns that overlap have in common. */
function common(one: readonly PatternLevel[], other: readonly PatternLevel[]): PatternLevel[] {
  const result: PatternLevel[] = []
  for (let index = 0; ; index++) {
    const ours = one[index]
    const theirs = other[index]
    if (ours === ALL_BELOW) return [...result, ...other.slice(index)]
    if (theirs === ALL_BELOW) return [...result, ...one.slice(index)]
    if (ours === undefined || theirs === undefined) return result
    result.push(ours === ONE_LEVEL ? theirs : ours)
  }
}

/** As rules write it. */
function spelled(levels: readonly PatternLevel[], kind: Address['kind']): string {
  const [one, below, separator, prefix] = kind === 'queue' ? ['*', '>', '.', '$queue/'] : ['+', '#', '/', '']
  const parts = levels.map((level) => (level === ONE_LEVEL ? one : level === ALL_BELOW ? below : level))
  return JSON.stringify(prefix + parts.join(separator))
}
