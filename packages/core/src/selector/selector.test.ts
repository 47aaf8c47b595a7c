/** The selector language: examples of the specification, its edges, what is refused and where, limits, and hostile text. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SELECTOR_DEPTH_MAX, SELECTOR_LENGTH_MAX, SELECTOR_MEMBERS_MAX } from './ast.ts'
import type { PropertySource } from './compile.ts'
import { parseSelector, type Selector, type SelectorValue } from './selector.ts'

type Properties = Record<string, SelectorValue | undefined>

function sourceOf(properties: Properties): PropertySource {
  const map = new Map(Object.entries(properties))
  return { property: (name) => map.get(name) }
}

function selectorOf(text: string, convertStrings = false): Selector {
  const parsed = parseSelector(text, { convertStrings })
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error.text}`)
  return parsed.selector
}

/** 'true', 'false' or 'unknown', by asking for the condition and for its negation. */
function truthOf(condition: string, properties: Properties, convertStrings = false): string {
  const source = sourceOf(properties)
  const isTrue = selectorOf(condition, convertStrings).matches(source)
  const isFalse = selectorOf(`NOT (${condition})`, convertStrings).matches(source)
  expect(isTrue && isFalse, condition).toBe(false)
  return isTrue ? 'true' : isFalse ? 'false' : 'unknown'
}

describe('examples of the specification', () => {
  test.each([
    ["JMSType = 'car' AND color = 'blue' AND weight > 2500", { JMSType: 'car', color: 'blue', weight: 2501 }, 'true'],
    ["JMSType = 'car' AND color = 'blue' AND weight > 2500", { JMSType: 'car', color: 'blue', weight: 2500 }, 'false'],
    ["JMSType = 'car' AND color = 'blue' AND weight > 2500", { JMSType: 'car', color: 'blue' }, 'unknown'],
    ['age BETWEEN 15 AND 19', { age: 15 }, 'true'],
    ['age BETWEEN 15 AND 19', { age: 19 }, 'true'],
    ['age BETWEEN 15 AND 19', { age: 20 }, 'false'],
    ['age NOT BETWEEN 15 AND 19', { age: 20 }, 'true'],
    ['age NOT BETWEEN 15 AND 19', { age: 17 }, 'false'],
    ['age BETWEEN 15 AND 19', {}, 'unknown'],
    ["Country IN ('UK', 'US', 'France')", { Country: 'UK' }, 'true'],
    ["Country IN ('UK', 'US', 'France')", { Country: 'Peru' }, 'false'],
    ["Country NOT IN ('UK', 'US', 'France')", { Country: 'Peru' }, 'true'],
    ["Country NOT IN ('UK', 'US', 'France')", { Country: 'UK' }, 'false'],
    ["Country IN ('UK', 'US', 'France')", {}, 'unknown'],
    ["Country NOT IN ('UK', 'US', 'France')", { Country: null }, 'unknown'],
    ["phone LIKE '12%3'", { phone: '12993' }, 'true'],
    ["phone LIKE '12%3'", { phone: '1234' }, 'false'],
    ["word LIKE 'a%'", { word: 'a'.repeat(4_096) }, 'true'],
    ["word LIKE 'a%'", { word: 'a'.repeat(4_097) }, 'unknown'],
    ["word LIKE 'l_se'", { word: 'lose' }, 'true'],
    ["word LIKE 'l_se'", { word: 'loose' }, 'false'],
    [String.raw`underscored LIKE '\_%' ESCAPE '\'`, { underscored: '_foo' }, 'true'],
    [String.raw`underscored LIKE '\_%' ESCAPE '\'`, { underscored: 'bar' }, 'false'],
    ["phone NOT LIKE '12%3'", { phone: '1234' }, 'true'],
    ["phone LIKE '12%3'", {}, 'unknown'],
    ["phone NOT LIKE '12%3'", {}, 'unknown'],
    ['prop_name IS NULL', {}, 'true'],
    ['prop_name IS NULL', { prop_name: null }, 'true'],
    ['prop_name IS NULL', { prop_name: false }, 'false'],
    ['prop_name IS NOT NULL', { prop_name: '' }, 'true'],
    ['prop_name IS NOT NULL', {}, 'false'],
    ["NumberOfOrders > 1 AND quote = 'literal''s'", { NumberOfOrders: 2, quote: "literal's" }, 'true'],
  ] as [string, Properties, string][])('%s of %j is %s', (condition, properties, truth) => {
    expect(truthOf(condition, properties)).toBe(truth)
  })
})

