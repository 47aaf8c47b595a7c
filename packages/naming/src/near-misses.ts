/**
 * Names that nobody hears and patterns that hear nothing, side by side: where one would match the other but for a slash, a separator, a
 * wildcard or a capital letter, that is suggested. It is told of them; it looks at nothing by itself.
 */
import { ALL_BELOW, matches, ONE_LEVEL, patternKey, type PatternLevel, topicName } from '@ternmq/core'
import { slashed } from './address.ts'
import { quote } from './refusal.ts'

export type NearMissReason = 'leading-slash' | 'separator' | 'wildcard' | 'case'

export interface Suggestion {
  /** Topic that was published to, in core form. */
  readonly name: string
  /** What somebody subscribed to, as MQTT writes it. */
  readonly pattern: string
  /** What would have to be alike for the two to meet. */
  readonly reasons: readonly NearMissReason[]
  readonly text: string
  /** When it was found, on the caller's clock. */
  readonly atMs: number
}

export interface NearMissLimits {
  /** Names, and patterns as many; the one not told of for longest goes. */
  readonly namesMax: number
  /** Suggestions; the oldest goes. */
  readonly suggestionsMax: number
  /** New names and patterns per second that are looked at; others are left out and counted. */
  readonly perSecondMax: number
  /** Levels of a name or pattern; longer ones are left out and counted. */
  readonly levelsMax: number
}

const DEFAULT_LIMITS: NearMissLimits = { namesMax: 256, suggestionsMax: 128, perSecondMax: 100, levelsMax: 32 }

/** UTF-16 units of a name or pattern; longer ones are left out and counted. */
const LENGTH_MAX = 512

/** Ways to make two names alike, the likeliest first. */
const FOLDS: Readonly<Record<NearMissReason, (levels: readonly PatternLevel[]) => readonly PatternLevel[]>> = {
  'leading-slash': (levels) => (levels.length > 1 && levels[0] === '' ? levels.slice(1) : levels),
  separator: (levels) =>
    levels.flatMap((level): PatternLevel[] => (typeof level === 'string' ? level.split('.') : [level])),
  wildcard: (levels) =>
    levels.map((level, index) => {
      if (level === '*' || level === '+') return ONE_LEVEL
      return (level === '>' || level === '#') && index === levels.length - 1 ? ALL_BELOW : level
    }),
  case: (levels) => levels.map((level) => (typeof level === 'string' ? level.toLowerCase() : level)),
}
const REASONS = Object.keys(FOLDS) as NearMissReason[]
/** Every choice of reasons, those with few first. */
const CHOICES: readonly (readonly NearMissReason[])[] = REASONS.reduce<NearMissReason[][]>(
  (choices, reason) => [...choices, ...choices.map((choice) => [...choice, reason])],
  [[]],
)
  .slice(1)
  .sort((one, other) => one.length - other.length)

interface Noted<T extends readonly PatternLevel[]> {
  readonly levels: T
  /** Without any of the differences. */
  readonly alike: T
}

export class NearMisses {
  readonly #limits: NearMissLimits
  /** In the order in which they were last told of. */
  readonly #names = new Map<string, Noted<readonly string[]>>()
  readonly #patterns = new Map<string, Noted<readonly PatternLevel[]>>()
  readonly #suggestions = new Map<string, Suggestion>()
  #secondAtMs = -Infinity
  #lookedAt = 0
  #leftOutCount = 0

  constructor(limits: Partial<NearMissLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
  }

  /** Names and patterns that were not looked at because there were too many, or they were too long. */
  get leftOutCount(): number {
    return this.#leftOutCount
  }

