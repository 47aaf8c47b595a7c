/**
 * LIKE: `_` is any one character, `%` any number of them, none included. A character is a code point, so `_` matches an emoji.
 *
 * No regular expression is made from a pattern: `%a%a%a%a` would make one that takes minutes. The pattern is cut at every `%` into runs
 * of fixed length; each run is taken at the first place where it fits, which is never wrong, because what follows a `%` may start
 * anywhere later. Short runs without `_` are found by `indexOf`, long ones by the method of Knuth, Morris and Pratt, runs with `_`
 * bit-parallel (shift-and). At worst that are, per character of the text, 32 steps, 2 steps, or the run's length / 32.
 */
/** A stretch of the pattern between two `%`. */
type Run =
  | { readonly kind: 'plain'; readonly text: string; readonly borders: Uint16Array | undefined }
  /** Code points; ANY for `_`. */
  | { readonly kind: 'wild'; readonly points: readonly number[]; readonly search: WildSearch }

type Element = number | 'sequence'

const ANY = -1
const WORD_BITS = 32
/** UTF-16 units. `indexOf` is fastest, but takes text × run steps for 'aaa…baaa…': 68 ms for 64 KiB and a run of 4,000. */
const INDEX_OF_UNITS_MAX = 32

/** Compiles a pattern that does not end escaped; `escape` is one character. An escaped character stands for itself, whichever it is. */
export function compileLike(pattern: string, escape: string | undefined): (text: string) => boolean {
  const runs = cutAtSequences(readElements(pattern, escape))
  const first = runs[0]!
  const last = runs.at(-1)!
  if (runs.length === 1) return (text) => endOfPrefix(text, 0, first) === text.length
  const middle = searchedRuns(runs)
  return (text) => {
    let from = endOfPrefix(text, 0, first)
    if (from < 0) return false
    const end = startOfSuffix(text, last)
    if (end < from) return false
    for (const run of middle) {
      from = run.kind === 'plain' ? endOfPlain(text, from, run) : run.search.endOfFirst(text, from, end)
      if (from < 0 || from > end) return false
    }
    return true
  }
}

/**
 * Words of bits of the longest run that a text is searched for, 0 without one. They say what a search takes: each run begins where the
 * one before ended, so that no part of the text is searched twice.
 */
export function searchedWords(pattern: string, escape: string | undefined): number {
  const searched = searchedRuns(cutAtSequences(readElements(pattern, escape)))
  return Math.max(0, ...searched.map((run) => (run.kind === 'wild' ? Math.ceil(run.points.length / WORD_BITS) : 1)))
}

/** Those that are not bound to an end of the text. */
function searchedRuns(runs: readonly Run[]): Run[] {
  return runs.slice(1, -1).filter((run) => run.kind === 'wild' || run.text !== '')
}

/** Whether the pattern ends in the middle of an escape. */
export function endsEscaped(pattern: string, escape: string): boolean {
  let isEscaped = false
  for (const character of pattern) isEscaped = !isEscaped && character === escape
  return isEscaped
}

function readElements(pattern: string, escape: string | undefined): Element[] {
  const elements: Element[] = []
  let isEscaped = false
  for (const character of pattern) {
    if (isEscaped) {
      elements.push(character.codePointAt(0)!)
      isEscaped = false
    } else if (character === escape) isEscaped = true
    else if (character === '%') elements.push('sequence')
    else elements.push(character === '_' ? ANY : character.codePointAt(0)!)
  }
  return elements
}

/** One run more than there are `%`; the first and the last are bound to the ends of the text. */
function cutAtSequences(elements: readonly Element[]): Run[] {
  const runs: Run[] = []
  let points: number[] = []
  for (const element of [...elements, 'sequence' as const]) {
    if (element !== 'sequence') {
      points.push(element)
      continue
    }
    runs.push(makeRun(points))
    points = []
  }
  return runs
}

function makeRun(points: readonly number[]): Run {
  if (points.includes(ANY)) return { kind: 'wild', points, search: new WildSearch(points) }
  const text = points.map((point) => String.fromCodePoint(point)).join('')
  return { kind: 'plain', text, borders: text.length > INDEX_OF_UNITS_MAX ? bordersOf(text) : undefined }
}