test('AND, OR and NOT follow the tables of three-valued logic', () => {
  const values: Record<string, boolean | undefined> = { T: true, F: false, U: undefined }
  const words = { T: 'true', F: 'false', U: 'unknown' }
  const tables = {
    AND: ['TT T', 'TF F', 'TU U', 'FT F', 'FF F', 'FU F', 'UT U', 'UF F', 'UU U'],
    OR: ['TT T', 'TF T', 'TU T', 'FT T', 'FF F', 'FU U', 'UT T', 'UF U', 'UU U'],
  }
  for (const [operator, rows] of Object.entries(tables)) {
    for (const row of rows) {
      const properties = { a: values[row[0]!], b: values[row[1]!] }
      const expected = words[row[3] as 'T' | 'F' | 'U']
      expect(truthOf(`a ${operator} b`, properties), `${operator} ${row}`).toBe(expected)
      // Three operands take another way than two.
      expect(truthOf(`a ${operator} b ${operator} a`, properties), `${operator} ${row}, three`).toBe(expected)
    }
  }
  expect(['T', 'F', 'U'].map((key) => truthOf('NOT a', { a: values[key] }))).toEqual(['false', 'true', 'unknown'])
})

describe('values', () => {
  test.each([
    // Unlike types: false, and so is the opposite.
    ['a = 1', { a: '1' }, 'false'],
    ['a <> 1', { a: '1' }, 'false'],
    ["a = 'x'", { a: true }, 'false'],
    ["a <> 'x'", { a: 5 }, 'false'],
    ['a > 1', { a: 'x' }, 'false'],
    ['a > 1', { a: true }, 'false'],
    ['a < b', { a: 'a', b: 'b' }, 'false'],
    ['a >= b', { a: true, b: true }, 'false'],
    ['a = b', { a: true, b: true }, 'true'],
    ['a <> b', { a: true, b: false }, 'true'],
    ["a <> 'x'", { a: 'y' }, 'true'],
    ['a BETWEEN 1 AND 3', { a: '2' }, 'false'],
    ['a NOT BETWEEN 1 AND 3', { a: '2' }, 'false'],
    ["a LIKE '%'", { a: 5 }, 'false'],
    ["a NOT LIKE '%'", { a: 5 }, 'false'],
    ["a IN ('5')", { a: 5 }, 'false'],
    ["a NOT IN ('5')", { a: 5 }, 'false'],
    ["a NOT IN ('5')", { a: true }, 'false'],
    ["'a' = 1", {}, 'false'],
    // NULL goes first.
    ['a > 1', {}, 'unknown'],
    ['a = b', { a: 'x' }, 'unknown'],
    ['a BETWEEN 1 AND b', { a: 0 }, 'false'],
    ['a BETWEEN 1 AND b', { a: 2 }, 'unknown'],
    ['a NOT BETWEEN 1 AND b', { a: 0 }, 'true'],
    ['a NOT BETWEEN b AND 3', { a: 5 }, 'true'],
    // Conditions.
    ['a', { a: true }, 'true'],
    ['a', { a: 'true' }, 'unknown'],
    ['a', { a: 1 }, 'unknown'],
    ['TRUE', {}, 'true'],
    ['false', {}, 'false'],
    ['a = TRUE', { a: true }, 'true'],
    ['a <> TRUE', { a: false }, 'true'],
    ['(a > 1) = TRUE', { a: 2 }, 'true'],
    ['(a > 1) = (b > 1)', { a: 0, b: 0 }, 'true'],
    // Exact, approximate, long.
    ['a = 5', { a: 5n }, 'true'],
    ['a <> 5', { a: 5n }, 'false'],
    ['a = 5.0', { a: 5n }, 'true'],
    ['a = 5.5', { a: 5n }, 'false'],
    ['a < 5.5', { a: 5n }, 'true'],
    ['a = 9007199254740993', { a: 9007199254740993n }, 'true'],
    ['a = 9007199254740993', { a: 9007199254740992n }, 'false'],
    ['a = 9007199254740993', { a: 9007199254740992 }, 'false'],
    ['a > 9007199254740992', { a: 9007199254740993n }, 'true'],
    ['a = 9223372036854775807L', { a: 2n ** 63n - 1n }, 'true'],
    ['a = -9223372036854775808', { a: -(2n ** 63n) }, 'true'],
    ['a = 0.1F', { a: Math.fround(0.1) }, 'true'],
    ['a = 0.1', { a: Math.fround(0.1) }, 'false'],
    ['a = 0', { a: Number.NaN }, 'false'],
    ['a = 5', { a: Number.POSITIVE_INFINITY }, 'false'],
    // Numbers in lists.
    ['a IN (1, -2, 3.5)', { a: -2 }, 'true'],
    ['a IN (1, +2)', { a: 2n }, 'true'],
    ['a NOT IN (1, 2)', { a: 3 }, 'true'],
    ["a IN (9007199254740993, 'x')", { a: 9007199254740993n }, 'true'],
    ['a IN (1152921504606846976)', { a: 2 ** 60 }, 'true'],
    ["a IN (1, 'x')", { a: 'x' }, 'true'],
    ['a NOT IN (1)', { a: 'x' }, 'false'],
    // Arithmetic.
    ['a + 1 * 2 = 7', { a: 5 }, 'true'],
    ['(a + 1) * 2 = 12', { a: 5 }, 'true'],
    ['a - 1 - 1 = 3', { a: 5 }, 'true'],
    ['100 / a / 2 = 10', { a: 5 }, 'true'],
    ['-a = -5', { a: 5 }, 'true'],
    ['- -a = +5', { a: 5 }, 'true'],
    ['-a = 5', { a: -5n }, 'true'],
    ['a / 2 = 3', { a: 7 }, 'true'],
    ['-a / 2 = -3', { a: 7n }, 'true'],
    ['a / 2 = 3.75', { a: 7.5 }, 'true'],
    ['a / 2.0 = 3.5', { a: 7 }, 'true'],
    ['a / 2D = 3.5', { a: 7 }, 'true'],
    ['a / -2.0 = -3.5', { a: 7n }, 'true'],
    ['(a + 0.0) / 2 = 3.5', { a: 7 }, 'true'],
    ['a * 1.0 / 2 = 3.5', { a: 7 }, 'true'],
    ['a % 4 = 3', { a: 7 }, 'true'],
    ['a % 4 = -3', { a: -7 }, 'true'],
    ['a / 0 = 1', { a: 7 }, 'unknown'],
    ['a % 0 = 1', { a: 7n }, 'unknown'],
    ['a / 0.0 IS NULL', { a: 7 }, 'true'],
    ['a + 1 IS NULL', { a: 'x' }, 'true'],
    ['a + 1 > 0', { a: true }, 'unknown'],
    ['-a > 0', { a: 'x' }, 'unknown'],
    ['a + 1 = 9007199254740993', { a: 9007199254740992n }, 'true'],
    ['a + 2 = 9007199254740993', { a: 9007199254740991 }, 'true'],
    ['a * a = 9007199254740993', { a: 94906267 }, 'false'],
    ['a * a = 9007199515875289', { a: 94906267 }, 'true'],
    ['a + 1 > 9223372036854775807', { a: 2n ** 63n - 1n }, 'true'],
    ['a * a > 1E37', { a: 2n ** 63n - 1n }, 'true'],
  ] as [string, Properties, string][])('%s of %o is %s', (condition, properties, truth) => {
    expect(truthOf(condition, properties)).toBe(truth)
  })

  test.each([
    ['a > 5', { a: '10' }, 'true'],
    ['a = 5', { a: ' 5.0 ' }, 'true'],
    ['5 <> a', { a: '6' }, 'true'],
    ['a = 9007199254740993', { a: '9007199254740993' }, 'true'],
    ['a > 5', { a: 'ten' }, 'false'],
    ['a > 5', { a: '' }, 'false'],
    ['a > 5', { a: '0x10' }, 'false'],
    ['a > 5', { a: `${'1'.repeat(65)}` }, 'false'],
    ['a = TRUE', { a: 'TRUE' }, 'true'],
    ['a = TRUE', { a: 'yes' }, 'false'],
    ['a', { a: 'true' }, 'true'],
    ['a', { a: 'False' }, 'false'],
    ['a', { a: 'yes' }, 'unknown'],
    ["a = '5'", { a: '5.0' }, 'false'],
    ['a BETWEEN 1 AND 3', { a: '2' }, 'true'],
    ['a IN (1, 2)', { a: '2' }, 'true'],
    ['a NOT IN (1, 2)', { a: '3' }, 'true'],
    ['a NOT IN (1, 2)', { a: 'x' }, 'false'],
    ["a IN (1, 'x')", { a: 'x' }, 'true'],
    ['a + 1 = 3', { a: '2' }, 'true'],
    ['-a = -2', { a: '2' }, 'true'],
    ['a < b', { a: '1', b: '2' }, 'false'],
    ['a = b', { a: true, b: 1 }, 'false'],
  ] as [string, Properties, string][])(
    'where strings are converted, %s of %o is %s',
    (condition, properties, truth) => {
      expect(truthOf(condition, properties, true)).toBe(truth)
    },
  )

  test("ActiveMQ's prefix converts strings, in this one selector, and columns count it", () => {
    expect(selectorOf('convert_string_expressions:a > 5').matches(sourceOf({ a: '10' }))).toBe(true)
    expect(selectorOf('a > 5').matches(sourceOf({ a: '10' }))).toBe(false)
    expect(parseSelector('convert_string_expressions:a >')).toMatchObject({ ok: false, error: { position: 31 } })
  })
})

