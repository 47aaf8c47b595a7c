import { loadConfig } from '@ternmq/config'
import { allowAll, DEFAULT_CORE_LIMITS, VirtualHost } from '@ternmq/core'
import { VirtualClock } from '@ternmq/testkit'
import { realEnv } from '@ternmq/transport'
import { expect, test } from 'vitest'

import { ProcessNumbers } from './process-numbers.ts'

function made(): { numbers: ProcessNumbers; clock: VirtualClock } {
  const clock = new VirtualClock()
  const loaded = loadConfig({ values: { store: { engine: 'memory', maxBytes: 0 } } })
  if (!loaded.ok) throw new Error(loaded.errors.join())
  const vhost = new VirtualHost({
    env: { ...realEnv(), clock },
    name: '/',
    authorizer: allowAll,
    limits: DEFAULT_CORE_LIMITS,
  })
  const options = {
    clock,
    vhost,
    config: () => loaded.config,
    durabilities: ['memory'] as const,
    journal: undefined,
    folder: undefined,
  }
  return { numbers: new ProcessNumbers(options), clock }
}

test('a broker without files has no free bytes, and the durability that its engine gives', () => {
  const { numbers } = made()
  const { disk, memory } = numbers.read()
  expect(disk).toEqual({ engine: 'memory', durability: 'memory', usedBytes: 0, maxBytes: 0, freeBytes: undefined })
  expect(memory.rssBytes).toBeGreaterThan(memory.heapBytes / 2)
  numbers.close()
})

test('two who ask at once get the same answer', () => {
  const { numbers } = made()
  const { eventLoop } = numbers.read()
  expect(numbers.read().eventLoop).toEqual(eventLoop)
  numbers.close()
})

test('the share of a processor is that of the time since the last answer', () => {
  const { numbers, clock } = made()
  expect(numbers.read().cpuShare).toBeUndefined()
  for (let turns = 0; turns < 5_000_000; turns++) Math.sqrt(turns)
  clock.advance(1_000)
  expect(numbers.read().cpuShare).toBeGreaterThan(0)
  numbers.close()
})

test('nothing is measured once nobody has asked for a minute', () => {
  const { numbers, clock } = made()
  numbers.read()
  for (let turns = 0; turns < 1_000_000; turns++) Math.sqrt(turns)
  clock.advance(60_000)
  expect(numbers.read().cpuShare).toBeUndefined()
  numbers.close()
})

test('at the first look the thread is as busy as it has been in all its life, not as in this moment', async () => {
  await new Promise((resolve) => setImmediate(resolve))
  const { numbers } = made()
  expect(numbers.read().eventLoop.utilization).toBeCloseTo(performance.eventLoopUtilization().utilization, 1)
  numbers.close()
})
