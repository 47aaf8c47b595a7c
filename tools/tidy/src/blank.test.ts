import { expect, test } from 'vitest'
import { blankComments, blankCommentsAndStrings } from './blank.ts'

test('comments become spaces and lines stay where they are', () => {
  expect(blankComments('a // b\nc /* d\ne */ f')).toBe('a     \nc     \n     f')
})

test('a comment mark inside a string is no comment', () => {
  const code = `const url = 'mqtt://host' // the broker`
  expect(blankComments(code)).toBe(`const url = 'mqtt://host'              `)
})

test('strings are emptied, their quotes stay', () => {
  expect(blankCommentsAndStrings(`f('a\\'b', "c")`)).toBe(`f('    ', " ")`)
})

test('code inside a template stays, the text around it goes', () => {
  expect(blankCommentsAndStrings('`a ${f({ b: `c` })} d`')).toBe('`  ${f({ b: ` ` })}  `')
})

test('a regular expression with quotes does not open a string', () => {
  expect(blankCommentsAndStrings(`s.replace(/['"]/g, x) // y`)).toBe(`s.replace(/    /g, x)     `)
  expect(blankCommentsAndStrings(`return /[/']/.test(s)`)).toBe(`return /    /.test(s)`)
})

test('a division is not a regular expression', () => {
  expect(blankCommentsAndStrings(`a / b; f(c) / 'd'`)).toBe(`a / b; f(c) / ' '`)
})

test('an unfinished comment, string or template ends with the text', () => {
  for (const text of ['/* a', `'a`, '`a', '`a${b', '/a']) {
    expect(blankCommentsAndStrings(text)).toHaveLength(text.length)
  }
})
