import { expect, test } from 'vitest'
import { Problems, PROBLEMS_MAX } from './problems.ts'
import { shownValue } from './shown.ts'

test('beyond the limit problems are counted, and their sentences not even made', () => {
  const problems = new Problems()
  let made = 0
  for (let index = 0; index < PROBLEMS_MAX + 5; index++) problems.add(() => `sentence ${++made}`)
  expect(made).toBe(PROBLEMS_MAX)
  expect(problems.count).toBe(PROBLEMS_MAX + 5)
  expect(problems.errors).toHaveLength(PROBLEMS_MAX + 1)
  expect(problems.errors.at(-1)).toBe('5 more problems are not shown')
})

test('the same warning twice is one, and warnings are no errors', () => {
  const problems = new Problems()
  problems.warn('careful')
  problems.warn('careful')
  expect(problems.warnings).toEqual(['careful'])
  expect(problems.count).toBe(0)
})

test('warnings beyond the limit are left out', () => {
  const problems = new Problems()
  for (let index = 0; index < PROBLEMS_MAX + 5; index++) problems.warn(`careful ${index}`)
  expect(problems.warnings).toHaveLength(PROBLEMS_MAX)
})

test('a secret value does not get into a sentence', () => {
  expect(shownValue('hunter2', true)).toBe('(hidden)')
  expect(shownValue('plain', false)).toBe('"plain"')
})
