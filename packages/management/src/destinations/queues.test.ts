import {
  type Call,
  deleteQueue,
  getQueue,
  listQueues,
  type Page,
  pauseQueue,
  purgeQueue,
  putQueue,
  type QueueItem,
  type QueueQuery,
  type QueueSettingsInput,
  resumeQueue,
} from '@ternmq/api'
import { RuleAuthorizer } from '@ternmq/auth'
import { allowAll, type Authorizer, moveWhere, ONE_LEVEL, type Pattern, Scan } from '@ternmq/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { ADMINISTRATOR, callerWith, ManagedWorld } from '../../test/managed-world.ts'
import type { Bound, Caller, Handler } from '../handlers.ts'
import { toQueueDefaults, toQueuePolicies } from './queue-settings.ts'
import { queueHandlers } from './queues.ts'
import { Sampler } from '../broker/sampler.ts'

const vhost = '/'
let world: ManagedWorld
let sampler: Sampler
let bound: readonly Bound[]

beforeEach(async () => {
  world = await ManagedWorld.open()
  sampler = new Sampler(world.broker)
  bound = queueHandlers(world.broker, sampler)
})

async function list(query: QueueQuery = {}): Promise<readonly QueueItem[]> {
  return (await world.call(bound, listQueues, { params: { vhost }, query })).items
}

async function names(query: QueueQuery = {}): Promise<string[]> {
  return (await list(query)).map(({ name }) => name)
}

function of(queue: string): { readonly params: { readonly vhost: string; readonly queue: string } } {
  return { params: { vhost, queue } }
}

function subscribe(name: string, topic: string): void {
  const subject = { principal: { name: 'ann', anonymous: false }, clientId: 'c' }
  const pattern = { vhost, kind: 'topic' as const, levels: topic.split('/') }
  const opened = world.vhost.subscriptions.open({ clientId: 'c', name, pattern, shared: false }, subject)
  if (!opened.ok) throw new Error(opened.detail.text)
}

