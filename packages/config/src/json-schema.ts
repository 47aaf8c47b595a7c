/** The configuration as JSON Schema, for editors and for `ternmq config schema`, and what of it can be said in words. */
import { z } from 'zod'
import { configSchema } from './schema.ts'

/** The keywords that our schemas come out with, and our own: `allowed`, `reload`, `path`, `secret`. */
export interface JsonSchema {
  readonly $schema?: string
  readonly title?: string
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly items?: JsonSchema
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly allowed?: string
  readonly reload?: 'live' | 'connection' | 'start'
  readonly path?: boolean
  readonly secret?: boolean
}

/** Draft 2020-12. Describes what may be written, so no key is required that has a default. */
export function configJsonSchema(): JsonSchema {
  return toJsonSchema(configSchema)
}

export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    // zod says it of frozen arrays; to JSON Schema it means that nobody may set the value.
    override: ({ jsonSchema }) => delete jsonSchema.readOnly,
  }) as JsonSchema
}

/** What a value of this schema may be, to follow "allowed is": 'a whole number from 1 to 65535'. */
export function allowedText(schema: JsonSchema): string {
  if (schema.allowed !== undefined) return schema.allowed
  if (schema.anyOf !== undefined) return schema.anyOf.map(allowedText).join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`
  switch (schema.type) {
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `a whole number from ${schema.minimum} to ${schema.maximum}`
    case 'number':
      return `a number from ${schema.minimum} to ${schema.maximum}`
    case 'string':
      return schema.maxLength === undefined
        ? 'text'
        : `text of ${schema.minLength ?? 0} to ${schema.maxLength} characters`
    case 'array':
      return `a list of ${schema.minItems ?? 0} to ${schema.maxItems} entries`
    default:
      return `a section with ${Object.keys(schema.properties ?? {}).join(', ')}`
  }
}

/** Type in one or two words, for tables. */
export function typeText(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.type === 'array') return schema.items === undefined ? 'list' : `list of ${itemText(schema.items)}`
  if (schema.type === 'object') return 'section'
  if (schema.type === 'string') return schema.path === true ? 'path' : 'text'
  return schema.type === 'integer' ? 'number' : (schema.type ?? 'any')
}

function itemText(schema: JsonSchema): string {
  return schema.type === 'object' ? 'sections' : typeText(schema)
}

/** The part of `schema` that describes what is at `path` inside a value; undefined where nothing may be. */
export function schemaAt(schema: JsonSchema, path: ReadonlyArray<PropertyKey>): JsonSchema | undefined {
  let part: JsonSchema | undefined = schema
  for (const step of path) {
    part = typeof step === 'number' ? part?.items : part?.properties?.[String(step)]
  }
  return part
}
