/** All settings as one table, read off the schema: a setting is a key that has a value, a section is a key that has keys. */
import { z } from 'zod'
import { type JsonSchema, toJsonSchema } from './json-schema.ts'
import { configSchema } from './schema.ts'
import type { Reload } from './types.ts'

export interface Setting {
  /** 'mqtt.maxPacketBytes'. */
  readonly key: string
  readonly path: readonly string[]
  /** 'TERNMQ_MQTT__MAX_PACKET_BYTES'. */
  readonly environment: string
  readonly description: string
  readonly reload: Reload
  /** The value is never shown. */
  readonly isSecret: boolean
  /** The value is a file name; a relative one is relative to the folder of the file that sets it. */
  readonly isPath: boolean
  /** Undefined: not set. */
  readonly defaultValue: unknown
  readonly jsonSchema: JsonSchema
  readonly schema: z.ZodType
}

export interface Section {
  /** 'listeners.mqtt'; '' is the whole file. */
  readonly key: string
  readonly description: string
  /** Names of the settings and sections directly below, in the order of the schema. */
  readonly names: readonly string[]
}

export const ENVIRONMENT_PREFIX = 'TERNMQ_'

const settingTable = new Map<string, Setting>()
const sectionTable = new Map<string, Section>()
collect(configSchema, [])

/** By key, in the order of the schema. */
export const settings: ReadonlyMap<string, Setting> = settingTable
/** By key, in the order of the schema; the whole file is ''. */
export const sections: ReadonlyMap<string, Section> = sectionTable

/** Key of what `name` is below the section `key`. */
export function below(key: string, name: string): string {
  return key === '' ? name : `${key}.${name}`
}

/** ['mqtt', 'maxPacketBytes'] → 'TERNMQ_MQTT__MAX_PACKET_BYTES'. */
export function environmentName(path: readonly string[]): string {
  const parts = path.map((name) => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase())
  return ENVIRONMENT_PREFIX + parts.join('__')
}

function collect(schema: z.ZodType, path: readonly string[]): void {
  const key = path.join('.')
  const object = objectWithin(schema)
  const meta = schema.meta() ?? {}
  if (object === undefined) {
    settingTable.set(key, {
      key,
      path,
      environment: environmentName(path),
      description: String(meta.description),
      reload: meta['reload'] as Reload,
      isSecret: meta['secret'] === true,
      isPath: meta['path'] === true,
      defaultValue: schema.parse(undefined),
      jsonSchema: toJsonSchema(schema),
      schema,
    })
    return
  }
  sectionTable.set(key, { key, description: meta.description ?? '', names: Object.keys(object.shape) })
  for (const [name, part] of Object.entries(object.shape)) collect(part as z.ZodType, [...path, name])
}

/** The object schema behind defaults; undefined when the schema is that of a single value. */
function objectWithin(schema: z.ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema
  if (schema instanceof z.ZodPrefault) return objectWithin(schema.unwrap() as z.ZodType)
  return undefined
}
