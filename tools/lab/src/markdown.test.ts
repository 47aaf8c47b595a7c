import { expect, test } from 'vitest'

import { factsTable, table } from './markdown.ts'

test('what would break a row is escaped', () => {
  expect(table(['a', 'b'], [['1|2', 'x\ny']])).toBe('| a | b |\n| --- | --- |\n| 1\\|2 | x y |\n')
})

test('a result from changed sources says so', () => {
  const facts = {
    date: '2026-01-02',
    machine: { cpu: 'A CPU', cores: 2, memoryGiB: 4, kernel: 'Linux 6' },
    node: '24.0.0',
    repository: { version: '0.1.0', commit: 'def456', isChanged: true },
  }
  expect(factsTable(facts, { peer: '1.2' })).toContain('| TernMQ | 0.1.0, commit def456, with uncommitted changes |')
  expect(factsTable(facts, { peer: '1.2' })).toContain('| peer | 1.2 |')
})
