/**
 * What selectors do with values: comparison and arithmetic over numbers, bigints, strings, booleans and NULL.
 *
 * Types. A bigint, and a number that is a whole number up to 2^53, are exact (Java's int and long); any other number is approximate
 * (double). Only division shows the difference: 7 / 2 is 3, 7.5 / 2 is 3.75. An exact result beyond a long goes on as a double, where
 * Java would wrap around.
 *
 * NULL and mismatches [JMS31 §3.8.1.2]. A comparison with NULL is unknown. A comparison of unlike types is false, and so is an order of
 * strings or booleans, which only = and <> compare. Arithmetic with NULL, with something that is no number, or a division by zero is
 * NULL.
 *
 * `isConverting`: where a number or a boolean meets a string, the string is read as one. MQTT and STOMP carry nothing but strings.
 */
import type { ArithmeticOperator, CompareOperator, SelectorValue } from './ast.ts'

/** Three-valued truth; undefined is unknown. */
export type Truth = boolean | undefined
export type Value = SelectorValue | undefined
export type Numeric = number | bigint

const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)
/** Of a string that is read as a number. */
const NUMBER_LENGTH_MAX = 64

export function isNumeric(value: Value): value is Numeric {
  return typeof value === 'number' || typeof value === 'bigint'
}

export function compare(operator: CompareOperator, left: Value, right: Value, isConverting: boolean): Truth {
  if (left === undefined || left === null || right === undefined || right === null) return undefined
  if (isNumeric(left) && isNumeric(right)) return compareNumbers(operator, left, right)
  if (typeof left === typeof right) {
    if (operator === '=') return left === right
    return operator === '<>' && left !== right
  }
  if (!isConverting) return false
  if (typeof left === 'string') return compareRead(operator, readLike(left, right), right)
  if (typeof right === 'string') return compareRead(operator, left, readLike(right, left))
  return false
}

function compareRead(operator: CompareOperator, left: Value, right: Value): Truth {
  if (left === undefined || right === undefined) return false
  return compare(operator, left, right, false)
}

export function compareNumbers(operator: CompareOperator, left: Numeric, right: Numeric): boolean {
  switch (operator) {
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
    case '=':
      return areEqual(left, right)
    case '<>':
      return !areEqual(left, right)
  }
}

function areEqual(left: Numeric, right: Numeric): boolean {
  return typeof left === typeof right ? left === right : toCanonical(left) === toCanonical(right)
}

/** Of a string that is read as a boolean: 'false'. */
const BOOLEAN_LENGTH_MAX = 5

/** `text` as a value of the type of `other`; undefined if it is none. */
function readLike(text: string, other: string | Numeric | boolean): Value {
  if (isNumeric(other)) return readNumber(text)
  if (text.length > BOOLEAN_LENGTH_MAX) return undefined
  const word = text.toLowerCase()
  return word === 'true' ? true : word === 'false' ? false : undefined
}

/** A decimal number as JMS writes them, with sign and with blanks around it. */
export function readNumber(text: string): Numeric | undefined {
  if (text.length > NUMBER_LENGTH_MAX) return undefined
  const trimmed = text.trim()
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(trimmed)) return undefined
  const value = Number(trimmed)
  return Number.isSafeInteger(value) || !/^[+-]?\d+$/.test(trimmed) ? value : BigInt(trimmed)
}

/** The same value always as the same type, so that a Set finds it. */
export function toCanonical(value: Numeric): Numeric {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value
  return narrow(value)
}

/** `isApproximate`: an operand is a double by the way it is written, so the quotient is one. */
export function calculate(
  operator: ArithmeticOperator,
  left: Numeric,
  right: Numeric,
  isApproximate: boolean,
): Numeric | undefined {
  const isDivision = operator === '/' || operator === '%'
  if (isDivision && Number(right) === 0) return undefined
  if (typeof left === 'number' && typeof right === 'number') {
    const result = calculateDoubles(operator, left, right)
    const isExact = !isApproximate && Number.isSafeInteger(left) && Number.isSafeInteger(right)
    if (!isExact) return result
    if (operator === '/') return Math.trunc(result)
    if (Number.isSafeInteger(result)) return result
    return calculateExact(operator, BigInt(left), BigInt(right))
  }
  if (isApproximate || !isExactValue(left) || !isExactValue(right))
    return calculateDoubles(operator, Number(left), Number(right))
  return calculateExact(operator, BigInt(left), BigInt(right))
}

export function negate(value: Numeric): Numeric {
  // Not -value for numbers: 0 has no sign when it is exact.
  return typeof value === 'number' ? 0 - value : narrowLong(-value)
}

function isExactValue(value: Numeric): boolean {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

function calculateDoubles(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    case '%':
      return left % right
  }
}

function calculateExact(operator: ArithmeticOperator, left: bigint, right: bigint): Numeric {
  switch (operator) {
    case '+':
      return narrowLong(left + right)
    case '-':
      return narrowLong(left - right)
    case '*':
      return narrowLong(left * right)
    case '/':
      return narrowLong(left / right)
    case '%':
      return narrowLong(left % right)
  }
}

function narrowLong(value: bigint): Numeric {
  return value > LONG_MAX || value < LONG_MIN ? Number(value) : narrow(value)
}

function narrow(value: bigint): Numeric {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(value) : value
}
