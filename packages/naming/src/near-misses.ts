/**
 * Names that nobody hears and patterns that were subscribed to, side by side: where one would match the other but for a slash, a
 * separator, a wildcard or a capital letter, that is suggested. It is told of them; it looks at nothing by itself.
 */
import { ALL_BELOW, matches, ONE_LEVEL, patternKey, type PatternLevel, topicName } from '@ternmq/core'
import { slashed } from './address.ts'
import { quote } from './refusal.ts'

export type NearMissReason = 'leading-slash' | 'separator' | 'wildcard' | 'case'

/** A client, as the log names it. */
export interface Teller {
  /** 'MQTT' */
  readonly protocol: string
  readonly clientId: string
}

export interface Suggestion {
  /** Topic that was published to, in core form. */
  readonly name: string
  /** Who published to it last. */
  readonly publisher: Teller
  /** What somebody subscribed to, as MQTT writes it. */
  readonly pattern: string
  /** Who subscribed to it last. */
  readonly subscriber: Teller
  /** What would have to be alike for the two to meet. */
  readonly reasons: readonly NearMissReason[]
  readonly text: string
  /** When it was found, on the caller's clock. */
  readonly atMs: number
}

export interface NearMissLimits {
  /** Names, and patterns as many; the one not told of for longest goes. */
  readonly namesMax: number
  /** Suggestions that are kept; the oldest goes. */
  readonly suggestionsMax: number
  /** Suggestions in an hour that are handed out as new, to be logged; those beyond are kept only. */
  readonly newPerHourMax: number
  /** New names and patterns per second that are looked at; others are left out and counted. */
  readonly perSecondMax: number
  /** Levels of a name or pattern; longer ones are left out and counted. */
  readonly levelsMax: number
}

const DEFAULT_LIMITS: NearMissLimits = {
  namesMax: 256,
  suggestionsMax: 128,
  newPerHourMax: 128,
  perSecondMax: 100,
  levelsMax: 32,
}

const HOUR_MS = 3_600_000

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
  /** Who told of it last. */
  by: Teller
}

export class NearMisses {
  readonly #isHeard: (topic: string) => boolean
  readonly #limits: NearMissLimits
  /** In the order in which they were last told of. */
  readonly #names = new Map<string, Noted<readonly string[]>>()
  readonly #patterns = new Map<string, Noted<readonly PatternLevel[]>>()
  readonly #suggestions = new Map<string, Suggestion>()
  #secondAtMs = -Infinity
  #lookedAt = 0
  #hourAtMs = -Infinity
  #handedOut = 0
  #leftOutCount = 0

  /** `isHeard`: somebody reads a topic now. Asked before something is suggested, and again when it is shown. */
  constructor(isHeard: (topic: string) => boolean, limits: Partial<NearMissLimits> = {}) {
    this.#isHeard = isHeard
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
  }

  /** Names and patterns that were not looked at because there were too many, or they were too long. */
  get leftOutCount(): number {
    return this.#leftOutCount
  }

  /** A message was published to this topic and nobody heard it. Returns what is new to suggest. */
  noteUnheard(levels: readonly string[], by: Teller, nowMs: number): Suggestion[] {
    const name = this.#admit(this.#names, topicName(levels), levels, by, namesFolded, nowMs)
    if (name === undefined) return []
    return [...this.#patterns.values()].flatMap((pattern) => this.#suggest(name, pattern, nowMs))
  }

  /** Somebody has subscribed to this pattern. Returns what is new to suggest. */
  noteSubscribed(pattern: readonly PatternLevel[], by: Teller, nowMs: number): Suggestion[] {
    const noted = this.#admit(this.#patterns, patternKey(pattern), pattern, by, folded, nowMs)
    if (noted === undefined) return []
    return [...this.#names.values()].flatMap((name) => this.#suggest(name, noted, nowMs))
  }

  /** Of topics that are not heard now; the latest first. */
  suggestions(): Suggestion[] {
    return [...this.#suggestions.values()].filter(({ name }) => !this.#isHeard(name)).reverse()
  }

  /** What is noted when it is new and may be looked at; one that is known becomes the latest told of. */
  #admit<T extends readonly PatternLevel[]>(
    known: Map<string, Noted<T>>,
    key: string,
    levels: T,
    by: Teller,
    fold: (levels: T, reasons: readonly NearMissReason[]) => T,
    nowMs: number,
  ): Noted<T> | undefined {
    const before = known.get(key)
    if (before !== undefined) {
      before.by = by
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
    const noted = { levels, alike: fold(levels, REASONS), by }
    known.set(key, noted)
    if (known.size > namesMax) known.delete(known.keys().next().value!)
    return noted
  }

  #suggest(named: Noted<readonly string[]>, pattern: Noted<readonly PatternLevel[]>, nowMs: number): Suggestion[] {
    // Most pairs have nothing to do with one another: that must cost little.
    if (!matches(pattern.alike, named.alike) || matches(pattern.levels, named.levels)) return []
    const [name, text] = [topicName(named.levels), slashed(pattern.levels)]
    const key = `${name}\0${text}`
    if (this.#suggestions.has(key)) return []
    if (this.#isHeard(name)) {
      this.#names.delete(name)
      return []
    }
    const reasons = reasonsOf(named.levels, pattern.levels)
    const parts = { name, publisher: named.by, pattern: text, subscriber: pattern.by, reasons }
    const suggestion = { ...parts, text: suggestionText(parts), atMs: nowMs }
    this.#suggestions.set(key, suggestion)
    if (this.#suggestions.size > this.#limits.suggestionsMax) {
      this.#suggestions.delete(this.#suggestions.keys().next().value!)
    }
    return this.#mayHandOut(nowMs) ? [suggestion] : []
  }

  #mayHandOut(nowMs: number): boolean {
    if (nowMs - this.#hourAtMs >= HOUR_MS) {
      this.#hourAtMs = nowMs
      this.#handedOut = 0
    }
    return ++this.#handedOut <= this.#limits.newPerHourMax
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

function suggestionText({ name, publisher, pattern, subscriber, reasons }: Omit<Suggestion, 'text' | 'atMs'>): string {
  const why = reasons.map((reason) => REASON_TEXTS[reason]).join('; ')
  return `nobody hears ${quote(name)}, which ${who(publisher)} publishes to; ${who(subscriber)} subscribed to ${quote(pattern)}: ${why}`
}

function who({ protocol, clientId }: Teller): string {
  return `${protocol} client ${quote(clientId)}`
}
