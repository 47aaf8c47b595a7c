/**
 * Lists cut into pages: filtered and sorted where the data is. A cursor names the last item of its page by what the list is sorted by and
 * by its key, not by its place, so that it stays good while items come and go. Only a page is kept in order: a list of ten thousand costs
 * one look at each of them.
 */
import { type ListQuery, type Page, PAGE_LIMIT_DEFAULT } from '@ternmq/api'
import { type Clock, nextTurn } from '@ternmq/core'
import { ApiError } from './errors.ts'

/** What a list is sorted by. Texts are compared by their UTF-16 units: the same everywhere, and fast. */
type SortValue = string | number

/** How the items of a list are told apart, found and sorted. */
export interface Listing<T> {
  /** No two items have the same. */
  readonly key: (item: T) => string
  /** By name of the field, as in `ListQuery.sort`. */
  readonly sorts: Readonly<Record<string, (item: T) => SortValue>>
  /** One of `sorts`, with `-` before it for the largest first. */
  readonly sortDefault: string
  /** Where `ListQuery.q` is looked for. */
  readonly texts: (item: T) => readonly string[]
}

interface Ranked<T> {
  readonly value: SortValue
  readonly key: string
  readonly item: T
}

type Place = Pick<Ranked<never>, 'value' | 'key'>

/**
 * The page of `items` that `query` asks for, of those that `wants` wants; `total` is how many these are.
 * Throws ApiError('INVALID') for a `sort` that the list does not have, and for a cursor that is not of this list sorted so.
 */
export function pageOf<T>(
  items: Iterable<T>,
  query: ListQuery,
  listing: Listing<T>,
  wants?: (item: T) => boolean,
): Page<T> {
  const maker = new PageMaker(query, listing, wants)
  for (const item of items) maker.look(item)
  return maker.page()
}

/** Looked at in one go by `pageInPieces`. */
const PIECE_ITEMS_MAX = 10_000

/**
 * As `pageOf`, of a list that may be very long: between two pieces of it everybody else has a turn. `members` may come and go meanwhile;
 * the items of one of them are looked at in one go.
 */
export async function pageInPieces<S, T>(
  clock: Clock,
  members: Iterable<S>,
  itemsOf: (member: S) => Iterable<T>,
  maker: PageMaker<T>,
): Promise<Page<T>> {
  let lookCount = 0
  for (const member of members) {
    if (lookCount >= PIECE_ITEMS_MAX) {
      lookCount = 0
      await nextTurn(clock)
    }
    for (const item of itemsOf(member)) {
      maker.look(item)
      lookCount++
    }
  }
  return maker.page()
}

/** Looks at one item after the other, and keeps those of the page. */
export class PageMaker<T> {
  readonly #listing: Listing<T>
  readonly #wants: ((item: T) => boolean) | undefined
  readonly #limit: number
  readonly #sort: string
  readonly #sign: 1 | -1
  readonly #valueOf: (item: T) => SortValue
  readonly #after: Place | undefined
  readonly #text: string
  readonly #first: First<T>
  #total = 0

  /** Throws as `pageOf` does. */
  constructor(query: ListQuery, listing: Listing<T>, wants?: (item: T) => boolean) {
    this.#listing = listing
    this.#wants = wants
    this.#limit = query.limit ?? PAGE_LIMIT_DEFAULT
    this.#sort = query.sort ?? listing.sortDefault
    this.#sign = this.#sort.startsWith('-') ? -1 : 1
    this.#valueOf = sortNamed(listing, this.#sort)
    this.#after = query.cursor === undefined ? undefined : placeOf(query.cursor, this.#sort)
    this.#text = query.q?.toLowerCase() ?? ''
    this.#first = new First<T>(this.#limit + 1, this.#sign)
  }