describe('text', () => {
  test.each([
    ['57', 57],
    ['+62', 62],
    ['-957', -957],
    ['57L', 57],
    ['57l', 57],
    ['0', 0],
    ['0L', 0],
    ['017', 15],
    ['0x1F', 31],
    ['0XffL', 255],
    ['7.', 7],
    ['.5', 0.5],
    ['-95.7', -95.7],
    ['6.2E3', 6200],
    ['7E3', 7000],
    ['-57.9e2', -5790],
    ['5.E-1', 0.5],
    ['.5e+1', 5],
    ['1.5F', 1.5],
    ['1.5d', 1.5],
    ['57D', 57],
    ['09.5', 9.5],
    ['1e-400', 0],
  ])('%s is a number', (literal, value) => {
    expect(truthOf(`a = ${literal}`, { a: value })).toBe('true')
    expect(truthOf(`a = ${literal}`, { a: value + 1 })).toBe('false')
  })

  test.each([
    'a',
    '_a',
    '$a',
    'a1',
    'JMSXGroupID',
    'ANDREW',
    'ORacle',
    'nullable',
    'größe',
    '名前',
    'a€',
    'e1',
    'L',
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString',
  ])('%s is a name', (name) => {
    const selector = selectorOf(`${name} = 'x' OR ${name}='y'`)
    expect(selector.identifiers).toEqual([name])
    const properties = new Map([[name, 'y']])
    expect(selector.matches({ property: (asked) => properties.get(asked) })).toBe(true)
    expect(selector.matches({ property: () => undefined })).toBe(false)
  })

  test('a name in double quotes may hold any character, keywords and quotes included', () => {
    const selector = selectorOf(`"content-type" = 'json' AND "and" = 1 AND "a""b" = 2`)
    expect(selector.identifiers).toEqual(['content-type', 'and', 'a"b'])
    expect(selector.matches(sourceOf({ 'content-type': 'json', and: 1, 'a"b': 2 }))).toBe(true)
  })

  test('names tell capitals apart, keywords do not', () => {
    const properties = { a: 1, A: 2 }
    expect(truthOf('a = 1 and A = 2 oR nOt a Is nOt NuLl', properties)).toBe('true')
    expect(truthOf("a between 1 and 2 and not (b like 'x' escape '!' or b in ('y')) and tRue", { a: 1, b: 'z' })).toBe(
      'true',
    )
  })

  test('NOT binds tighter than AND, AND tighter than OR, a comparison tighter than NOT', () => {
    expect(truthOf('NOT a = 1 AND b = 1', { a: 2, b: 2 })).toBe('false')
    expect(truthOf('NOT a = 1', { a: 2 })).toBe('true')
    expect(truthOf('TRUE OR FALSE AND FALSE', {})).toBe('true')
    expect(truthOf('(TRUE OR FALSE) AND FALSE', {})).toBe('false')
    expect(truthOf('a BETWEEN 1 AND 2 AND b', { a: 1, b: true })).toBe('true')
    expect(truthOf('NOT NOT a', { a: true })).toBe('true')
  })

  test('blanks of every kind and comments separate, and nothing but them selects every message', () => {
    expect(truthOf('a\t=\n1\r\fAND-- a = 2\nb=/* = 3 * / **/2', { a: 1, b: 2 })).toBe('true')
    expect(selectorOf('a = 5 --3').matches(sourceOf({ a: 5 }))).toBe(true)
    for (const text of ['', '  \t\n', '-- all', '/**/', ' /* all */ -- all\r\n', 'convert_string_expressions:']) {
      const selector = selectorOf(text)
      expect([selector.matches(sourceOf({})), selector.text, selector.identifiers]).toEqual([true, text, []])
    }
  })

  test('identifiers are those of every part of the text, each once', () => {
    const text = "NOT a = -b + c * 2 AND d BETWEEN e AND f OR g LIKE 'x' AND h IN ('i') OR j IS NULL AND a = 'k' OR l"
    expect(selectorOf(text).identifiers).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'l'])
  })
})

