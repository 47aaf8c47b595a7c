/** What somebody probably meant who wrote an address that is right, but reads otherwise here than elsewhere. */
import type { PatternLevel } from '@ternmq/core'
import { slashed } from './address.ts'
import type { Profile, Protocol, Purpose } from './protocols.ts'
import { quote } from './refusal.ts'
import { isSlashedTopic, KNOWN_PREFIXES, type Resolution, resolve } from './resolve.ts'
import type { RuleId } from './rules.ts'
import { spell } from './spell.ts'

export type HintId = 'dotted-wildcard-in-mqtt' | 'mqtt-wildcard-in-dotted' | 'leading-slash' | 'separator' | 'case'

export interface Hint {
  readonly id: HintId
  /** For log and console: what it means here, and what to write for the other. */
  readonly text: string
}

export interface HintOptions {
  readonly protocol: Protocol
  readonly profile?: Profile | undefined
  readonly purpose: Purpose
}

/** Rules that read a topic's name and nothing before it. */
const WITHOUT_PREFIX: readonly RuleId[] = ['explicit-kind', 'existing-node', 'protocol-default']

/** Hints about a text that was resolved. None for a refusal: its sentence says what to do. */
export function hintsFor(text: string, resolution: Resolution, options: HintOptions): Hint[] {
  if (!resolution.ok) return []
  const { address, rule } = resolution
  const hints: Hint[] = []
  const differently = caseHint(text, options.protocol)
  if (differently !== undefined) hints.push(differently)
  if (address.kind !== 'topic' && address.kind !== 'topic-pattern') return hints
  const { levels } = address
  const { protocol, profile = 'activemq' } = options
  const isSlashed = protocol === 'mqtt' || (WITHOUT_PREFIX.includes(rule) && isSlashedTopic(text, protocol, profile))
  if (options.purpose === 'receive') {
    const wildcard = levels.find((level) => level === '*' || level === '>')
    if (typeof wildcard === 'string')
      hints.push(isSlashed ? dottedWildcard(text, wildcard, levels) : mqttWildcard(text, wildcard))
  }
  if (options.protocol === 'mqtt' && levels.length > 1 && levels[0] === '') hints.push(leadingSlash(text))
  const separator = separatorHint(text, levels, isSlashed, options)
  if (separator !== undefined) hints.push(separator)
  return hints
}

/** Every filter of MQTT that there is a hint about. */
const REMARKABLE = /^[/$]|[*>.]/
const TO_SUBSCRIBE = { protocol: 'mqtt', purpose: 'receive' } as const
const NO_HINTS: readonly Hint[] = []

/** `hintsFor` a filter that an MQTT client subscribes to. For most filters it costs next to nothing. */
export function filterHints(filter: string): readonly Hint[] {
  return REMARKABLE.test(filter) ? hintsFor(filter, resolve(filter, TO_SUBSCRIBE), TO_SUBSCRIBE) : NO_HINTS
}

function dottedWildcard(text: string, wildcard: string, levels: readonly PatternLevel[]): Hint {
  const meant = slashed(
    levels.map((level, index) => (level === '*' ? '+' : level === '>' && index === levels.length - 1 ? '#' : level)),
  )
  const what = wildcard === '*' ? "for any one level write '+'" : "for all levels below write '#'"
  return {
    id: 'dotted-wildcard-in-mqtt',
    text: `${quote(text)}: '${wildcard}' is an ordinary character in names with '/' between levels; ${what}: ${quote(meant)}`,
  }
}

/** The characters that '+' and '#' stand for, in core form, are '*' and '>'. */
function mqttWildcard(text: string, wildcard: string): Hint {
  const [written, meant] =
    wildcard === '*' ? ['+', "for any one level write '*'"] : ['#', "for all levels below write '>' at the end"]
  return {
    id: 'mqtt-wildcard-in-dotted',
    text: `${quote(text)}: '${written}' is an ordinary character in this place; ${meant}`,
  }
}

function leadingSlash(text: string): Hint {
  return {
    id: 'leading-slash',
    text: `${quote(text)} begins with an empty level, so it is another topic than ${quote(text.slice(1))}`,
  }
}

function separatorHint(
  text: string,
  levels: readonly PatternLevel[],
  isSlashed: boolean,
  { protocol, profile }: HintOptions,
): Hint | undefined {
  const [only] = levels
  if (levels.length > 1 || typeof only !== 'string' || !only.includes('.')) return undefined
  // In core form a level that was written with '/' in a dotted name has '.'.
  const meant = only.split('.')
  const slash = protocol === 'stomp' && text.startsWith('/') ? '/' : ''
  const other = isSlashed ? slash + meant.join('/') : spell({ kind: 'topic', levels: meant }, protocol, profile)
  if (other === undefined || meant.includes('')) return undefined
  const between = isSlashed ? '/' : '.'
  const rule = `levels have '${between}' between them here, and ${meant.length} levels are ${quote(other)}`
  return { id: 'separator', text: `${quote(text)} is a topic of one level: ${rule}` }
}

/** `/Queue/a` for `/queue/a`. */
function caseHint(text: string, protocol: Protocol): Hint | undefined {
  const known = protocol === 'mqtt' ? ['$queue/', '$share/', '$SYS/'] : KNOWN_PREFIXES
  const prefix = known.find((candidate) => text.slice(0, candidate.length).toLowerCase() === candidate.toLowerCase())
  if (prefix === undefined || text.startsWith(prefix)) return undefined
  return { id: 'case', text: `${quote(text)} does not begin with '${prefix}': upper and lower case differ` }
}