  look(item: T): void {
    if (this.#text !== '' && !this.#listing.texts(item).some((text) => text.toLowerCase().includes(this.#text))) return
    if (this.#wants?.(item) === false) return
    this.#total++
    const ranked = { value: this.#valueOf(item), key: this.#listing.key(item), item }
    if (this.#after === undefined || compare(ranked, this.#after, this.#sign) > 0) this.#first.offer(ranked)
  }

  page(): Page<T> {
    const ranks = this.#first.inOrder()
    const total = this.#total
    if (ranks.length <= this.#limit) return { items: ranks.map(({ item }) => item), total }
    ranks.pop()
    return { items: ranks.map(({ item }) => item), next: cursorOf(this.#sort, ranks[ranks.length - 1]!), total }
  }
}

/** The same page with something else for each item: made for those only that are shown. */
export function mapPage<T, U>(page: Page<T>, to: (item: T) => U): Page<U> {
  return { ...page, items: page.items.map(to) }
}

/** The cursor of a list that has an order of its own: a text that names a place in it. */
export function cursorAt(list: string, place: string | number): string {
  return encode([list, place])
}

/** The place back; undefined without a cursor. Throws ApiError('INVALID') for one that is not of that list. */
export function placeAt(list: string, cursor: string | undefined): string | number | undefined {
  if (cursor === undefined) return undefined
  const read = decode(cursor)
  if (read?.length === 2 && read[0] === list && isSortValue(read[1])) return read[1]
  throw badCursor(cursor)
}

function sortNamed<T>({ sorts }: Listing<T>, sort: string): (item: T) => SortValue {
  const name = sort.startsWith('-') ? sort.slice(1) : sort
  if (Object.hasOwn(sorts, name)) return sorts[name]!
  const known = Object.keys(sorts).join(', ')
  const detail = `this list cannot be sorted by '${sort}'; it can by ${known}, each with - before it for the largest first`
  throw new ApiError('INVALID', detail, { field: 'sort', value: sort, rule: known })
}

/** What is equal is in the order of its keys, whichever way the list goes. */
function compare(one: Place, other: Place, sign: 1 | -1): number {
  if (one.value < other.value) return -sign
  if (one.value > other.value) return sign
  return one.key < other.key ? -1 : one.key > other.key ? 1 : 0
}

/** The first of what it is offered; the last of them is on top of a heap. */
class First<T> {
  readonly #max: number
  readonly #sign: 1 | -1
  readonly #heap: Ranked<T>[] = []

  constructor(max: number, sign: 1 | -1) {
    this.#max = max
    this.#sign = sign
  }

  offer(ranked: Ranked<T>): void {
    const heap = this.#heap
    if (heap.length < this.#max) {
      heap.push(ranked)
      this.#rise(heap.length - 1)
    } else if (compare(ranked, heap[0]!, this.#sign) < 0) {
      heap[0] = ranked
      this.#sink()
    }
  }

  inOrder(): Ranked<T>[] {
    return this.#heap.sort((one, other) => compare(one, other, this.#sign))
  }

  #rise(from: number): void {
    const heap = this.#heap
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1
      if (compare(heap[at]!, heap[parent]!, this.#sign) <= 0) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #sink(): void {
    const heap = this.#heap
    for (let at = 0; ;) {
      let last = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && compare(heap[child]!, heap[last]!, this.#sign) > 0) last = child
      }
      if (last === at) return
      this.#swap(at, last)
      at = last
    }
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap
    const kept = heap[one]!
    heap[one] = heap[other]!
    heap[other] = kept
  }
}

function cursorOf(sort: string, { value, key }: Place): string {
  return encode([sort, value, key])
}

function placeOf(cursor: string, sort: string): Place {
  const read = decode(cursor)
  if (read?.length === 3 && read[0] === sort && isSortValue(read[1]) && typeof read[2] === 'string') {
    return { value: read[1], key: read[2] }
  }
  throw badCursor(cursor)
}

function badCursor(cursor: string): ApiError {
  const detail = 'the cursor is not of this list, or of another sorting of it; begin again without one'
  return new ApiError('INVALID', detail, {
    field: 'cursor',
    value: cursor.slice(0, CURSOR_SHOWN_CHARS),
    rule: '`next` of a page of the same list with the same sort',
  })
}

const CURSOR_SHOWN_CHARS = 64

function isSortValue(value: unknown): value is SortValue {
  return typeof value === 'string' || typeof value === 'number'
}

function encode(value: readonly SortValue[]): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(cursor: string): unknown[] | undefined {
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(read) ? (read as unknown[]) : undefined
  } catch {
    return undefined // no JSON: nobody got it from here
  }
}
