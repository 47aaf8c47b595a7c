import {
  cancelSchedule,
  deleteRetained,
  getRetained,
  listRetained,
  listSchedules,
  listTopics,
  type RetainedQuery,
} from '@ternmq/api'
import { RuleAuthorizer } from '@ternmq/auth'
import { ALL_BELOW, allowAll, type PatternLevel } from '@ternmq/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { callerWith, ManagedWorld } from '../../test/managed-world.ts'
import type { Bound } from '../handlers.ts'
import { retainedHandlers } from './retained.ts'
import { scheduleHandlers } from './schedules.ts'
import { topicHandlers } from './topics.ts'

const vhost = '/'
let world: ManagedWorld
let bound: readonly Bound[]

beforeEach(async () => {
  world = await ManagedWorld.open()
  bound = [...topicHandlers(world.broker), ...retainedHandlers(world.broker), ...scheduleHandlers(world.broker)]
})

function bind(clientId: string, levels: readonly PatternLevel[]): void {
  world.open(clientId).bind({
    pattern: { vhost, kind: 'topic', levels },
    shareName: undefined,
    assuranceMax: 1,
    noLocal: false,
    retained: 'never',
    data: {},
  })
}

describe('the tree of topics', () => {
  beforeEach(() => {
    bind('c', ['a', 'b'])
    bind('d', ['a', 'b'])
    bind('e', ['a', ALL_BELOW])
    world.send('a/c', 'x', { retain: true })
    world.send('z/y', 'x', { retain: true })
  })

  const below = async (parent?: string): Promise<unknown[]> =>
    (await world.call(bound, listTopics, { params: { vhost }, query: { parent } })).items.map(
      ({ name, topic, hasChildren, subscriptionCount, retained }) => [
        name,
        topic,
        hasChildren,
        subscriptionCount,
        retained,
      ],
    )

  test('is shown one level at a time, with who has subscribed to just that topic and whether it has a retained message', async () => {
    expect(await below()).toEqual([
      ['a', 'a', true, 0, false],
      ['z', 'z', true, 0, false],
    ])
    expect(await below('a')).toEqual([
      ['b', 'a/b', false, 2, false],
      ['c', 'a/c', false, 0, true],
    ])
    expect(await below('a/b')).toEqual([])
    expect(await below('nobody')).toEqual([])
  })

  test('comes page by page, and a cursor is of its parent only', async () => {
    const first = await world.call(bound, listTopics, { params: { vhost }, query: { limit: 1 } })
    const second = await world.call(bound, listTopics, { params: { vhost }, query: { limit: 1, cursor: first.next } })
    expect([first, second].map(({ items }) => items.map(({ name }) => name))).toEqual([['a'], ['z']])
    expect(second.next).toBeUndefined()
    expect(
      (await world.refusal(bound, listTopics, { params: { vhost }, query: { parent: 'a', cursor: first.next } })).more
        .field,
    ).toBe('cursor')
  })
})

