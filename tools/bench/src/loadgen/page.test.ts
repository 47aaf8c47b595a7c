import { expect, test } from 'vitest'

import { loadgenPage } from './page.ts'
import { summarize } from './results.ts'

const summary = (target: string, receive_rate: number, other_cores = 0): ReturnType<typeof summarize> =>
  summarize(target, [
    { case: '', target, round: 0, result: { ok: true, expected: 1, received: 1, receive_rate, other_cores } },
  ])

const page = loadgenPage({
  facts: {
    date: '2026-01-02',
    machine: { cpu: 'A CPU', cores: 2, memoryGiB: 4, kernel: 'Linux 6' },
    node: '24.0.0',
    repository: { version: '0.1.0', commit: 'def456', isChanged: false },
  },
  protocol: 'mqtt',
  peers: [{ name: 'nats', version: '2.9' }],
  loadgen: 'sha256 abc',
  cases: [
    { id: 'a1w', title: 'QoS 0', results: [summary('ternmq', 2_000_000), summary('nats', 1_000_000)] },
    { id: 'bw', title: 'fan-out', results: [summary('ternmq', 500_000, 0.5), summary('nats', 1_000_000)] },
    { id: 'c', title: 'flood', results: [summary('ternmq', 20_000), summary('nats', 30_000)] },
  ],
})

test('every case stands beside the best peer, with ratio, goals and standing', () => {
  expect(page).toContain(
    '| a1w: QoS 0 1→1, 16 B | nats 1.00M/s | 2.00M/s | 2.00 × nats | 1 × the best | 1.5 × the best | aim met |',
  )
})

test('where we miss a goal or are beaten is told in words', () => {
  expect(page).toContain('- bw, QoS 0 1→50, 16 B: 0.50 × nats; the goal is at least 1 ×.')
  expect(page).toContain('- c, QoS 0 50→1, 16 B, flood: 0.67 × nats, which is within the goal.')
  expect(page).not.toContain('- a1w')
})

test('a run that others disturbed says so', () => {
  expect(page).toContain('500k/s (noisy)')
})

test('versions and commit are there', () => {
  expect(page).toContain('| nats | 2.9 |')
  expect(page).toContain('commit def456')
})
