import {
  closeConnection,
  type ConnectionQuery,
  getConnection,
  listConnectionHistory,
  listConnections,
} from '@ternmq/api'
import { beforeEach, describe, expect, test } from 'vitest'
import { FakeConnection } from '../../test/fake-connection.ts'
import { ManagedWorld } from '../../test/managed-world.ts'
import { connectionHandlers } from './connections.ts'
import type { Bound } from '../handlers.ts'
import { Sampler } from '../broker/sampler.ts'

let world: ManagedWorld
let bound: readonly Bound[]

beforeEach(async () => {
  world = await ManagedWorld.open()
  bound = connectionHandlers(world.broker, new Sampler(world.broker))
})

const clients = async (query: ConnectionQuery): Promise<string> =>
  (await world.call(bound, listConnections, { query })).items.map(({ clientId }) => clientId).join('')

describe('the list of connections', () => {
  test('says of each who it is, what it speaks, what has gone over it, and why it does not get on', async () => {
    const session = world.open('c')
    session.bind({
      pattern: { vhost: '/', kind: 'topic', levels: ['a'] },
      shareName: undefined,
      assuranceMax: 1,
      noLocal: false,
      retained: 'never',
      data: {},
    })
    const peer = {
      listener: 'wss',
      address: '10.0.0.1',
      port: 7,
      isWebSocket: true,
      tls: { version: 'TLSv1.3' },
    } as never
    const connection = FakeConnection.open(world, {
      clientId: 'c',
      session,
      peer,
      facts: { pausedFor: "room in queue 'q'" },
    })
    connection.transport.bytesIn = 12
    const { items, total } = await world.call(bound, listConnections)
    expect(total).toBe(1)
    expect(items).toEqual([
      {
        id: String(connection.transport.id),
        vhost: '/',
        protocol: 'MQTT 5',
        listener: 'wss',
        address: '10.0.0.1',
        port: 7,
        tls: 'TLSv1.3',
        webSocket: true,
        clientId: 'c',
        user: 'ann',
        connectedAtMs: world.clock.wallMs(),
        bytesIn: 12,
        bytesOut: 0,
        messagesIn: 0,
        messagesOut: 0,
        pendingBytes: 0,
        subscriptionCount: 1,
        unsettledCount: 0,
        problem: "it is not read, to wait for room in queue 'q'",
      },
    ])
  })

  test('is in the order of their coming, and filtered by protocol, listener, user, text and health', async () => {
    FakeConnection.open(world, { clientId: 'a' })
    FakeConnection.open(world, {
      clientId: 'b',
      userName: 'bob',
      facts: { protocol: 'stomp', protocolText: 'STOMP 1.2' },
    })
    FakeConnection.open(world, {
      clientId: 'c',
      peer: { listener: 'ws', address: '10.9.9.9' },
      facts: { pausedFor: 'x' },
    })
    for (const [query, found] of [
      [{}, 'abc'],
      [{ sort: '-id' }, 'cba'],
      [{ sort: '-clientId', limit: 2 }, 'cb'],
      [{ protocol: 'mqtt' }, 'ac'],
      [{ protocol: 'STOMP 1.2' }, 'b'],
      [{ listener: 'ws' }, 'c'],
      [{ user: 'bob' }, 'b'],
      [{ q: '10.9' }, 'c'],
      [{ q: 'BOB' }, 'b'],
      [{ unhealthy: true }, 'c'],
    ] as const) {
      expect([query, await clients(query)]).toEqual([query, found])
    }
  })

  test('can be sorted by each field that it names', async () => {
    FakeConnection.open(world, { clientId: 'a' })
    for (const sort of 'id clientId user address listener connectedAtMs bytesIn bytesOut pendingBytes messagesIn messagesOut messagesInPerSecond messagesOutPerSecond subscriptionCount unsettledCount protocol'.split(
      ' ',
    )) {
      expect(await clients({ sort })).toBe('a')
    }
  })
})