describe('what is refused', () => {
  test.each([
    ['a =', 4, "expected a property, a literal, a sign or '(', found the end"],
    ['= 1', 1, "expected a property, a literal, a sign, NOT or '(', found '='"],
    ['a = = 1', 5, "found '='"],
    ['a = 1 b', 7, 'expected an operator or the end, found the name b'],
    ["a = 1 AND 'x", 11, 'this string has no end'],
    ['a = "x', 5, 'has no end'],
    ['a = ""', 5, 'a name is empty'],
    ['a = 1 /* b', 7, 'this comment has no */'],
    ['(a = 1', 7, "expected ')' for the '(' of column 1, found the end"],
    ['a = 1)', 6, "found ')'"],
    ['a == 1', 4, "found '='"],
    ['a != 1', 3, "'!' has no meaning in a selector; 'not equal' is written <>"],
    ['a = #1', 5, "'#' has no meaning in a selector"],
    ['a = \u0000', 5, 'U+0000 has no meaning'],
    ['a = 1 & b', 7, "'&' has no meaning"],
    ['a.b = 1', 2, "'.' has no meaning"],
    ['a AND', 6, 'found the end'],
    ['AND a', 1, 'found AND'],
    ['a OR OR b', 6, 'found OR'],
    ['NOT', 4, 'found the end'],
    ['a NOT = 1', 7, "expected BETWEEN, IN or LIKE after NOT, found '='"],
    ['a IS 5', 6, 'expected NULL or NOT NULL, found the number 5'],
    ['a IS NOT 5', 10, 'expected NULL, found the number 5'],
    ['a = NULL', 5, 'found NULL; NULL is asked for with IS NULL'],
    ['a BETWEEN 1', 12, 'expected AND and the upper bound of BETWEEN, found the end'],
    ['a BETWEEN 1 OR 2', 13, 'found OR'],
    ["a BETWEEN 'x' AND 2", 11, 'BETWEEN needs a number, and this is a string'],
    ['a IN 1', 6, "expected '(' and the members of IN, found the number 1"],
    ['a IN ()', 7, "expected a string or a number, found ')'"],
    ['a IN (b)', 7, 'expected a string or a number, found the name b'],
    ["a IN ('x' 'y')", 11, "expected ',' or ')', found the string 'y'"],
    ["a IN ('x',)", 11, "found ')'"],
    ["(a = 1) IN ('x')", 1, 'IN looks for a string or a number, and this is a condition'],
    ['a LIKE b', 8, 'expected a string with the pattern of LIKE, found the name b'],
    ["5 LIKE 'x'", 1, 'LIKE needs a string, and this is a number'],
    ["a LIKE 'x' ESCAPE 5", 19, 'expected a string with the escape character'],
    ["a LIKE 'x' ESCAPE '!!'", 19, 'an escape is one character, and this has 2'],
    ["a LIKE 'x' ESCAPE ''", 19, 'an escape is one character, and this has 0'],
    ["a LIKE 'x!' ESCAPE '!'", 8, 'the pattern ends with its escape character'],
    ['a = 1 = 2', 7, "a comparison has two operands; put parentheses around one before '='"],
    ["a < 'x'", 5, "'<' needs a number, and this is a string"],
    ['TRUE >= a', 1, "'>=' needs a number, and this is a boolean"],
    ["a + 'x' = 1", 5, "'+' needs a number, and this is a string"],
    ["'x' * a = 1", 1, "'*' needs a number"],
    ["-'x' = a", 2, 'a sign needs a number'],
    ['a + (b = 1) = 1', 5, "'+' needs a number, and this is a boolean"],
    ['a AND 5', 7, 'AND needs a condition, and this is a number'],
    ["'x' OR a", 1, 'OR needs a condition, and this is a string'],
    ['NOT 5', 5, 'NOT needs a condition, and this is a number'],
    ["'x'", 1, 'a selector needs a condition, and this is a string'],
    ['a + 1', 1, 'a selector needs a condition, and this is a number'],
    ['a = 12x', 7, "'x' cannot follow the number 12"],
    ['a = 1.2.3', 8, "'.' cannot follow the number 1.2"],
    ['a = 1.5L', 8, "'L' cannot follow the number 1.5"],
    ['a = 1e', 7, 'expected a digit of the exponent'],
    ['a = 1e+', 8, 'expected a digit of the exponent'],
    ['a = 0x', 7, 'expected a hexadecimal digit'],
    ['a = 0xg', 7, 'expected a hexadecimal digit'],
    ['a = 0179', 8, '9 is no octal digit'],
    ['a = 9223372036854775808', 5, 'is beyond the range of a long, 9223372036854775807'],
    ['a = -9223372036854775809', 6, 'is beyond the range of a long'],
    ['a = 1e400', 5, 'is beyond the range of a double'],
    ['a = 1e39F', 5, 'is beyond the range of a float'],
    ['a = .', 5, "'.' has no meaning"],
    ['a IN (-)', 8, "expected a string or a number, found ')'"],
  ])('%s is refused at column %i', (text, position, words) => {
    const parsed = parseSelector(text)
    if (parsed.ok) throw new Error('it was accepted')
    expect(parsed.error.position).toBe(position)
    expect(parsed.error.text).toContain(words)
    expect(parsed.error.text.startsWith(`column ${position}: `)).toBe(true)
  })

  test('long words are cut and control characters hidden in what an error shows', () => {
    const parsed = parseSelector(`a = 1 '\u0007${'x'.repeat(5_000)}'`)
    if (parsed.ok) throw new Error('it was accepted')
    expect(parsed.error.text).toContain("found the string '?xxxxxxxxxxxxxxxxxx…")
    expect(parsed.error.text.length).toBeLessThan(120)
  })
})

