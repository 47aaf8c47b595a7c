/** Receivers: each with its own credit and sink, on queues, topics and durable subscriptions. */
import { expect, test } from 'vitest'
import { allowAll, type Authorizer } from '../src/authorizer.ts'
import type { Receiver, ReceiverSpec } from '../src/receive/receiver.ts'
import type { Outcome } from '../src/queue/delivery.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../src/queue/settings.ts'
import { TestSink, topicPattern } from './support.ts'
import { type Client, World } from './world.ts'

const QUEUE = '$queue/'

class Reader {
  readonly sink = new TestSink()
  readonly receiver: Receiver

  constructor(client: Client, source: ReceiverSpec['source'], options: Partial<ReceiverSpec> = {}) {
    const opened = open(client, source, { sink: this.sink, ...options })
    if (!opened.ok) throw new Error(opened.detail.text)
    this.receiver = opened.value
  }

  settle(outcome: Outcome = 'accepted'): void {
    const delivery = this.sink.held.shift()!
    delivery.consumer!.settle(delivery, outcome)
  }
}

function open(client: Client, source: ReceiverSpec['source'], options: Partial<ReceiverSpec> = {}) {
  const defaults = { selector: undefined, assuranceMax: 1 as const, creditMax: 10, data: {}, sink: new TestSink() }
  return client.session.openReceiver({ source, ...defaults, ...options })
}

function topic(filter: string, more: { noLocal?: boolean; retained?: boolean } = {}): ReceiverSpec['source'] {
  return { kind: 'topic', pattern: topicPattern(filter), noLocal: false, retained: false, ...more }
}

test('two receivers of one session that match the same topic get a copy each', () => {
  const world = new World()
  const client = world.connect('c')
  const one = new Reader(client, topic('a/#'))
  const two = new Reader(client, topic('a/b'))
  world.connect('p').publish('a/b', 'm')
  world.settle()
  expect([one.sink.texts, two.sink.texts]).toEqual([['m'], ['m']])
})

test('each has its own credit: one that takes nothing more does not hold the other up', () => {
  const world = new World()
  const client = world.connect('c')
  const narrow = new Reader(client, topic('a'), { creditMax: 1 })
  const wide = new Reader(client, topic('a'), { creditMax: 5 })
  for (const text of ['1', '2', '3']) world.connect('p').publish('a', text)
  world.settle()
  expect([narrow.sink.texts, wide.sink.texts]).toEqual([['1'], ['1', '2', '3']])
  narrow.settle()
  world.settle()
  expect(narrow.sink.texts).toEqual(['1', '2'])
})

test('what one connection has not settled is bounded in bytes over all that it reads from', () => {
  const world = new World({ limits: { unsettledBytesMax: 3_000 } })
  const client = world.connect('c')
  client.bind('own')
  const one = new Reader(client, topic('a'), { creditMax: 100 })
  const two = new Reader(client, { kind: 'queue', queue: 'q' }, { creditMax: 100 })
  const publisher = world.connect('p')
  const body = 'x'.repeat(1_000)
  for (let count = 0; count < 5; count++) for (const address of ['own', 'a', `${QUEUE}q`]) publisher.publish(address, body)
  world.settle()
  const held = (): number => one.sink.held.length + two.sink.held.length + client.sink.held.length
  expect(held()).toBe(3)
  for (let count = 0; count < 12; count++) {
    const sink = [one.sink, two.sink, client.sink].find((each) => each.held.length > 0)!
    const delivery = sink.held.shift()!
    delivery.consumer!.settle(delivery, 'accepted')
    world.settle()
    expect(held()).toBe(3)
  }
  expect([one, two, client].map(({ sink }) => sink.seen.length)).toEqual([5, 5, 5])
  const second = new Reader(world.connect('d'), topic('a'), { creditMax: 100 })
  for (let count = 0; count < 5; count++) publisher.publish('a', body)
  world.settle()
  expect(second.sink.held.length).toBe(3)
})