describe('the list', () => {
  test('has queues of every kind, with what is in them and what has happened', async () => {
    world.define('orders')
    subscribe('s', 'a/b')
    world.vhost.temporaries.create(world.open('asker'), 'temp-queue')
    for (const text of ['one', 'two']) world.send('$queue/orders', text, { durable: true })
    await world.settle()
    const [subscription, temporary, orders] = await list({ sort: 'messagesIn' })
    expect([temporary?.kind, temporary?.durability]).toEqual(['temporary', 'memory'])
    expect([subscription?.kind, subscription?.name]).toEqual(['subscription', '$subscription/c/s'])
    expect(orders).toEqual({
      name: 'orders',
      kind: 'queue',
      durability: 'fsync-local',
      automatic: false,
      paused: false,
      blocking: false,
      readyCount: 2,
      readyBytes: expect.any(Number) as number,
      inflightCount: 0,
      delayedCount: 0,
      oldestAgeMs: 0,
      consumerCount: 0,
      messagesIn: 2,
      messagesOut: 0,
      settledCount: 0,
      redeliveredCount: 0,
      deadLetteredCount: 0,
      expiredCount: 0,
      droppedCount: 0,
      deadLetter: 'DLQ',
      isDeadLetter: false,
      problem: 'it has no consumer',
    })
  })

  test('is filtered by kind, by what is in them, by health, and by being for dead letters', async () => {
    world.define('DLQ')
    world.define('empty')
    world.define('full')
    subscribe('s', 'a/b')
    world.send('$queue/full', 'x')
    expect(await names({ kind: 'subscription' })).toEqual(['$subscription/c/s'])
    expect(await names({ nonEmpty: true })).toEqual(['full'])
    expect(await names({ unhealthy: true })).toEqual(['full'])
    expect(await names({ deadLetters: true })).toEqual(['DLQ'])
    expect(await names({ deadLetters: false, kind: 'queue' })).toEqual(['empty', 'full'])
    expect(await names({ q: 'FUL' })).toEqual(['full'])
  })

  test('a queue of dead letters is well without a consumer until one is in it', async () => {
    world.define('orders')
    world.define('DLQ')
    expect(await names({ unhealthy: true })).toEqual([])
    world.send('$queue/DLQ', 'x')
    const [dead] = await list({ unhealthy: true })
    expect([dead?.name, dead?.problem]).toEqual(['DLQ', 'dead letters wait in it'])
  })

  test('can be sorted by each field that it names', async () => {
    world.define('a')
    world.define('b')
    for (const sort of 'name readyCount readyBytes inflightCount delayedCount oldestAgeMs consumerCount messagesIn messagesOut droppedCount deadLetteredCount inPerSecond outPerSecond'.split(
      ' ',
    )) {
      expect(await names({ sort: `-${sort}` })).toHaveLength(2)
    }
  })

  test('begins with the oldest where it is asked for, page by page, and ends with those of which nobody knows', async () => {
    for (const name of ['a', 'b', 'c', 'in memory', 'empty']) world.define(name)
    for (const [name, text] of [
      ['b', '1'],
      ['c', '2'],
      ['b', '3'],
      ['a', '4'],
    ] as const) {
      world.send(`$queue/${name}`, text, { durable: true })
      world.advance(1_000)
    }
    world.send('$queue/in memory', '5')
    await world.settle()
    const query = { sort: '-oldestAgeMs', limit: 2 }
    const ages: unknown[] = []
    for (let cursor: string | undefined = undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const page: Page<QueueItem> = await world.call(bound, listQueues, {
        params: { vhost },
        query: { ...query, cursor },
      })
      ages.push(page.items.map(({ name, oldestAgeMs }) => [name, oldestAgeMs]))
      cursor = page.next
    }
    expect(ages).toEqual([
      [
        ['b', 4_000],
        ['c', 3_000],
      ],
      [
        ['a', 1_000],
        ['empty', undefined],
      ],
      [['in memory', undefined]],
    ])
    expect((await world.call(bound, getQueue, of('c'))).oldestAgeMs).toBe(3_000)
    expect((await world.call(bound, pauseQueue, of('c'))).oldestAgeMs).toBe(3_000)
  })

  test('has rates from the second sample on, and samples only while somebody asks', async () => {
    world.define('orders')
    expect((await list())[0]).not.toHaveProperty('inPerSecond')
    for (let count = 0; count < 10; count++) world.send('$queue/orders', 'x')
    world.advance(1_000)
    expect((await list())[0]).toMatchObject({ inPerSecond: 10, outPerSecond: 0 })
    world.advance(120_000)
    expect(sampler.isIdle).toBe(true)
  })

  test('has the queue that the members of a shared subscription have together, called as MQTT writes it', async () => {
    const pattern: Pattern = { vhost, kind: 'topic', levels: ['a', ONE_LEVEL] }
    const member = world.open('member')
    member.bind({ pattern, shareName: 'g', assuranceMax: 1, noLocal: false, retained: 'never', data: {} })
    world.send('a/b', 'x')
    await list()
    world.advance(1_000)
    world.send('a/b', 'x')
    world.advance(1_000)
    const name = '$share/g/a/+'
    expect(await list({ kind: 'subscription' })).toMatchObject([
      { name, readyCount: 2, consumerCount: 1, inPerSecond: 1, automatic: true },
    ])
    const detail = await world.call(bound, getQueue, of(name))
    expect(detail).toMatchObject({ name, bindings: ['a/+'], consumers: [{ queue: name, clientId: 'member' }] })
    expect((await world.refusal(bound, deleteQueue, of(name))).code).toBe('CONFLICT')
    expect((await world.refusal(bound, pauseQueue, of(name))).code).toBe('CONFLICT')
    expect(await world.call(bound, purgeQueue, of(name))).toMatchObject({ count: 2 })
    for (const unknown of ['$share/g/a', '$share/h/a/+', '$share/g', '$share/']) {
      expect((await world.refusal(bound, getQueue, of(unknown))).code).toBe('QUEUE_UNKNOWN')
    }
  })

  test('looks without making or changing anything', async () => {
    world.define('orders')
    world.send('$queue/orders', 'x')
    await world.refusal(bound, getQueue, of('nobody'))
    await list()
    await world.call(bound, getQueue, of('orders'))
    expect([world.vhost.destinations.count, world.queue('orders').waitingCount]).toEqual([1, 1])
  })

  test('of another virtual host is refused by name', async () => {
    const refused = await world.refusal(bound, listQueues, { params: { vhost: 'other' } })
    expect(refused.toProblem()).toMatchObject({ code: 'VHOST_UNKNOWN', status: 404, field: 'vhost', value: 'other' })
  })
})

