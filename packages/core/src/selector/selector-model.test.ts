/**
 * Generated conditions, written with as few parentheses as their precedence allows, against an evaluator that knows no text: it walks
 * the generated tree, computes with fractions and takes each rule of the specification literally.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseSelector, type SelectorValue } from './selector.ts'

type Properties = Readonly<Record<string, SelectorValue | undefined>>
/** Numbers of the model: halves, counted. `isDouble` as far as it can be seen from how it is written. */
interface Model {
  readonly text: string
  /** How tightly the text binds: 1 OR, 2 AND, 3 NOT, 4 comparison, 5 sum, 6 product, 7 sign, 8 no operator. */
  readonly level: number
  readonly isDouble: boolean
  evaluate(properties: Properties): SelectorValue
}

const TRUTHS = [false, null, true] as const

/** Unknown between false and true, so that AND is the lower, OR the higher, NOT the mirror. */
function rank(value: SelectorValue): number {
  return typeof value === 'boolean' ? (value ? 2 : 0) : 1
}

function within(model: Model, level: number): string {
  return model.level < level ? `(${model.text})` : model.text
}

function compareLikeTypes(operator: string, left: SelectorValue, right: SelectorValue): boolean | null {
  if (left === null || right === null) return null
  const isNumber = (value: SelectorValue): boolean => typeof value === 'number' || typeof value === 'bigint'
  if (isNumber(left) && isNumber(right)) {
    const difference = Number(left) - Number(right)
    return {
      '=': difference === 0,
      '<>': difference !== 0,
      '<': difference < 0,
      '<=': difference <= 0,
      '>': difference > 0,
      '>=': difference >= 0,
    }[operator]!
  }
  if (typeof left !== typeof right || (operator !== '=' && operator !== '<>')) return false
  return (left === right) === (operator === '=')
}

function toModelNumber(value: SelectorValue): number | null {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null
}

function calculateModel(operator: string, left: SelectorValue, right: SelectorValue, isDouble: boolean): number | null {
  const a = toModelNumber(left)
  const b = toModelNumber(right)
  if (a === null || b === null) return null
  if (operator === '+') return a + b
  if (operator === '-') return a - b
  if (operator === '*') return a * b
  if (b === 0) return null
  if (operator === '%') return a % b
  return isDouble || !Number.isInteger(a) || !Number.isInteger(b) ? a / b : Math.trunc(a / b)
}

const names = ['a', 'b', 'c', 'd', 'e']
const property: fc.Arbitrary<SelectorValue | undefined> = fc.constantFrom(
  undefined,
  null,
  true,
  false,
  '',
  'x',
  'xy',
  'y%',
  0,
  1,
  2,
  3,
  -4,
  7,
  0.5,
  2.5,
  1n,
  3n,
  -4n,
)
const sources = fc.record(Object.fromEntries(names.map((name) => [name, property])))

const identifier = fc.constantFrom(...names).map<Model>((name) => ({
  text: name,
  level: 8,
  isDouble: false,
  evaluate: (properties) => properties[name] ?? null,
}))
const number = fc
  .constantFrom<readonly [string, number]>(
    ['0', 0],
    ['1', 1],
    ['2L', 2],
    ['0x3', 3],
    ['7', 7],
    ['-4', -4],
    ['.5', 0.5],
    ['2.5D', 2.5],
    ['3.', 3],
  )
  .map<Model>(([text, value]) => ({ text, level: 7, isDouble: text.includes('.'), evaluate: () => value }))
const string = fc.constantFrom('', 'x', 'xy', "it's").map<Model>((value) => ({
  text: `'${value.replaceAll("'", "''")}'`,
  level: 8,
  isDouble: false,
  evaluate: () => value,
}))
const boolean = fc.boolean().map<Model>((value) => ({
  text: value ? 'TRUE' : 'FALSE',
  level: 8,
  isDouble: false,
  evaluate: () => value,
}))

function chain(level: number, operators: readonly string[], operand: fc.Arbitrary<Model>): fc.Arbitrary<Model> {
  const step = fc.tuple(fc.constantFrom(...operators), operand)
  return fc.tuple(operand, fc.array(step, { minLength: 1, maxLength: 3 })).map<Model>(([first, steps]) => ({
    // A sign right behind a '-' would begin a comment.
    text: [
      within(first, level + 1),
      ...steps.map(([operator, model]) => ` ${operator} ${within(model, level + 1)}`),
    ].join(''),
    level,
    isDouble: first.isDouble || steps.some(([, model]) => model.isDouble),
    evaluate: (properties) => {
      let value = first.evaluate(properties)
      let isDouble = first.isDouble
      for (const [operator, model] of steps) {
        isDouble ||= model.isDouble
        value = calculateModel(operator, value, model.evaluate(properties), isDouble)
      }
      return value
    },
  }))
}

function junction(
  level: number,
  keyword: string,
  pick: (...ranks: number[]) => number,
  operand: fc.Arbitrary<Model>,
): fc.Arbitrary<Model> {
  return fc.array(operand, { minLength: 2, maxLength: 3 }).map<Model>((operands) => ({
    text: operands.map((model) => within(model, level + 1)).join(` ${keyword} `),
    level,
    isDouble: false,
    evaluate: (properties) => TRUTHS[pick(...operands.map((model) => rank(model.evaluate(properties))))]!,
  }))
}

