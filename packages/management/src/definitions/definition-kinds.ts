/**
 * What can be defined through the API and lasts in the catalog: policies, permissions, tokens, settings. Each kind says how many there may
 * be and takes what was read for one, strictly: what a newer broker wrote, or what was damaged, must not count half.
 */
import { checkPermissions, checkTokenRecord, type Permission, type TokenRecord } from '@ternmq/auth'
import { type QueuePolicy, settingProblems, settings } from '@ternmq/config'

export interface DefinitionKind<T> {
  /** Part of the catalog's key: `definitions/policy/ID`. For ever. */
  readonly name: 'policy' | 'permission' | 'token' | 'setting'
  /** Beyond it a new one is refused as LIMIT_REACHED. */
  readonly countMax: number
  /** Throws an error whose message is the end of a sentence about the definition. */
  check(id: string, value: unknown): T
}

/** A policy of the API. */
export interface PolicyDefinition extends QueuePolicy {
  /** Its place among those of the API, the smallest first; of two with the same the ids decide. */
  readonly order: number
}

/** Bytes of one definition as it is written; beyond it the change is refused as LIMIT_REACHED. An engine takes up to a MiB. */
export const DEFINITION_BYTES_MAX: number = 512 * 1024

/** Highest place of a policy. */
export const POLICY_ORDER_MAX = 1_000_000_000

/** As the permissions' ids are in packages/auth. */
const DEFINITION_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/i
export const DEFINITION_ID_RULE = "1 to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit"

export function isDefinitionId(text: string): boolean {
  return DEFINITION_ID.test(text)
}

export const POLICIES: DefinitionKind<PolicyDefinition> = {
  name: 'policy',
  countMax: 1_000,
  check(id, value) {
    if (!isDefinitionId(id)) throw new Error(`has an id that is not ${DEFINITION_ID_RULE}`)
    const { match, settings: given, order, ...unknown } = objectOf(value)
    refuseUnknown(unknown)
    if (!isOrder(order)) throw new Error(`has an order that is not a whole number from 0 to ${POLICY_ORDER_MAX}`)
    const policy = { match, settings: given }
    if (settingProblems('policies', [policy]).length > 0)
      throw new Error('has a match or settings that this version does not allow')
    return { ...(policy as QueuePolicy), order }
  },
}

export const PERMISSIONS: DefinitionKind<Permission> = {
  name: 'permission',
  countMax: 10_000,
  check(id, value) {
    const { id: own, description, user, group, allow = [], deny = [], topics, ...unknown } = objectOf(value)
    refuseUnknown(unknown)
    if (own !== id) throw new Error(`has the id of another one, '${String(own)}'`)
    for (const [key, text] of Object.entries({ description, user, group })) {
      if (text !== undefined && typeof text !== 'string') throw new Error(`has a ${key} that is not a text`)
    }
    for (const [key, list] of Object.entries({ allow, deny, topics })) {
      if (!isListOfTexts(list)) throw new Error(`has ${key} that are no list of texts`)
    }
    if (description !== undefined && (description as string).length > DESCRIPTION_CHARS_MAX)
      throw new Error(`has a description of more than ${DESCRIPTION_CHARS_MAX} characters`)
    const permission = { id, allow, deny, topics, ...definedOf({ description, user, group }) } as Permission
    checkPermissions([permission])
    return permission
  },
}

/** Characters of what a permission is described by; beyond it it is refused. */
const DESCRIPTION_CHARS_MAX = 1_024

export const TOKENS: DefinitionKind<TokenRecord> = {
  name: 'token',
  countMax: 10_000,
  check(id, value) {
    const record = checkTokenRecord(value, 'what is there')
    if (record.id !== id) throw new Error(`has the id of another one, '${record.id}'`)
    return record
  },
}

/** A value that somebody gave to a setting of the configuration. Whether all of them fit together is the configuration's to say. */
export const SETTINGS: DefinitionKind<unknown> = {
  name: 'setting',
  countMax: 1_000,
  check(key, value) {
    if (!settings.has(key)) throw new Error('is no setting of this version')
    if (settingProblems(key, value).length > 0) throw new Error('has a value that this version does not allow')
    return value
  },
}

/** What is wrong with a value, in the words of the configuration. */
export interface SettingProblem {
  /** Within the value: 'settings.bytesMax'; '' for all of it. */
  readonly field: string
  /** 'settings.bytesMax is 12; allowed is a whole number from 1024 to 17592186044416'. */
  readonly text: string
  /** 'a whole number from 1024 to 17592186044416', where the sentence says it so. */
  readonly rule: string | undefined
}

/** What is wrong with the match or the settings of a policy, also with two settings beside each other; empty when it can be. */
export function policyProblems(policy: QueuePolicy): readonly SettingProblem[] {
  return problemsOf('policies', [policy]).map(({ text, rule }) => {
    const own = text.replace(/^policies\[0\]\.?/, '')
    return { field: /^[\w.[\]]*/.exec(own)?.[0] ?? '', text: own, rule }
  })
}

/**
 * What is wrong with a value for a setting of the configuration, or with the name of the setting; empty when nothing is. Whether it fits to
 * the other settings, whoever has these says.
 */
export function problemsOf(key: string, value: unknown): readonly SettingProblem[] {
  return settingProblems(key, value).map((sentence) => {
    const text = sentence.startsWith(`${key}: `) ? sentence.slice(key.length + 2) : sentence
    return { field: '', text, rule: /; allowed is (.*)$/s.exec(text)?.[1] }
  })
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('is not an object')
  return value as Record<string, unknown>
}

function refuseUnknown(unknown: Readonly<Record<string, unknown>>): void {
  const [key] = Object.keys(unknown)
  if (key !== undefined) throw new Error(`has the unknown field '${key}'`)
}

export function isOrder(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= POLICY_ORDER_MAX
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

/** Without what is undefined. */
export function definedOf<T extends object>(part: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const given = Object.entries(part).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