/** For each length of a beginning of `text`: how many of its first units are its last units, too, without being all. */
function bordersOf(text: string): Uint16Array {
  const borders = new Uint16Array(text.length + 1)
  let border = 0
  for (let index = 1; index < text.length; index++) {
    while (border > 0 && text.charCodeAt(index) !== text.charCodeAt(border)) border = borders[border]!
    if (text.charCodeAt(index) === text.charCodeAt(border)) border++
    borders[index + 1] = border
  }
  return borders
}

/** Where `run` ends when it begins at `from`, or -1. */
function endOfPrefix(text: string, from: number, run: Run): number {
  if (run.kind === 'plain') return text.startsWith(run.text, from) ? from + run.text.length : -1
  let offset = from
  for (const wanted of run.points) {
    const point = text.codePointAt(offset)
    if (point === undefined || (wanted !== ANY && wanted !== point)) return -1
    offset += unitsOf(point)
  }
  return offset
}

/** Where `run` begins when it ends with the text, or -1. */
function startOfSuffix(text: string, run: Run): number {
  if (run.kind === 'plain') return text.endsWith(run.text) ? text.length - run.text.length : -1
  let offset = text.length
  for (let index = run.points.length - 1; index >= 0; index--) {
    if (offset === 0) return -1
    offset -= offset >= 2 && text.codePointAt(offset - 2)! > 0xffff ? 2 : 1
    const wanted = run.points[index]
    if (wanted !== ANY && wanted !== text.codePointAt(offset)) return -1
  }
  return offset
}

function endOfPlain(text: string, from: number, run: Run & { readonly kind: 'plain' }): number {
  const { text: wanted, borders } = run
  if (borders === undefined) {
    const start = text.indexOf(wanted, from)
    return start < 0 ? -1 : start + wanted.length
  }
  let fitting = 0
  for (let offset = from; offset < text.length; offset++) {
    const unit = text.charCodeAt(offset)
    while (fitting > 0 && wanted.charCodeAt(fitting) !== unit) fitting = borders[fitting]!
    if (wanted.charCodeAt(fitting) === unit) fitting++
    if (fitting === wanted.length) return offset + 1
  }
  return -1
}

function unitsOf(point: number): number {
  return point > 0xffff ? 2 : 1
}

/** Finds the first place of a run with `_`: one bit per code point of the run, set while the run fits up to there. */
class WildSearch {
  readonly #words: number
  /** For a code point of the run: where in the run it, or `_`, stands. */
  readonly #masks = new Map<number, Uint32Array>()
  /** For all other code points: where `_` stands. */
  readonly #anyMask: Uint32Array
  readonly #lastBit: number
  readonly #state: Uint32Array

  constructor(points: readonly number[]) {
    this.#words = Math.ceil(points.length / WORD_BITS)
    this.#anyMask = new Uint32Array(this.#words)
    this.#state = new Uint32Array(this.#words)
    this.#lastBit = 1 << ((points.length - 1) % WORD_BITS)
    for (const [index, point] of points.entries()) if (point === ANY) setBit(this.#anyMask, index)
    for (const [index, point] of points.entries()) {
      if (point === ANY) continue
      const mask = this.#masks.get(point) ?? this.#anyMask.slice()
      setBit(mask, index)
      this.#masks.set(point, mask)
    }
  }

  /** Where the first fit at or behind `from` ends, or -1 when none ends at or before `end`. */
  endOfFirst(text: string, from: number, end: number): number {
    const state = this.#state.fill(0)
    for (let offset = from; offset < end;) {
      const point = text.codePointAt(offset)!
      const mask = this.#masks.get(point) ?? this.#anyMask
      offset += unitsOf(point)
      let carry = 1
      for (let word = 0; word < this.#words; word++) {
        const before = state[word]!
        state[word] = ((before << 1) | carry) & mask[word]!
        carry = before >>> (WORD_BITS - 1)
      }
      if ((state[this.#words - 1]! & this.#lastBit) !== 0) return offset <= end ? offset : -1
    }
    return -1
  }
}

function setBit(bits: Uint32Array, index: number): void {
  bits[Math.floor(index / WORD_BITS)]! |= 1 << (index % WORD_BITS)
}