describe('limits', () => {
  test('a selector of the greatest length is accepted, one character more is refused', () => {
    const fill = (length: number): string => `a='${'x'.repeat(length - 4)}'`
    expect(parseSelector(fill(SELECTOR_LENGTH_MAX)).ok).toBe(true)
    const parsed = parseSelector(fill(SELECTOR_LENGTH_MAX + 1))
    expect(parsed).toMatchObject({ ok: false, error: { position: SELECTOR_LENGTH_MAX + 1 } })
    expect(!parsed.ok && parsed.error.text).toContain('8193 characters exceeds the 8192')
  })

  test.each([
    ['parentheses', '(', 'a', ')'],
    ['NOTs', 'NOT ', 'a', ''],
    ['signs', '- ', 'a', ''],
    ['signs in parentheses', '-(', 'a', ')'],
  ])('%s may be nested to the greatest depth and no deeper', (_, open, inner, close) => {
    const levels = open === '-(' ? SELECTOR_DEPTH_MAX / 2 : SELECTOR_DEPTH_MAX
    const nest = (depth: number): string => `${open.repeat(depth)}${inner}${close.repeat(depth)} IS NULL`
    const deepest = selectorOf(nest(levels).replace(/^((?:NOT )+)a IS NULL$/, '$1a'))
    expect(deepest.matches(sourceOf({ a: true }))).toBe(open === 'NOT ' || open.startsWith('-'))
    const parsed = parseSelector(nest(levels + 1))
    expect(!parsed.ok && parsed.error.text).toContain(`nested deeper than ${SELECTOR_DEPTH_MAX} levels`)
  })

  test('one level closed is one level free again', () => {
    expect(parseSelector(Array(300).fill('((a))').join(' AND ')).ok).toBe(true)
  })

  test('a list of the greatest length is accepted, one member more is refused', () => {
    const list = (count: number): string => `a IN (${Array.from({ length: count }, (_, index) => index).join(',')})`
    expect(selectorOf(list(SELECTOR_MEMBERS_MAX)).matches(sourceOf({ a: SELECTOR_MEMBERS_MAX - 1 }))).toBe(true)
    const parsed = parseSelector(list(SELECTOR_MEMBERS_MAX + 1))
    expect(!parsed.ok && parsed.error.text).toContain(`an IN list has at most ${SELECTOR_MEMBERS_MAX} members`)
  })

  test('chains that fill a selector are evaluated without deep recursion', () => {
    const count = SELECTOR_LENGTH_MAX / 2 - 8
    expect(selectorOf(`${'a+'.repeat(count)}a=${count + 1}`).matches(sourceOf({ a: 1 }))).toBe(true)
    expect(selectorOf(`${'a OR '.repeat(1_600)}b`).matches(sourceOf({ a: false, b: true }))).toBe(true)
  })
})

