import { expect, test } from 'vitest'
import { ONE_LEVEL } from '../routing/address.ts'
import { topicPattern } from '../../test/support.ts'
import { type Client, World } from '../../test/world.ts'
import type { ReceiverSpec } from '../receive/receiver.ts'
import { consumerInfo } from './info.ts'
import { sessionInfo, type SubscriptionInfo, subscriptionsOf } from './sessions.ts'

function subscriptions({ session }: Client): SubscriptionInfo[] {
  return [...subscriptionsOf(session)]
}

function receive(client: Client, spec: Partial<ReceiverSpec> & Pick<ReceiverSpec, 'source'>): void {
  const opened = client.session.openReceiver({
    selector: undefined,
    assuranceMax: 1,
    creditMax: 10,
    data: {},
    sink: client.sink,
    ...spec,
  })
  if (!opened.ok) throw new Error(opened.detail.text)
}

test('bindings tell their pattern, group, assurance and options', () => {
  const client = new World().connect('c')
  client.bind('a/+', { assuranceMax: 1, noLocal: true, data: { subscriptionId: 7 } })
  client.bind('b/#', { share: 'workers', assuranceMax: 2, data: { subscriptionId: 8 } })
  const common = { selector: undefined, priority: 0, exclusive: false, creditLeft: undefined }
  expect(subscriptions(client)).toEqual([
    {
      ...common,
      kind: 'topic',
      pattern: ['a', ONE_LEVEL],
      queue: undefined,
      shareName: undefined,
      assuranceMax: 1,
      noLocal: true,
      consumerCount: 0,
      unsettledCount: undefined,
      data: { subscriptionId: 7 },
    },
    {
      ...common,
      kind: 'group',
      pattern: topicPattern('b/#').levels,
      queue: '$share/workers',
      shareName: 'workers',
      assuranceMax: 2,
      noLocal: false,
      consumerCount: 1,
      unsettledCount: 0,
      data: { subscriptionId: 8 },
    },
  ])
})

test('a pattern of queues tells how many it reads from, and what of them is not settled', () => {
  const world = new World()
  for (const name of ['q.a', 'q.b', 'r.c']) world.vhost.destinations.define({ name })
  const client = world.connect('c')
  client.session.consume({ queue: 'q.*', assuranceMax: 1, data: { x: 1 }, options: { priority: 3 } })
  world.connect('p').publish('$queue/q.b', 'x')
  world.settle()
  expect(subscriptions(client)).toMatchObject([
    {
      kind: 'queue',
      queue: 'q.*',
      pattern: undefined,
      priority: 3,
      assuranceMax: 1,
      consumerCount: 2,
      unsettledCount: 1,
      data: { x: 1 },
    },
  ])
})

test('receivers tell their source, what their client has asked for, and what it has not settled', () => {
  const world = new World()
  const client = world.connect('c')
  world.vhost.destinations.define({ name: 'q' })
  world.connect('p').publish('$queue/q', 'x')
  const asking = { writable: true, creditLeft: 4, deliver: () => true }
  receive(client, { source: { kind: 'queue', queue: 'q', exclusive: true }, selector: 'a = 1 OR a IS NULL' })
  receive(client, {
    source: { kind: 'topic', pattern: topicPattern('t/#'), noLocal: true, retained: false },
    sink: asking,
  })
  const subscription = { clientId: 'c', name: 'mine', pattern: topicPattern('d'), shared: false }
  receive(client, { source: { kind: 'subscription', subscription } })
  receive(client, {
    source: {
      kind: 'subscription',
      subscription: { ...subscription, clientId: undefined, name: 'ours', shared: true },
    },
  })
  world.settle()
  expect(subscriptions(client)).toMatchObject([
    { kind: 'queue', queue: 'q', exclusive: true, selector: 'a = 1 OR a IS NULL', creditLeft: 9, unsettledCount: 1 },
    { kind: 'topic', pattern: topicPattern('t/#').levels, noLocal: true, creditLeft: 4, unsettledCount: 0 },
    { kind: 'topic', pattern: ['d'], queue: '$subscription/c/mine', shareName: undefined },
    { kind: 'group', pattern: ['d'], queue: '$subscription//ours', shareName: 'ours' },
  ])
})

test('a session tells what waits for it, what it has had, and since when nobody is there', () => {
  const world = new World()
  const owner = { onEvicted: () => {}, transport: { id: 17 } as never }
  const client = world.connect('c', { protocol: 'mqtt', expiryMs: 60_000, creditMax: 1, owner })
  client.bind('t')
  const publisher = world.connect('p')
  for (const text of ['a', 'bc']) publisher.publish('t', text, { assurance: 1 })
  client.publish('x', 'hello')
  world.settle()
  const info = {
    clientId: 'c',
    user: 'u',
    protocol: 'mqtt',
    isConnected: true,
    connectionId: 17,
    expiryMs: 60_000,
    offlineSinceMs: undefined,
    subscriptionCount: 1,
    unsettledCount: 1,
    waitingCount: 1,
    messagesIn: 1,
    bytesIn: 5,
    messagesOut: 1,
    bytesOut: 1,
  }
  expect(sessionInfo(client.session)).toMatchObject(info)
  world.advance(1_000)
  const offlineSinceMs = world.env.clock.wallMs()
  client.session.disconnect()
  world.advance(1_000)
  expect(sessionInfo(client.session)).toMatchObject({
    ...info,
    isConnected: false,
    connectionId: undefined,
    offlineSinceMs,
  })
})

test('a consumer tells whose it is, what it may still take, and when it last settled something', () => {
  const world = new World()
  const named = world.vhost.destinations.define({ name: 'q' })
  if (!named.ok) throw new Error(named.detail.text)
  const owner = { onEvicted: () => {}, transport: { id: 17 } as never }
  const client = world.connect('c', { protocol: 'amqp', creditMax: 3, owner })
  client.session.consume({ queue: 'q', assuranceMax: 1, data: {} })
  const [consumer] = named.value.queue.consumers
  const info = {
    clientId: 'c',
    user: 'u',
    protocol: 'amqp',
    connectionId: 17,
    isAttached: true,
    creditLeft: 3,
    takenCount: 0,
    settledAtMs: undefined,
  }
  expect(consumerInfo(consumer!)).toMatchObject(info)
  for (const text of ['a', 'b']) world.connect('p').publish('$queue/q', text)
  world.advance(500)
  client.settleFirst()
  const settledAtMs = Math.floor(world.env.clock.wallMs() / 1_000) * 1_000
  world.advance(500)
  expect(consumerInfo(consumer!)).toMatchObject({
    ...info,
    creditLeft: 2,
    takenCount: 2,
    unsettledCount: 1,
    settledAtMs,
  })
  world.advance(1_500)
  client.settleFirst()
  expect(consumerInfo(consumer!).settledAtMs).toBe(settledAtMs + 2_000)
  client.session.disconnect()
  expect(named.value.queue.consumers).toEqual([])
})
