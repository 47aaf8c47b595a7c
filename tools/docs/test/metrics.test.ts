import { METRICS } from '@ternmq/metrics'
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { renderMetricsReference } from '../src/metrics/page.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const scratch = mkdtempSync(join(tmpdir(), 'ternmq-metrics-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function metrics(...args: string[]): { readonly status: number | null; readonly stderr: string } {
  return spawnSync(process.execPath, [join(root, 'tools', 'docs', 'src', 'metrics.ts'), ...args], { encoding: 'utf8' })
}

/** Every expression of the dashboard, its variables' included. */
function expressions(): string[] {
  const dashboard = readFileSync(join(root, 'docs', 'grafana', 'ternmq-dashboard.json'), 'utf8')
  const found: string[] = []
  JSON.parse(dashboard, (key, value: unknown) => {
    if ((key === 'expr' || key === 'definition') && typeof value === 'string') found.push(value)
    return value
  })
  return found
}

/** Names as a scrape has them, with their labels. */
const labelsByName = new Map(
  METRICS.flatMap(({ name, type, labels }): [string, readonly string[]][] => {
    if (type !== 'histogram') return [[name, labels]]
    return [
      [`${name}_bucket`, ['le']],
      [`${name}_sum`, []],
      [`${name}_count`, []],
    ]
  }),
)

test('--check accepts the page as written, and nothing else', () => {
  const page = join(scratch, 'metrics.md')
  expect(metrics('--page', page)).toMatchObject({ status: 0, stderr: '' })
  expect(metrics('--check', '--page', page)).toMatchObject({ status: 0 })
  appendFileSync(page, 'by hand')
  const { status, stderr } = metrics('--check', '--page', page)
  expect(status).toBe(1)
  expect(stderr).toMatch(/^metrics: .*metrics\.md is out of date; run it without --check\n$/)
})

test('the page names every metric once, in the table of its subject', () => {
  const rows = renderMetricsReference().match(/^\| `ternmq_[a-z_]+`/gm)
  expect(rows?.map((row) => row.slice(3, -1)).toSorted()).toEqual(METRICS.map(({ name }) => name).toSorted())
})

test('the page in the documentation is what the table says', () => {
  expect(readFileSync(join(root, 'docs', 'reference', 'metrics.md'), 'utf8')).toBe(renderMetricsReference())
})

test('the dashboard shows only metrics that there are, by labels that they have', () => {
  const used = expressions()
  expect(used.length).toBeGreaterThan(30)
  for (const expression of used) {
    const names = expression.match(/ternmq_[a-z_]+/g) ?? []
    expect([expression, names.filter((name) => !labelsByName.has(name))]).toEqual([expression, []])
    const labels = new Set(['instance', ...names.flatMap((name) => labelsByName.get(name) ?? [])])
    const asked = [...expression.matchAll(/by \(([a-z_, ]+)\)/g)].flatMap(([, list = '']) => list.split(', '))
    expect([expression, asked.filter((label) => !labels.has(label))]).toEqual([expression, []])
  }
})

test('the dashboard takes rates of what only grows, and of nothing else', () => {
  for (const expression of expressions()) {
    for (const [, name = ''] of expression.matchAll(/rate\((ternmq_[a-z_]+)/g))
      expect(name).toMatch(/_(total|bucket|sum|count)$/)
  }
})
