import type { Overview, QueueItem } from '@ternmq/api'
import { expect, test } from 'vitest'
import { widthOf } from '../cli/text.ts'
import { screenLines } from './top.ts'

const overview = {
  node: { version: '1.0.0', hostName: 'host' },
  counts: { connections: 12_000 },
  rates: {
    inPerSecond: 1_234.5,
    outPerSecond: 0,
    settledPerSecond: 0.5,
    bytesInPerSecond: 2_048,
    bytesOutPerSecond: 0,
  },
  readyCount: 5,
  inflightCount: 1,
  memory: { rssBytes: 1_048_576 },
  disk: { usedBytes: 0 },
  eventLoop: { utilization: 0.25 },
  alarms: [{ id: 'x', severity: 'warning', text: 'the disk is nearly full', link: '/' }],
} as unknown as Overview

const queues = Array.from({ length: 50 }, (_, index) => ({
  name: `queue-${index}-with-a-long-name`,
  inPerSecond: 50 - index,
  outPerSecond: 1,
  readyCount: index,
  inflightCount: 0,
  consumerCount: 1,
  paused: index === 0,
})) as unknown as QueueItem[]

const asIs = (text: string): string => text

test('the screen has rates, connections with problems, alarms and queues', () => {
  const view = { width: Infinity, height: 24, limit: undefined }
  const lines = screenLines({ overview, queues, unhealthyConnections: 3 }, 'inPerSecond', view, asIs)
  expect(lines).toContain('per second          1,235 in, 0 out, 0.5 settled')
  expect(lines).toContain('connections         12,000, 3 with a problem')
  expect(lines).toContain('warning             the disk is nearly full')
  expect(lines).toContainEqual(expect.stringMatching(/^queue-0-with-a-long-name +50 +1\.0 +0 +0 +1 {2}paused$/))
})

test('rates that are not known yet are no zeros', () => {
  const view = { width: Infinity, height: 24, limit: undefined }
  const young = { ...overview, rates: undefined }
  const lines = screenLines({ overview: young, queues, unhealthyConnections: 0 }, 'inPerSecond', view, asIs)
  expect(lines).toContain('per second          –, known a second from now')
  expect(lines).toContain('bytes per second    –')
})

test.each([
  [40, 12],
  [80, 24],
  [120, 60],
])('no line is wider than %i columns, and there are no more than %i', (width, height) => {
  const view = { width, height, limit: undefined }
  const lines = screenLines({ overview, queues, unhealthyConnections: 0 }, 'readyCount', view, asIs)
  expect(lines.length).toBeLessThanOrEqual(height)
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width)
})
