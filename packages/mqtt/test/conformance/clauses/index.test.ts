import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Clause, isNumbered, specifications } from './index.ts'

function clausesOf(name: string): readonly Clause[] {
  return specifications.find((specification) => specification.name === name)!.clauses
}

test.each([
  ['mqtt5', 251],
  ['mqtt311', 141],
  ['mqtt31', 0],
])('%s has the %i requirements that its specification numbers', (name, count) => {
  expect(clausesOf(name).filter(isNumbered)).toHaveLength(count)
})

test('no id is in two lists or twice in one', () => {
  const ids = specifications.flatMap(({ clauses }) => clauses.map(({ id }) => id))
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
})

describe.each(['mqtt5', 'mqtt311'])('the numbers of %s', (name) => {
  /** Numbers given under each section of the ids, as the specification counts them: from 1 without a gap. */
  const numbers = new Map<string, number[]>()
  for (const { id } of clausesOf(name).filter(isNumbered)) {
    const [, section = '', number = ''] = /^\w+-([\d.]+)-(\d+)$/.exec(id) ?? []
    numbers.set(section, [...(numbers.get(section) ?? []), Number(number)])
  }

  test('have no gap but the one MQTT 5 has, and stand in order', () => {
    for (const [section, given] of numbers) {
      const first = name === 'mqtt5' && section === '2.2.1' ? 2 : 1
      expect([section, given]).toEqual([section, given.map((_, index) => first + index)])
    }
  })
})

test('a requirement on clients alone says why a server has nothing to do', () => {
  const clients = specifications.flatMap(({ clauses }) => clauses.filter(({ actor }) => actor === 'client'))
  expect(clients.map(({ id }) => id)).toEqual([
    'MQTT5-3.1.2-20',
    'MQTT5-3.2.2-4',
    'MQTT5-3.2.2-5',
    'MQTT5-3.3.2-10',
    'MQTT5-3.3.4-8',
    'MQTT5-4.5.0-2',
    'MQTT311-2.3.1-2',
    'MQTT311-2.3.1-3',
    'MQTT311-3.1.2-23',
    'MQTT311-4.5.0-2',
    'MQTT311-7.0.0-1',
    'MQTT311-7.1.2-1',
  ])
  expect(clients.every(({ why }) => why !== undefined && why.length > 20)).toBe(true)
})

test('every deviation has its reasons in ADR 4, and nothing else is there', () => {
  const deviations = specifications.flatMap(({ clauses }) => clauses.filter(({ deviation }) => deviation !== undefined))
  const adr = readFileSync(join(import.meta.dirname, '../../../../../docs/adr/0004-deviations.md'), 'utf8')
  const explained = [...adr.matchAll(/^## (.+)$/gm)].flatMap(
    ([, title = '']) => title.match(/MQTT\d+-[\d.A-Z]+-\w+/g) ?? [],
  )
  expect(explained.sort()).toEqual(deviations.map(({ id }) => id).sort())
})

test('a summary is a short sentence of ours', () => {
  for (const { id, summary } of specifications.flatMap(({ clauses }) => clauses)) {
    expect([id, summary]).toEqual([id, expect.stringMatching(/^.{10,200}\.$/)])
  }
})
