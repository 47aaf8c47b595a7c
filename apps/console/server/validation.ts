/**
 * Holds what a call has against the schemas of its route. A query is text: it is read by the schema first. What is wrong is told by field,
 * value and rule; values of secrets are never repeated, and an unknown field is told with the known one that it may have been meant to be.
 */
import type { RouteSchemas } from '@ternmq/api/schemas'
import { allowedText, type JsonSchema, nearest } from '@ternmq/config/schemas'
import { ApiError, type ProblemMore } from '@ternmq/management'
import { z } from 'zod'
import { ISSUES_MAX, SHOWN_CHARS_MAX } from './limits.ts'

export interface CallParts {
  readonly params: object
  readonly query: object
  readonly body: unknown
}

type Part = 'path' | 'query' | 'body'
type Fault = Pick<ApiError, 'message'> & { readonly more: ProblemMore }

/** Checks the three parts of a call and gives them as the handler gets them. Throws ApiError('INVALID'). */
export type Validator = (params: unknown, query: unknown, body: unknown) => CallParts

export function validatorFor(schemas: RouteSchemas): Validator {
  const kinds = kindsIn(schemas.query)
  return (params, query, body) => {
    const faults = new Faults()
    const parsed = {
      params: check('path', schemas.params, params, faults) as object,
      query: check('query', schemas.query, fromTexts(query as Record<string, unknown>, kinds), faults) as object,
      body: checkBody(schemas.body, body, faults),
    }
    faults.refuse()
    return parsed
  }
}

/** What is wrong with a call: the first of it is told, with how much there is. */
export class Faults {
  readonly #told: Fault[] = []
  #count = 0

  add(fault: Fault): void {
    this.#count++
    if (this.#told.length < ISSUES_MAX) this.#told.push(fault)
  }

  /** What issues say of a part whose schema is `schema`. */
  addIssues(
    part: Part,
    schema: z.ZodType,
    whole: unknown,
    issues: ReadonlyArray<Pick<z.core.$ZodIssue, 'path'> & { readonly keys?: readonly string[] }>,
  ): void {
    for (const { path, keys } of issues) {
      const left = ISSUES_MAX - this.#told.length
      this.#count += keys?.length ?? 1
      if (keys !== undefined)
        this.#told.push(...keys.slice(0, left).map((key) => unknownField(part, schema, path, key)))
      else if (left > 0) this.#told.push(wrongField(part, schema, whole, path))
    }
  }

  /** Throws ApiError('INVALID') where there is something wrong. */
  refuse(): void {
    const [first, ...others] = this.#told
    if (first === undefined) return
    const told = this.#told.length
    const detail =
      this.#count > told ? `${first.message}; ${told} of ${this.#count} wrong fields are told` : first.message
    throw new ApiError('INVALID', detail, {
      ...first.more,
      ...(others.length > 0 && { others: others.map(({ message, more }) => ({ detail: message, ...more })) }),
    })
  }
}

/** Names of a query whose values are no texts. */
function kindsIn(schema: z.ZodType): ReadonlyMap<string, 'number' | 'boolean'> {
  const kinds = new Map<string, 'number' | 'boolean'>()
  for (const [name, field] of Object.entries(fieldsOf(schema) ?? {})) {
    const { type } = unwrapped(field).def
    if (type === 'number' || type === 'boolean') kinds.set(name, type)
  }
  return kinds
}

/** What cannot be read stays the text that it is, for the schema to refuse. */
function fromTexts(query: Record<string, unknown>, kinds: ReadonlyMap<string, 'number' | 'boolean'>): object {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      const kind = kinds.get(name)
      if (kind === 'number' && typeof value === 'string' && /^-?\d{1,16}(?:\.\d{1,16})?$/.test(value))
        return [name, Number(value)]
      if (kind === 'boolean' && (value === 'true' || value === 'false')) return [name, value === 'true']
      return [name, value]
    }),
  )
}

function checkBody(schema: z.ZodType | undefined, body: unknown, faults: Faults): unknown {
  if (schema !== undefined) return check('body', schema, body ?? {}, faults)
  const isEmpty = body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0)
  if (!isEmpty) faults.add({ message: 'this call has no body; leave it out', more: { field: 'body' } })
  return undefined
}