  /** A message was published to this topic and nobody heard it. Returns what is new to suggest. */
  noteUnheard(levels: readonly string[], nowMs: number): Suggestion[] {
    const name = this.#admit(this.#names, topicName(levels), levels, namesFolded, nowMs)
    if (name === undefined) return []
    return [...this.#patterns.values()].flatMap((pattern) => this.#suggest(name, pattern, nowMs))
  }

  /** Somebody has subscribed to this pattern, and nothing has come. Returns what is new to suggest. */
  noteIdle(pattern: readonly PatternLevel[], nowMs: number): Suggestion[] {
    const noted = this.#admit(this.#patterns, patternKey(pattern), pattern, folded, nowMs)
    if (noted === undefined) return []
    return [...this.#names.values()].flatMap((name) => this.#suggest(name, noted, nowMs))
  }

  /** Somebody hears the topic now: nothing about it is suggested any more. */
  forgetName(levels: readonly string[]): void {
    const name = topicName(levels)
    if (!this.#names.delete(name)) return
    for (const [key, suggestion] of this.#suggestions) if (suggestion.name === name) this.#suggestions.delete(key)
  }

  /** Something has come, or the subscription has ended: nothing about the pattern is suggested any more. */
  forgetPattern(pattern: readonly PatternLevel[]): void {
    if (!this.#patterns.delete(patternKey(pattern))) return
    const text = slashed(pattern)
    for (const [key, suggestion] of this.#suggestions) if (suggestion.pattern === text) this.#suggestions.delete(key)
  }

  /** The latest first. */
  suggestions(): Suggestion[] {
    return [...this.#suggestions.values()].reverse()
  }

  /** What is noted when it is new and may be looked at; one that is known becomes the latest told of. */
  #admit<T extends readonly PatternLevel[]>(
    known: Map<string, Noted<T>>,
    key: string,
    levels: T,
    fold: (levels: T, reasons: readonly NearMissReason[]) => T,
    nowMs: number,
  ): Noted<T> | undefined {
    const before = known.get(key)
    if (before !== undefined) {
      known.delete(key)
      known.set(key, before)
      return undefined
    }
    const { namesMax, perSecondMax, levelsMax } = this.#limits
    if (nowMs - this.#secondAtMs >= 1_000) {
      this.#secondAtMs = nowMs
      this.#lookedAt = 0
    }
    if (key.length > LENGTH_MAX || levels.length > levelsMax || this.#lookedAt >= perSecondMax) {
      this.#leftOutCount++
      return undefined
    }
    this.#lookedAt++
    const noted = { levels, alike: fold(levels, REASONS) }
    known.set(key, noted)
    if (known.size > namesMax) known.delete(known.keys().next().value!)
    return noted
  }

  #suggest(named: Noted<readonly string[]>, pattern: Noted<readonly PatternLevel[]>, nowMs: number): Suggestion[] {
    // Most pairs have nothing to do with one another: that must cost little.
    if (!matches(pattern.alike, named.alike) || matches(pattern.levels, named.levels)) return []
    const reasons = reasonsOf(named.levels, pattern.levels)
    const [name, text] = [topicName(named.levels), slashed(pattern.levels)]
    const key = `${name}\0${text}`
    if (this.#suggestions.has(key)) return []
    const suggestion = { name, pattern: text, reasons, text: suggestionText(name, text, reasons), atMs: nowMs }
    this.#suggestions.set(key, suggestion)
    if (this.#suggestions.size > this.#limits.suggestionsMax) {
      this.#suggestions.delete(this.#suggestions.keys().next().value!)
    }
    return [suggestion]
  }
}

/** The fewest differences without which the pattern matches; it does when all are gone. */
function reasonsOf(levels: readonly string[], pattern: readonly PatternLevel[]): readonly NearMissReason[] {
  return CHOICES.find((reasons) => matches(folded(pattern, reasons), namesFolded(levels, reasons))) ?? REASONS
}

function folded(levels: readonly PatternLevel[], reasons: readonly NearMissReason[]): readonly PatternLevel[] {
  return reasons.reduce((result, reason) => FOLDS[reason](result), levels)
}

/** A published name has no wildcards, whatever it looks like. */
function namesFolded(levels: readonly string[], reasons: readonly NearMissReason[]): readonly string[] {
  return folded(
    levels,
    reasons.filter((reason) => reason !== 'wildcard'),
  ) as readonly string[]
}

const REASON_TEXTS: Readonly<Record<NearMissReason, string>> = {
  'leading-slash': "one begins with '/'",
  separator: "one has '.' where the other has '/'",
  wildcard: "'*' and '>' are wildcards in STOMP and AMQP only, in MQTT they are '+' and '#'",
  case: 'upper and lower case differ',
}

function suggestionText(name: string, pattern: string, reasons: readonly NearMissReason[]): string {
  const why = reasons.map((reason) => REASON_TEXTS[reason]).join('; ')
  return `nobody hears ${quote(name)}, and nothing comes to ${quote(pattern)}: ${why}`
}