describe('retained messages', () => {
  const topics = async (query: RetainedQuery = {}): Promise<string[]> =>
    (await world.call(bound, listRetained, { params: { vhost }, query })).items.map(({ topic }) => topic)

  beforeEach(async () => {
    for (const topic of ['s/1/t', 's/2/t', 's/2/u'])
      world.send(topic, `of ${topic}`, { retain: true, durable: true, publisher: 'p' })
    await world.settle()
  })

  test('are listed by filter, page by page', async () => {
    expect(await topics()).toEqual(['s/1/t', 's/2/t', 's/2/u'])
    expect(await topics({ filter: 's/+/t' })).toEqual(['s/1/t', 's/2/t'])
    expect(await topics({ filter: 's/2/#' })).toEqual(['s/2/t', 's/2/u'])
    const first = await world.call(bound, listRetained, { params: { vhost }, query: { limit: 2 } })
    expect(await topics({ limit: 2, cursor: first.next })).toEqual(['s/2/u'])
  })

  test.each(['', 'a#', '#/a', 'a+/b', '++'])(
    'with the filter %j, which MQTT does not have, are refused',
    async (filter) => {
      const refused = await world.refusal(bound, listRetained, { params: { vhost }, query: { filter } })
      expect(refused.toProblem()).toMatchObject({ code: 'INVALID', field: 'filter', value: filter })
    },
  )

  test('are shown with their bodies', async () => {
    const detail = await world.call(bound, getRetained, { params: { vhost, topic: 's/1/t' } })
    expect(detail).toMatchObject({
      topic: 's/1/t',
      publisher: 'p',
      bodyBytes: 8,
      message: { address: 's/1/t', durable: true },
      body: { encoding: 'text', value: 'of s/1/t', truncated: false },
    })
  })

  test('say when their topic got them', async () => {
    const wallMs = world.broker.vhost.env.clock.wallMs()
    world.advance(90_000)
    world.send('s/2/t', 'newer', { retain: true, durable: true })
    await world.settle()
    const { items } = await world.call(bound, listRetained, { params: { vhost } })
    expect(items.map(({ topic, arrivedAtMs }) => [topic, arrivedAtMs])).toEqual([
      ['s/1/t', wallMs],
      ['s/2/t', wallMs + 90_000],
      ['s/2/u', wallMs],
    ])
    const detail = await world.call(bound, getRetained, { params: { vhost, topic: 's/2/t' } })
    expect([detail.arrivedAtMs, detail.message.arrivedAtMs]).toEqual([wallMs + 90_000, wallMs + 90_000])
  })

  test('are shown to those only who may browse their topic, but for administrators', async () => {
    world = await ManagedWorld.open({
      authorizer: { ...allowAll, mayUse: (_, action) => ({ allowed: action !== 'browse', rule: 'of the test' }) },
    })
    bound = retainedHandlers(world.broker)
    world.send('pay/ann', '12', { retain: true, durable: true })
    await world.settle()
    const params = { vhost, topic: 'pay/ann' }
    const caller = callerWith('bob', 'viewer')
    expect((await world.refusal(bound, getRetained, { params, caller })).toProblem()).toMatchObject({
      code: 'NOT_ALLOWED',
      value: 'pay/ann',
      rule: 'browse',
    })
    expect((await world.call(bound, getRetained, { params })).body.value).toBe('12')
  })

  test('are forgotten by no operator from whom a rule takes that', async () => {
    const rules = [{ user: 'op', deny: ['admin'], topics: ['pay/#'] }] as const
    world = await ManagedWorld.open({ authorizer: new RuleAuthorizer({ rules, defaultAccess: 'allow' }, 'auth') })
    bound = retainedHandlers(world.broker)
    world.send('pay/ann', '12', { retain: true, durable: true })
    await world.settle()
    const params = { vhost, topic: 'pay/ann' }
    const refused = await world.refusal(bound, deleteRetained, { params, caller: callerWith('op', 'operator') })
    expect(refused.more.rule).toBe('auth.rules[0] denies admin on "pay/#" for "op"')
    await world.call(bound, deleteRetained, { params, caller: callerWith('other', 'operator') })
  })

  test('are forgotten, and who asks again is told so', async () => {
    const params = { vhost, topic: 's/1/t' }
    await world.call(bound, deleteRetained, { params })
    expect(await topics()).toEqual(['s/2/t', 's/2/u'])
    expect(world.notes).toEqual(["forgot the retained message of topic 's/1/t', which client 'p' published"])
    for (const route of [deleteRetained, getRetained]) {
      expect((await world.refusal(bound, route, { params })).toProblem()).toMatchObject({
        code: 'TOPIC_UNKNOWN',
        field: 'topic',
        value: 's/1/t',
      })
    }
  })
})

describe('schedules', () => {
  const schedule = (address: string, options: object): void => {
    const producer = world.open(`sender of ${address}`).openProducer({ onPublishSettled: () => {} })
    world.publishBy(producer, address, 'x', { durable: true }, options)
  }

  test('are listed by when they are next, with how often they still come', async () => {
    const nowMs = world.clock.wallMs()
    schedule('late', { delayMs: 60_000 })
    schedule('soon', { delayMs: 1_000, periodMs: 500, repeats: 2 })
    schedule('endless', { periodMs: 10_000, repeats: -1 })
    schedule('cron', { cron: '0 0 1 1 *' })
    await world.settle()
    const { items, total } = await world.call(bound, listSchedules, { params: { vhost } })
    expect(total).toBe(4)
    expect(
      items.map(({ address, user, nextAtMs, cron, periodMs, left, durable }) => [
        address,
        user,
        nextAtMs - nowMs,
        cron,
        periodMs,
        left,
        durable,
      ]),
    ).toEqual([
      ['soon', 'ann', 1_000, '', 500, 3, true],
      ['endless', 'ann', 10_000, '', 10_000, null, true],
      ['late', 'ann', 60_000, '', 0, 1, true],
      ['cron', 'ann', expect.any(Number), '0 0 1 1 *', 0, null, true],
    ])
    const found = await world.call(bound, listSchedules, { params: { vhost }, query: { q: 'LATE' } })
    expect(found.items).toHaveLength(1)
  })

  test('are taken back, and do not come', async () => {
    world.define('orders')
    schedule('$queue/orders', { delayMs: 1_000 })
    await world.settle()
    const [item] = (await world.call(bound, listSchedules, { params: { vhost } })).items
    const params = { vhost, id: item!.id }
    await world.call(bound, cancelSchedule, { params })
    world.advance(5_000)
    await world.settle()
    expect([world.queue('orders').waitingCount, world.vhost.schedule.count]).toEqual([0, 0])
    expect(world.notes).toEqual(["took back a message to '$queue/orders'"])
    expect((await world.refusal(bound, cancelSchedule, { params })).toProblem()).toMatchObject({
      code: 'SCHEDULE_UNKNOWN',
      field: 'id',
    })
  })

  test.each(['', '0', 'x', '1.5', '99999999999999999999'])('with the id %j are not there', async (id) => {
    expect((await world.refusal(bound, cancelSchedule, { params: { vhost, id } })).more).toMatchObject({
      field: 'id',
      value: id,
    })
  })
})
