/** Settings that a queue was given for itself, over those of policies and over a restart. */
import { expect, test } from 'vitest'
import { Policies } from '../src/destinations/policies.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../src/queue/settings.ts'
import { DurableWorld } from './durable.ts'

test('a queue that is to have no dead-letter queue has none after a restart either', async () => {
  const world = await DurableWorld.open()
  world.define('orders', { deadLetter: undefined, ttlMs: 5 })
  await world.restart()
  expect(world.queue('orders').settings).toEqual({ ...DEFAULT_QUEUE_SETTINGS, deadLetter: undefined, ttlMs: 5 })
  expect(world.named('orders').given).toEqual({ deadLetter: undefined, ttlMs: 5 })
})

test('what a queue says of redelivery goes over what policies say, key by key', async () => {
  const world = await DurableWorld.open()
  world.vhost.policies.use(DEFAULT_QUEUE_SETTINGS, [
    { match: '>', settings: { redelivery: { delayMs: 7, jitter: 0.5 } } },
  ])
  world.vhost.destinations.define({ name: 'orders', settings: { redelivery: { delayMs: 9 } } })
  const redelivery = { ...DEFAULT_QUEUE_SETTINGS.redelivery, delayMs: 9, jitter: 0.5 }
  expect(world.queue('orders').settings.redelivery).toEqual(redelivery)
})

test('the policies that say something of a queue are told in their order', () => {
  const policies = new Policies()
  const all = { id: 'all', match: '>', settings: { ttlMs: 1 } }
  const eu = { id: 'eu', match: 'orders.eu', settings: { ttlMs: 2 } }
  policies.use(DEFAULT_QUEUE_SETTINGS, [all, { match: 'bills.*', settings: {} }, eu])
  expect(policies.matching('orders.eu')).toEqual([all, eu])
  expect(policies.defaults).toBe(DEFAULT_QUEUE_SETTINGS)
  const any = { id: 'any', match: '*.eu', settings: { ttlMs: 3 } }
  policies.use(DEFAULT_QUEUE_SETTINGS, [eu, any, all])
  expect(policies.matching('orders.eu')).toEqual([eu, any, all])
  expect(policies.settingsFor('orders.eu').ttlMs).toBe(1)
})