describe('one queue', () => {
  test('has its settings with their sources, and its bindings', async () => {
    const { queues } = world.broker.settings.config
    world.vhost.policies.use(
      toQueueDefaults(queues),
      toQueuePolicies([{ id: 'p', match: 'Consumer.>', settings: { ttlMs: 9 } }]),
    )
    const name = 'Consumer.a.VirtualTopic.b'
    world.define(name, { messagesMax: 5 })
    const detail = await world.call(bound, getQueue, of(name))
    expect(detail).toMatchObject({ settings: { messagesMax: 5 }, bindings: ['VirtualTopic/b'], consumers: [] })
    expect(detail.effective.filter(({ from }) => from !== 'default')).toEqual([
      { key: 'messagesMax', value: 5, from: 'queue' },
      { key: 'ttlMs', value: 9, from: 'policy', policy: 'p' },
    ])
  })

  test('that is not there is refused by name', async () => {
    const refused = await world.refusal(bound, getQueue, of('nobody'))
    expect(refused.toProblem()).toMatchObject({ code: 'QUEUE_UNKNOWN', status: 404, field: 'queue', value: 'nobody' })
  })
})

describe('put', () => {
  test('makes a queue with settings of its own, and tells the audit log', async () => {
    const detail = await world.call(bound, putQueue, {
      ...of('orders'),
      body: { settings: { deadLetter: '', redelivery: { delayMs: 7 } } },
    })
    expect(detail).toMatchObject({
      automatic: false,
      deadLetter: '',
      settings: { deadLetter: '', redelivery: { delayMs: 7 } },
    })
    expect(world.queue('orders').settings).toMatchObject({
      deadLetter: undefined,
      redelivery: { delayMs: 7, deliveriesMax: 10 },
    })
    expect(world.notes).toEqual(['made the queue'])
  })

  test('gives a queue that is there other settings in place of those that it had, and they count at once', async () => {
    world.define('orders', { messagesMax: 5, ttlMs: 1 })
    await world.call(bound, putQueue, { ...of('orders'), body: { settings: { messagesMax: 6 } } })
    expect(world.queue('orders').settings).toMatchObject({ messagesMax: 6, ttlMs: 0 })
    expect(world.notes).toEqual(['changed its settings'])
  })

  test.each([
    ['a name of the broker', '$share/x', {}, { code: 'INVALID', field: 'queue', rule: "does not start with '$'" }],
    ['a pattern', 'orders.>', {}, { code: 'INVALID', field: 'queue' }],
    [
      'another durability than it was made with',
      'orders',
      { durability: 'memory' as const },
      { code: 'CONFLICT', field: 'settings' },
    ],
    [
      'a redelivery that cannot be',
      'orders',
      { redelivery: { delayMs: 9, delayMaxMs: 1 } },
      { code: 'CONFLICT', field: 'settings' },
    ],
  ])('of %s is refused by name, and nothing changes', async (_, name, settings, problem) => {
    world.define('orders')
    const before = world.queue('orders').settings
    const refused = await world.refusal(bound, putQueue, { ...of(name), body: { settings } })
    expect(refused.toProblem()).toMatchObject(problem)
    expect([world.vhost.destinations.count, world.queue('orders').settings]).toEqual([1, before])
    expect(world.notes).toEqual([])
  })
})

test.each(['a\0b', 'a\ud800', '$sys'])('put refuses the name %j, which no client could say', async (queue) => {
  const refused = await world.refusal(bound, putQueue, { ...of(queue), body: {} })
  expect([refused.code, refused.more.field, refused.more.value]).toEqual(['INVALID', 'queue', queue])
})

describe('put by whoever may not look into the queue', () => {
  const put = (settings: QueueSettingsInput): Promise<unknown> =>
    world.call(bound, putQueue, {
      ...of('pay'),
      body: { settings },
      caller: callerWith('ann', 'operator'),
    })

  beforeEach(async () => {
    const mayUse: Authorizer['mayUse'] = (_, action) => ({ allowed: action !== 'browse', rule: 'of the test' })
    world = await ManagedWorld.open({
      authorizer: { ...allowAll, mayUse, mayMatch: mayUse },
    })
    bound = queueHandlers(world.broker, new Sampler(world.broker))
  })

  test.each([{ deadLetter: 'open' }, { expiryTarget: 'open', ttlMs: 1 }, { forward: { to: ['open'] } }])(
    'with %j is refused: messages would come to where others look',
    async (settings) => {
      await expect(put(settings)).rejects.toMatchObject({ code: 'NOT_ALLOWED', more: { value: '$queue/pay' } })
      expect(world.vhost.destinations.find('pay')).toBeUndefined()
    },
  )

  test('is taken when it leaves where messages go as it was', async () => {
    world.define('pay', { deadLetter: 'dead' })
    await put({ deadLetter: 'dead', messagesMax: 7 })
    await put({ deadLetter: 'dead', messagesMax: 8 })
    await expect(put({ messagesMax: 9 })).rejects.toMatchObject({ code: 'NOT_ALLOWED' }) // to the default again
    expect(world.queue('pay').settings.messagesMax).toBe(8)
  })
})

