/** Shows a configuration with the source of each value: `ternmq config print`. */
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import type { Source } from './given.ts'
import { oneLine } from './one-line.ts'
import { sections, settings, type Setting } from './settings.ts'
import type { BrokerConfig } from './types.ts'
import { valueAt } from './value-at.ts'

const HIDDEN = '(hidden)'
const INDENT = '  '
/** Sources are lined up here; a longer line has its source right behind. */
const SOURCE_COLUMN = 46

export interface PrintedSetting {
  readonly key: string
  /** '(hidden)' for a secret; null when it is not set. */
  readonly value: unknown
  readonly source: string
}

/** The settings as data, in the order of the schema: `config print --json`. */
export function configAsJson(config: BrokerConfig, sources: ReadonlyMap<string, Source>): PrintedSetting[] {
  return [...settings.values()].map((setting) => ({
    key: setting.key,
    value: shown(setting, config) ?? null,
    source: sources.get(setting.key)?.text ?? 'default',
  }))
}

/** Keys of settings that have another value than their default, in the order of the schema. */
export function changedSettings(config: BrokerConfig, sources: ReadonlyMap<string, Source>): string[] {
  return [...settings.values()].flatMap(({ key, path, defaultValue }) =>
    sources.get(key)?.kind === 'default' || isDeepStrictEqual(valueAt(config, path), defaultValue) ? [] : [key],
  )
}

/** YAML that can be read back, with the source of each value in a comment. Ends with a line break. */
export function configAsYaml(config: BrokerConfig, sources: ReadonlyMap<string, Source>): string {
  const lines: string[] = []
  printSection('', config, sources, lines)
  return `${lines.join('\n')}\n`
}

function printSection(key: string, config: BrokerConfig, sources: ReadonlyMap<string, Source>, lines: string[]): void {
  for (const name of sections.get(key)?.names ?? []) {
    const partKey = key === '' ? name : `${key}.${name}`
    const indent = INDENT.repeat(partKey.split('.').length - 1)
    const setting = settings.get(partKey)
    if (setting === undefined) {
      lines.push(`${indent}${name}:`)
      printSection(partKey, config, sources, lines)
      continue
    }
    const value = shown(setting, config)
    const [first, ...more] = asYaml(name, value)
    // A file may be called anything; a line break in its name must not end the comment.
    lines.push(`${(indent + first).padEnd(SOURCE_COLUMN)} # ${oneLine(sources.get(partKey)?.text ?? 'default')}`)
    lines.push(...more.map((line) => indent + INDENT + line))
  }
}

function shown(setting: Setting, config: BrokerConfig): unknown {
  return visible(valueAt(config, setting.path), setting.isSecret)
}

/** The value, or a stand-in for one that must not be seen. That a secret is not set may be seen. */
export function visible(value: unknown, isSecret: boolean): unknown {
  return isSecret && value !== undefined ? HIDDEN : value
}

/** One line, or one more for each entry of a list of sections. */
function asYaml(name: string, value: unknown): [first: string, ...more: string[]] {
  // What is not set must stay so when the output is read back.
  if (value === undefined) return [`# ${name}: not set`]
  if (Array.isArray(value) && value.some((entry) => typeof entry === 'object')) {
    return [`${name}:`, ...value.map((entry) => `- ${JSON.stringify(entry)}`)]
  }
  return [`${name}: ${isPlain(value) ? value : JSON.stringify(value)}`]
}

/** JSON is YAML; text goes without quotes where YAML reads the same text without. */
function isPlain(value: unknown): value is string {
  return typeof value === 'string' && /^[\w./][\w./-]*$/.test(value) && parse(value) === value
}
