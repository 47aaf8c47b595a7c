/**
 * Tree of a selector → closures that read a message's properties and nothing else. Logic is three-valued: a condition that is unknown
 * selects nothing, and neither does its negation.
 */
import { type Arithmetic, type Between, type Comparison, type Expression, type In, type Like, LIKE_TEXT_MAX } from './ast.ts'
import { compileLike } from './like.ts'
import {
  calculate,
  compare,
  compareNumbers,
  isNumeric,
  negate,
  type Numeric,
  readNumber,
  toCanonical,
  type Truth,
  type Value,
} from './values.ts'

/** Where the properties of a message are looked up. */
export interface PropertySource {
  /** The property or header field `name`, of which nothing is known; undefined and null if there is none. */
  property(name: string): Value
}

export type Test = (source: PropertySource) => Truth
type Read = (source: PropertySource) => Value

/** `isConverting`: strings that meet a number or a boolean are read as one. */
export function compileCondition(expression: Expression, isConverting: boolean): Test {
  switch (expression.kind) {
    case 'and':
      return compileAnd(expression.operands.map((operand) => compileCondition(operand, isConverting)))
    case 'or':
      return compileOr(expression.operands.map((operand) => compileCondition(operand, isConverting)))
    case 'not': {
      const test = compileCondition(expression.operand, isConverting)
      return (source) => {
        const truth = test(source)
        return truth === undefined ? undefined : !truth
      }
    }
    case 'comparison':
      return compileComparison(expression, isConverting)
    case 'between':
      return compileBetween(expression, isConverting)
    case 'in':
      return compileIn(expression, isConverting)
    case 'like':
      return compileLikeTest(expression, isConverting)
    case 'is-null': {
      const read = compileValue(expression.value, isConverting)
      const { isNegated } = expression
      return (source) => {
        const value = read(source)
        return (value === undefined || value === null) !== isNegated
      }
    }
    case 'literal':
    case 'identifier':
    case 'arithmetic':
    case 'sign': {
      const read = compileValue(expression, isConverting)
      return (source) => toTruth(read(source), isConverting)
    }
  }
}

/** A property as a condition: what is no boolean is neither true nor false. */
function toTruth(value: Value, isConverting: boolean): Truth {
  if (typeof value === 'boolean') return value
  if (!isConverting || typeof value !== 'string') return undefined
  return compare('=', value, true, true) === true ? true : compare('=', value, false, true) === true ? false : undefined
}

function compileAnd(tests: readonly Test[]): Test {
  const [first, second] = tests
  if (tests.length === 2) {
    return (source) => {
      const left = first!(source)
      if (left === false) return false
      const right = second!(source)
      return right === true ? left : right
    }
  }
  return (source) => {
    let truth: Truth = true
    for (const test of tests) {
      const next = test(source)
      if (next === false) return false
      if (next === undefined) truth = undefined
    }
    return truth
  }
}

function compileOr(tests: readonly Test[]): Test {
  return (source) => {
    let truth: Truth = false
    for (const test of tests) {
      const next = test(source)
      if (next === true) return true
      if (next === undefined) truth = undefined
    }
    return truth
  }
}

function compileComparison({ operator, left, right }: Comparison, isConverting: boolean): Test {
  // The usual selector: a property against a literal. Read without a closure, compared without looking at types twice.
  if (left.kind === 'identifier' && right.kind === 'literal') {
    const { name } = left
    const { value: literal } = right
    if (typeof literal === 'number') {
      return (source) => {
        const value = source.property(name)
        if (typeof value === 'number') return compareNumbers(operator, value, literal)
        return compare(operator, value, literal, isConverting)
      }
    }
    if (typeof literal === 'string') {
      const isEqual = operator === '='
      return (source) => {
        const value = source.property(name)
        if (typeof value === 'string') return (value === literal) === isEqual
        return compare(operator, value, literal, isConverting)
      }
    }
  }
  const readLeft = compileValue(left, isConverting)
  const readRight = compileValue(right, isConverting)
  return (source) => compare(operator, readLeft(source), readRight(source), isConverting)
}

