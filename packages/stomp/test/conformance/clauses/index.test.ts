import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { PROBLEM_CLAUSES } from '../../../src/codec/problem.ts'
import { specifications } from './index.ts'

const clauses = specifications.flatMap((specification) => specification.clauses)

test('no id is in two lists or twice in one', () => {
  const ids = clauses.map(({ id }) => id)
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
})

test('an id is named after its section', () => {
  for (const { id, section } of clauses) expect(id).toMatch(new RegExp(`^STOMP1[012]-${section}-[a-z]$`))
})

test('every requirement that an error names is in a list', () => {
  const ids = new Set(clauses.map(({ id }) => id))
  expect(PROBLEM_CLAUSES.filter((id) => !ids.has(id))).toEqual([])
})

test('a summary is a short sentence of ours', () => {
  for (const { id, summary } of clauses) expect([id, summary]).toEqual([id, expect.stringMatching(/^.{10,200}\.$/)])
})

test('every deviation has its reasons in ADR 4', () => {
  const adr = readFileSync(join(import.meta.dirname, '../../../../../docs/adr/0004-deviations.md'), 'utf8')
  const explained = [...adr.matchAll(/^## (.+)$/gm)].flatMap(([, title = '']) => title.match(/STOMP\d+-\S+-\w+/g) ?? [])
  const deviations = clauses.filter(({ deviation }) => deviation !== undefined).map(({ id }) => id)
  expect(explained.map((id) => id.replace(/,$/, '')).sort()).toEqual(deviations.sort())
})
