import { expect, test } from 'vitest'

import { relaySection, relayShortfalls, type RelayReport } from './page.ts'

const cost = (deliveriesPerSecond: number): RelayReport['queue'] => ({
  deliveriesPerSecond,
  cpuUsPerDelivery: 0.8,
  shares: { seconds: 1, brokerCores: 0.9, generatorCores: 0.2, otherCores: 0 },
})

test('every way of passing on stands beside the one that only copies', () => {
  const report = { rounds: 3, queue: cost(1_234_000), topic: cost(900_000), copy: cost(5e6) }
  const text = relaySection(report).join('\n')
  expect(text).toContain(
    '| through a queue | 1.23M/s | 0.80 µs | at least 500k/s, aim 1.00M/s | 0.90 cores | 0.20 cores | 0.00 cores |',
  )
  expect(text).toContain('| copied, no broker | 5.00M/s |')
  expect(relayShortfalls(report)).toEqual([])
})

test('what misses the goal is told in words', () => {
  expect(relayShortfalls({ rounds: 3, queue: cost(400_000), topic: cost(1), copy: cost(5e6) })).toEqual([
    '- 16 bytes through a queue: 400k/s; the goal is at least 500k/s.',
  ])
})