function check(part: Part, schema: z.ZodType, value: unknown, faults: Faults): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  faults.addIssues(part, schema, value, result.error.issues)
  return undefined
}

function unknownField(part: Part, schema: z.ZodType, path: readonly PropertyKey[], key: string): Fault {
  const field = fieldName(part, [...path, key])
  const known = Object.keys(fieldsOf(schemaAt(schema, path)) ?? {})
  const meant = nearest(key, known)
  const hint =
    meant === undefined
      ? known.length === 0
        ? 'there are none'
        : `known ones are ${known.join(', ')}`
      : `did you mean ${fieldName(part, [...path, meant])}?`
  return { message: `${field} is not known; ${hint}`, more: { field, rule: `one of ${known.join(', ')}` } }
}

export function wrongField(part: Part, schema: z.ZodType, whole: unknown, path: readonly PropertyKey[]): Fault {
  const field = fieldName(part, path)
  const json = jsonSchemaOf(schemaAt(schema, path))
  const rule = json === undefined ? 'as the API describes it' : allowedText(json)
  const value = valueAt(whole, path)
  if (value === undefined) return { message: `${field} is missing; allowed is ${rule}`, more: { field, rule } }
  const hidden = json?.secret === true || holdsSecret(schemaAt(schema, path))
  if (hidden) return { message: `${field} is not valid; allowed is ${rule}`, more: { field, rule } }
  const shown = cut(value)
  return { message: `${field} is ${JSON.stringify(shown)}; allowed is ${rule}`, more: { field, value: shown, rule } }
}

/** 'limit', 'settings.bytesMax', 'users[2].name'; of the whole, the part's name. */
function fieldName(part: Part, path: readonly PropertyKey[]): string {
  const named = path.reduce<string>(
    (before, step) =>
      typeof step === 'number'
        ? `${before}[${step}]`
        : before === ''
          ? shownKey(String(step))
          : `${before}.${shownKey(String(step))}`,
    '',
  )
  return named === '' ? part : named
}

function shownKey(key: string): string {
  return key.length > SHOWN_CHARS_MAX ? `${key.slice(0, SHOWN_CHARS_MAX).toWellFormed()}…` : key
}

/** A value as it may be repeated: texts cut, lists and objects only by what they are. */
function cut(value: unknown): unknown {
  if (typeof value === 'string') return shownKey(value)
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'object' && value !== null ? 'an object' : value
}

export function valueAt(whole: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((part, step) => {
    const isThere = typeof part === 'object' && part !== null && Object.hasOwn(part, step)
    return isThere ? (part as Record<PropertyKey, unknown>)[step] : undefined
  }, whole)
}

interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly innerType?: z.ZodType
  readonly element?: z.ZodType
  readonly valueType?: z.ZodType
}

type Defined = z.ZodType & { readonly def: Definition }

export function unwrapped(schema: z.ZodType): Defined {
  let inner = schema as Defined
  while (inner.def.innerType !== undefined) inner = inner.def.innerType
  return inner
}

export function fieldsOf(schema: z.ZodType | undefined): Readonly<Record<string, z.ZodType>> | undefined {
  return schema === undefined ? undefined : unwrapped(schema).def.shape
}

function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let part: z.ZodType | undefined = schema
  for (const step of path) {
    if (part === undefined) return undefined
    const { shape, element, valueType }: Definition = unwrapped(part).def
    if (shape !== undefined) part = Object.hasOwn(shape, step) ? shape[String(step)] : undefined
    else part = element ?? valueType
  }
  return part
}

export function jsonSchemaOf(schema: z.ZodType | undefined): JsonSchema | undefined {
  if (schema === undefined) return undefined
  return z.toJSONSchema(unwrapped(schema), { io: 'input', unrepresentable: 'any' }) as JsonSchema
}

/** Whether a secret is somewhere in it. */
function holdsSecret(schema: z.ZodType | undefined): boolean {
  if (schema === undefined) return false
  const inner = unwrapped(schema)
  if (inner.meta()?.['secret'] === true) return true
  const { shape, element, valueType } = inner.def
  return [...Object.values(shape ?? {}), element, valueType].some((part) => holdsSecret(part))
}