/** `x BETWEEN a AND b` is `x >= a AND x <= b`, `x NOT BETWEEN a AND b` is `x < a OR x > b` [JMS31 §3.8.1.1]. */
function compileBetween({ isNegated, value, low, high }: Between, isConverting: boolean): Test {
  const readValue = compileValue(value, isConverting)
  const readLow = compileValue(low, isConverting)
  const readHigh = compileValue(high, isConverting)
  return (source) => {
    const read = readValue(source)
    const atLow = compare(isNegated ? '<' : '>=', read, readLow(source), isConverting)
    // False decides an AND, true an OR.
    if (atLow === isNegated) return isNegated
    const atHigh = compare(isNegated ? '>' : '<=', read, readHigh(source), isConverting)
    if (atHigh === isNegated) return isNegated
    return atLow === undefined || atHigh === undefined ? undefined : !isNegated
  }
}

/** A value whose type no member has is neither in the list nor not in it: false either way, as in a comparison. */
function compileIn({ isNegated, value, members }: In, isConverting: boolean): Test {
  const read = compileValue(value, isConverting)
  const strings = new Set<string>()
  const numbers = new Set<Numeric>()
  for (const member of members) {
    if (typeof member === 'string') strings.add(member)
    else numbers.add(toCanonical(member))
  }
  return (source) => {
    const found = read(source)
    if (found === undefined || found === null) return undefined
    if (isNumeric(found)) return numbers.size > 0 && numbers.has(toCanonical(found)) !== isNegated
    if (typeof found !== 'string') return false
    if (isConverting && numbers.size > 0) {
      const number = readNumber(found)
      if (number !== undefined && numbers.has(toCanonical(number))) return !isNegated
      if (number === undefined && strings.size === 0) return false
      return strings.has(found) !== isNegated
    }
    return strings.size > 0 && strings.has(found) !== isNegated
  }
}

function compileLikeTest({ isNegated, value, pattern, escape }: Like, isConverting: boolean): Test {
  const read = compileValue(value, isConverting)
  const isLike = compileLike(pattern, escape)
  return (source) => {
    const found = read(source)
    if (found === undefined || found === null) return undefined
    if (typeof found !== 'string') return false
    return found.length > LIKE_TEXT_MAX ? undefined : isLike(found) !== isNegated
  }
}

function compileValue(expression: Expression, isConverting: boolean): Read {
  switch (expression.kind) {
    case 'literal': {
      const { value } = expression
      return () => value
    }
    case 'identifier': {
      const { name } = expression
      return (source) => source.property(name)
    }
    case 'sign': {
      const read = compileNumber(expression.operand, isConverting)
      if (!expression.isNegative) return read
      return (source) => {
        const value = read(source)
        return value === undefined ? undefined : negate(value)
      }
    }
    case 'arithmetic':
      return compileArithmetic(expression, isConverting)
    case 'and':
    case 'or':
    case 'not':
    case 'comparison':
    case 'between':
    case 'in':
    case 'like':
    case 'is-null':
      return compileCondition(expression, isConverting)
  }
}

type ReadNumber = (source: PropertySource) => Numeric | undefined

function compileNumber(expression: Expression, isConverting: boolean): ReadNumber {
  const read = compileValue(expression, isConverting)
  return (source) => {
    const value = read(source)
    if (isNumeric(value)) return value
    return isConverting && typeof value === 'string' ? readNumber(value) : undefined
  }
}

function compileArithmetic({ first, steps }: Arithmetic, isConverting: boolean): ReadNumber {
  const readFirst = compileNumber(first, isConverting)
  let isDouble = isApproximate(first)
  const compiled = steps.map(({ operator, operand }) => {
    // Once a double, the rest of the chain is one.
    isDouble ||= isApproximate(operand)
    return { operator, read: compileNumber(operand, isConverting), isDouble }
  })
  return (source) => {
    let value = readFirst(source)
    for (const step of compiled) {
      if (value === undefined) return undefined
      const operand = step.read(source)
      if (operand === undefined) return undefined
      value = calculate(step.operator, value, operand, step.isDouble)
    }
    return value
  }
}

/** Whether it is a double by the way it is written. */
function isApproximate(expression: Expression): boolean {
  if (expression.kind === 'literal') return expression.isApproximate
  if (expression.kind === 'sign') return isApproximate(expression.operand)
  if (expression.kind !== 'arithmetic') return false
  return isApproximate(expression.first) || expression.steps.some((step) => isApproximate(step.operand))
}
