import { expect, test } from 'vitest'

import { suitePage, type Report } from './page.ts'

const report: Report = {
  suite: 'somebody/suite',
  suiteCommit: 'abc123',
  facts: {
    date: '2026-01-02',
    machine: { cpu: 'A CPU', cores: 2, memoryGiB: 4, kernel: 'Linux 6' },
    node: '24.0.0',
    repository: { version: '0.1.0', commit: 'def456', isChanged: false },
  },
  tools: { Python: '3.11.7' },
  results: [
    { script: 'a.py', name: 'test_1', outcome: 'passed', seconds: 1, problem: '' },
    { script: 'a.py', name: 'test_2', outcome: 'failed', seconds: 1, problem: 'AssertionError: 1 | 2' },
  ],
}

const page = suitePage(
  report,
  [
    { script: 'a.py', only: [], skip: [], config: {}, because: '' },
    { script: 'a.py', only: ['test_2'], skip: [], config: { mqtt: { maxQos: 1 } }, because: 'it wants that' },
  ],
  { 'a.py test_2': 'The specification says otherwise.' },
)

test('the page says what was run against what', () => {
  expect(page).toContain('somebody/suite, commit abc123')
  expect(page).toContain('0.1.0, commit def456')
  expect(page).toContain('| Python | 3.11.7 |')
})

test('failures stand beside what they say and the remark about them', () => {
  expect(page).toContain('- a.py: 1 of 2 passed, 1 failed')
  expect(page).toContain('| test_2 | **failed** | `AssertionError: 1 \\| 2` | The specification says otherwise. |')
})

test('settings that a run needs are told with their reason', () => {
  expect(page).toContain('- a.py, test_2: `{"mqtt":{"maxQos":1}}`, because it wants that.')
})
