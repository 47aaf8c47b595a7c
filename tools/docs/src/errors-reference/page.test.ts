import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROBLEMS } from '@ternmq/management'
import { expect, test } from 'vitest'
import { renderErrorsReference } from './page.ts'
import { AUTH_REMEDIES, BROKER_REMEDIES, PROBLEM_REMEDIES, TRANSPORT_REMEDIES } from './remedies.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')
const page = renderErrorsReference()
const rows = page.split('\n').filter((line) => line.startsWith('| `'))
const codes = [PROBLEMS, BROKER_REMEDIES, AUTH_REMEDIES, TRANSPORT_REMEDIES].flatMap((table) => Object.keys(table))

test('docs/reference/errors.md is what the codes say; write it with node tools/docs/src/errors-reference.ts', () => {
  expect(readFileSync(join(root, 'docs', 'reference', 'errors.md'), 'utf8')).toBe(page)
})

test('every code has one row, and every row a code', () => {
  expect(rows.map((row) => /^\| `([A-Z_]+)` \|/.exec(row)?.[1])).toEqual(codes)
  expect(Object.keys(PROBLEM_REMEDIES)).toEqual(Object.keys(PROBLEMS))
})

test('no cell is empty', () => {
  for (const row of rows) expect(row).not.toMatch(/\|\s*\||undefined/)
})

test('every code is still used where errors are made, beside the list of codes', () => {
  const files = globSync('{packages/{auth,transport,management}/src,apps/{broker/src,console/server}}/**/*.ts', {
    cwd: root,
  })
  const sources = files.filter((file) => !/\.test\.ts$|\/test\//.test(file))
  const text = sources
    .filter((file) => !/(?:^|\/)errors\.ts$/.test(file) || file.includes('transport'))
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  expect(codes.filter((code) => !text.includes(`'${code}'`))).toEqual([])
})
