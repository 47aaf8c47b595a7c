import { describe, expect, test } from 'vitest'

import { type Backlog, type Churn, diskPlot, limitBytes, pageOf, type Restart } from './page.ts'

const MIB = 1_048_576
const facts = {
  date: '2026-01-02',
  machine: { cpu: 'A CPU', cores: 2, memoryGiB: 4, kernel: 'Linux 6' },
  node: '24.0.0',
  repository: { version: '0.1.0', commit: 'def456', isChanged: false },
}
const backlog: Backlog = {
  messages: 5_000_000,
  payloadBytes: 200,
  publishRates: [300_000, 260_000],
  publishRate: 280_000,
  rssBytes: 400 * MIB,
  peakBytes: 450 * MIB,
  diskBytes: 1_300 * MIB,
  drainRates: [100_000, 120_000],
  drainRate: 110_000,
  rssAfterDrainBytes: 400 * MIB,
}
const restart: Restart = {
  messages: 1_000_000,
  payloadBytes: 1_024,
  killedMs: 900,
  stoppedMs: 3_500,
  rssBytes: 300 * MIB,
  purgeMs: 200,
  diskBytes: 1_100 * MIB,
  diskAfterPurgeBytes: 1_100 * MIB,
  spaceBackMs: undefined,
}
const churn: Churn = {
  seconds: 10,
  payloadBytes: 1_024,
  messages: 200_000,
  segmentBytes: MIB,
  samples: [
    { second: 0, diskBytes: MIB, liveBytes: 0 },
    { second: 5, diskBytes: 4 * MIB, liveBytes: MIB },
  ],
}

function standings(results: Parameters<typeof pageOf>[0]): string[] {
  const rows = pageOf(results)
    .split('\n')
    .filter((line) => /(?:met|missed) \|$/.test(line))
  return rows.map((row) => row.split(' | ').at(-1)!.replace(' |', ''))
}

describe('the page', () => {
  test('holds every number against its goals', () => {
    expect(standings({ backlog: { facts, ...backlog } })).toEqual(['goal met', 'goal met', 'missed'])
    expect(standings({ restart: { facts, ...restart } })).toEqual(['aim met', 'missed', 'missed'])
    expect(standings({ restart: { facts, ...restart, stoppedMs: 2_000, spaceBackMs: 100 } })).toEqual([
      'aim met',
      'goal met',
      'goal met',
    ])
  })

  test('tells where each was measured, and leaves out what was not', () => {
    const page = pageOf({ churn: { facts, ...churn } })
    expect(page).toContain('### `bench churn`')
    expect(page).toContain('commit def456')
    expect(page).not.toContain('`bench backlog`\n')
    expect(page).toContain('at most 4 MiB, 67 % of what is allowed')
  })
})

test('disk use may be three times what is live, and three segments', () => {
  expect(limitBytes(churn, 10 * MIB)).toBe(33 * MIB)
  expect(
    standings({ churn: { facts, ...churn, samples: [{ second: 0, diskBytes: 34 * MIB, liveBytes: 10 * MIB }] } }),
  ).toEqual(['missed'])
})

test('the plot has a point for every sample', () => {
  const lines = [...diskPlot(churn).matchAll(/points="([^"]+)"/g)].map(([, points = '']) => points.split(' ').length)
  expect(lines).toEqual([2, 2])
})