describe('put by an operator', () => {
  const OPERATOR = callerWith('op', 'operator')
  const put = (queue: string, settings: QueueSettingsInput = {}, caller: Caller = OPERATOR): Promise<unknown> =>
    world.call(bound, putQueue, { ...of(queue), body: { settings }, caller })
  const refusal = async (queue: string, settings: QueueSettingsInput): Promise<unknown> => {
    const { code, more } = await world.refusal(bound, putQueue, { ...of(queue), body: { settings }, caller: OPERATOR })
    return [code, more.field, more.value, more.rule]
  }

  beforeEach(async () => {
    const rules = [
      { user: 'op', allow: ['read', 'write'], topics: ['$queue/mine', 'open/#'] },
      { user: 'op', allow: ['browse'], topics: ['$queue/DLQ'] },
      { user: 'op', allow: ['write'], topics: ['$queue/DLQ', '$queue/blind'] },
      { user: '*', deny: ['admin'], topics: ['$queue/kept.>', 'kept/#'] },
    ] as const
    world = await ManagedWorld.open({ authorizer: new RuleAuthorizer({ rules }, 'auth') })
    bound = queueHandlers(world.broker, new Sampler(world.broker))
  })

  test.each([
    [{ forward: { to: ['open/a', 'payroll/run'] } }, 'settings.forward.to', 'payroll/run'],
    [{ forward: { to: ['$queue/salaries'] } }, 'settings.forward.to', '$queue/salaries'],
    [{ deadLetter: 'salaries' }, 'settings.deadLetter', '$queue/salaries'],
    [{ expiryTarget: 'salaries', ttlMs: 1 }, 'settings.expiryTarget', '$queue/salaries'],
  ])('sends nothing to where he may not write, by %j', async (settings, field, to) => {
    expect(await refusal('mine', settings)).toEqual(['NOT_ALLOWED', field, to, 'write'])
    expect(world.vhost.destinations.find('mine')).toBeUndefined()
    await put('mine', settings, ADMINISTRATOR)
    await put('mine', { ...settings, messagesMax: 7 })
  })

  test('does not have dead letters come to where he looks, of a queue into which he may not', async () => {
    const hidden = ['NOT_ALLOWED', 'queue', '$queue/secret', 'browse']
    world.define('secret')
    expect(await refusal('secret', { redelivery: { maxDeliveries: 1 } })).toEqual(hidden)
    await put('secret', { redelivery: { maxDeliveries: 20 } })
    await put('mine', { redelivery: { maxDeliveries: 1 } })
    world.define('secret', { expiryTarget: 'DLQ' })
    expect(await refusal('secret', { expiryTarget: 'DLQ', ttlMs: 1 })).toEqual(hidden)
    expect(await refusal('secret', { expiryTarget: 'DLQ', ttlMaxMs: 1 })).toEqual(hidden)
  })

  test('nor by way of a queue between', async () => {
    world.define('secret', { deadLetter: undefined })
    expect(await refusal('secret', { deadLetter: 'blind' })).toEqual([
      'NOT_ALLOWED',
      'queue',
      '$queue/secret',
      'browse',
    ])
    world.define('blind', { deadLetter: undefined })
    await put('secret', { deadLetter: 'blind' })
  })

  test('manages what no rule takes from him, and is told which does', async () => {
    const rule = 'auth.rules[3] denies admin on "$queue/kept.>" for "*"'
    const refused = { code: 'NOT_ALLOWED', more: { value: '$queue/kept.q', rule } }
    await expect(put('kept.q')).rejects.toMatchObject(refused)
    await put('kept.q', {}, ADMINISTRATOR)
    for (const route of [deleteQueue, purgeQueue, pauseQueue, resumeQueue]) {
      await expect(world.call<Call>(bound, route, { ...of('kept.q'), caller: OPERATOR })).rejects.toMatchObject(refused)
      await put('free.q')
      await world.call<Call>(bound, route, { ...of('free.q'), caller: OPERATOR })
    }
    const socket: Caller = { ...OPERATOR, by: 'socket', scopes: ADMINISTRATOR.scopes }
    await world.call(bound, deleteQueue, { ...of('kept.q'), caller: socket })
  })

  test('does not purge a shared subscription to topics that a rule takes from him', async () => {
    const refused = await world.refusal(bound, purgeQueue, { ...of('$share/g/kept/+'), caller: OPERATOR })
    expect(refused.more).toMatchObject({
      value: '$share/g/kept/+',
      rule: expect.stringContaining('"kept/#"') as string,
    })
    const open = await world.refusal(bound, purgeQueue, { ...of('$share/g/open/+'), caller: OPERATOR })
    expect(open.code).toBe('QUEUE_UNKNOWN')
  })
})

