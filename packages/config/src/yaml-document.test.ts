import { expect, test } from 'vitest'
import { asYaml, DOCUMENT_CHARS_MAX, readYaml } from './yaml-document.ts'

test('a document comes back as it was, and JSON is read as well', () => {
  const document = { version: 1, queues: [{ name: 'a: b', settings: { messagesMax: 5 } }] }
  expect(readYaml(asYaml(document))).toEqual(document)
  expect(readYaml(JSON.stringify(document))).toEqual(document)
})

test('what is not seen is written as escapes, and read as it was', () => {
  const texts = ['a\u009B31m', '\u001B]0;x\u0007', '\u202Egnp', 'one\n\u2028two\n', 'a\tb', '\u{E0067}', '👩\u200D🔧']
  const document = { 'key\u009B': texts, long: `${'word '.repeat(40)}\u009B` }
  const text = asYaml(document)
  expect(text).not.toMatch(/(?![\n\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  expect(readYaml(text)).toEqual(document)
})

test.each([
  ['a list', '[1]'],
  ['a text', 'hello'],
  ['nothing', '# empty'],
])('%s is no document', (_, text) => {
  expect(() => readYaml(text)).toThrow('it is no document of definitions; `ternmq definitions export` writes one')
})

test('what is longer than a broker would take is not looked at', () => {
  expect(() => readYaml(`[${' '.repeat(DOCUMENT_CHARS_MAX)}`)).toThrow(/^it has 16777217 characters, 16777216 are/)
})
