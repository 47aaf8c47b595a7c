/** What the selectors of a session's topic subscriptions may cost together. */
import { MemoryEngine } from '@ternmq/store'
import { expect, test } from 'vitest'
import type { Receiver } from '../src/receive/receiver.ts'
import type { Result } from '../src/refusal.ts'
import type { SubscriptionSpec } from '../src/session/subscriptions.ts'
import { quiet, testCodec, TestSink, topicPattern, user } from './support.ts'
import { type Client, World } from './world.ts'

/** It costs 2. */
const SELECTOR = "a = 'x' AND b = 'y'"
/** It costs 3. */
const DEARER = "a = 'x' AND b = 'y' AND c = 'z'"

function worldWith(selectorCostPerSessionMax: number): World {
  return new World({ limits: { selectorCostPerSessionMax } })
}

function receive(client: Client, filter: string, selector?: string): Result<Receiver> {
  const source = { kind: 'topic', pattern: topicPattern(filter), noLocal: false, retained: false } as const
  return client.session.openReceiver({
    source,
    selector,
    assuranceMax: 1,
    creditMax: 10,
    data: {},
    sink: new TestSink(),
  })
}

/** 'made', or the refusal with its text. */
function subscribe(world: World, name: string, options: Partial<SubscriptionSpec> = {}, by: string = 'u'): string {
  const spec = { clientId: 'c', name, pattern: topicPattern('a'), shared: false, selector: SELECTOR, ...options }
  const opened = world.vhost.subscriptions.open(spec, { principal: user(by), clientId: spec.clientId ?? 'any' })
  return opened.ok ? 'made' : `${opened.detail.refusal}: ${opened.detail.text}`
}

test('topic subscriptions of a session are refused beyond the limit, with what they cost, and have room again once one has ended', () => {
  const world = worldWith(5)
  const client = world.connect('c')
  const opened = [receive(client, 'a', SELECTOR), receive(client, 'a', SELECTOR)]
  expect(opened.map(({ ok }) => ok)).toEqual([true, true])
  const refused = receive(client, 'b/+', SELECTOR)
  expect(refused).toEqual({
    ok: false,
    detail: {
      refusal: 'limit-reached',
      subject: 'b/*',
      text:
        "the selectors of the topic subscriptions of session 'c', durable ones included, cost 4 for each message, and one that costs 2 would " +
        'exceed limits.selectorCostPerSessionMax 5; unsubscribe first, or use selectors that cost less',
    },
  })
  expect(receive(client, 'a', "a = 'x'").ok).toBe(true)
  expect(receive(world.connect('d'), 'a', SELECTOR).ok).toBe(true)
  for (const result of [opened[0]!, opened[0]!]) if (result.ok) result.value.close('goodbye')
  expect([receive(client, 'a', SELECTOR).ok, receive(client, 'a', "a = 'x'").ok]).toEqual([true, false])
})

test('subscriptions without a selector, and selectors on queues, do not count', () => {
  const client = worldWith(0).connect('c')
  expect(receive(client, 'a').ok).toBe(true)
  const source = { kind: 'queue', queue: 'q' } as const
  const opened = client.session.openReceiver({
    source,
    selector: SELECTOR,
    assuranceMax: 1,
    creditMax: 1,
    data: {},
    sink: new TestSink(),
  })
  expect(opened.ok).toBe(true)
})

test('a connection that ends gives back what its subscriptions cost', () => {
  const world = worldWith(2)
  const client = world.connect('c')
  expect(receive(client, 'a', SELECTOR).ok).toBe(true)
  world.vhost.sessions.delete('c')
  expect(receive(world.connect('c'), 'a', SELECTOR).ok).toBe(true)
})

