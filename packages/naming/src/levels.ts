/**
 * Levels of topics as protocols write them. MQTT has '/' between levels and the wildcards '+' and '#'; STOMP, AMQP and REST have '.'
 * and '*' and '>' or '#'. A character that means something on one side only changes places with its partner, so nothing is lost:
 * MQTT `v1.2/x` is `v1/2.x`, a level `*` of MQTT is `+`, `C++` is MQTT's `C**`.
 */
import { ALL_BELOW, ONE_LEVEL, type PatternLevel } from '@ternmq/core'
import { decodePart, encodePart } from './percent.ts'
import type { Profile } from './protocols.ts'
import { AddressRefused, quote } from './refusal.ts'

/** Wildcards of names with '.' between levels. '*' is one level in all of them. */
export interface Dialect {
  /** Names of "all below", which must be the last level; the first is how it is written. */
  readonly below: readonly string[]
}

/** Of ActiveMQ, which takes what RabbitMQ's clients write as well. */
const CLASSIC: Dialect = { below: ['>', '#'] }
/** Of Artemis and RabbitMQ. */
const WORDS: Dialect = { below: ['#'] }

export const DIALECTS: Readonly<Record<Profile | 'exchange' | 'rest', Dialect>> = {
  activemq: CLASSIC,
  artemis: WORDS,
  rabbitmq: WORDS,
  exchange: WORDS,
  rest: CLASSIC,
}

/** Core on the left: what a level may hold there. Its partners are what a dotted level may not hold. */
const TO_DOTTED: Readonly<Record<string, string>> = { '.': '/', '*': '+', '>': '#' }
const FROM_DOTTED: Readonly<Record<string, string>> = { '/': '.', '+': '*', '#': '>' }

/** Levels that would be wildcards if they were not encoded. */
const ENCODED_WILDCARDS: Readonly<Record<string, string>> = { '*': '%2A', '>': '%3E' }

export interface ReadOptions {
  readonly isReceiving: boolean
  /** Percent-encoded: an encoded wildcard is none. */
  readonly isEncoded: boolean
}

/** Levels of a name with '.' between. Throws AddressRefused. */
export function readDotted(text: string, dialect: Dialect, { isReceiving, isEncoded }: ReadOptions): PatternLevel[] {
  const levels: PatternLevel[] = []
  const parts = text.split('.')
  for (const [index, part] of parts.entries()) {
    const isBelow = dialect.below.includes(part)
    const isLast = index === parts.length - 1
    if (isReceiving && part === '*') levels.push(ONE_LEVEL)
    else if (isReceiving && isBelow && isLast) levels.push(ALL_BELOW)
    else if (isReceiving && part === dialect.below[0]) {
      throw new AddressRefused(`it has '${part}' before its end; it means all below and must be the last level`)
    } else {
      refuseWildcardIn(part, isReceiving)
      // An encoded wildcard is an ordinary character. An encoded '.' is a separator as any other: keys cannot tell them apart.
      for (const level of (isEncoded ? decodePart(part) : part).split('.')) levels.push(swapped(level, FROM_DOTTED))
    }
  }
  return levels
}

function refuseWildcardIn(level: string, isReceiving: boolean): void {
  const wildcard = /[*>]/.exec(level)?.[0]
  if (wildcard === undefined) return
  const other = wildcard === '>' ? ", and 'all below' is written '#' where '>' is not taken" : ''
  const why = isReceiving
    ? `a wildcard is a whole level by itself${other}`
    : 'that is a wildcard, and a message is sent to one topic'
  throw new AddressRefused(`it has '${wildcard}' in the level ${quote(level)}: ${why}`)
}

function swapped(level: string, partners: Readonly<Record<string, string>>): string {
  return level.replace(/[./*+>#]/g, (char) => partners[char] ?? char)
}

/** Levels of a name as MQTT writes it. Throws AddressRefused. */
export function readSlashed(text: string, isReceiving: boolean): PatternLevel[] {
  const parts = text.split('/')
  return parts.map((part, index) => {
    if (isReceiving && part === '+') return ONE_LEVEL
    if (isReceiving && part === '#' && index === parts.length - 1) return ALL_BELOW
    const wildcard = /[+#]/.exec(part)?.[0]
    if (wildcard === undefined) return part
    const why = isReceiving
      ? `'+' must be a whole level and '#' the whole last one`
      : 'that is a wildcard, and a message is sent to one topic'
    throw new AddressRefused(`it has '${wildcard}' in the level ${quote(part)}: ${why}`)
  })
}

/** The name with '.' between levels. */
export function dotted(levels: readonly PatternLevel[], dialect: Dialect, isEncoded: boolean): string {
  return levels
    .map((level) => {
      if (level === ONE_LEVEL) return '*'
      if (level === ALL_BELOW) return dialect.below[0]!
      if (!isEncoded) return swapped(level, TO_DOTTED)
      return ENCODED_WILDCARDS[level] ?? encodePart(swapped(level, TO_DOTTED))
    })
    .join('.')
}
