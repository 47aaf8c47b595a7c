/** Requirements that the adapter names are in the lists, whatever their tests say. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { specifications } from './clauses/index.ts'

const SOURCES = join(import.meta.dirname, '../../src')

test('every requirement that a source names is in a list', () => {
  const known = new Set(specifications.flatMap(({ clauses }) => clauses.map(({ id }) => id)))
  const files = globSync('**/*.ts', { cwd: SOURCES }).filter((path) => !path.endsWith('.test.ts'))
  const named = files.flatMap((path) =>
    [...readFileSync(join(SOURCES, path), 'utf8').matchAll(/AMQP(?:10|WSB|ANON|FILTER|JMS)-[\w.]+-[a-z]\b/g)].map(
      ([id]) => `${path}: ${id}`,
    ),
  )
  expect(named.length).toBeGreaterThan(50)
  expect(named.filter((line) => !known.has(line.split(': ')[1]!))).toEqual([])
})
