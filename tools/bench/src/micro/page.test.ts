import { expect, test } from 'vitest'

import { duration, microPage } from './page.ts'

test.each([
  [3.456, '3.46 ns'],
  [345.6, '345.6 ns'],
  [3_456, '3.46 µs'],
  [3_456_000, '3.46 ms'],
])('%f ns is %s', (ns, text) => {
  expect(duration(ns)).toBe(text)
})

test('each file has a table of its benchmarks', () => {
  const page = microPage({
    facts: {
      date: '2026-01-02',
      machine: { cpu: 'A CPU', cores: 2, memoryGiB: 4, kernel: 'Linux 6' },
      node: '24.0.0',
      repository: { version: '0.1.0', commit: 'def456', isChanged: false },
    },
    files: [{ file: 'a.bench.ts', results: [{ name: 'one', medianNs: 1, meanNs: 2, minNs: 0.5, p99Ns: 3, maxNs: 4 }] }],
  })
  expect(page).toContain('## a.bench.ts')
  expect(page).toContain('| one | 1.00 ns | 2.00 ns | 0.50 ns | 3.00 ns |')
})
