/** Settings from the environment, from the command line and from a program. */
import { type Given, notASection, placeOf, type Source } from './given.ts'
import type { JsonSchema } from './json-schema.ts'
import { nearest } from './nearest.ts'
import { plannedKeyOf, plannedVariable, plannedWarning } from './planned.ts'
import { type Problems, unknownKey } from './problems.ts'
import {
  below,
  ENVIRONMENT_PREFIX,
  environmentName,
  type Section,
  sections,
  type Setting,
  settings,
} from './settings.ts'
import { shownKey } from './shown.ts'

const settingByVariable = new Map([...settings.values()].map((setting) => [setting.environment, setting]))
const sectionByVariable = new Map(
  [...sections.values()].map((section) => [environmentName(section.key.split('.')), section]),
)

/** Variables with our prefix that are no settings: the password of the first administrator, and where commands find a broker. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['TERNMQ_ADMIN_PASSWORD', 'TERNMQ_URL', 'TERNMQ_TOKEN'])

/** `TERNMQ_MQTT__MAX_PACKET_BYTES=…`. A variable with our prefix that is no setting is a problem: it would be a typing error without effect. */
export function givenByEnvironment(env: Readonly<Record<string, string | undefined>>, problems: Problems): Given[] {
  const given: Given[] = []
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || text === undefined || OTHER_VARIABLES.has(name)) continue
    const setting = settingByVariable.get(name)
    if (setting !== undefined) {
      given.push(givenAsText(setting, text, { kind: 'environment', text: `env ${name}` }, name))
    } else {
      reportVariable(name, problems)
    }
  }
  return given
}

function reportVariable(name: string, problems: Problems): void {
  const planned = plannedVariable(name)
  const section = sectionByVariable.get(name)
  if (planned !== undefined) {
    problems.warn(`environment: ${name}: ${plannedWarning(planned)}`)
  } else if (section !== undefined && section.key !== '') {
    problems.add(
      () =>
        `environment: ${name} names a section, not a setting; set one of its keys, such as ${firstVariable(section)}`,
    )
  } else {
    problems.add(() => {
      const meant = nearest(name, settingByVariable.keys())
      const hint = meant === undefined ? `\`ternmq config print\` shows all settings` : `did you mean ${meant}?`
      return `environment: ${shownKey(name)} is not a known variable; ${hint}`
    })
  }
}

/** `--set key.path=value`; of several for one key the last counts. */
export function givenBySets(sets: readonly string[], problems: Problems): Given[] {
  const given: Given[] = []
  for (const text of sets) {
    const equals = text.indexOf('=')
    const key = equals === -1 ? text : text.slice(0, equals)
    const where = `--set ${shownKey(key)}`
    if (equals === -1) {
      problems.add(() => `${where}: has no value; write --set ${shownKey(key)}=VALUE`)
      continue
    }
    const setting = settingByKey(key, where, problems)
    if (setting !== undefined)
      given.push(givenAsText(setting, text.slice(equals + 1), { kind: 'flag', text: `flag --set ${key}` }, where))
  }
  return given
}

function settingByKey(key: string, where: string, problems: Problems): Setting | undefined {
  const setting = settings.get(key)
  if (setting !== undefined) return setting
  const planned = plannedKeyOf(key)
  const section = sections.get(key)
  const outer = [...settings.values()].find((candidate) => key.startsWith(`${candidate.key}.`))
  if (planned !== undefined) {
    problems.warn(`${where}: ${plannedWarning(planned)}`)
  } else if (section !== undefined && key !== '') {
    problems.add(
      () => `${where}: ${key} is a section, not a setting; set one of its keys, such as ${firstSetting(section)?.key}`,
    )
  } else if (outer !== undefined) {
    problems.add(
      () =>
        `${where}: ${outer.key} is a single value and has no ${shownKey(key.slice(outer.key.length + 1))}; set all of it`,
    )
  } else {
    problems.add(() => `${where}: ${unknownKey('', key)}`)
  }
  return undefined
}

/** One setting by a flag of its own: `--data-dir DIR`. */
export function givenByFlag(key: string, flag: string, value: string): Given[] {
  const setting = settings.get(key)
  return setting === undefined ? [] : [givenAsText(setting, value, { kind: 'flag', text: `flag ${flag}` }, flag)]
}

/** Settings that were changed while the broker ran, by key. */
export function givenByApi(values: ReadonlyMap<string, unknown>, problems: Problems): Given[] {
  return [...values].flatMap(([key, value]): Given[] => {
    const setting = settingByKey(key, key, problems)
    return setting === undefined ? [] : [{ setting, value, source: { kind: 'api', text: 'api' }, where: () => key }]
  })
}

/** Values from a program that embeds the broker; keys that are undefined count as left out. */
export function givenByProgram(values: unknown, problems: Problems): Given[] {
  const root = sections.get('')
  return root === undefined ? [] : readObject(root, values, problems)
}

function readObject(section: Section, value: unknown, problems: Problems): Given[] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.add(() => `options: ${notASection(section, value)}`)
    return []
  }
  return Object.entries(value).flatMap(([name, part]: [string, unknown]): Given[] => {
    if (part === undefined) return []
    const place = placeOf(section.key, name, 'options', problems)
    if (place.kind === 'section') return readObject(place.section, part, problems)
    if (place.kind !== 'setting') return []
    return [
      { setting: place.setting, value: part, source: { kind: 'program', text: 'program' }, where: () => 'options' },
    ]
  })
}

function givenAsText(setting: Setting, text: string, source: Source, where: string): Given {
  return { setting, value: fromText(setting.jsonSchema, text), source, where: () => where }
}

/** Text as the type that the schema asks for; as it is when it cannot be that, so that the check can show it. */
function fromText(schema: JsonSchema, text: string): unknown {
  if (schema.anyOf !== undefined) {
    const values = schema.anyOf.map((option) => fromText(option, text))
    return values.find((value) => typeof value !== 'string') ?? text
  }
  if (schema.type === 'integer') return /^[+-]?\d+$/.test(text) ? Number(text) : text
  if (schema.type === 'number') return /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : text
  if (schema.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return schema.type === 'array' ? fromJson(text) : text
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // not JSON: the check says what is wanted
  }
}

function firstSetting(section: Section): Setting | undefined {
  return [...settings.values()].find(({ key }) => key.startsWith(below(section.key, '')))
}

function firstVariable(section: Section): string {
  return firstSetting(section)?.environment ?? ENVIRONMENT_PREFIX
}
