/** Tables of text: columns as wide as what is in them, and together no wider than the terminal. */
import { cutText, safeText, widthOf } from './text.ts'

export interface Column<T> {
  readonly title: string
  readonly value: (item: T) => string
  /** Numbers stand below one another. */
  readonly right?: boolean
  /** It may be cut where the terminal is narrow. */
  readonly cut?: boolean
  /** It is left out where the terminal is too narrow for all, the last one first. */
  readonly extra?: boolean
}

const GAP = '  '
/** A column is not cut below it. */
const CUT_WIDTH_MIN = 12

/**
 * Rows of pages that come one after another: the first page says how wide the columns are, and what is wider later stands out.
 * `widthMax` in columns of the terminal, Infinity where there is none.
 */
export class Table<T> {
  readonly #widthMax: number
  readonly #title: (text: string) => string
  #columns: ReadonlyArray<Column<T>>
  #widths: number[] | undefined = undefined

  constructor(columns: ReadonlyArray<Column<T>>, widthMax: number, title: (text: string) => string = asItIs) {
    this.#columns = columns
    this.#widthMax = widthMax
    this.#title = title
  }

  /** Lines of these rows; before the first ones those of the titles. */
  lines(items: readonly T[]): string[] {
    const isFirst = this.#widths === undefined
    if (isFirst) this.#fit(items)
    const rows = items.map((item) => this.#row(this.#columns.map(({ value }) => safeText(value(item)))))
    return isFirst ? [this.#title(this.#row(this.#columns.map(({ title }) => title))), ...rows] : rows
  }

  #fit(items: readonly T[]): void {
    const measured = this.#columns.map((column) => ({
      column,
      width: Math.max(widthOf(column.title), ...items.map((item) => widthOf(safeText(column.value(item))))),
    }))
    const isTooWide = (): boolean =>
      measured.reduce((sum, { width }) => sum + width, 0) + GAP.length * (measured.length - 1) > this.#widthMax
    while (isTooWide()) {
      const [widest] = measured
        .filter(({ column, width }) => column.cut === true && width > CUT_WIDTH_MIN)
        .sort((one, other) => other.width - one.width)
      const last = measured.findLastIndex(({ column }) => column.extra === true)
      if (widest !== undefined) widest.width--
      else if (last >= 0) measured.splice(last, 1)
      else break
    }
    this.#columns = measured.map(({ column }) => column)
    this.#widths = measured.map(({ width }) => width)
  }

  #row(cells: readonly string[]): string {
    const padded = cells.map((cell, index) => {
      const { right = false, cut = false } = this.#columns[index]!
      const width = this.#widths![index]!
      const text = cut ? cutText(cell, width) : cell
      const space = ' '.repeat(Math.max(0, width - widthOf(text)))
      return right ? space + text : text + space
    })
    return padded.join(GAP).trimEnd()
  }
}

function asItIs(text: string): string {
  return text
}

/** Where names and values stand below one another. */
const NAME_WIDTH = 20

/** 'name                value' */
export function row(name: string, value: string): string {
  return `${name.padEnd(NAME_WIDTH)}${value}`.trimEnd()
}
