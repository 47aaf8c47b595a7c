import { describe, expect, test } from 'vitest'
import { type Coverage, type Specification, judge, unclaimed } from './coverage.ts'
import type { Outcome, TestResult } from './results.ts'

function requirement(id: string, chapter: string, actor = 'server'): Specification['clauses'][number] {
  return { id, chapter, section: '1.1', summary: `does ${id}`, actor, level: 'must' }
}

const spec: Specification = {
  name: 'demo',
  title: 'Demo',
  source: 'made up',
  clauses: [
    requirement('DEMO5-1.1-1', '1 Greetings'),
    requirement('DEMO5-1.1-2', '1 Greetings'),
    requirement('DEMO5-1.1-3', '1 Greetings', 'client'),
    requirement('DEMO5-2.1-a', '2 Farewells'),
  ],
}

function ran(title: string, outcome: Outcome = 'passed', file = 'packages/demo/a.test.ts'): TestResult {
  return { file, title, outcome }
}

function cover(...results: TestResult[]): Coverage {
  return judge([spec], results)[0]!
}

function statusOf(coverage: Coverage, id: string): string | undefined {
  return coverage.requirements.find((judged) => judged.requirement.id === id)?.status
}

describe('a requirement', () => {
  test('is untested without a test that claims it, and not applicable if it is for clients', () => {
    expect(cover().requirements.map(({ status }) => status)).toEqual([
      'untested',
      'untested',
      'not applicable',
      'untested',
    ])
  })

  test('has passed when a test with its id in the title passed', () => {
    const coverage = cover(ran('[DEMO5-1.1-1] greets'), ran('waving [DEMO5-2.1-a] parts'))
    expect(statusOf(coverage, 'DEMO5-1.1-1')).toBe('passed')
    expect(statusOf(coverage, 'DEMO5-2.1-a')).toBe('passed')
    expect(statusOf(coverage, 'DEMO5-1.1-2')).toBe('untested')
  })

  test('deviates when the list says so and a test shows what is done instead', () => {
    const clauses = spec.clauses.map((clause) => ({ ...clause, deviation: 'something else' }))
    const statuses = (outcome: Outcome): string | undefined =>
      judge([{ ...spec, clauses }], [ran('[DEMO5-1.1-1] greets', outcome)])[0]!.requirements[0]?.status
    expect(statuses('passed')).toBe('deviates')
    expect(statuses('failed')).toBe('failed')
    expect(statuses('skipped')).toBe('untested')
  })

  test('has failed when one of its tests failed', () => {
    const coverage = cover(ran('[DEMO5-1.1-1] greets'), ran('[DEMO5-1.1-1] greets twice', 'failed'))
    expect(statusOf(coverage, 'DEMO5-1.1-1')).toBe('failed')
  })

  test('is untested when its tests did not run', () => {
    const coverage = cover(ran('[DEMO5-1.1-1] greets', 'skipped'))
    expect(coverage.requirements[0]).toMatchObject({ status: 'untested', files: [] })
  })

  test('for clients counts as passed once a test claims it', () => {
    expect(statusOf(cover(ran('[DEMO5-1.1-3] waits')), 'DEMO5-1.1-3')).toBe('passed')
  })

  test('names the files of its tests once each, in order', () => {
    const coverage = cover(
      ran('[DEMO5-1.1-1] one', 'passed', 'b.test.ts'),
      ran('[DEMO5-1.1-1] two', 'passed', 'a.test.ts'),
      ran('[DEMO5-1.1-1] three', 'passed', 'b.test.ts'),
    )
    expect(coverage.requirements[0]!.files).toEqual(['a.test.ts', 'b.test.ts'])
  })
})

describe('a title', () => {
  test('may claim several requirements, in one bracket or in several', () => {
    const coverage = cover(ran('[DEMO5-1.1-1, DEMO5-1.1-2] [DEMO5-2.1-a] all of it'))
    expect(unclaimed(coverage).size).toBe(0)
  })

  test('claims nothing by a reference to a section, by other brackets or by an id without brackets', () => {
    const coverage = cover(ran('[DEMO5 §1.1] [SCRAM-SHA-256] takes DEMO5-1.1-1 [as is]'))
    expect(statusOf(coverage, 'DEMO5-1.1-1')).toBe('untested')
  })

  test.each(['DEMO5-1.1-9', 'DEMO4-1.1-1', 'DEMO-1.1-1'])('that claims %s, which no list has, is an error', (id) => {
    expect(() => cover(ran(`[${id}] greets`))).toThrow(`packages/demo/a.test.ts: "[${id}] greets" claims ${id}`)
  })

  test('with an unknown id does not hide another one', () => {
    expect(() => cover(ran('[DEMO5-9-9] b'), ran('[DEMO5-8-8] a'))).toThrow(/claims DEMO5-8-8[^]*claims DEMO5-9-9/)
  })
})

test('work left is listed by chapter, in the order of the list', () => {
  const left = unclaimed(cover(ran('[DEMO5-1.1-1] greets')))
  expect([...left].map(([chapter, clauses]) => [chapter, clauses.map(({ id }) => id)])).toEqual([
    ['1 Greetings', ['DEMO5-1.1-2']],
    ['2 Farewells', ['DEMO5-2.1-a']],
  ])
})