test('no text makes the parser throw or the evaluation fail, and an error points into the text or right behind it', () => {
  const word = fc.constantFrom(
    ...'NOT AND OR BETWEEN LIKE IN IS ESCAPE TRUE FALSE NULL = <> < <= > >= + - * / % ( ) , a b c "d e" '.split(' '),
    ...[
      "'x'",
      "''''",
      "'%_'",
      "'!'",
      '1',
      '2.5',
      '0x1',
      '07',
      '1e3',
      '9223372036854775808',
      '--',
      '/*',
      '*/',
      '\n',
      '.',
      "'",
      '"',
    ],
  )
  const text = fc.oneof(
    { weight: 3, arbitrary: fc.array(word, { maxLength: 14 }).map((words) => words.join(' ')) },
    { weight: 1, arbitrary: fc.array(word, { maxLength: 10 }).map((words) => words.join('')) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  )
  const value = fc.constantFrom<SelectorValue | undefined>(
    undefined,
    null,
    true,
    'x',
    '5',
    0,
    7.5,
    Number.NaN,
    2n ** 63n,
  )
  let acceptedCount = 0
  fc.assert(
    fc.property(
      text,
      fc.array(value, { minLength: 3, maxLength: 3 }),
      fc.boolean(),
      (written, values, convertStrings) => {
        const parsed = parseSelector(written, { convertStrings })
        if (parsed.ok) {
          acceptedCount++
          const [a, b, c] = values
          expect(typeof parsed.selector.matches(sourceOf({ a, b, c }))).toBe('boolean')
        } else {
          expect(parsed.error.position).toBeGreaterThanOrEqual(1)
          expect(parsed.error.position).toBeLessThanOrEqual(written.length + 1)
        }
      },
    ),
    { numRuns: 20_000 },
  )
  expect(acceptedCount).toBeGreaterThan(500)
})
