/** A value that somebody gave to a setting, with where it came from; whether it is allowed. */
import type { z } from 'zod'
import { allowedText, schemaAt } from './json-schema.ts'
import { nearest } from './nearest.ts'
import { notAllowed, type Problems, unknownKey } from './problems.ts'
import { plannedKeyOf, plannedWarning } from './planned.ts'
import { below, type Section, sections, type Setting, settings } from './settings.ts'
import { shownKey, shownValue } from './shown.ts'
import { valueAt } from './value-at.ts'

export interface Source {
  readonly kind: 'default' | 'file' | 'environment' | 'flag' | 'program' | 'api'
  /** 'default', 'file config.yaml:12:5', 'env TERNMQ_MQTT__MAX_QOS', 'flag --set mqtt.maxQos', 'program', 'api'. */
  readonly text: string
}

export interface Given {
  readonly setting: Setting
  readonly value: unknown
  readonly source: Source
  /** Where the part of the value at `path` is, to begin a sentence with: 'config.yaml:12:5'. */
  readonly where: (path: ReadonlyArray<PropertyKey>) => string
}

/** What a name below a section is. 'planned' and 'unknown' names have been reported when this returns. */
export type Place =
  | { readonly kind: 'section'; readonly section: Section }
  | { readonly kind: 'setting'; readonly setting: Setting }
  | { readonly kind: 'planned' | 'unknown' }

export function placeOf(sectionKey: string, name: string, where: string, problems: Problems): Place {
  const key = below(sectionKey, name)
  const isOneName = name !== '' && !name.includes('.')
  const section = isOneName ? sections.get(key) : undefined
  if (section !== undefined) return { kind: 'section', section }
  const setting = isOneName ? settings.get(key) : undefined
  if (setting !== undefined) return { kind: 'setting', setting }
  const planned = plannedKeyOf(key)
  if (planned !== undefined) {
    problems.warn(`${where}: ${plannedWarning(planned)}`)
    return { kind: 'planned' }
  }
  problems.add(() => `${where}: ${unknownKey(sectionKey, name)}`)
  return { kind: 'unknown' }
}

/** 'listeners is 5; allowed is a section with mqtt, mqtts, ws, wss'. */
export function notASection(section: Section, value: unknown): string {
  const name = section.key === '' ? 'the content' : section.key
  return `${name} is ${shownValue(value, false)}; allowed is a section with ${section.names.join(', ')}`
}

/** Adds a sentence for each part of the value that is not allowed. */
export function check(given: Given, problems: Problems): void {
  const result = given.setting.schema.safeParse(given.value)
  if (result.success) return
  const reported = new Set<string>()
  for (const issue of result.error.issues) {
    if (issue.code === 'custom' && hasWrongPart(issue, result.error.issues)) continue
    const path = issue.path.join('.')
    if (reported.has(path)) continue // one sentence says all that is allowed there
    reported.add(path)
    if (issue.code === 'unrecognized_keys') {
      for (const name of issue.keys)
        problems.add(() => `${given.where([...issue.path, name])}: ${unknownPart(given, issue, name)}`)
    } else {
      problems.add(() => `${given.where(issue.path)}: ${wrongPart(given, issue)}`)
    }
  }
}

/** A rule about a whole says nothing new while one of its parts is wrong. */
function hasWrongPart({ path }: z.core.$ZodIssue, issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.some(
    (other) => other.path.length > path.length && path.every((step, index) => other.path[index] === step),
  )
}

function wrongPart(given: Given, issue: z.core.$ZodIssue): string {
  const { setting } = given
  const value = valueAt(given.value, issue.path)
  const shown = value === undefined ? undefined : value === null ? 'empty' : shownValue(value, setting.isSecret)
  const allowed = schemaAt(setting.jsonSchema, issue.path) ?? setting.jsonSchema
  return notAllowed(keyOf(setting, issue.path), shown, allowed, value)
}

function unknownPart(given: Given, issue: z.core.$ZodIssue, name: string): string {
  const part = schemaAt(given.setting.jsonSchema, issue.path)
  const meant = nearest(name, Object.keys(part?.properties ?? {}))
  const hint =
    meant === undefined ? `allowed is ${part === undefined ? 'nothing' : allowedText(part)}` : `did you mean ${meant}?`
  return `${shownKey(keyOf(given.setting, [...issue.path, name]))} is not a known key; ${hint}`
}

/** 'auth.rules[0].topics[2]'. */
function keyOf(setting: Setting, path: ReadonlyArray<PropertyKey>): string {
  return setting.key + path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
}
