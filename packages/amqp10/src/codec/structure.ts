/**
 * Checks that bytes are values of AMQP's types before anything believes them: sizes lie where they say, counts fit into their sizes,
 * nothing is nested without end, text is text. The readers behind it do not look again. [AMQP10 §1.2, §1.6]
 */
import { isUtf8 } from 'node:buffer'

import { type AmqpFault, malformed } from './faults.ts'
import { Code, SIZED8, SIZED32, UNKNOWN, WIDTHS } from './type-codes.ts'

/** Values within values, descriptors counted. */
export const DEPTH_MAX = 32
/** Elements of arrays that take no bytes, all within one value together: their count is all that there is of them. */
export const EMPTY_ELEMENTS_MAX = 1_024
/** Shorter text is looked at here, longer by a call. */
const SHORT_TEXT_BYTES = 32

/** Of the value that is looked at: values that it is made of, and those of them that take no bytes in arrays. */
let values = 0
let emptyElements = 0
/** Values that are looked at. */
let valuesMax = Infinity

/**
 * Checks the value, constructor included, at `at`; it ends before or at `end`. Returns the offset behind it. `what` is the value's name in
 * the fault that this throws. Costs no more than its bytes.
 */
export function checkValue(bytes: Uint8Array, at: number, end: number, what: string): number {
  return checkSome(bytes, at, end, what, Infinity)
}

/**
 * As `checkValue`, and stops looking into lists, maps and arrays when it has seen more than `limit` values: they end where they should, and
 * what is in them may be anything. `seenValues` tells afterwards.
 */
export function checkSome(bytes: Uint8Array, at: number, end: number, what: string, limit: number): number {
  values = 0
  emptyElements = 0
  valuesMax = limit
  return check(bytes, at, end, 1, what)
}

/** Values that the last check has come to; more than its limit where it stopped. */
export function seenValues(): number {
  return values
}

/** How many values the one at `at` is made of, itself and descriptors included; `checkValue` has seen it. */
export function countValues(bytes: Uint8Array, at: number): number {
  checkValue(bytes, at, bytes.length, 'value')
  return values
}

function check(bytes: Uint8Array, at: number, end: number, depth: number, what: string): number {
  values++
  if (at >= end) throw malformed(what, 'a value is missing where the bytes end', 'AMQP10-1.2-a')
  if (depth > DEPTH_MAX) throw tooDeep(what)
  const code = bytes[at]!
  if (code !== Code.described) return checkContent(bytes, code, at + 1, end, depth, what)
  return check(bytes, check(bytes, at + 1, end, depth + 1, what), end, depth + 1, what)
}

/** What follows the constructor `code`. */
function checkContent(bytes: Uint8Array, code: number, at: number, end: number, depth: number, what: string): number {
  const width = WIDTHS[code]!
  if (width === UNKNOWN) throw unknownCode(what, code)
  if (width !== SIZED8 && width !== SIZED32) {
    if (width > end - at) throw cutOff(what, code, width, end - at)
    if (code === Code.boolean || code === Code.char) checkFixed(bytes, code, at, what)
    return at + width
  }
  const start = at + (width === SIZED8 ? 1 : 4)
  if (start > end) throw cutOff(what, code, start - at, end - at)
  const size = width === SIZED8 ? bytes[at]! : uint32At(bytes, at)
  if (size > end - start) throw cutOff(what, code, size, end - start)
  const contentEnd = start + size
  if (code < Code.list8) checkText(bytes, code, start, contentEnd, what)
  else checkElements(bytes, code, start, contentEnd, depth, what)
  return contentEnd
}

function checkFixed(bytes: Uint8Array, code: number, at: number, what: string): void {
  if (code === Code.boolean) {
    if (bytes[at]! > 1)
      throw malformed(what, `a boolean is ${hex(bytes[at]!)}, neither 0x00 nor 0x01`, 'AMQP10-1.6.2-a')
    return
  }
  const char = uint32At(bytes, at)
  if (char > 0x10_ffff || (char >= 0xd800 && char < 0xe000))
    throw malformed(what, `${hex(char)} is no character of Unicode`)
}

/** Binaries may be anything. */
function checkText(bytes: Uint8Array, code: number, start: number, end: number, what: string): void {
  const isString = code === Code.string8 || code === Code.string32
  if (isString && !isText(bytes, start, end)) throw malformed(what, 'a string is not valid UTF-8', 'AMQP10-1.6.20-a')
  const isSymbol = code === Code.symbol8 || code === Code.symbol32
  if (isSymbol && !isAscii(bytes, start, end))
    throw malformed(what, 'a symbol has bytes that are not ASCII', 'AMQP10-1.6.21-a')
}

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= SHORT_TEXT_BYTES && isAscii(bytes, start, end)) return true
  return isUtf8(bytes.subarray(start, end))
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return false
  return true
}

