import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { specifications } from './index.ts'

const clauses = specifications.flatMap((specification) => specification.clauses)

test('no id is in two lists or twice in one', () => {
  const ids = clauses.map(({ id }) => id)
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
})

test('an id is named after its section', () => {
  for (const { id, section } of clauses)
    expect([id, id.replace(/^\w+?-/, '').replace(/-[a-z]$/, '')]).toEqual([id, section])
})

test('a summary is a short sentence of ours', () => {
  for (const { id, summary } of clauses) expect([id, summary]).toEqual([id, expect.stringMatching(/^.{10,200}\.$/)])
})

test('a requirement on clients alone says why a server has nothing to do', () => {
  const clients = clauses.filter(({ actor }) => actor === 'client')
  expect(clients.map(({ id }) => id)).toEqual(['AMQP10-2.2-i', 'AMQP10-2.7.3-j', 'AMQP10-2.8.18-a', 'AMQP10-5.3.3.2-b'])
  expect(clients.every(({ why }) => why !== undefined && why.length > 20)).toBe(true)
})

test('every deviation has its reasons in ADR 4', () => {
  const adr = readFileSync(join(import.meta.dirname, '../../../../../docs/adr/0004-deviations.md'), 'utf8')
  const explained = [...adr.matchAll(/^## (.+)$/gm)].flatMap(
    ([, title = '']) => title.match(/AMQP\w*-\S+-[a-z]\b/g) ?? [],
  )
  expect(explained.sort()).toEqual(
    clauses
      .filter(({ deviation }) => deviation !== undefined)
      .map(({ id }) => id)
      .sort(),
  )
})
