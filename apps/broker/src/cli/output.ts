/** What commands print: lines, JSON, and lists that come page by page. */
import { PAGE_LIMIT_MAX, type Page } from '@ternmq/api'
import type { ConsoleIo } from '../console-io.ts'
import type { Values } from './command.ts'
import { countText } from './format.ts'
import { wholeNumber } from './parse.ts'
import { styleOf } from './style.ts'
import { type Column, Table } from './table.ts'

export function printLines(io: Pick<ConsoleIo, 'stdout'>, lines: readonly string[]): void {
  if (lines.length > 0) io.stdout.write(`${lines.join('\n')}\n`)
}

export function printJson(io: Pick<ConsoleIo, 'stdout'>, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** One object a line. */
export function printJsonLines(io: Pick<ConsoleIo, 'stdout'>, items: readonly unknown[]): void {
  printLines(
    io,
    items.map((item) => JSON.stringify(item)),
  )
}

/** Columns of the terminal that tables go to; Infinity where there is none. */
export function tableWidth({ stdout }: Pick<ConsoleIo, 'stdout'>): number {
  return stdout.isTTY === true && stdout.columns !== undefined && stdout.columns > 0 ? stdout.columns : Infinity
}

interface LimitOption {
  readonly limit: { readonly type: 'string'; readonly value: 'N'; readonly summary: string }
}

interface ListOptions extends LimitOption {
  readonly sort: { readonly type: 'string'; readonly dashed: true; readonly value: 'FIELD'; readonly summary: string }
  readonly query: { readonly type: 'string'; readonly short: 'q'; readonly value: 'TEXT'; readonly summary: string }
  readonly names: { readonly type: 'boolean'; readonly summary: string }
}

export const LIMIT_OPTION: LimitOption = {
  limit: { type: 'string', value: 'N', summary: 'so many at most; all when left out' },
}

/** Of every list that is sorted and searched. */
export const LIST_OPTIONS: ListOptions = {
  query: { type: 'string', short: 'q', value: 'TEXT', summary: 'only what has this text in its name' },
  sort: {
    type: 'string',
    dashed: true,
    value: 'FIELD',
    summary: 'field of the JSON to sort by, with - before it the largest first',
  },
  ...LIMIT_OPTION,
  names: { type: 'boolean', summary: 'names only, one a line' },
}

/** For the call of a list. Throws UsageError. */
export function listQueryOf({ query, sort, limit }: Omit<Values<ListOptions>, 'names'>): {
  readonly q?: string | undefined
  readonly sort?: string | undefined
  readonly limit: number
} {
  return { q: query, sort, limit: pageLimit(limit) }
}

/** How long pages are, for so many items. Throws UsageError. */
export function pageLimit(limit: string | undefined): number {
  return Math.min(PAGE_LIMIT_MAX, wholeNumber('limit', limit) ?? PAGE_LIMIT_MAX)
}

export interface Listing<T> {
  readonly columns: ReadonlyArray<Column<T>>
  /** With `--names`. */
  readonly name: (item: T) => string
  /** What is said of an empty list: 'no queues'. */
  readonly none: string
}

export interface ListInput {
  readonly io: ConsoleIo
  readonly values: {
    readonly limit?: string | undefined
    readonly json?: boolean | undefined
    readonly names?: boolean | undefined
  }
}

/** Prints all pages, or `--limit` items of them, as they come. */
export async function printPages<T>(
  { io, values }: ListInput,
  pages: AsyncIterable<Page<T>>,
  listing: Listing<T>,
): Promise<number> {
  let left = wholeNumber('limit', values.limit) ?? Infinity
  let shown = 0
  const printer = printerOf({ io, values }, listing)
  for await (const { items, next, total } of pages) {
    const wanted = items.slice(0, left)
    if (wanted.length > 0 || (next === undefined && shown > 0)) printer(wanted)
    shown += wanted.length
    left -= wanted.length
    const isMore = next !== undefined || wanted.length < items.length
    if (left <= 0 && isMore) {
      const all = total === undefined ? 'there are more' : `of ${countText(total)}`
      if (values.json !== true && values.names !== true) io.stderr.write(`${countText(shown)} shown, ${all}\n`)
      break
    }
  }
  if (shown === 0 && values.json !== true && values.names !== true) io.stderr.write(`${listing.none}\n`)
  return 0
}

/** The same of a list that comes whole. */
export function printItems<T>(input: ListInput, items: readonly T[], listing: Listing<T>): Promise<number> {
  return printPages(input, onePage(items), listing)
}

async function* onePage<T>(items: readonly T[]): AsyncGenerator<Page<T>, void, void> {
  yield { items, total: items.length }
}

function printerOf<T>({ io, values }: ListInput, { columns, name }: Listing<T>): (items: readonly T[]) => void {
  if (values.json === true) return (items) => printJsonLines(io, items)
  if (values.names === true) return (items) => printLines(io, items.map(name))
  const table = new Table(columns, tableWidth(io), styleOf(io).bold)
  return (items) => printLines(io, table.lines(items))
}
