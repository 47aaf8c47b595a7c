/**
 * Patterns of access rules: topics in MQTT spelling and queues as `$queue/NAME` with `*` and `>`, both with the variables %u (user
 * name) and %c (client id); compared with what a client asks for: does a rule reach all of it (`covers`), or some of it (`overlaps`)?
 */
import { ALL_BELOW, ONE_LEVEL, isReservedName, QUEUE_PREFIX } from '@ternmq/core'
import type { PatternLevel, Subject } from '@ternmq/core'
import { PATTERN_BYTES_MAX, PATTERN_LEVELS_MAX } from './limits.ts'

/** A level with variables in it, as its pieces. */
export interface VariableLevel {
  readonly pieces: readonly (string | { readonly variable: 'user' | 'client' })[]
}

export type RuleLevel = PatternLevel | VariableLevel

export interface TopicPattern {
  readonly text: string
  readonly kind: 'topic' | 'queue'
  readonly levels: readonly RuleLevel[]
  /** The levels themselves when no variable is among them. */
  readonly fixed: readonly PatternLevel[] | undefined
}

/** Reads `text`. Throws an Error whose message is the end of a sentence about it. */
export function parseTopicPattern(text: string): TopicPattern {
  if (text === '') throw new Error('is empty')
  if (!text.isWellFormed() || text.includes('\0'))
    throw new Error('holds NUL or half a surrogate pair, which no topic can hold')
  if (Buffer.byteLength(text) > PATTERN_BYTES_MAX)
    throw new Error(`is longer than ${PATTERN_BYTES_MAX} bytes, the longest topic`)
  if (text.startsWith('$share/'))
    throw new Error('names a shared subscription; write the filter behind the group name instead')
  const isQueue = text.startsWith(QUEUE_PREFIX)
  const parts = isQueue ? text.slice(QUEUE_PREFIX.length).split('.') : text.split('/')
  if (isQueue && parts.join('') === '') throw new Error("names no queue; '$queue/>' is all of them")
  if (parts.length > PATTERN_LEVELS_MAX)
    throw new Error(`has ${parts.length} levels, more than any topic, which has ${PATTERN_LEVELS_MAX} at most`)
  const levels = parts.map((part, index) => (isQueue ? parseQueueLevel : parseLevel)(part, index === parts.length - 1))
  const isFixed = levels.every((level) => typeof level !== 'object')
  return { text, kind: isQueue ? 'queue' : 'topic', levels, fixed: isFixed ? levels : undefined }
}

function parseQueueLevel(part: string, isLast: boolean): RuleLevel {
  if (part === '*') return ONE_LEVEL
  if (part === '>' && isLast) return ALL_BELOW
  if (/[+#]/.test(part))
    throw new Error("has '+' or '#' in a queue's name: of queues '*' is one level, and '>' at the end all below")
  return part.includes('%') ? variableLevel(part) : part
}

function parseLevel(part: string, isLast: boolean): RuleLevel {
  if (part === '+') return ONE_LEVEL
  if (part === '#') {
    if (!isLast) throw new Error("has '#' before its last level")
    return ALL_BELOW
  }
  if (/[+#]/.test(part)) throw new Error("has '+' or '#' beside other characters of a level")
  return part.includes('%') ? variableLevel(part) : part
}

function variableLevel(part: string): RuleLevel {
  return toLevel(
    part.split(/(%.?)/su).map((piece, index) => {
      if (index % 2 === 0) return piece
      if (piece === '%u') return { variable: 'user' as const }
      if (piece === '%c') return { variable: 'client' as const }
      if (piece === '%%') return '%'
      throw new Error(`has ${JSON.stringify(piece)}; %u is the user name, %c the client id, %% a percent sign`)
    }),
  )
}

function toLevel(pieces: VariableLevel['pieces']): RuleLevel {
  return pieces.every((piece) => typeof piece === 'string') ? pieces.join('') : { pieces }
}

/**
 * The pattern as it stands for one subject. Values are put in literally: a user called '#' or 'a/b' matches nothing but
 * a level of exactly that text. Undefined, which matches nothing, when a value is missing: no client id, or anonymous.
 */
export function patternFor(pattern: TopicPattern, subject: Subject): readonly PatternLevel[] | undefined {
  if (pattern.fixed !== undefined) return pattern.fixed
  const result: PatternLevel[] = []
  for (const level of pattern.levels) {
    const stands = typeof level === 'object' ? levelFor(level, subject) : level
    if (stands === undefined) return undefined
    result.push(stands)
  }
  return result
}

/** As `patternFor`, of one level. */
export function levelFor({ pieces }: VariableLevel, { principal, clientId }: Subject): string | undefined {
  let text = ''
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      text += piece
      continue
    }
    const value = piece.variable === 'client' ? clientId : principal.anonymous ? '' : principal.name
    if (value === '') return undefined
    text += value
  }
  return text
}

/** True when a variable has put the subject among the broker's own names: a client may call itself '$SYS'. */
export function isLiftedToReserved(pattern: TopicPattern, levels: readonly PatternLevel[]): boolean {
  const [first] = levels
  return typeof first === 'string' && isReservedName(first) && !pattern.text.startsWith('$')
}

/**
 * True when every name that `filter` matches is matched by `pattern` too. A wildcard in first position does not match
 * names that start with '$' [MQTT5-4.7.2-1]; with `reservedToo` that of `pattern` does.
 */
export function covers(
  pattern: readonly PatternLevel[],
  filter: readonly PatternLevel[],
  reservedToo = false,
): boolean {
  if (!mayMeetAtFirst(pattern[0], filter[0], reservedToo)) return false
  for (let index = 0; ; index++) {
    const ours = pattern[index]
    if (ours === ALL_BELOW) return true
    const theirs = filter[index]
    if (theirs === ALL_BELOW) {
      // '#' alone says the same as '+/#', since a name has a level at least; elsewhere it matches the parent too.
      return index === 0 && ours === ONE_LEVEL && pattern[1] === ALL_BELOW
    }
    if (ours === undefined || theirs === undefined) return ours === theirs
    if (ours !== ONE_LEVEL && ours !== theirs) return false
  }
}

/** True when some name is matched by both. Wildcards in first position as in `covers`. */
export function overlaps(
  pattern: readonly PatternLevel[],
  filter: readonly PatternLevel[],
  reservedToo = false,
): boolean {
  if (!mayMeetAtFirst(pattern[0], filter[0], reservedToo)) return false
  for (let index = 0; ; index++) {
    const ours = pattern[index]
    const theirs = filter[index]
    if (ours === ALL_BELOW || theirs === ALL_BELOW) return true
    if (ours === undefined || theirs === undefined) return ours === theirs
    if (ours !== ONE_LEVEL && theirs !== ONE_LEVEL && ours !== theirs) return false
  }
}

/** False when one side starts with a wildcard and the other with a name of the broker's own. */
function mayMeetAtFirst(
  ours: PatternLevel | undefined,
  theirs: PatternLevel | undefined,
  reservedToo: boolean,
): boolean {
  if (typeof ours !== 'string' && typeof theirs === 'string') return reservedToo || !isReservedName(theirs)
  if (typeof ours === 'string' && typeof theirs !== 'string') return !isReservedName(ours)
  return true
}
