import {
  deleteSession,
  getSession,
  listConsumers,
  listSessions,
  listSubscriptions,
  type SessionItem,
  type SessionQuery,
} from '@ternmq/api'
import { ALL_BELOW, type DeliverySink, ONE_LEVEL, type PatternLevel, type Session } from '@ternmq/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { ManagedWorld } from '../../test/managed-world.ts'
import { consumerHandlers } from './consumers.ts'
import type { Bound } from '../handlers.ts'
import { sessionHandlers } from './sessions.ts'
import { subscriptionHandlers } from './subscriptions.ts'

const vhost = '/'
let world: ManagedWorld
let bound: readonly Bound[]

beforeEach(async () => {
  world = await ManagedWorld.open({ limits: { queuedMessagesMax: 2 } })
  bound = [...sessionHandlers(world.broker), ...subscriptionHandlers(world.broker), ...consumerHandlers(world.broker)]
})

/** Takes everything and settles nothing. */
const keeps: DeliverySink = { writable: true, deliver: () => true }

function bind(session: Session, levels: readonly PatternLevel[], shareName?: string): void {
  const bound = session.bind({
    pattern: { vhost, kind: 'topic', levels },
    shareName,
    assuranceMax: 1,
    noLocal: false,
    retained: 'never',
    data: {},
  })
  if (!bound.ok) throw new Error(bound.detail.text)
}

/** A durable subscription that nobody reads from. */
function subscribe(
  clientId: string | undefined,
  name: string,
  levels: readonly PatternLevel[],
  selector?: string,
): void {
  const subject = { principal: { name: 'ann', anonymous: false }, clientId: clientId ?? 'x' }
  const opened = world.vhost.subscriptions.open(
    { clientId, name, pattern: { vhost, kind: 'topic', levels }, shared: clientId === undefined, selector },
    subject,
  )
  if (!opened.ok) throw new Error(opened.detail.text)
}

const list = async (query: SessionQuery = {}): Promise<readonly SessionItem[]> =>
  (await world.call(bound, listSessions, { params: { vhost }, query })).items
const ids = async (query: SessionQuery): Promise<string> => (await list(query)).map(({ clientId }) => clientId).join('')
const who = async (topic: string): Promise<string[]> => {
  const { items } = await world.call(bound, listSubscriptions, { params: { vhost }, query: { topic } })
  return items.map(({ clientId, address, group }) =>
    [clientId, address, ...(group === undefined ? [] : [group])].join(' '),
  )
}

describe('the list of sessions', () => {
  test('says of each whose it is, how long it stays, and what waits for it', async () => {
    const kept = world.open('kept', { expiryMs: 60_000 })
    bind(kept, ['a'])
    kept.disconnect()
    world.send('a', 'x', { durable: true })
    await world.settle()
    world.open('short', { user: 'bob', protocol: 'stomp' })
    expect(await list()).toEqual([
      {
        clientId: 'kept',
        user: 'ann',
        connected: false,
        protocol: 'mqtt',
        durable: true,
        expiryMs: 60_000,
        waitingCount: 1,
        waitingBytes: expect.any(Number) as number,
        inflightCount: 0,
        droppedCount: 0,
        subscriptionCount: 1,
      },
      {
        clientId: 'short',
        user: 'bob',
        connected: true,
        protocol: 'stomp',
        durable: false,
        expiryMs: 0,
        waitingCount: 0,
        waitingBytes: 0,
        inflightCount: 0,
        droppedCount: 0,
        subscriptionCount: 0,
      },
    ])
  })

  test('is filtered by connection, user, backlog, text and health', async () => {
    for (const clientId of ['a', 'b']) bind(world.open(clientId, { expiryMs: Infinity }), ['t'])
    world.open('c', { user: 'bob' })
    world.vhost.sessions.find('a')!.disconnect()
    world.vhost.sessions.find('b')!.startDelivery(keeps)
    world.send('t', 'x')
    for (const [query, found] of [
      [{}, 'abc'],
      [{ sort: '-waitingCount', limit: 1 }, 'a'],
      [{ connected: true }, 'bc'],
      [{ connected: false }, 'a'],
      [{ user: 'bob' }, 'c'],
      [{ q: 'BOB' }, 'c'],
      [{ backlog: true }, 'a'],
      [{ unhealthy: true }, ''],
      [{ sort: '-inflightCount', limit: 1 }, 'b'],
    ] as const) {
      expect([query, await ids(query)]).toEqual([query, found])
    }
  })

  test('tells of a backlog that is full, and how many messages that has cost', async () => {
    const session = world.open('a', { expiryMs: Infinity })
    bind(session, ['t'])
    session.disconnect()
    for (let count = 0; count < 5; count++) world.send('t', 'x')
    const [item] = await list({ unhealthy: true })
    expect(item).toMatchObject({
      expiryMs: null,
      waitingCount: 2,
      droppedCount: 3,
      problem: 'its backlog of 2 messages is full, and what comes is dropped: 3 so far',
    })
  })

  test('can be sorted by each field that it names', async () => {
    world.open('a')
    for (const sort of 'clientId user connected expiryMs waitingCount waitingBytes inflightCount droppedCount subscriptionCount'.split(
      ' ',
    )) {
      expect(await ids({ sort: `-${sort}` })).toBe('a')
    }
  })
})