describe('delete', () => {
  test('takes the queue with all that is in it, and says how much that was', async () => {
    world.define('orders')
    world.send('$queue/orders', 'x')
    world.send('$queue/orders', 'y')
    expect(await world.call(bound, deleteQueue, of('orders'))).toEqual({
      count: 2,
      bytes: expect.any(Number) as number,
    })
    expect(world.vhost.destinations.count).toBe(0)
    expect(world.notes).toEqual(['deleted it with 2 messages'])
  })

  test('with ifEmpty is not deleted while a move has messages on their way into it: they are nowhere else', async () => {
    const [orders, other] = [world.define('orders'), world.define('other')]
    world.send('$queue/orders', 'one', { durable: true })
    await world.settle()
    const moving = moveWhere(world.vhost, new Scan(orders), world.vhost.destinations.find('other')!)
    for (let turn = 0; turn < 100 && other.underWayCount === 0; turn++) await Promise.resolve()
    expect([orders.waitingCount, other.waitingCount, other.underWayCount]).toEqual([0, 0, 1])
    const { handler } = bound.find(({ route }) => route.id === deleteQueue.id)!
    const query = { ifEmpty: true }
    const request = { ...of('other'), query, body: undefined, caller: ADMINISTRATOR, note: () => {} }
    const { signal } = new AbortController()
    const deleting = (handler as Handler<Call>)({ ...request, signal })
    await expect(deleting).rejects.toMatchObject({ code: 'CONFLICT', more: { field: 'ifEmpty' } })
    await world.settle()
    expect([(await moving).count, world.queue('other').waitingCount]).toEqual([1, 1])
  })

  test('asked to delete an empty or unused one only leaves one that is not so, and says why', async () => {
    world.define('orders')
    world.send('$queue/orders', 'x')
    world.open('reader').consume({ queue: 'orders', assuranceMax: 1, data: {} })
    for (const [query, field, text] of [
      [{ ifEmpty: true }, 'ifEmpty', 'has 1 message;'],
      [{ ifUnused: true }, 'ifUnused', 'is being read, consumers: 1;'],
    ] as const) {
      const refused = await world.refusal(bound, deleteQueue, { ...of('orders'), query })
      expect(refused.toProblem()).toMatchObject({
        code: 'CONFLICT',
        field,
        detail: expect.stringContaining(text) as string,
      })
    }
    expect(world.queue('orders').waitingCount).toBe(1)
  })

  test('does not take a temporary queue from its connection', async () => {
    world.vhost.temporaries.create(world.open('asker'), 'temp-queue')
    const [name = ''] = await names()
    expect((await world.refusal(bound, deleteQueue, of(name))).code).toBe('CONFLICT')
  })
})

test('purge takes what waits and says how much that was', async () => {
  world.define('orders')
  for (const text of ['a', 'b', 'c']) world.send('$queue/orders', text, { durable: true })
  await world.settle()
  expect(await world.call(bound, purgeQueue, of('orders'))).toMatchObject({ count: 3 })
  expect(world.queue('orders').waitingCount).toBe(0)
  expect(world.notes).toEqual(['purged 3 messages'])
})

test('a paused queue says so until it is resumed', async () => {
  world.define('orders')
  expect(await world.call(bound, pauseQueue, of('orders'))).toMatchObject({
    paused: true,
    problem: 'it is paused; resume it',
  })
  expect(await names({ unhealthy: true })).toEqual(['orders'])
  expect(await world.call(bound, resumeQueue, of('orders'))).toMatchObject({ paused: false })
})
