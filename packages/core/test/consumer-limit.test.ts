/** One session's consumers on queues: a pattern has one on each queue that it matches, and a few of them must not be more than all queues. */
import { describe, expect, test } from 'vitest'
import type { Receiver, ReceiverSpec } from '../src/receive/receiver.ts'
import type { Result } from '../src/refusal.ts'
import { Lives } from './lives.ts'
import { TestSink, user } from './support.ts'
import { type Client, World } from './world.ts'

function worldWith(queues: readonly string[], consumersPerSessionMax: number): World {
  const world = new World({ limits: { consumersPerSessionMax } })
  for (const name of queues) world.vhost.destinations.define({ name })
  return world
}

function open(client: Client, queue: string, sink: TestSink = new TestSink()): Result<Receiver> {
  const spec: ReceiverSpec = { source: { kind: 'queue', queue }, selector: undefined, assuranceMax: 1, creditMax: 10, data: {}, sink }
  return client.session.openReceiver(spec)
}

function consume(client: Client, queue: string): Result<unknown> {
  return client.session.consume({ queue, assuranceMax: 1, data: {} })
}

function refusalOf(result: Result<unknown>): string {
  return result.ok ? 'allowed' : `${result.detail.refusal}: ${result.detail.text}`
}

function consumerCount(world: World, queue: string): number {
  return world.vhost.destinations.find(queue)!.queue.consumers.length
}

describe.each([
  ['subscriptions of one session', consume],
  ['receivers of one session', open],
])('%s', (_what, subscribe) => {
  test('that would read from more queues than the limit are refused, and read from none of them', () => {
    const world = worldWith(['a.1', 'a.2', 'b.1'], 4)
    const client = world.connect('c')
    expect(refusalOf(subscribe(client, 'a.*'))).toBe('allowed')
    expect(refusalOf(subscribe(client, '>'))).toBe(
      "limit-reached: session 'c' reads from queues 2 times, and with all that '>' matches it would be more than " +
        'limits.consumersPerSessionMax 4; unsubscribe first, or use a pattern that matches fewer',
    )
    expect([consumerCount(world, 'a.1'), consumerCount(world, 'b.1')]).toEqual([1, 0])
    expect(refusalOf(subscribe(client, 'b.*'))).toBe('allowed')
    expect(refusalOf(subscribe(world.connect('other'), '>'))).toBe('allowed')
  })

  test('count queues read by name, too: one more is refused and not made', () => {
    const world = worldWith([], 1)
    const client = world.connect('c')
    expect(refusalOf(subscribe(client, 'a'))).toBe('allowed')
    expect(refusalOf(subscribe(client, 'b'))).toMatch(/^limit-reached: .*limits.consumersPerSessionMax 1/)
    expect(world.vhost.destinations.find('b')).toBeUndefined()
  })

  test('do not read from queues that are made when the limit is reached, and operators hear of it once', () => {
    const world = worldWith(['a.1'], 2)
    expect(refusalOf(subscribe(world.connect('c'), 'a.*'))).toBe('allowed')
    for (const name of ['a.2', 'a.3', 'a.4']) world.vhost.destinations.define({ name })
    expect(['a.2', 'a.3', 'a.4'].map((name) => consumerCount(world, name))).toEqual([1, 0, 0])
    expect(world.events).toEqual([
      "queue 'a.3' and those after it are not read by 'a.*' of session 'c', which matches them: the session reads from queues 2 times, " +
        'the limit (limits.consumersPerSessionMax); raise it, or subscribe with fewer patterns',
    ])
  })

  test('give room back when a queue is deleted', () => {
    const world = worldWith(['a.1', 'a.2'], 2)
    const client = world.connect('c')
    expect(refusalOf(subscribe(client, 'a.*'))).toBe('allowed')
    world.vhost.destinations.delete(world.vhost.destinations.find('a.1')!)
    world.vhost.destinations.define({ name: 'a.3' })
    expect([consumerCount(world, 'a.3'), world.events]).toEqual([1, []])
  })
})

test('a receiver that is closed gives its room back, once', () => {
  const world = worldWith(['a.1', 'a.2'], 3)
  const client = world.connect('c')
  for (let round = 0; round < 3; round++) {
    const opened = open(client, 'a.*')
    if (!opened.ok) throw new Error(opened.detail.text)
    opened.value.close('goodbye')
    opened.value.close('goodbye')
  }
  expect([open(client, 'a.*'), open(client, 'a.*')].map(({ ok }) => ok)).toEqual([true, false])
})

test('a subscription that ends, and one that is made again, leave the count right', () => {
  const world = worldWith(['a.1', 'a.2'], 2)
  const client = world.connect('c')
  for (let round = 0; round < 3; round++) {
    expect([consume(client, 'a.*').ok, consume(client, 'a.*').ok]).toEqual([true, true])
    client.session.stopConsuming('a.*')
  }
  expect(consumerCount(world, 'a.1')).toBe(0)
})

test('one pattern reads from ten thousand queues under the limit that a broker has without settings', () => {
  const world = new World()
  for (let index = 0; index < 10_000; index++) world.vhost.destinations.define({ name: `q${index}` })
  const sink = new TestSink()
  expect(refusalOf(open(world.connect('c'), '>', sink))).toBe('allowed')
  world.connect('p').publish('$queue/q9999', 'm', { assurance: 1 })
  world.settle()
  expect(sink.texts).toEqual(['m'])
})

test('after a restart a pattern reads from as many queues as there is room for, and operators hear of the others', async () => {
  const lives = await Lives.begin({ limits: { consumersPerSessionMax: 1 } })
  const owner = { onEvicted: () => {} }
  const request = { clientId: 'c', principal: user('u'), cleanStart: false, expiryMs: 60_000, creditMax: 10, will: undefined, owner }
  const opened = lives.vhost.sessions.open(request)
  if (!opened.ok) throw new Error(opened.detail.text)
  lives.vhost.destinations.define({ name: 'a.1' })
  expect(opened.value.session.consume({ queue: 'a.*', assuranceMax: 1, data: {} }).ok).toBe(true)
  lives.vhost.destinations.define({ name: 'a.2' })
  await lives.quiet()
  await lives.restart()
  const counts = ['a.1', 'a.2'].map((name) => lives.vhost.destinations.find(name)!.queue.consumers.length)
  expect(counts).toEqual([1, 0])
  expect(lives.events).toHaveLength(2)
})
