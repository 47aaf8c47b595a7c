/** What operators see of STOMP connections, and how they end them. */
import { type ConnectionInfo, connectionInfo, type EndedConnection } from '@ternmq/core'
import { expect, test } from 'vitest'
import { frame, send, subscribe, World } from './harness.ts'

function onlyOne(world: World): ConnectionInfo {
  const all = [...world.vhost.connections.all()].map(connectionInfo)
  expect(all).toHaveLength(1)
  return all[0]!
}

function lastEnd(world: World): EndedConnection | undefined {
  return world.vhost.connections.history.find({ limit: 1 }).entries[0]
}

test('a connection tells its protocol, its heart-beats and what it has', () => {
  const world = new World()
  const client = world.open()
  expect(onlyOne(world)).toMatchObject({
    protocol: 'stomp',
    protocolText: 'STOMP',
    state: 'connecting',
    producerCount: 0,
  })
  client.hangUp()
  world
    .connect({ headers: { login: 'ann', 'client-id': 'c', 'heart-beat': '60000,0' } })
    .send(subscribe(1, '/queue/q'), subscribe(2, '/topic/t'))
  expect(onlyOne(world)).toMatchObject({
    protocolText: 'STOMP 1.2',
    state: 'connected',
    clientId: 'c',
    user: 'ann',
    keepAliveMs: 60_000,
    subscriptionCount: 2,
    consumerCount: 1,
    producerCount: 1,
    blockedBecause: undefined,
  })
})

test('an operator closes it with an ERROR, and the history says why and who', () => {
  const world = new World()
  const client = world.connect({ headers: { 'client-id': 'c' } })
  world.vhost.connections.close(onlyOne(world).id, 'maintenance')
  world.run()
  expect(client.errorFrame().headers['message']).toBe('an operator closed the connection: maintenance')
  expect(lastEnd(world)).toMatchObject({
    clientId: 'c',
    protocolText: 'STOMP 1.2',
    endedBy: 'operator',
    reason: 'an operator closed the connection: maintenance',
    wasConnected: true,
  })
  expect(world.vhost.connections.count).toBe(0)
})

test.each<[string, (world: World, client: ReturnType<World['connect']>) => void, Partial<EndedConnection>]>([
  [
    'says goodbye',
    (_world, client) => client.send(frame('DISCONNECT')),
    { endedBy: 'client', reason: 'client disconnected' },
  ],
  ['is gone without a word', (_world, client) => client.hangUp(), { endedBy: 'network' }],
  [
    'breaks a rule',
    (_world, client) => client.send(frame('CONNECT')),
    { endedBy: 'broker', clause: 'STOMP12-Client_Frames-a' },
  ],
  [
    'has its session deleted',
    (world) => void world.vhost.sessions.delete('c'),
    { endedBy: 'operator', reason: 'an operator ended the session' },
  ],
])('a client that %s is remembered so', (_what, act, expected) => {
  const world = new World()
  const client = world.connect({ headers: { 'client-id': 'c' } })
  act(world, client)
  world.run()
  expect(lastEnd(world)).toMatchObject({ clientId: 'c', wasConnected: true, ...expected })
})

test('one that is not read for want of room says in which queue', () => {
  const world = new World({ limits: { heldMessagesMax: 4 } })
  world.define('q', { messagesMax: 1, blockMaxMs: 600_000 })
  const client = world.connect()
  for (let index = 1; index <= 6; index++) client.send(send('/queue/q', String(index), { receipt: index }))
  expect(onlyOne(world).blockedBecause).toBe(`its publishes wait for room in queue 'q'`)
})

test('one that a filling queue has paused says so until there is room', () => {
  const world = new World()
  const queue = world.define('q', { messagesMax: 4, whenFull: 'drop-newest' })
  const client = world.connect()
  client.send(send('/queue/q', '1'), send('/queue/q', '2'), send('/queue/q', '3'))
  expect(onlyOne(world).blockedBecause).toBe(`it is not read, to wait for room in queue 'q'`)
  queue.takeOut(queue.lanes[0]!.line, 1)
  queue.takeOut(queue.lanes[0]!.line, 2)
  queue.takeOut(queue.lanes[0]!.line, 3)
  expect(onlyOne(world).blockedBecause).toBeUndefined()
})

test('who connects and leaves without a byte is counted, and neither told nor remembered', () => {
  const world = new World()
  world.open().hangUp()
  expect(world.vhost.connections.endedBy.network).toBe(1)
  expect([world.eventSink.recent(), world.vhost.connections.history.size]).toEqual([[], 0])
})
