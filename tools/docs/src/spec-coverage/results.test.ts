import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readResults } from './results.ts'

const root = join('/', 'checkout')

function report(file: string, assertionResults: object[], status = 'passed'): object {
  return { testResults: [{ name: file, status, assertionResults }] }
}

test('a test is known by its file in the repository and its full title', () => {
  const tests = [
    { fullName: 'SUBSCRIBE answers', title: 'answers', status: 'passed' },
    { fullName: 'SUBSCRIBE refuses', title: 'refuses', status: 'failed' },
  ]
  expect(readResults(report(join(root, 'packages', 'mqtt', 'a.test.ts'), tests), root)).toEqual([
    { file: 'packages/mqtt/a.test.ts', title: 'SUBSCRIBE answers', outcome: 'passed' },
    { file: 'packages/mqtt/a.test.ts', title: 'SUBSCRIBE refuses', outcome: 'failed' },
  ])
})

test('a test that did not run counts as skipped, whatever vitest calls it', () => {
  const tests = ['skipped', 'pending', 'todo', 'disabled'].map((status) => ({ fullName: status, status }))
  const outcomes = readResults(report(join(root, 'a.test.ts'), tests), root).map(({ outcome }) => outcome)
  expect(outcomes).toEqual(['skipped', 'skipped', 'skipped', 'skipped'])
})

test('a file that could not be loaded is refused, a file without tests is not', () => {
  expect(() => readResults(report(join(root, 'a.test.ts'), [], 'failed'), root)).toThrow(
    'a.test.ts could not be loaded',
  )
  expect(readResults(report(join(root, 'a.test.ts'), []), root)).toEqual([])
})

test('a report of another checkout is refused', () => {
  expect(() => readResults(report(join('/', 'elsewhere', 'a.test.ts'), []), root)).toThrow('made in another checkout')
})

test('what is no report of vitest is refused', () => {
  expect(() => readResults({}, root)).toThrow('no "testResults"')
  expect(() => readResults(report(join(root, 'a.test.ts'), [{ status: 'passed' }]), root)).toThrow('has no name')
})
