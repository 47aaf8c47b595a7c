/**
 * Puts the configuration together: admin API before flag before environment before file before default. Every value remembers its source,
 * and everything that is wrong is said at once.
 */
import { dirname, resolve } from 'node:path'
import { givenByFile } from './file.ts'
import { check, type Given, type Source } from './given.ts'
import { givenByApi, givenByEnvironment, givenByFlag, givenByProgram, givenBySets } from './overrides.ts'
import { Problems } from './problems.ts'
import { checkRules } from './rules.ts'
import { configSchema } from './schema.ts'
import { type Setting, settings } from './settings.ts'
import type { BrokerConfig, BrokerConfigInput } from './types.ts'

export interface LoadOptions {
  /** YAML or JSON. Left out: no file is read. */
  readonly file?: string | undefined
  /** Normally process.env; only names that begin with TERNMQ_ are looked at. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** What follows each `--set`: 'key.path=value'. */
  readonly sets?: readonly string[] | undefined
  /** What follows `--data-dir`; goes before a `--set dataDir=…`. */
  readonly dataDir?: string | undefined
  /** Values of an embedding program; they go before everything else. */
  readonly values?: BrokerConfigInput | undefined
  /** Values of an embedding program that count where nobody says otherwise: behind everything but the schema's own. */
  readonly defaults?: BrokerConfigInput | undefined
  /** Settings that were changed through the admin API, by key; they go before all others. */
  readonly overrides?: ReadonlyMap<string, unknown> | undefined
  /** `file`, and relative paths that are not in it, are relative to this directory; process.cwd() when left out. */
  readonly cwd?: string | undefined
}

export type LoadResult =
  | {
      readonly ok: true
      readonly config: BrokerConfig
      /** By key of the setting; there is one for every setting. */
      readonly sources: ReadonlyMap<string, Source>
      readonly warnings: readonly string[]
    }
  | {
      readonly ok: false
      /** One sentence each, at least one. */
      readonly errors: readonly string[]
      readonly warnings: readonly string[]
    }

const DEFAULT: Source = { kind: 'default', text: 'default' }

/** Reads the file at once and synchronously; never throws for what is in it. */
export function loadConfig(options: LoadOptions = {}): LoadResult {
  const problems = new Problems()
  const cwd = resolve(options.cwd ?? process.cwd())
  const file = options.file === undefined ? undefined : resolve(cwd, options.file)
  const all = [
    ...givenByProgram(options.defaults, problems),
    ...(options.file === undefined || file === undefined ? [] : givenByFile(options.file, file, problems)),
    ...givenByEnvironment(options.env ?? {}, problems),
    ...givenBySets(options.sets ?? [], problems),
    ...(options.dataDir === undefined ? [] : givenByFlag('dataDir', '--data-dir', options.dataDir)),
    ...givenByProgram(options.values, problems),
    ...givenByApi(options.overrides ?? new Map<string, unknown>(), problems),
  ]
  // Also what is overridden: a mistake in the file must not hide behind a flag.
  for (const given of all) check(given, problems)
  if (problems.count > 0) return { ok: false, errors: problems.errors, warnings: problems.warnings }

  const winners = new Map(all.map((given) => [given.setting.key, given])) // the last of a key counts
  const config = deepFreeze(configSchema.parse(inputOf(winners, cwd, file)))
  checkRules(config, (key) => originOf(winners.get(key)), problems)
  if (problems.count > 0) return { ok: false, errors: problems.errors, warnings: problems.warnings }

  const sources = new Map([...settings.keys()].map((key) => [key, winners.get(key)?.source ?? DEFAULT]))
  return { ok: true, config, sources, warnings: problems.warnings }
}

/** Nested as the schema wants it, relative paths made absolute. */
function inputOf(winners: ReadonlyMap<string, Given>, cwd: string, file: string | undefined): object {
  const input: Record<string, unknown> = {}
  for (const setting of settings.values()) {
    const given = winners.get(setting.key)
    const value = given === undefined ? setting.defaultValue : given.value
    if (value === undefined) continue
    const base = given?.source.kind === 'file' && file !== undefined ? dirname(file) : cwd
    put(input, setting, setting.isPath && typeof value === 'string' ? resolve(base, value) : value)
  }
  return input
}

function put(input: Record<string, unknown>, { path }: Setting, value: unknown): void {
  let section = input
  for (const name of path.slice(0, -1)) {
    section = (section[name] ??= {}) as Record<string, unknown>
  }
  section[path.at(-1) ?? ''] = value
}

/** All parts of the broker share one configuration: none may change what the others see. */
function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value) as unknown[]) {
    if (typeof part === 'object' && part !== null) deepFreeze(part)
  }
  return Object.freeze(value)
}

function originOf(given: Given | undefined): string {
  return given === undefined ? '' : `${given.where([])}: `
}