test('what a closed receiver of a queue has not settled goes to the next one, marked', () => {
  const world = new World()
  const client = world.connect('c')
  const first = new Reader(client, { kind: 'queue', queue: 'jobs' })
  world.connect('p').publish(`${QUEUE}jobs`, 'm')
  world.settle()
  first.receiver.close('lost')
  first.receiver.close('lost')
  const second = new Reader(client, { kind: 'queue', queue: 'jobs' })
  world.settle()
  expect(second.sink.texts).toEqual(['m'])
  expect(second.sink.held[0]).toMatchObject({ redelivered: true, failedCount: 1 })
  expect(client.session.bindingCount).toBe(1)
})

test('the connection takes its receivers along', () => {
  const world = new World()
  const client = world.connect('c')
  const reader = new Reader(client, { kind: 'queue', queue: 'jobs' })
  const other = new Reader(client, topic('a'))
  client.session.disconnect()
  world.connect('p').publish(`${QUEUE}jobs`, 'm')
  world.connect('q').publish('a', 'm')
  world.settle()
  expect([reader.sink.texts, other.sink.texts]).toEqual([[], []])
  expect(world.vhost.destinations.find('jobs')!.queue.consumers).toEqual([])
})

test('a pattern of queues, a selector, a priority and an exclusive consumer are as the core has them', () => {
  const world = new World()
  const all = new Reader(world.connect('all'), { kind: 'queue', queue: 'orders.>' }, { selector: "JMSPriority < 9" })
  world.connect('p').publish(`${QUEUE}orders.eu`, 'm')
  world.settle()
  expect(all.sink.texts).toEqual(['m'])
  const first = new Reader(world.connect('first'), { kind: 'queue', queue: 'one', exclusive: true })
  const second = new Reader(world.connect('second'), { kind: 'queue', queue: 'one', exclusive: true, priority: 5 })
  for (const text of ['1', '2']) world.connect('p').publish(`${QUEUE}one`, text)
  world.settle()
  expect([first.sink.texts.length, second.sink.texts.length].toSorted((a, b) => a - b)).toEqual([0, 2])
})

test('retained messages come first, but not one\'s own without the wish to have them', () => {
  const world = new World()
  const client = world.connect('c')
  client.publish('a', 'kept', { retain: true })
  const reader = new Reader(client, topic('a', { retained: true }))
  const noLocal = new Reader(client, topic('a', { retained: true, noLocal: true }))
  world.settle()
  client.publish('a', 'own')
  world.settle()
  expect([reader.sink.texts, noLocal.sink.texts]).toEqual([['kept', 'own'], []])
})

test('a durable subscription keeps what comes while nobody receives, for one receiver at a time', () => {
  const world = new World()
  const source = { kind: 'subscription', subscription: { clientId: 'c', name: 'a.*', pattern: topicPattern('a'), shared: false } } as const
  const client = world.connect('c')
  const first = new Reader(client, source)
  const again = open(client, source)
  expect(!again.ok && again.detail.text).toContain("subscription 'a.*' has a consumer")
  first.receiver.close('lost')
  world.connect('p').publish('a', 'm')
  world.settle()
  const next = new Reader(client, source)
  world.settle()
  expect(next.sink.texts).toEqual(['m'])
})

test('a wrong selector is refused with its position, and a source without permission with the right that is missing', () => {
  const wrong = open(new World().connect('c'), { kind: 'queue', queue: 'jobs' }, { selector: 'a = = 1' })
  expect(!wrong.ok && wrong.detail.text).toMatch(/the selector 'a = = 1' is wrong at character 5/)
  const authorizer: Authorizer = {
    ...allowAll,
    mayUse: () => ({ allowed: false, rule: 'none' }),
    mayMatch: () => ({ allowed: false, rule: 'none' }),
  }
  const client = new World({ authorizer }).connect('c')
  const queue = open(client, { kind: 'queue', queue: 'jobs' })
  expect(!queue.ok && queue.detail).toMatchObject({ refusal: 'not-authorized', text: "user 'u' may not consume from queue 'jobs'" })
  const filter = open(client, topic('a/b'))
  expect(!filter.ok && filter.detail.text).toBe("user 'u' may not subscribe to topic 'a/b'")
  expect(client.session.bindingCount).toBe(0)
})

