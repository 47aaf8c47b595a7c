/** What commands print: lines, JSON, and lists that come page by page. */
import { PAGE_LIMIT_MAX, type Page } from '@ternmq/api'
import { complain, type ConsoleIo } from '../process/console-io.ts'
import { UsageError } from '../errors.ts'
import type { Values } from './command.ts'
import { countText, several } from './format.ts'
import { wholeNumber } from './parse.ts'
import { styleOf } from './style.ts'
import { type Column, Table } from './table.ts'
import { isSafe, safeJson, safeText } from './text.ts'

export function printLines(io: Pick<ConsoleIo, 'stdout'>, lines: readonly string[]): void {
  if (lines.length > 0) io.stdout.write(`${lines.join('\n')}\n`)
}

export function printJson(io: Pick<ConsoleIo, 'stdout'>, value: unknown): void {
  io.stdout.write(`${safeJson(value, 2)}\n`)
}

/** One object a line. */
export function printJsonLines(io: Pick<ConsoleIo, 'stdout'>, items: readonly unknown[]): void {
  printLines(
    io,
    items.map((item) => safeJson(item)),
  )
}

/** Columns of the terminal that tables go to; Infinity where there is none. */
export function tableWidth({ stdout }: Pick<ConsoleIo, 'stdout'>): number {
  return stdout.isTTY === true && stdout.columns !== undefined && stdout.columns > 0 ? stdout.columns : Infinity
}

const DEFAULT_COLUMNS = 80
const DEFAULT_ROWS = 24

/** Of the terminal; the usual one where there is none, or one that does not know its own and says 0. */
export function screenSize({ stdout }: Pick<ConsoleIo, 'stdout'>): { readonly width: number; readonly height: number } {
  const { columns = 0, rows = 0 } = stdout
  return { width: columns > 0 ? columns : DEFAULT_COLUMNS, height: rows > 0 ? rows : DEFAULT_ROWS }
}

interface LimitOption {
  readonly limit: { readonly type: 'string'; readonly value: 'N'; readonly summary: string }
}

interface ListOptions extends LimitOption {
  readonly sort: { readonly type: 'string'; readonly dashed: true; readonly value: 'FIELD'; readonly summary: string }
  readonly query: { readonly type: 'string'; readonly short: 'q'; readonly value: 'TEXT'; readonly summary: string }
  readonly names: { readonly type: 'boolean'; readonly summary: string }
  readonly names0: { readonly type: 'boolean'; readonly summary: string }
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
  names: { type: 'boolean', summary: 'names only, one a line; ends with 1 when some could not be one' },
  names0: { type: 'boolean', summary: 'names only, with whatever is in them, for `xargs -0`: a zero byte ends each' },
}

/** For the call of a list. Throws UsageError. */
export function listQueryOf({ query, sort, limit }: Omit<Values<ListOptions>, 'names' | 'names0'>): {
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
  /** With `--names` and `--names0`. */
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
    readonly names0?: boolean | undefined
  }
}

/** Prints all pages, or `--limit` items of them, as they come. Resolves with the exit code. Throws UsageError. */
export async function printPages<T>(
  { io, values }: ListInput,
  pages: AsyncIterable<Page<T>>,
  listing: Listing<T>,
): Promise<number> {
  let left = wholeNumber('limit', values.limit) ?? Infinity
  let shown = 0
  const printer = printerOf({ io, values }, listing)
  const isForScripts = [values.json, values.names, values.names0].includes(true)
  for await (const { items, next, total } of pages) {
    const wanted = items.slice(0, left)
    if (wanted.length > 0 || (next === undefined && shown > 0)) printer.print(wanted)
    await io.stdout.written() // or all would be asked for though nobody reads it
    shown += wanted.length
    left -= wanted.length
    const isMore = next !== undefined || wanted.length < items.length
    if (left <= 0 && isMore) {
      const all = total === undefined ? 'there are more' : `of ${countText(total)}`
      if (!isForScripts) io.stderr.write(`${countText(shown)} shown, ${all}\n`)
      break
    }
  }
  if (shown === 0 && !isForScripts) io.stderr.write(`${listing.none}\n`)
  return printer.end()
}

/** The same of a list that comes whole. */
export function printItems<T>(input: ListInput, items: readonly T[], listing: Listing<T>): Promise<number> {
  return printPages(input, onePage(items), listing)
}

async function* onePage<T>(items: readonly T[]): AsyncGenerator<Page<T>, void, void> {
  yield { items, total: items.length }
}

interface Printer<T> {
  print(this: void, items: readonly T[]): void
  /** Says what has been left out, and with which exit code. */
  end(this: void): number
}

function printerOf<T>({ io, values }: ListInput, { columns, name }: Listing<T>): Printer<T> {
  const { json, names, names0 } = values
  if ([json, names, names0].filter((each) => each === true).length > 1)
    throw new UsageError('--json, --names and --names0 exclude one another')
  if (json === true) return whole((items) => printJsonLines(io, items))
  if (names === true) return namePrinter(io, name)
  // At a terminal a zero byte is not seen, and nothing reads the names but an eye.
  const shown = io.stdout.isTTY === true ? safeText : (text: string): string => text
  if (names0 === true) return whole((items) => io.stdout.write(items.map((item) => `${shown(name(item))}\0`).join('')))
  const table = new Table(columns, tableWidth(io), styleOf(io).bold)
  return whole((items) => printLines(io, table.lines(items)))
}

function whole<T>(print: Printer<T>['print']): Printer<T> {
  return { print, end: () => 0 }
}

/** A line is a name, and as it is: one that would be two lines, or another one once it is escaped, is told and not printed. */
function namePrinter<T>(io: ConsoleIo, name: (item: T) => string): Printer<T> {
  const told: string[] = []
  let leftOutCount = 0
  return {
    print: (items) => {
      const names = items.map(name)
      const unsafe = names.filter((each) => !isSafe(each))
      leftOutCount += unsafe.length
      told.push(...unsafe.slice(0, TOLD_MAX - told.length))
      printLines(io, names.filter(isSafe))
    },
    end: () => {
      if (leftOutCount === 0) return 0
      const more = leftOutCount > told.length ? ` and ${countText(leftOutCount - told.length)} more` : ''
      const which = told.map((each) => `'${safeText(each)}'`).join(', ')
      const why = `left out, with characters that are no part of a line: ${which}${more}`
      complain(io, [`${several(leftOutCount, 'name')} ${why}; --names0 prints them for \`xargs -0\`, --json as JSON`])
      return 1
    },
  }
}

/** Of the names that are left out. */
const TOLD_MAX = 5