test('the busiest connection is found by its rate, which is there from the second sample on', async () => {
  const publisher = (clientId: string): ((count: number) => void) => {
    const session = world.open(clientId)
    FakeConnection.open(world, { clientId, session })
    const producer = session.openProducer({ onPublishSettled: () => {} })
    return (count) => {
      for (let index = 0; index < count; index++) world.publishBy(producer, 'a/b', 'x')
    }
  }
  const [publishMuch, publishLittle] = [publisher('a'), publisher('b')]
  publishMuch(100)
  const list = async () => (await world.call(bound, listConnections, { query: { sort: '-messagesInPerSecond' } })).items
  expect((await list())[0]).not.toHaveProperty('messagesInPerSecond')
  publishLittle(2)
  world.advance(1_000)
  expect(await list()).toMatchObject([
    { clientId: 'b', messagesInPerSecond: 2, messagesOutPerSecond: 0 },
    { clientId: 'a', messagesInPerSecond: 0, messagesIn: 100 },
  ])
})

describe('one connection', () => {
  test('has its subscriptions, the silence that was agreed on, and how long its session stays', async () => {
    const session = world.open('c', { expiryMs: Infinity })
    session.bind({
      pattern: { vhost: '/', kind: 'topic', levels: ['a', 'b'] },
      shareName: undefined,
      assuranceMax: 1,
      noLocal: true,
      retained: 'never',
      data: {},
    })
    const { transport } = FakeConnection.open(world, { clientId: 'c', session })
    expect(await world.call(bound, getConnection, { params: { id: String(transport.id) } })).toMatchObject({
      subscriptions: [{ address: 'a/b', kind: 'topic', assurance: 1, noLocal: true }],
      sessionExpiryMs: null,
      heartbeatMs: 60_000,
    })
  })

  test.each(['', '0', '-1', '1e3', '01', '99999999999999999999', 'x'])('with the id %j is not there', async (id) => {
    const refused = await world.refusal(bound, getConnection, { params: { id } })
    expect(refused.toProblem()).toMatchObject({ code: 'CONNECTION_UNKNOWN', field: 'id', value: id })
  })

  test('is closed by an operator with his reason, and remembered so', async () => {
    const connection = FakeConnection.open(world, { clientId: 'c' })
    const params = { id: String(connection.transport.id) }
    await world.call(bound, closeConnection, { params, query: { reason: 'it is noisy' } })
    expect(connection.goodbyes).toEqual(['an operator closed the connection: it is noisy'])
    expect(world.notes).toEqual(["closed the connection of client 'c', user 'ann'"])
    const { items } = await world.call(bound, listConnectionHistory)
    expect(items).toMatchObject([
      { clientId: 'c', endedBy: 'operator', reason: 'an operator closed the connection: it is noisy' },
    ])
    expect((await world.refusal(bound, closeConnection, { params })).code).toBe('CONNECTION_UNKNOWN')
  })
})

describe('ended connections', () => {
  test('come the newest first, page by page, though others end meanwhile', async () => {
    const end = (clientId: string): void => {
      const connection = FakeConnection.open(world, { clientId })
      connection.transport.bytesIn = 20 // whoever has sent nothing is not remembered
      connection.end('network', 'it is gone', 'MQTT5-3.1')
    }
    for (const clientId of ['a', 'b', 'c']) end(clientId)
    const first = await world.call(bound, listConnectionHistory, { query: { limit: 2 } })
    end('d')
    const second = await world.call(bound, listConnectionHistory, { query: { limit: 2, cursor: first.next } })
    expect([first, second].map(({ items }) => items.map(({ clientId }) => clientId))).toEqual([['c', 'b'], ['a']])
    expect(second.next).toBeUndefined()
    expect(first.items[0]).toMatchObject({
      endedBy: 'network',
      reason: 'it is gone',
      clause: 'MQTT5-3.1',
      protocol: 'MQTT 5',
    })
  })

  test('are found by client, user, address and who ended them', async () => {
    FakeConnection.open(world, { clientId: 'a' }).end('client', 'bye')
    FakeConnection.open(world, { clientId: 'b', userName: 'bob', peer: { address: '::1' } }).end('broker', 'rule')
    const ids = async (query: object): Promise<string> =>
      (await world.call(bound, listConnectionHistory, { query })).items.map(({ clientId }) => clientId).join('')
    for (const query of [{ clientId: 'b' }, { user: 'bob' }, { address: '::1' }, { endedBy: 'broker' }])
      expect(await ids(query)).toBe('b')
    expect(await ids({ sinceMs: world.clock.wallMs() })).toBe('ba')
    expect(await ids({ untilMs: world.clock.wallMs() })).toBe('')
  })

  test('with a cursor of another list are refused', async () => {
    expect((await world.refusal(bound, listConnectionHistory, { query: { cursor: 'x' } })).more.field).toBe('cursor')
  })
})