const { condition } = fc.letrec<{ condition: Model; numeric: Model }>((tie) => {
  const numeric = tie('numeric')
  const anyCondition = tie('condition')
  const sign = fc.tuple(fc.constantFrom('-', '+'), numeric).map<Model>(([text, operand]) => ({
    text: `${text} ${within(operand, 7)}`,
    level: 7,
    isDouble: operand.isDouble,
    evaluate: (properties) => {
      const value = toModelNumber(operand.evaluate(properties))
      return value === null ? null : text === '-' ? 0 - value : value
    },
  }))
  const order = fc.tuple(numeric, fc.constantFrom('<', '<=', '>', '>=', '=', '<>'), numeric)
  const equality = fc.tuple(
    fc.oneof(identifier, string, boolean, anyCondition),
    fc.constantFrom('=', '<>'),
    fc.oneof(identifier, string, boolean, numeric),
  )
  const comparison = fc.oneof(order, equality).map<Model>(([left, operator, right]) => ({
    text: `${within(left, 5)} ${operator} ${within(right, 5)}`,
    level: 4,
    isDouble: false,
    evaluate: (properties) => compareLikeTypes(operator, left.evaluate(properties), right.evaluate(properties)),
  }))
  const between = fc.tuple(numeric, fc.boolean(), numeric, numeric).map<Model>(([value, isNegated, low, high]) => ({
    text: `${within(value, 5)}${isNegated ? ' NOT' : ''} BETWEEN ${within(low, 5)} AND ${within(high, 5)}`,
    level: 4,
    isDouble: false,
    evaluate: (properties) => {
      const [found, from, to] = [value, low, high].map((model) => model.evaluate(properties)) as [
        SelectorValue,
        SelectorValue,
        SelectorValue,
      ]
      if (isNegated)
        return TRUTHS[Math.max(rank(compareLikeTypes('<', found, from)), rank(compareLikeTypes('>', found, to)))]!
      return TRUTHS[Math.min(rank(compareLikeTypes('>=', found, from)), rank(compareLikeTypes('<=', found, to)))]!
    },
  }))
  const members = fc.array(fc.oneof(string, number), { minLength: 1, maxLength: 4 })
  const membership = fc
    .tuple(fc.oneof(identifier, numeric, string), fc.boolean(), members)
    .map<Model>(([value, isNegated, list]) => ({
      text: `${within(value, 5)}${isNegated ? ' NOT' : ''} IN (${list.map((model) => model.text).join(', ')})`,
      level: 4,
      isDouble: false,
      evaluate: (properties) => {
        const found = value.evaluate(properties)
        if (found === null) return null
        const candidates = list.map((model) => model.evaluate(properties))
        const alike = candidates.filter(
          (candidate) =>
            typeof candidate === typeof found || (typeof candidate === 'number' && typeof found === 'bigint'),
        )
        if (alike.length === 0) return false
        return alike.some((candidate) => compareLikeTypes('=', candidate, found) === true) !== isNegated
      },
    }))
  const like = fc
    .tuple(fc.oneof(identifier, string), fc.boolean(), fc.constantFrom('%', '_', 'x%', '%y', 'y!%', ''))
    .map<Model>(([value, isNegated, pattern]) => ({
      text: `${value.text}${isNegated ? ' NOT' : ''} LIKE '${pattern}' ESCAPE '!'`,
      level: 4,
      isDouble: false,
      evaluate: (properties) => {
        const found = value.evaluate(properties)
        if (found === null) return null
        if (typeof found !== 'string') return false
        const expected = {
          '%': true,
          _: found.length === 1,
          'x%': found.startsWith('x'),
          '%y': found.endsWith('y'),
          'y!%': found === 'y%',
          '': found === '',
        }[pattern]
        return expected !== isNegated
      },
    }))
  const isNull = fc
    .tuple(fc.oneof(identifier, numeric, anyCondition), fc.boolean())
    .map<Model>(([value, isNegated]) => ({
      text: `${within(value, 5)} IS${isNegated ? ' NOT' : ''} NULL`,
      level: 4,
      isDouble: false,
      evaluate: (properties) => (value.evaluate(properties) === null) !== isNegated,
    }))
  const not = anyCondition.map<Model>((operand) => ({
    text: `NOT ${within(operand, 3)}`,
    level: 3,
    isDouble: false,
    evaluate: (properties) => TRUTHS[2 - rank(operand.evaluate(properties))]!,
  }))
  return {
    numeric: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      identifier,
      number,
      chain(6, ['*', '/', '%'], numeric),
      chain(5, ['+', '-'], numeric),
      sign,
    ),
    condition: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      boolean,
      comparison,
      like,
      between,
      membership,
      isNull,
      not,
      junction(2, 'AND', Math.min, anyCondition),
      junction(1, 'OR', Math.max, anyCondition),
    ),
  }
})

test('a selector selects what the model selects, and its negation what the model negates', () => {
  const counts = new Map<SelectorValue, number>()
  fc.assert(
    fc.property(condition, sources, (model, properties) => {
      const source = { property: (name: string) => properties[name] }
      const matches = (text: string): boolean => {
        const parsed = parseSelector(text)
        if (!parsed.ok) throw new Error(`${text}: ${parsed.error.text}`)
        return parsed.selector.matches(source)
      }
      const expected = model.evaluate(properties)
      counts.set(expected, (counts.get(expected) ?? 0) + 1)
      expect(matches(model.text), model.text).toBe(expected === true)
      expect(matches(`NOT (${model.text})`), model.text).toBe(expected === false)
    }),
    { numRuns: 10_000 },
  )
  // All three come up, or the test shows little.
  for (const value of TRUTHS) expect(counts.get(value)).toBeGreaterThan(1_000)
})
