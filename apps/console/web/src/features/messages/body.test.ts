import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, indentJson, showBody, textOf, viewsOf } from './body.ts'

test('JSON is indented, and means the same', () => {
  expect(indentJson('{"a":[1,{"b":"x, {y}: \\"z\\""}],"c":{},"d":[]}')).toBe(
    '{\n  "a": [\n    1,\n    {\n      "b": "x, {y}: \\"z\\""\n    }\n  ],\n  "c": {},\n  "d": []\n}',
  )
})

test('any JSON comes out as JSON.stringify indents it', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      // Numbers are written anew by JSON.stringify, and not by us: given as it writes them, they are the same.
      const given = JSON.stringify(JSON.parse(text))
      expect(indentJson(given)).toBe(JSON.stringify(JSON.parse(given), null, 2))
    }),
    { examples: [['{"a":[]}'], ['""']], numRuns: 200 },
  )
})

test('numbers that JavaScript cannot hold stay as they are', () => {
  expect(indentJson('{"id":12345678901234567890,"x":1.10}')).toBe('{\n  "id": 12345678901234567890,\n  "x": 1.10\n}')
})

test('a body that is no text is shown as bytes first', () => {
  const body = { encoding: 'base64', value: 'AP8=', bytes: 2, truncated: false } as const
  expect(viewsOf(body)[0]).toBe('hex')
  expect([...bytesOf(body)]).toEqual([0, 255])
  expect(showBody(body, 'hex')).toContain('00 ff')
})

test('a text of control characters is shown as bytes first, and any other as text', () => {
  const body = { encoding: 'text', value: '\u0007\u0007', bytes: 2, truncated: false } as const
  expect([viewsOf(body), showBody(body, 'hex')]).toEqual([['hex', 'text'], expect.stringMatching(/^000000 {2}07 07 /)])
  expect(viewsOf({ ...body, value: 'a\n\tb' })).toEqual(['text', 'hex'])
})

test('text is what was sent', () => {
  expect(textOf({ encoding: 'text', value: '<b>ü</b>', bytes: 9, truncated: false })).toBe('<b>ü</b>')
})