test('one session has its subscriptions of every kind', async () => {
  world.define('orders')
  const session = world.open('c')
  bind(session, ['a', ONE_LEVEL, ALL_BELOW])
  bind(session, ['b'], 'group')
  session.consume({ queue: 'orders', assuranceMax: 1, data: {} })
  const detail = await world.call(bound, getSession, { params: { vhost, clientId: 'c' } })
  expect(detail).toMatchObject({ hasWill: false, subscriptionCount: 3 })
  expect(detail.subscriptions).toMatchObject([
    { address: 'a/+/#', kind: 'topic', assurance: 1 },
    { address: 'b', kind: 'topic', group: 'group' },
    { address: '$queue/orders', kind: 'queue', queue: 'orders' },
  ])
})

test('a session is ended with what waits in it, and its connection', async () => {
  bind(world.open('c', { expiryMs: Infinity }), ['a'])
  world.send('a', 'x')
  const params = { vhost, clientId: 'c' }
  await world.call(bound, deleteSession, { params })
  expect(world.vhost.sessions.count).toBe(0)
  expect(world.notes).toEqual(["ended the session of user 'ann' with 1 message"])
  for (const route of [deleteSession, getSession]) {
    expect((await world.refusal(bound, route, { params })).toProblem()).toMatchObject({
      code: 'SESSION_UNKNOWN',
      field: 'clientId',
      value: 'c',
    })
  }
})

describe('subscriptions', () => {
  test('are listed with who has them and what waits, those that nobody is there for too', async () => {
    world.define('orders')
    const session = world.open('c')
    bind(session, ['a'])
    session.consume({ queue: 'orders', assuranceMax: 1, data: {} })
    subscribe('d', 'sub', ['a', ALL_BELOW], "colour = 'red'")
    world.send('$queue/orders', 'x')
    world.send('a', 'x')
    const { items, total } = await world.call(bound, listSubscriptions, { params: { vhost } })
    expect(total).toBe(3)
    expect(items).toMatchObject([
      { clientId: 'c', user: 'ann', protocol: 'mqtt', connected: true, address: 'a', waitingCount: 1 },
      { clientId: 'c', address: '$queue/orders', kind: 'queue', queue: 'orders', waitingCount: 1 },
      {
        clientId: 'd',
        user: 'ann',
        connected: false,
        address: 'a/#',
        selector: "colour = 'red'",
        queue: '$subscription/d/sub',
        waitingCount: 0,
      },
    ])
  })

  test('that would get a message are those whose pattern matches its topic, or who reads from its queue', async () => {
    world.define('orders.eu')
    world.define('Consumer.g.VirtualTopic.a')
    bind(world.open('all'), [ALL_BELOW])
    bind(world.open('one'), ['a', ONE_LEVEL])
    bind(world.open('two'), ['a', 'b'], 'group')
    const reader = world.open('reader')
    reader.consume({ queue: 'orders.>', assuranceMax: 1, data: {} })
    reader.consume({ queue: 'bills', assuranceMax: 1, data: {} })
    subscribe(undefined, 'shared', ['a', 'b'])
    expect(await who('a/b')).toEqual([' a/b', 'all #', 'one a/+', 'two a/b group'])
    expect(await who('a')).toEqual(['all #'])
    expect(await who('VirtualTopic/a')).toEqual([' VirtualTopic/a', 'all #'])
    expect(await who('$queue/orders.eu')).toEqual(['reader $queue/orders.>'])
    expect(await who('$queue/bills')).toEqual(['reader $queue/bills'])
    expect(await who('$SYS/x')).toEqual([])
  })

  test('are listed page by page without one that is left out or comes twice', async () => {
    for (const clientId of ['a', 'b', 'c'])
      for (let index = 0; index < 12; index++) bind(world.open(`${clientId}${index}`), ['t', String(index)])
    bind(world.vhost.sessions.find('a0')!, ['u'])
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await world.call(bound, listSubscriptions, { params: { vhost }, query: { limit: 5, cursor } })
      seen.push(...page.items.map(({ clientId, address }) => `${clientId} ${address}`))
      cursor = page.next
    } while (cursor !== undefined)
    expect([seen.length, new Set(seen).size]).toEqual([37, 37])
  })
})

describe('consumers', () => {
  test('are listed with their clients and what they may still get', async () => {
    world.define('orders')
    const session = world.open('c')
    session.consume({ queue: 'orders', assuranceMax: 1, data: {}, options: { priority: 5 } })
    session.startDelivery(keeps)
    world.send('$queue/orders', 'x')
    const { items } = await world.call(bound, listConsumers, { params: { vhost } })
    expect(items).toEqual([
      {
        queue: 'orders',
        clientId: 'c',
        user: 'ann',
        protocol: 'mqtt',
        attached: true,
        credit: 99,
        unsettledCount: 1,
        priority: 5,
        exclusive: false,
        browsing: false,
      },
    ])
  })

  test('of one queue, or of one client, are found', async () => {
    for (const [clientId, queue] of [
      ['a', 'x'],
      ['b', 'x'],
      ['a2', 'y'],
    ] as const)
      world.open(clientId).consume({ queue, assuranceMax: 1, data: {} })
    const found = async (query: object): Promise<string[]> =>
      (await world.call(bound, listConsumers, { params: { vhost }, query })).items.map(
        ({ queue, clientId }) => `${queue} ${clientId}`,
      )
    expect(await found({})).toEqual(['x a', 'x b', 'y a2'])
    expect(await found({ queue: 'x', sort: '-clientId' })).toEqual(['x b', 'x a'])
    expect(await found({ q: 'a' })).toEqual(['x a', 'x b', 'y a2']) // the user is ann
    expect(await found({ q: 'A2' })).toEqual(['y a2'])
    expect((await world.refusal(bound, listConsumers, { params: { vhost }, query: { queue: 'nobody' } })).code).toBe(
      'QUEUE_UNKNOWN',
    )
    expect(world.vhost.destinations.count).toBe(2)
  })
})
