import { expect, test } from 'vitest'
import { TextFault } from './document-text.ts'
import { YamlText } from './yaml-text.ts'

const CHARS_MAX = 2_000

function read(text: string): unknown {
  const yaml = new YamlText(text, CHARS_MAX)
  return yaml.plain(yaml.root)
}

function faultOf(text: string): string {
  try {
    read(text)
  } catch (error) {
    if (error instanceof TextFault) return error.message
    throw error
  }
  return 'nothing'
}

test.each([
  ['an alias for what stands before it', 'a: &x {b: 1}\nc: *x', { a: { b: 1 }, c: { b: 1 } }],
  ['the same alias twice', 'a: &x 1\nb: [*x, *x]', { a: 1, b: [1, 1] }],
  ['an alias in place of a name', 'a: &x b\n*x : 1', { a: 'b', b: 1 }],
  ['tags of the core schema', 'a: !!str 12\nb: !!int 3\nc: !!seq [!!null ""]', { a: '12', b: 3, c: [null] }],
  ['its own version', '%YAML 1.2\n---\na: yes', { a: 'yes' }],
  [
    'dates and numbers of older versions as text',
    'a: 2026-11-27\nb: 1_000\nc: 1:30',
    { a: '2026-11-27', b: '1_000', c: '1:30' },
  ],
  ['a merge key as a name like any other', 'a: &x {b: 1}\nc: {<<: *x}', { a: { b: 1 }, c: { '<<': { b: 1 } } }],
  ['names as they are written', '010: 1\n1.0: 2\ntrue: 3', { '010': 1, '1.0': 2, true: 3 }],
])('%s: read as it stands', (_, text, value) => {
  expect(read(text)).toEqual(value)
})

test('__proto__ is a name like any other', () => {
  expect(JSON.stringify(read('{"__proto__": {"a": 1}}'))).toBe('{"__proto__":{"a":1}}')
})

const NO_END = 'which would have no end'
const TAG = "is none of YAML's core schema that fits here; leave it out"

test.each([
  ['an alias within its own list', 'a: &x [*x]', `line 1, column 8: the alias *x stands within &x, ${NO_END}`],
  [
    'an alias within its own section',
    'a: 1\ns: &s {b: *s}',
    `line 2, column 11: the alias *s stands within &s, ${NO_END}`,
  ],
  ['an alias for the whole', '&all\na:\n  - [*all]', `line 3, column 6: the alias *all stands within &all, ${NO_END}`],
  [
    'an alias as a name within itself',
    'a: &x {? *x : 1}',
    `line 1, column 10: the alias *x stands within &x, ${NO_END}`,
  ],
  ['an alias of nothing', 'a: *x\nb: &x 1', 'line 1, column 4: no anchor &x stands before the alias *x'],
  ['a tag of its own', 'a: !foo {b: 1}', `line 1, column 4: the tag !foo ${TAG}`],
  ['a tag of a language', "a: !!js/function 'f'", `line 1, column 4: the tag !!js/function ${TAG}`],
  ['a tag of another schema', 'a:\n  - !!timestamp 2026-11-27', `line 2, column 5: the tag !!timestamp ${TAG}`],
  ['binary data', 'a: !!binary YWJj', `line 1, column 4: the tag !!binary ${TAG}`],
  ['a tag for another kind of value', 'a: !!int abc', `line 1, column 4: the tag !!int ${TAG}`],
  [
    'an older version',
    '# definitions\n%YAML 1.1\n---\na: yes',
    'line 2, column 1: this is YAML 1.1, which reads some texts as others; leave the line out',
  ],
  ['a second document', 'a: 1\n---\nb: 2', 'line 2, column 1: a second document begins; write one only'],
  ['a section as a name', 'a: 1\n? {b: 1}\n: 2', 'line 2, column 3: a key is not a name'],
  ['an empty name', 'a: 1\n? \n: 2', 'line 2, column 3: a key is not a name'],
  ['a name twice', 'a: 1\nb: {c: 1, c: 2}', 'line 2, column 11: c is given twice, the first time in line 2; keep one'],
  [
    'a name once more, in quotes',
    'a: 1\n"a": 2',
    'line 2, column 1: a is given twice, the first time in line 1; keep one',
  ],
  ['a deep value', `a: ${'['.repeat(30)}${']'.repeat(30)}`, 'line 1, column 24: values are nested more than 20 deep'],
  [
    'deep values by aliases',
    `a: &a ${'['.repeat(12)}${']'.repeat(12)}\nb: ${'['.repeat(9)}*a${']'.repeat(9)}`,
    'line 2, column 13: values are nested more than 20 deep',
  ],
])('%s: refused with its place', (_, text, sentence) => {
  expect(faultOf(text)).toBe(sentence)
})

test.each([
  ['a text without its end', 'a: [1', /^line 1, column 6: this is not valid YAML: /],
  ['a version that is not there yet', '%YAML 1.3\n---\na: 1', /^line 1, column 7: this is not valid YAML: /],
  ['a very deep value', `a: ${'['.repeat(20_000)}`, /^line 1, column \d+: values are nested more than 20 deep$/],
])('%s: refused as the parser says it, with its place', (_, text, sentence) => {
  expect(faultOf(text)).toMatch(sentence)
})

test('aliases may stand for as much as the text may be long, and not for more', () => {
  const word = 'x'.repeat(399)
  const text = (count: number): string => `a: &x ${word}\nb: [${Array.from({ length: count }, () => '*x').join(', ')}]`
  expect(read(text(3))).toEqual({ a: word, b: [word, word, word] })
  expect(faultOf(text(4))).toBe(
    `line 2, column 17: with all that its aliases stand for, the text has more than ${CHARS_MAX} characters`,
  )
})

test('aliases of aliases are counted with all that they stand for', () => {
  const nines = (one: string): string => `[${Array.from({ length: 9 }, () => one).join(', ')}]`
  const lines = Array.from(
    { length: 9 },
    (_, depth) => `a${depth}: &a${depth} ${nines(depth === 0 ? 'x' : `*a${depth - 1}`)}`,
  )
  expect(faultOf(lines.join('\n'))).toMatch(
    /^line 3, column 45: with all that its aliases stand for, the text has more/,
  )
})