/** What a list, a map or an array has behind its size. */
function checkElements(bytes: Uint8Array, code: number, at: number, end: number, depth: number, what: string): void {
  const isWide = WIDTHS[code] === SIZED32
  const start = at + (isWide ? 4 : 1)
  if (start > end) throw cutOff(what, code, start - at, end - at)
  const count = isWide ? uint32At(bytes, at) : bytes[at]!
  const isArray = code === Code.array8 || code === Code.array32
  const found = isArray
    ? checkArray(bytes, code, count, start, end, depth, what)
    : checkCompound(bytes, code, count, start, end, depth, what)
  if (found === end) return
  const text = `${nameOf(code)} has ${end - found} bytes behind its ${count} elements`
  throw malformed(what, text, isArray ? 'AMQP10-1.2.4-a' : 'AMQP10-1.2.3-a')
}

function checkCompound(
  bytes: Uint8Array,
  code: number,
  count: number,
  start: number,
  end: number,
  depth: number,
  what: string,
): number {
  // Each takes a byte at least: a count that is a lie costs nothing.
  if (count > end - start) throw tooMany(what, code, count, end - start)
  if ((code === Code.map8 || code === Code.map32) && count % 2 !== 0) {
    const text = `a map has ${count} keys and values together; each key needs a value`
    throw malformed(what, text, 'AMQP10-1.6.23-a')
  }
  let at = start
  for (let left = count; left > 0; left--) {
    if (values > valuesMax) return end
    at = check(bytes, at, end, depth + 1, what)
  }
  return at
}

function checkArray(
  bytes: Uint8Array,
  arrayCode: number,
  count: number,
  start: number,
  end: number,
  depth: number,
  what: string,
): number {
  let at = start
  let elementDepth = depth + 1
  for (; at < end && bytes[at] === Code.described; elementDepth++) at = check(bytes, at + 1, end, elementDepth, what)
  if (at >= end) throw malformed(what, 'an array has no constructor for its elements', 'AMQP10-1.2.4-a')
  if (elementDepth > DEPTH_MAX) throw tooDeep(what)
  const code = bytes[at++]!
  const width = WIDTHS[code]!
  // Not left to the elements: there may be none.
  if (width === UNKNOWN) throw unknownCode(what, code)
  values += count
  if (width === 0) {
    emptyElements += count
    if (emptyElements <= EMPTY_ELEMENTS_MAX) return at
    throw malformed(what, `arrays have ${emptyElements} elements without bytes, the limit is ${EMPTY_ELEMENTS_MAX}`)
  }
  if (count > end - at) throw tooMany(what, arrayCode, count, end - at)
  for (let left = count; left > 0; left--) {
    if (values > valuesMax) return end
    at = checkContent(bytes, code, at, end, elementDepth, what)
  }
  return at
}

/** Offset behind the value at `at`, which `checkValue` has seen. */
export function skipValue(bytes: Uint8Array, at: number): number {
  let start = at
  while (bytes[start] === Code.described) start = skipValue(bytes, start + 1)
  const width = WIDTHS[bytes[start]!]!
  if (width === SIZED8) return start + 2 + bytes[start + 1]!
  if (width === SIZED32) return start + 5 + uint32At(bytes, start + 1)
  return start + 1 + width
}

/** Unsigned, from four bytes. Hot path. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

function unknownCode(what: string, code: number): AmqpFault {
  return malformed(what, `${hex(code)} is no constructor`, 'AMQP10-1.2-b')
}

function cutOff(what: string, code: number, needed: number, left: number): AmqpFault {
  return malformed(what, `${nameOf(code)} needs ${needed} bytes where ${left} are left`, 'AMQP10-1.2.2-a')
}

function tooMany(what: string, code: number, count: number, left: number): AmqpFault {
  return malformed(what, `${nameOf(code)} says to have ${count} elements in ${left} bytes`, 'AMQP10-1.2.3-a')
}

function tooDeep(what: string): AmqpFault {
  return malformed(what, `values are nested deeper than ${DEPTH_MAX}`)
}

function nameOf(code: number): string {
  const [name] = Object.entries(Code).find(([, value]) => value === code)!
  return `${name} (${hex(code)})`
}

export function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`
}