test('a temporary queue is read by the session that made it only', () => {
  const world = new World()
  const owner = world.connect('owner')
  const made = world.vhost.temporaries.create(owner.session, 'temp-queue')
  if (!made.ok) throw new Error(made.detail.text)
  const queue = made.value.slice(QUEUE.length)
  const stranger = open(world.connect('stranger'), { kind: 'queue', queue })
  expect(!stranger.ok && stranger.detail.refusal).toBe('not-authorized')
  expect(open(owner, { kind: 'queue', queue }).ok).toBe(true)
})

test('what a consumer that is gone has failed with for the last time goes to the dead letters in its order', () => {
  const world = new World()
  world.vhost.destinations.define({ name: 'jobs', settings: { redelivery: { ...DEFAULT_QUEUE_SETTINGS.redelivery, deliveriesMax: 1 } } })
  const reader = new Reader(world.connect('c'), { kind: 'queue', queue: 'jobs' })
  for (const text of ['1', '2', '3']) world.connect('p').publish(`${QUEUE}jobs`, text)
  world.settle()
  reader.receiver.close('lost')
  const dead = new Reader(world.connect('d'), { kind: 'queue', queue: 'DLQ' })
  world.settle()
  expect(dead.sink.texts).toEqual(['1', '2', '3'])
})

test('what a receiver gives back when it leaves in good order is marked, and counts as no failed attempt', () => {
  const world = new World()
  const first = new Reader(world.connect('c'), { kind: 'queue', queue: 'jobs' })
  world.connect('p').publish(`${QUEUE}jobs`, 'm')
  world.settle()
  first.receiver.close('goodbye')
  const client = world.connect('d')
  const second = new Reader(client, { kind: 'queue', queue: 'jobs' })
  world.settle()
  expect(second.sink.held[0]).toMatchObject({ redelivered: true, failedCount: 0 })
  client.session.sayGoodbye()
  client.session.disconnect()
  const third = new Reader(world.connect('e'), { kind: 'queue', queue: 'jobs' })
  world.settle()
  expect(third.sink.held[0]).toMatchObject({ redelivered: true, failedCount: 0 })
})

test('a broker that stops ends connections without counting it against their messages', () => {
  const world = new World()
  const reader = new Reader(world.connect('c'), { kind: 'queue', queue: 'jobs' })
  world.connect('p').publish(`${QUEUE}jobs`, 'm')
  world.settle()
  world.vhost.beginStop()
  reader.receiver.close('lost')
  const next = new Reader(world.connect('d'), { kind: 'queue', queue: 'jobs' })
  world.settle()
  expect(next.sink.held[0]).toMatchObject({ failedCount: 0 })
})

test('what the broker keeps for others is nobody else\'s to read, browse or write, by whatever name', () => {
  const world = new World()
  const owner = world.connect('owner')
  expect(open(owner, { kind: 'subscription', subscription: { clientId: 'owner', name: 'n', pattern: topicPattern('a'), shared: false } }).ok).toBe(true)
  for (const kind of ['temp-queue', 'temp-topic'] as const) expect(world.vhost.temporaries.create(owner.session, kind).ok).toBe(true)
  const subscription = [...world.vhost.destinations.all()].find(({ name }) => name.startsWith('$subscription/'))!.name
  const temporary = [...world.vhost.destinations.all()].find(({ name }) => name.startsWith('$temp/'))!.name
  const stranger = world.connect('stranger')
  const subject = { principal: stranger.session.principal, clientId: 'stranger' }
  expect(open(stranger, { kind: 'queue', queue: subscription }).ok).toBe(false)
  expect(stranger.session.consume({ queue: subscription, assuranceMax: 1, data: {} }).ok).toBe(false)
  expect(stranger.publish(`${QUEUE}${subscription}`, 'm')).toBe('refused')
  expect(open(stranger, topic('$temp/#')).ok).toBe(false)
  expect(open(stranger, topic('$temp/+')).ok).toBe(false)
  expect(world.vhost.destinations.refusalOf(subject, 'browse', subscription)).toBeDefined()
  expect(world.vhost.destinations.refusalOf(subject, 'browse', temporary)).toBeDefined()
  expect(world.vhost.destinations.refusalOf({ ...subject, clientId: 'owner' }, 'browse', temporary)).toBeUndefined()
})
