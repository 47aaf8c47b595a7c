import { expect, test } from 'vitest'

import { linesOf } from './coverage.ts'

const SOURCE = `import { a } from './a.ts'
/** A comment. */
interface Shape {
  readonly size: number
}

export function f(shape: Shape): number {
  if (shape.size > 3) {
    return a // never
  }
  return 0
}
`
const at = (text: string): number => SOURCE.indexOf(text)

test('lines without code, types included, do not count', () => {
  expect(linesOf(SOURCE, [{ startOffset: 0, endOffset: SOURCE.length, count: 1 }])).toEqual({ lines: 4, missed: [] })
})

test('a line is missed when the innermost range around its code never ran', () => {
  const branch = { startOffset: at('{\n    return a'), endOffset: at('  return 0'), count: 0 }
  const whole = { startOffset: 0, endOffset: SOURCE.length, count: 1 }
  const called = { startOffset: at('export function'), endOffset: SOURCE.length - 1, count: 5 }
  expect(linesOf(SOURCE, [whole, called, branch])).toEqual({ lines: 4, missed: [9] })
  expect(linesOf(SOURCE, [whole, { ...called, startOffset: at('function f'), count: 0 }]).missed).toEqual([8, 9, 11])
})
