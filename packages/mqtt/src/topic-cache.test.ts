import { allowAll, DEFAULT_CORE_LIMITS, VirtualHost } from '@ternmq/core'
import { virtualEnv } from '@ternmq/testkit'
import { expect, test } from 'vitest'

import { DEFAULT_MQTT_SETTINGS } from './settings.ts'
import { TopicCache } from './topic-cache.ts'

function makeCache(): TopicCache {
  const vhost = new VirtualHost({ env: virtualEnv(), name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
  const opened = vhost.sessions.open({
    clientId: 'c1',
    principal: { name: 'ann', anonymous: false },
    cleanStart: true,
    expiryMs: 0,
    creditMax: 1,
    will: undefined,
    owner: { onEvicted: () => undefined },
  })
  if (!opened.ok) throw new Error(opened.detail.text)
  const producer = opened.value.session.openProducer({ onPublishSettled: () => undefined })
  return new TopicCache(producer, 5, DEFAULT_MQTT_SETTINGS)
}

test('a topic is found by its bytes, whatever was read into the same memory before', () => {
  const cache = makeCache()
  const memory = Buffer.alloc(100)
  const find = (topic: string): string => cache.find(memory, 10, 10 + memory.write(topic, 10)).route.topic
  // Twice each: the second time it is remembered.
  for (const topic of ['fleet/1', 'fleet/2', 'fleet/1', 'fleet/3', 'fleet/3', 'fleet/2']) expect(find(topic)).toBe(topic)
})

test('the targets of several topics are remembered', () => {
  const cache = makeCache()
  const bytes = Buffer.from('a/ba/c')
  cache.find(bytes, 0, 3)
  const second = cache.find(bytes, 3, 6)
  expect(cache.find(bytes, 0, 3)).not.toBe(second)
  expect(cache.find(bytes, 3, 6)).toBe(second)
})

test('long names of one connection are forgotten before they fill the memory', () => {
  const cache = makeCache()
  const findLong = (index: number): unknown => {
    const bytes = Buffer.from(`${index}/${'x'.repeat(30_000)}`)
    return cache.find(bytes, 0, bytes.length)
  }
  const targets = [0, 1, 2, 3].map(findLong)
  expect(findLong(3)).toBe(targets[3])
  expect(findLong(1)).not.toBe(targets[1])
})
