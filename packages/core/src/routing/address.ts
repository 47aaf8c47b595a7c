/**
 * Names of destinations in core form: `{ vhost, kind, levels }`. Protocols join and split levels with their own
 * separators at their edge; here a level is opaque text without '/' and NUL. [ADR-0001, architecture.md §4]
 */

export type DestinationKind = 'queue' | 'topic' | 'temp-queue' | 'temp-topic'

/** The only virtual host until several can be configured. It is part of every key already. */
export const DEFAULT_VHOST = '/'

export interface Address {
  readonly vhost: string
  readonly kind: DestinationKind
  readonly levels: readonly string[]
}

/** Matches exactly one level, whatever it holds (MQTT '+'). */
export const ONE_LEVEL: unique symbol = Symbol('one level')
/** Matches the parent and everything below it; last position only (MQTT '#'). */
export const ALL_BELOW: unique symbol = Symbol('all below')

export type PatternLevel = string | typeof ONE_LEVEL | typeof ALL_BELOW

export interface Pattern {
  readonly vhost: string
  readonly kind: DestinationKind
  readonly levels: readonly PatternLevel[]
}

/** Levels joined by '/': one spelling per topic, because a core level never holds a '/'. Key of routes and retained messages. */
export function topicName(levels: readonly string[]): string {
  return levels.join('/')
}

/** For people, and for telling whose names a pattern's are: every wildcard is '*'. */
export function patternText({ levels }: Pattern): string {
  return levels.map((level) => (typeof level === 'string' ? level : '*')).join('/')
}

/** One text per pattern and vice versa; key of a session's bindings. Levels hold no NUL, so the marks cannot be forged. */
export function patternKey(levels: readonly PatternLevel[]): string {
  let key = ''
  for (const level of levels) {
    key += level === ONE_LEVEL ? '\0+' : level === ALL_BELOW ? '\0#' : '\0=' + level
  }
  return key
}

/** Pattern levels back from `patternKey`. */
export function patternFromKey(key: string): PatternLevel[] {
  return key
    .split('\0')
    .slice(1)
    .map((part) => (part === '+' ? ONE_LEVEL : part === '#' ? ALL_BELOW : part.slice(1)))
}

/** True when no level is a wildcard. */
export function isLiteral(levels: readonly PatternLevel[]): levels is readonly string[] {
  return levels.every((level) => typeof level === 'string')
}

/**
 * Names whose first level starts with '$' belong to the broker; a wildcard in first position does not match them.
 * [MQTT5-4.7.2-1] [MQTT311-4.7.2-1]
 */
export function isReservedName(firstLevel: string | undefined): boolean {
  return firstLevel !== undefined && firstLevel.charCodeAt(0) === 0x24
}

/** Reference form of matching, one pattern against one name; the topic tree gives the same answers faster. */
export function matches(pattern: readonly PatternLevel[], levels: readonly string[]): boolean {
  if (typeof pattern[0] !== 'string' && isReservedName(levels[0])) return false
  for (let index = 0; index < pattern.length; index++) {
    const wanted = pattern[index]
    if (wanted === ALL_BELOW) return true
    if (index >= levels.length) return false
    if (wanted !== ONE_LEVEL && wanted !== levels[index]) return false
  }
  return pattern.length === levels.length
}

/**
 * A queue's address as one text, beside topics: no topic begins so, because names that start with '$' are the broker's. It is also how MQTT
 * spells a queue.
 */
export const QUEUE_PREFIX = '$queue/'

/** Name of the queue that an address text means; undefined for a topic. */
export function queueNameOf(address: string): string | undefined {
  return address.startsWith(QUEUE_PREFIX) ? address.slice(QUEUE_PREFIX.length) : undefined
}

/** Levels of a queue's name, as patterns of queues see it. */
export function queueLevels(name: string): string[] {
  return name.split('.')
}