test('durable subscriptions count for the session of their client, whether somebody consumes or not, until they are deleted', () => {
  const world = worldWith(5)
  expect([subscribe(world, 'one'), subscribe(world, 'two')]).toEqual(['made', 'made'])
  const client = world.connect('c')
  expect(subscribe(world, 'three')).toMatch(
    /^limit-reached: .* session 'c', .* cost 4 for each message, and one that costs 2 /,
  )
  expect(receive(client, 'a', SELECTOR).ok).toBe(false)
  expect(subscribe(world, 'one')).toBe('made')
  expect(subscribe(world, 'three', { clientId: 'd' })).toBe('made')
  expect(world.vhost.subscriptions.delete('c', 'one', client.session.subject).ok).toBe(true)
  expect(receive(client, 'a', SELECTOR).ok).toBe(true)
})

test('a subscription that begins anew takes the place of what its old selector cost, and stays as it was when that is not enough', () => {
  const world = worldWith(5)
  expect([subscribe(world, 'one'), subscribe(world, 'two')]).toEqual(['made', 'made'])
  expect(subscribe(world, 'one', { selector: DEARER })).toBe('made')
  expect(subscribe(world, 'two', { selector: DEARER })).toMatch(
    /^limit-reached: .* cost 3 for each message, and one that costs 3 /,
  )
  expect(subscribe(world, 'two')).toBe('made')
  const texts = [...world.vhost.destinations.all()].map(({ binding }) => binding?.selector?.text)
  expect(texts).toEqual([SELECTOR, DEARER])
})

test('subscriptions that all clients of a user share count for that user', () => {
  const world = worldWith(3)
  const shared = { clientId: undefined, shared: true }
  expect([subscribe(world, 'one', shared), subscribe(world, 'mine'), subscribe(world, 'theirs', shared, 'v')]).toEqual([
    'made',
    'made',
    'made',
  ])
  expect(subscribe(world, 'two', shared)).toMatch(
    /^limit-reached: the selectors of the subscriptions that clients of user 'u' share cost 2 /,
  )
})

test('one that is not fed costs nothing, until it is again', () => {
  const world = worldWith(2)
  subscribe(world, 'one')
  const [named] = world.vhost.destinations.all()
  world.vhost.destinations.feed(named!, false)
  const opened = receive(world.connect('c'), 'a', SELECTOR)
  if (opened.ok) opened.value.close('goodbye')
  world.vhost.destinations.feed(named!, true)
  expect([opened.ok, subscribe(world, 'two').slice(0, 13)]).toEqual([true, 'limit-reached'])
})

test('after a restart with a lower limit all are there again, one can be consumed from, and none can be added', async () => {
  const first = new World()
  const engine = new MemoryEngine(first.env)
  await first.vhost.openLog(engine, [testCodec])
  const shared = { clientId: undefined, shared: true }
  for (const name of ['one', 'two%'])
    expect([subscribe(first, name), subscribe(first, name, shared)]).toEqual(['made', 'made'])
  await quiet(first.env.clock)
  const second = worldWith(3)
  await second.vhost.openLog(engine, [testCodec])
  expect([...second.vhost.destinations.all()].map(({ binding }) => binding?.selector?.cost)).toEqual([2, 2, 2, 2])
  expect([subscribe(second, 'one'), subscribe(second, 'two%', shared)]).toEqual(['made', 'made'])
  expect(subscribe(second, 'three', { selector: 'a' })).toMatch(
    /^limit-reached: .* session 'c', .* cost 4 for each message/,
  )
  expect(subscribe(second, 'three', { ...shared, selector: 'a' })).toMatch(
    /^limit-reached: .* user 'u' share cost 4 for each message/,
  )
  expect(subscribe(second, 'three', { selector: undefined })).toBe('made')
})

test('a limit that changes counts for the next subscription', () => {
  const world = worldWith(2)
  expect([subscribe(world, 'one'), subscribe(world, 'two').slice(0, 13)]).toEqual(['made', 'limit-reached'])
  Object.assign(world.vhost.limits, { selectorCostPerSessionMax: 4 })
  expect(subscribe(world, 'two')).toBe('made')
})

test("a virtual topic's queue may have any name", () => {
  const world = worldWith(0)
  expect(world.vhost.destinations.ensure('Consumer.A.VirtualTopic.100%').ok).toBe(true)
})
