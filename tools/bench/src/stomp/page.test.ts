import { expect, test } from 'vitest'

import { type OwnReport, ownSection, ownShortfalls } from './page.ts'

const shares = { seconds: 1, brokerCores: 0.9, generatorCores: 0.2, otherCores: 0 }
const cost = (cpuUsPerDelivery: number): OwnReport['tcp'] => ({
  deliveriesPerSecond: 500_000,
  cpuUsPerDelivery,
  shares,
})

test('what is within its goal is told with its numbers', () => {
  const own = { rounds: 3, fanOut: cost(1.2), tcp: cost(1), websocket: cost(1.6) }
  const text = ownSection(own).join('\n')
  expect(text).toContain('| 500k/s | 1.20 µs | at most 2 µs | 0.90 cores | 0.20 cores | 0.00 cores |')
  expect(text).toContain('1.60 × what it costs over TCP')
  expect(ownShortfalls(own)).toEqual([])
})

test('what misses its goal is told in words', () => {
  expect(ownShortfalls({ rounds: 3, fanOut: cost(2.5), tcp: cost(1), websocket: cost(2) })).toEqual([
    '- MQTT to 50 STOMP subscribers: 2.50 µs of CPU each; the goal is at most 2 µs.',
    '- STOMP over WebSocket: 2.00 × the CPU of TCP; the goal is at most 1.7 ×.',
  ])
})
