/** Checks of bodies with very long lists, in pieces: thousands of definitions take longer than messages of others should wait. */
import type { RouteSchemas } from '@ternmq/api/schemas'
import type { z } from 'zod'
import { ITEM_ENTRIES_PER_TURN, LIST_ITEMS_PER_TURN } from './limits.ts'
import {
  type CallParts,
  Faults,
  fieldsOf,
  jsonSchemaOf,
  unwrapped,
  validatorFor,
  valueAt,
  wrongField,
} from './validation.ts'

/** A list of a body that takes more than one turn. */
interface LongList {
  readonly path: readonly string[]
  readonly schema: z.ZodType
  readonly items: readonly unknown[]
}

/**
 * As `validatorFor`; of a body with very long lists so many items are checked in one turn, and the handler begins in one of its own. What is
 * wrong is told of the first piece that has something wrong. Of a list as a whole only its length is checked so.
 */
export function piecewiseValidatorFor(
  schemas: RouteSchemas,
  pause: () => Promise<void>,
): (params: unknown, query: unknown, body: unknown) => CallParts | Promise<CallParts> {
  const validate = validatorFor(schemas)
  const { body: schema } = schemas
  return (params, query, body) => {
    const lists = schema === undefined ? [] : [...longListsIn(schema, body, [])]
    if (schema === undefined || lists.length === 0) return validate(params, query, body)
    return inPieces(schema, lists, body, pause, (shell) => validate(params, query, shell))
  }
}

async function inPieces(
  schema: z.ZodType,
  lists: readonly LongList[],
  body: unknown,
  pause: () => Promise<void>,
  validate: (shell: unknown) => CallParts,
): Promise<CallParts> {
  await pause() // it has been read in this turn
  const tooLong = new Faults()
  for (const { path } of lists.filter(isTooLong)) tooLong.add(wrongField('body', schema, body, path))
  tooLong.refuse()
  // All but the lists, of which it has the first piece.
  const shell = lists.reduce(
    (value, { path, items }) => withAt(value, path, items.slice(0, endOfPiece(items, 0))),
    body,
  )
  const parts = validate(shell)
  let checked = parts.body
  for (const list of lists) {
    const items = [...(valueAt(parts.body, list.path) as readonly unknown[])]
    for (let from = items.length, end; from < list.items.length; from = end) {
      await pause()
      end = endOfPiece(list.items, from)
      for (const item of checkedPart(schema, list, body, from, end)) items.push(item)
    }
    checked = withAt(checked, list.path, items)
  }
  await pause()
  return { ...parts, body: checked }
}

/** Throws ApiError('INVALID') with the field within the body. */
function checkedPart(schema: z.ZodType, list: LongList, body: unknown, from: number, end: number): readonly unknown[] {
  const result = list.schema.safeParse(list.items.slice(from, end))
  if (result.success) return result.data as readonly unknown[]
  const issues = result.error.issues.map((issue) => {
    const [index, ...within] = issue.path
    return { ...issue, path: [...list.path, from + Number(index), ...within] }
  })
  const faults = new Faults()
  faults.addIssues('body', schema, body, issues)
  faults.refuse()
  throw new Error('a list that is refused has something wrong')
}

function* longListsIn(schema: z.ZodType, value: unknown, path: readonly string[]): Generator<LongList> {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    const isLong = unwrapped(schema).def.type === 'array' && endOfPiece(value, 0) < value.length
    if (isLong) yield { path, schema, items: value }
    return
  }
  for (const [name, field] of Object.entries(fieldsOf(schema) ?? {})) {
    if (Object.hasOwn(value, name)) yield* longListsIn(field, (value as Record<string, unknown>)[name], [...path, name])
  }
}

/** Where the piece ends that begins at `from`: one item may be more than what is checked in one turn, and then is alone. */
function endOfPiece(items: readonly unknown[], from: number): number {
  const most = Math.min(items.length, from + LIST_ITEMS_PER_TURN)
  let end = from
  for (let entries = 0; end < most && entries < ITEM_ENTRIES_PER_TURN; end++) entries += entriesIn(items[end])
  return end
}

function entriesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((count: number, part) => count + 1 + entriesIn(part), 0)
}

function isTooLong({ schema, items }: LongList): boolean {
  const most = jsonSchemaOf(schema)?.maxItems
  return most !== undefined && items.length > most
}

/** A copy with something else at `path`. */
function withAt(whole: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  const fields = whole as Readonly<Record<string, unknown>>
  return { ...fields, [name]: withAt(fields[name], rest, value) }
}
