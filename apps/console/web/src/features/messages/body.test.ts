import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, hexDump, indentJson, showBody, textOf, viewsOf } from './body.ts'

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

test('bytes are shown 16 a line, with what can be printed', () => {
  expect(hexDump(Uint8Array.from({ length: 18 }, (_, index) => index + 0x38))).toBe(
    '000000  38 39 3a 3b 3c 3d 3e 3f  40 41 42 43 44 45 46 47  89:;<=>?@ABCDEFG\n' +
      '000010  48 49                                             HI',
  )
})

test('a body that is no text is shown as bytes first', () => {
  const body = { encoding: 'base64', value: 'AP8=', bytes: 2, truncated: false } as const
  expect(viewsOf(body)[0]).toBe('hex')
  expect([...bytesOf(body)]).toEqual([0, 255])
  expect(showBody(body, 'hex')).toContain('00 ff')
})

test('text is what was sent', () => {
  expect(textOf({ encoding: 'text', value: '<b>ü</b>', bytes: 9, truncated: false })).toBe('<b>ü</b>')
})
