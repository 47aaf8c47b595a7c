import { expect, test } from 'vitest'

import { FrameProblem, quote, quoteBytes } from './problem.ts'

test('a problem names its requirement by the version that was spoken', () => {
  const fields = { rule: 'undefined-escape', text: 'header a: \\t', header: 'a' } as const
  expect(new FrameProblem({ ...fields, version: 11 }).clause).toBe('STOMP11-Value_Encoding-d')
  const problem = new FrameProblem({ ...fields, version: 12 })
  expect(problem.message).toBe('header a: \\t [STOMP12-Value_Encoding-d]')
  expect(problem).toMatchObject({ command: '', receipt: undefined })
})

test.each([
  ['short', '"short"'],
  ['', '""'],
  ['a\r\nb\0', String.raw`"a\r\nb\u0000"`],
  ['\u001b[31m\u007f\u009b', String.raw`"\u001b[31m\u007f\u009b"`],
  ['half \ud800', '"half \ufffd"'],
  ['x'.repeat(49), `"${'x'.repeat(48)}"… (49 characters)`],
  [`${'x'.repeat(47)}😀`, `"${'x'.repeat(47)}\ufffd"… (49 characters)`],
])('%j is shown printable and short', (value, shown) => {
  expect(quote(value)).toBe(shown)
})

test('bytes are shown likewise, whatever they are', () => {
  const show = (bytes: readonly number[]): string => quoteBytes(Uint8Array.from(bytes), 0, bytes.length)
  expect(show([0x61, 0xff, 0x0a])).toBe('"a\ufffd\\n"')
  expect(show(Array.from({ length: 60 }, () => 0x61))).toBe(`"${'a'.repeat(48)}"… (60 bytes)`)
  expect(show(Array.from({ length: 1_000_000 }, () => 0xc3))).toMatch(/^"\ufffd{48}"… \(1000000 bytes\)$/)
})
