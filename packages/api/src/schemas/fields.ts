/**
 * Small parts that the schemas of calls are made of. A schema says what a value is, never how HTTP writes it: the server reads the texts of
 * a query by it. Every field has a sentence and an example; the OpenAPI document and the tests are made from both.
 */
import { z } from 'zod'
import type { ListQuery, Page, TimeQuery, VhostParams } from '../page.ts'
import { PAGE_LIMIT_MAX } from '../page.ts'
import type { AnyRoute, Call, Route } from '../route.ts'
import { DEFAULT_VHOST } from '../route.ts'

/** Characters of a name in a call: users, groups, tokens, ids. Longer ones are refused. */
export const NAME_CHARS_MAX = 256
/** Characters of an address, topic, client id or filter in a call, as MQTT bounds them. */
export const ADDRESS_CHARS_MAX = 65_535
/** Characters of a selector, a search or a reason in a call. */
export const TEXT_CHARS_MAX = 4_096
/** Longest wait that a call may ask for. */
export const WAIT_MS_MAX = 60_000
/** Entries of one list in a call. */
export const LIST_MAX = 1_000

/**
 * Shape of a schema that other files take parts of, so that what is exported has a written type. What is left out where it is made
 * does not compile.
 */
export type Shape<T> = {
  readonly [K in keyof T]-?: undefined extends T[K]
    ? z.ZodOptional<z.ZodType<Exclude<T[K], undefined>>>
    : z.ZodType<T[K]>
}

/** Parts of a call that carry something, as their types say. */
export type Parts<C extends Call> = {
  readonly [K in 'params' | 'query' | 'body' | 'answer' as keyof C[K] extends never ? never : K]: z.ZodType<C[K]>
}

export interface RouteSchemas {
  readonly params: z.ZodType
  readonly query: z.ZodType
  /** Undefined where a call has no body; then one that is sent is refused. */
  readonly body: z.ZodType | undefined
  /** Undefined of streams, bytes, and answers without content. */
  readonly answer: z.ZodType | undefined
}

export type SchemaEntry = readonly [route: AnyRoute, schemas: RouteSchemas]

/** The schemas of one call; of what it does not have, the empty object. */
export function schemasFor<C extends Call>(route: Route<C>, parts: Parts<C>): SchemaEntry {
  const given: Partial<Record<keyof Call, z.ZodType>> = parts
  return [
    route,
    { params: given.params ?? NOTHING, query: given.query ?? NOTHING, body: given.body, answer: given.answer },
  ]
}

const NOTHING = z.strictObject({})

/** `charsMax` of what is sent to us; answers have none. */
export function text(description: string, example: string, charsMax?: number): z.ZodString {
  const schema = charsMax === undefined ? z.string() : z.string().max(charsMax)
  return schema.meta({ description, examples: [example] })
}

/** Text that is not empty. */
export function name(description: string, example: string, charsMax: number = NAME_CHARS_MAX): z.ZodString {
  return z
    .string()
    .min(1)
    .max(charsMax)
    .meta({ description, examples: [example] })
}

/** Text that no answer, error or log repeats. */
export function secret(description: string, example: string, charsMax: number = TEXT_CHARS_MAX): z.ZodString {
  return z
    .string()
    .max(charsMax)
    .meta({ description, examples: [example], secret: true })
}

export function flag(description: string, example = true): z.ZodBoolean {
  return z.boolean().meta({ description, examples: [example] })
}

/** Whole number, 0 or more. */
export function count(description: string, example: number, max: number = Number.MAX_SAFE_INTEGER): z.ZodInt {
  return z
    .int()
    .min(0)
    .max(max)
    .meta({ description, examples: [example] })
}

/** Any number: a rate, a share. */
export function amount(description: string, example: number): z.ZodNumber {
  return z.number().meta({ description, examples: [example] })
}

/** Unix time in ms. */
export function moment(description: string, example = 1_795_795_200_000): z.ZodInt {
  return count(description, example)
}

export function choice<const T extends readonly [string, ...string[]]>(
  values: T,
  description: string,
  example: T[number] = values[0],
): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(values).meta({ description, examples: [example] })
}

/** Of answers, which are as long as they are. */
export function list<T>(item: z.ZodType<T>, description: string): z.ZodReadonly<z.ZodArray<z.ZodType<T>>> {
  return z.array(item).readonly().meta({ description })
}

/** Of what is sent to us. */
export function listOf<T>(
  item: z.ZodType<T>,
  description: string,
  max: number = LIST_MAX,
): z.ZodReadonly<z.ZodArray<z.ZodType<T>>> {
  return z.array(item).max(max).readonly().meta({ description })
}

/** A type of its own in the OpenAPI document. */
export function component<T>(id: string, schema: z.ZodType<T>): z.ZodType<T> {
  return schema.meta({ ...schema.meta(), id })
}

export function page<T>(item: z.ZodType<T>): z.ZodType<Page<T>> {
  return z.strictObject({ items: list(item, 'What is on this page.'), next: next(), total: total() })
}

/** Answers whose list comes whole. */
export function whole<T>(item: z.ZodType<T>): z.ZodType<{ readonly items: readonly T[] }> {
  return z.strictObject({ items: list(item, 'All of them.') })
}

function next(): z.ZodOptional<z.ZodString> {
  return text('`cursor` of the page that follows; left out of the last one.', 'b3JkZXJz').optional()
}

function total(): z.ZodOptional<z.ZodInt> {
  return count('How many there are with this filter; left out where counting would mean reading them.', 1).optional()
}

export function vhost(): Shape<VhostParams> {
  return { vhost: name('Virtual host; only `/` is there, written `%2F` in a path.', DEFAULT_VHOST) }
}

export function queueName(): z.ZodString {
  return name('Name of a queue.', 'orders', ADDRESS_CHARS_MAX)
}

export function cursorAndLimit(): Shape<Pick<ListQuery, 'cursor' | 'limit'>> {
  return {
    cursor: text('`next` of the page before.', 'b3JkZXJz', ADDRESS_CHARS_MAX).optional(),
    limit: z
      .int()
      .min(1)
      .max(PAGE_LIMIT_MAX)
      .meta({ description: 'Items of one page; 100 when left out.', examples: [50] })
      .optional(),
  }
}

export function listQuery(sortExample: string): Shape<ListQuery> {
  return {
    ...cursorAndLimit(),
    sort: text('Field to sort by, with `-` before it the largest first.', sortExample, NAME_CHARS_MAX).optional(),
    q: search(),
  }
}

export function timeQuery(): Shape<TimeQuery> {
  return {
    sinceMs: moment('Only what was at it or later.').optional(),
    untilMs: moment('Only what was before it.').optional(),
  }
}

export function search(): z.ZodOptional<z.ZodString> {
  return text('Only what has this text in its name, whatever the case.', 'ord', TEXT_CHARS_MAX).optional()
}

export function unhealthy(): z.ZodOptional<z.ZodBoolean> {
  return flag('Only what has a problem.').optional()
}
