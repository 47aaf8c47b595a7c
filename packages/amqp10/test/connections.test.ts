/** What operators see of AMQP connections, and how they end them. */
import { type ConnectionInfo, connectionInfo, type EndedConnection } from '@ternmq/core'
import { expect, test } from 'vitest'
import { type Peer, World } from './harness.ts'

function onlyOne(world: World): ConnectionInfo {
  const all = [...world.vhost.connections.all()].map(connectionInfo)
  expect(all).toHaveLength(1)
  return all[0]!
}

function lastEnd(world: World): EndedConnection | undefined {
  return world.vhost.connections.history.find({ limit: 1 }).entries[0]
}

test('a connection tells its container and its links', () => {
  const world = new World({ settings: { idleTimeoutMs: 30_000 } })
  const peer = world.dial()
  expect(onlyOne(world)).toMatchObject({
    protocol: 'amqp',
    protocolText: 'AMQP 1.0',
    state: 'connecting',
    producerCount: 0,
  })
  peer.exchangeHeaders()
  peer.open({ containerId: 'c' })
  const [first, second] = [peer.begin(), peer.begin()]
  world.define('q')
  world.publish('$queue/q', 'x')
  first.sender('queue://q')
  first.coordinator()
  const receiver = first.receiver('queue://q')
  second.sender('topic://t')
  receiver.grant(5)
  expect(onlyOne(world)).toMatchObject({
    state: 'connected',
    clientId: 'c',
    keepAliveMs: 30_000,
    subscriptionCount: 1,
    consumerCount: 1,
    producerCount: 2,
    unsettledCount: 1,
    blockedBecause: undefined,
  })
})

test('an operator closes it with connection:forced, and the history says why and who', () => {
  const world = new World()
  const peer = world.connect({ containerId: 'c' })
  world.vhost.connections.close(onlyOne(world).id, 'maintenance')
  world.run()
  const text = 'an operator closed the connection: maintenance'
  expect(peer.closed()).toMatchObject({ error: { condition: 'amqp:connection:forced', description: text } })
  expect(lastEnd(world)).toMatchObject({
    clientId: 'c',
    endedBy: 'operator',
    reason: 'an operator closed the connection: maintenance',
    wasConnected: true,
  })
  expect(world.vhost.connections.count).toBe(0)
})

test.each<[string, (world: World, peer: Peer) => void, Partial<EndedConnection>]>([
  ['closes', (_world, peer) => peer.close(), { endedBy: 'client', reason: 'client closed' }],
  ['is gone without a word', (_world, peer) => peer.hangUp(), { endedBy: 'network' }],
  ['breaks a rule', (_world, peer) => peer.perform('open', { containerId: 'c' }), { endedBy: 'broker' }],
  [
    'has its session deleted',
    (world) => void world.vhost.sessions.delete('c'),
    { endedBy: 'operator', reason: 'an operator ended the session' },
  ],
])('a client that %s is remembered so', (_what, act, expected) => {
  const world = new World()
  const peer = world.connect({ containerId: 'c' })
  act(world, peer)
  world.run()
  expect(lastEnd(world)).toMatchObject({ clientId: 'c', wasConnected: true, ...expected })
})

test('one whose publishes have no room says in which queue', () => {
  const world = new World()
  world.define('q', { messagesMax: 1, blockMaxMs: 600_000 })
  const sender = world.connect().begin().sender('queue://q')
  sender.send('a')
  sender.send('b')
  expect(onlyOne(world).blockedBecause).toBe(`its publishes wait for room in queue 'q'`)
})

test('who connects and leaves without a byte is counted, and neither told nor remembered', () => {
  const world = new World()
  world.dial().hangUp()
  expect(world.vhost.connections.endedBy.network).toBe(1)
  expect([world.eventSink.recent(), world.vhost.connections.history.size]).toEqual([[], 0])
})
