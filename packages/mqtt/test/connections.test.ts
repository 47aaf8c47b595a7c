/** What operators see of MQTT connections, and how they end them. */
import { type ConnectionInfo, connectionInfo, type EndedConnection } from '@ternmq/core'
import { expect, test } from 'vitest'
import { connect, disconnect, publish, subscribe, World } from './harness.ts'

function onlyOne(world: World): ConnectionInfo {
  const all = [...world.vhost.connections.all()].map(connectionInfo)
  expect(all).toHaveLength(1)
  return all[0]!
}

function lastEnd(world: World): EndedConnection | undefined {
  return world.vhost.connections.history.find({ limit: 1 }).entries[0]
}

test('a connection is known from its first moment on, by what it has said so far', () => {
  const world = new World()
  const client = world.open({
    peer: {
      listener: 'wss',
      address: '10.0.0.9',
      port: 5,
      isWebSocket: true,
      tls: { version: 'TLSv1.3', altNames: [] },
    },
  })
  expect(onlyOne(world)).toMatchObject({
    protocol: 'mqtt',
    protocolText: 'MQTT',
    state: 'connecting',
    listener: 'wss',
    address: '10.0.0.9',
    port: 5,
    isWebSocket: true,
    tlsVersion: 'TLSv1.3',
    openedAtMs: world.clock.wallMs(),
    producerCount: 0,
    bytesIn: 0,
  })
  const first = connect({ clientId: 'c', username: 'ann', keepAlive: 60 })(5)
  const second = subscribe(1, 'a/#', '$queue/q')(5)
  client.send(first, second)
  expect(onlyOne(world)).toMatchObject({
    protocolText: 'MQTT 5',
    state: 'connected',
    clientId: 'c',
    user: 'ann',
    keepAliveMs: 60_000,
    subscriptionCount: 2,
    consumerCount: 1,
    producerCount: 1,
    pendingBytes: 0,
    bytesIn: first.length + second.length,
    blockedBecause: undefined,
  })
  expect(onlyOne(world).bytesOut).toBe(client.received().reduce((sum, { raw }) => sum + raw.length, 0))
})

test('its protocol says its version', () => {
  for (const [version, text] of [
    [3, 'MQTT 3.1'],
    [4, 'MQTT 3.1.1'],
    [5, 'MQTT 5'],
  ] as const) {
    const world = new World({ version })
    world.connect('c')
    expect(onlyOne(world).protocolText).toBe(text)
  }
})

test('an operator closes it with administrative action, and the history says why and who', () => {
  const world = new World()
  const client = world.connect('c', { username: 'ann' })
  client.send(subscribe(1, 'a'))
  client.received()
  const { id } = onlyOne(world)
  world.advance(5_000)
  expect(world.vhost.connections.close(id, 'maintenance')).toBe(true)
  world.run()
  expect(client.next('DISCONNECT')).toMatchObject({
    reasonCode: 0x98,
    properties: { reasonString: 'an operator closed the connection: maintenance' },
  })
  expect(client.isClosed).toBe(true)
  expect(world.vhost.connections.count).toBe(0)
  expect(lastEnd(world)).toMatchObject({
    id,
    clientId: 'c',
    user: 'ann',
    protocolText: 'MQTT 5',
    state: 'ended',
    subscriptionCount: 1,
    endedAtMs: world.clock.wallMs(),
    endedBy: 'operator',
    reason: 'an operator closed the connection: maintenance',
    clause: '',
    wasConnected: true,
  })
  expect(world.vhost.connections.close(id, '')).toBe(false)
})

test('a client of MQTT 3 that an operator closes is cut off, as the version has no words for it', () => {
  const world = new World({ version: 4 })
  const client = world.connect('c')
  world.vhost.connections.close(onlyOne(world).id, '')
  world.run()
  expect([client.received(), client.isClosed]).toEqual([[], true])
  expect(lastEnd(world)).toMatchObject({ endedBy: 'operator', reason: 'an operator closed the connection' })
})

