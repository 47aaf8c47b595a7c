/** Collects what is wrong, one sentence each, so that one run shows all of it. */
import { allowedText, type JsonSchema } from './json-schema.ts'
import { nearest } from './nearest.ts'
import { oneLine } from './one-line.ts'
import { plannedKeys } from './planned.ts'
import { below, sections, settings } from './settings.ts'
import { shownKey } from './shown.ts'

/** Sentences reported of one configuration. Beyond it they are only counted: nobody reads them, and finding near names costs time. */
export const PROBLEMS_MAX = 100

export class Problems {
  readonly #sentences: string[] = []
  readonly #warnings = new Set<string>()
  #beyond = 0

  /** `sentence` is asked for only while there is room. */
  add(sentence: () => string): void {
    if (this.#sentences.length < PROBLEMS_MAX) this.#sentences.push(oneLine(sentence()))
    else this.#beyond++
  }

  /** The same warning twice is one. */
  warn(sentence: string): void {
    if (this.#warnings.size < PROBLEMS_MAX) this.#warnings.add(oneLine(sentence))
  }

  get count(): number {
    return this.#sentences.length + this.#beyond
  }

  get errors(): string[] {
    if (this.#beyond === 0) return [...this.#sentences]
    return [...this.#sentences, `${this.#beyond} more problems are not shown`]
  }

  get warnings(): string[] {
    return [...this.#warnings]
  }
}

/**
 * 'mqtt.maxPacketBytes is 12; allowed is a whole number from 1024 to 268435460'.
 * `shown` is undefined when the value is missing.
 */
export function notAllowed(key: string, shown: string | undefined, allowed: JsonSchema, value: unknown): string {
  const wantsQuotes = allowed.type === 'string' && (typeof value === 'number' || typeof value === 'boolean')
  const wantsJson = allowed.type === 'array' && typeof value === 'string'
  const hint = wantsQuotes ? ', in quotes' : wantsJson ? ', as JSON' : ''
  return `${key} is ${shown ?? 'missing'}; allowed is ${allowedText(allowed)}${hint}`
}

/** 'listeners.mqts is not a known key; did you mean listeners.mqtts?' */
export function unknownKey(sectionKey: string, name: string): string {
  const key = below(sectionKey, name)
  return `${shownKey(key)} is not a known key; ${hint(sectionKey, name, key)}`
}

function hint(sectionKey: string, name: string, key: string): string {
  if (key !== '' && (settings.has(key) || sections.has(key)))
    return `write it in sections, ${key.split('.').join(': ')}:`
  const meant = nearestKey(sectionKey, name)
  if (meant !== undefined) return `did you mean ${meant}?`
  const names = (sections.get(sectionKey)?.names ?? []).join(', ')
  return sectionKey === '' ? `known keys are ${names}` : `known keys there are ${names}`
}

/** First among the neighbours, then anywhere by the whole key, then by the last name alone ('port' → 'listeners.mqtt.port'). */
function nearestKey(sectionKey: string, name: string): string | undefined {
  const all = [...settings.keys(), ...sections.keys(), ...plannedKeys].filter((key) => key !== '')
  const prefix = below(sectionKey, '')
  const neighbours = all.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
  const neighbour = nearest(
    name,
    neighbours.filter((other) => !other.includes('.')),
  )
  if (neighbour !== undefined) return below(sectionKey, neighbour)
  const byLastName = new Map(all.map((key) => [lastName(key), key] as const).reverse())
  const key = below(sectionKey, name)
  return nearest(key, all) ?? byLastName.get(nearest(lastName(key), byLastName.keys()) ?? '')
}

function lastName(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1)
}
