/**
 * The configuration: every setting with its value and where that is from, and changes of it while the broker runs. What is changed here goes
 * over everything that was given at the start, and lasts in the definition store.
 */
import { resolve } from 'node:path'
import { changeConfig, type ConfigItem, listConfig } from '@ternmq/api'
import { allowedText, type BrokerConfig, type Setting, settings } from '@ternmq/config'
import { nextTurn } from '@ternmq/core'
import { CONFIG_TURN_TEXTS, checkTurnSaid } from '../access/access-turn.ts'
import type { PermissionBook } from '../access/permissions.ts'
import { definedOf, problemsOf } from '../definitions/definition-kinds.ts'
import type { DefinitionQueue } from '../definitions/definition-queue.ts'
import type { DefinitionStore } from '../definitions/definition-store.ts'
import { ApiError } from '../errors.ts'
import { bind, type Bound, type Caller } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'

/** Without these nobody finds what is kept here. */
const NEEDED_TO_OPEN = /^(dataDir$|store\.)/

/**
 * Who may do what, which nobody else is told by the calls about permissions either; where private keys are; and an address of others, whose
 * query may be a key.
 */
const FOR_ADMINISTRATORS = /^auth\.rules$|\.tls\.key$|^tracing\.endpoint$/

/** Of a value in the audit log. */
const SHOWN_CHARS_MAX = 100

export interface ConfigParts {
  readonly definitions: DefinitionStore
  readonly changes: DefinitionQueue
  readonly permissions: PermissionBook
}

export function configHandlers(broker: ManagedBroker, { definitions, changes, permissions }: ConfigParts): Bound[] {
  return [
    bind(listConfig, ({ query: { q = '', changed = false }, caller }) => {
      const wanted = q.toLowerCase()
      const isWanted = ({ key, description }: Setting): boolean =>
        key.toLowerCase().includes(wanted) || description.toLowerCase().includes(wanted)
      const items = [...settings.values()]
        .filter(isWanted)
        .map((setting) => itemOf(setting, broker, definitions, caller))
      return { items: changed ? items.filter(({ source }) => source !== 'default') : items }
    }),
    bind(changeConfig, (request) =>
      changes.run(request.caller, async () => {
        const given = new Map(Object.entries(request.body.changes))
        refuse(given)
        await nextTurn(broker.vhost.env.clock) // a value may be thousands of rules, which are read again with all others
        const before = new Map(definitions.settings.all)
        const overrides = new Map([...before].filter(([key]) => !given.has(key)))
        for (const [key, value] of given) if (value !== null) overrides.set(key, value)
        const checkTurn = (after: BrokerConfig): void =>
          checkTurnSaid(permissions.turnWith(after), request.body.everybody, CONFIG_TURN_TEXTS)
        const changed = await override(broker, overrides, checkTurn)
        try {
          await definitions.settings.change(new Map([...given].map(([key, value]) => [key, value ?? undefined])))
        } catch (error) {
          await override(broker, before, () => {}) // as it was: nothing counts that does not last
          throw error
        }
        request.note([...given].map(([key, value]) => noteOf(key, value)).join(', '))
        // What waits since an earlier change is not of this one.
        const isGiven = (key: string): boolean => given.has(key)
        return { applied: changed.applied.filter(isGiven), afterRestart: changed.afterRestart.filter(isGiven) }
      }),
    ),
  ]
}

/** Throws ApiError that names field, value and rule, and further ones beside it. */
function refuse(given: ReadonlyMap<string, unknown>): void {
  const problems = [...given].flatMap(([key, value]) => [...problemsWith(key, value)])
  const [first, ...others] = problems
  if (first === undefined) return
  const { code, detail, ...more } = first
  throw new ApiError(code, detail, {
    ...more,
    ...(others.length > 0 && { others: others.map(({ code: _code, ...other }) => other) }),
  })
}

interface Problem {
  readonly code: 'INVALID' | 'FROM_CONFIG'
  readonly detail: string
  readonly field: string
  readonly value?: unknown
  readonly rule?: string
}

function* problemsWith(key: string, value: unknown): Generator<Problem> {
  const setting = settings.get(key)
  const field = `changes.${key}`
  const shown = setting?.isSecret === true ? {} : { value }
  if (setting !== undefined && NEEDED_TO_OPEN.test(key)) {
    const detail = `${key} says where and how this is kept, so it cannot be kept there; change it in the configuration and start anew`
    yield { code: 'FROM_CONFIG', detail, field, ...shown }
  } else if (setting === undefined || value !== null) {
    for (const { text, rule } of problemsOf(key, value))
      yield { code: 'INVALID', detail: text, field, ...shown, ...definedOf({ rule }) }
  }
}

/** Rejects with ApiError('INVALID') in the words of whoever refuses: rules between settings, certificates that cannot be read. */
async function override(
  { settings: running }: ManagedBroker,
  overrides: ReadonlyMap<string, unknown>,
  check: (after: BrokerConfig) => void,
): ReturnType<ManagedBroker['settings']['override']> {
  try {
    return await running.override(overrides, check)
  } catch (error) {
    if (error instanceof ApiError) throw error
    throw new ApiError('INVALID', `${(error as Error).message}; nothing has changed`, { field: 'changes' })
  }
}

function itemOf(
  setting: Setting,
  { settings: running }: ManagedBroker,
  definitions: DefinitionStore,
  caller: Caller,
): ConfigItem {
  const { key, path, description, reload, defaultValue, jsonSchema } = setting
  const value = valueOf(running.config, path)
  const set = definitions.settings.get(key)
  const waits = set !== undefined && !counts(setting, set, value)
  const hidden = hiddenFrom(caller, setting)
  const isSet = (value ?? set) !== undefined
  return {
    key,
    ...definedOf({ defaultValue }),
    ...(hidden === undefined && definedOf({ value })),
    ...(hidden === undefined && waits && { valueAfterRestart: set }),
    ...(isSet && definedOf({ hidden })),
    source: set !== undefined ? 'api' : (running.sources.get(key)?.text ?? 'default'),
    description,
    allowed: allowedText(jsonSchema),
    reload,
  }
}

function hiddenFrom({ scopes }: Caller, { key, isSecret }: Setting): ConfigItem['hidden'] {
  if (isSecret) return 'secret'
  return FOR_ADMINISTRATORS.test(key) && !scopes.has('admin') ? 'administrators' : undefined
}

/** As the configuration has it: what is left out of an entry has its default there, and paths are absolute. */
function counts({ schema, isPath }: Setting, set: unknown, value: unknown): boolean {
  const complete = schema.parse(set)
  const wanted = isPath && typeof complete === 'string' ? resolve(complete) : complete
  return JSON.stringify(wanted) === JSON.stringify(value)
}

function valueOf(config: BrokerConfig, path: readonly string[]): unknown {
  return path.reduce<unknown>((part, name) => (part as Readonly<Record<string, unknown>> | undefined)?.[name], config)
}

function noteOf(key: string, value: unknown): string {
  if (value === null) return `${key} taken back`
  if (settings.get(key)?.isSecret === true) return `${key} set`
  const text = JSON.stringify(value)
  return `${key} = ${text.length <= SHOWN_CHARS_MAX ? text : `${text.slice(0, SHOWN_CHARS_MAX).toWellFormed()}…`}`
}