test.each<[string, (world: World, client: ReturnType<World['connect']>) => void, Partial<EndedConnection>]>([
  [
    'says goodbye',
    (_world, client) => client.send(disconnect()),
    { endedBy: 'client', reason: 'client disconnected: Normal disconnection' },
  ],
  ['is gone without a word', (_world, client) => client.vanish(), { endedBy: 'network' }],
  ['is silent for too long', (world) => world.advance(60_000), { endedBy: 'broker', clause: 'MQTT5-3.1.2-22' }],
  [
    'breaks a rule',
    (_world, client) => client.send(connect({ clientId: 'c' })),
    { endedBy: 'broker', clause: 'MQTT5-3.1.0-2' },
  ],
  [
    'has its session deleted',
    (world) => void world.vhost.sessions.delete('c'),
    { endedBy: 'operator', reason: 'an operator ended the session' },
  ],
])('a client that %s is remembered so', (_what, act, expected) => {
  const world = new World()
  const client = world.connect('c', { keepAlive: 10 })
  act(world, client)
  world.run()
  expect(lastEnd(world)).toMatchObject({ clientId: 'c', wasConnected: true, ...expected })
})

test('a client whose id another connection takes has been taken over, and the other one goes on', () => {
  const world = new World()
  const first = world.connect('c')
  world.connect('c', { peer: { listener: 'mqtt', address: '10.0.0.7', port: 50_123 } })
  expect(lastEnd(world)).toMatchObject({
    ...{ clientId: 'c', endedBy: 'takeover', clause: 'MQTT5-3.1.4-3' },
    reason: 'another connection uses the same client id, from 10.0.0.7:50123',
  })
  expect(first.next('DISCONNECT').properties.reasonString).toBe('another connection uses the same client id')
  expect(onlyOne(world)).toMatchObject({ clientId: 'c', state: 'connected' })
})

test('one that was never let in is remembered as such', () => {
  const world = new World({
    login: { begin: () => ({ kind: 'refused', refusal: 'bad-credentials', text: 'no such user' }) },
  })
  world.open().send(connect({ clientId: 'c', username: 'eve' }))
  expect(lastEnd(world)).toMatchObject({
    clientId: 'c',
    user: 'eve',
    wasConnected: false,
    endedBy: 'broker',
    reason: 'no such user',
  })
})

test('one that waits for room says in which queue, and nothing once there is some', () => {
  const world = new World()
  const queue = world.define('q', { messagesMax: 1, blockMaxMs: 600_000 })
  const client = world.connect('c')
  client.send(publish('$queue/q', 'a', { qos: 1, id: 1 }), publish('$queue/q', 'b', { qos: 1, id: 2 }))
  expect(onlyOne(world).blockedBecause).toBe(`its publishes wait for room in queue 'q'`)
  queue.takeOut(queue.lanes[0]!.line, queue.lanes[0]!.line.nextWaiting(0))
  world.run()
  expect(onlyOne(world).blockedBecause).toBeUndefined()
})

test('one that does not read is called a slow reader', () => {
  const world = new World()
  const slow = world.connect('slow', { kernelBytes: 1_024 })
  slow.send(subscribe(1, 't'))
  slow.stopReading()
  const sender = world.connect('sender')
  for (let count = 0; count < 40; count++) sender.send(publish('t', 'x'.repeat(60_000), { qos: 0 }))
  const [info] = [...world.vhost.connections.all()].map(connectionInfo)
  expect(info!.blockedBecause).toBe(`slow reader: ${info!.pendingBytes} bytes wait for it to read`)
  expect(info!.pendingBytes).toBeGreaterThan(1_000_000)
})

test('the totals of a protocol have the bytes of connections that have ended, too, and who ended them is counted', () => {
  const world = new World()
  world.connect('a').send(disconnect())
  world.connect('b').vanish()
  world.connect('c')
  const ended = world.vhost.connections.history.find().entries
  const open = onlyOne(world)
  const bytesIn = ended.reduce((sum, each) => sum + each.bytesIn, open.bytesIn)
  const bytesOut = ended.reduce((sum, each) => sum + each.bytesOut, open.bytesOut)
  expect(bytesIn).toBeGreaterThan(30)
  const none = { openCount: 0, bytesIn: 0, bytesOut: 0 }
  expect(world.vhost.connections.totals()).toEqual({ mqtt: { openCount: 1, bytesIn, bytesOut }, stomp: none, amqp: none })
  expect(world.vhost.connections.endedBy).toEqual({ client: 1, network: 1, broker: 0, operator: 0, takeover: 0 })
})

test('who connects and leaves without a byte is counted, and neither told nor remembered', () => {
  const world = new World()
  world.open().hangUp()
  expect(world.vhost.connections.endedBy.network).toBe(1)
  expect([world.eventSink.recent(), world.vhost.connections.history.size]).toEqual([[], 0])
})
