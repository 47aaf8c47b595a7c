/** One message to several destinations: a client's list, or a queue whose settings say where its messages go besides. */
import { expect, test } from 'vitest'
import { allowAll, type Authorizer } from '../src/authorizer.ts'
import { COMPOSITE_PARTS_MAX } from '../src/limits.ts'
import type { PublishOptions, PublishResult } from '../src/publish/producer.ts'
import type { QueueSettings } from '../src/queue/settings.ts'
import { type LifeClient, type LifeOptions, Lives, QUEUE } from './lives.ts'
import { messageOf, type MessageOptions, topicPattern } from './support.ts'
import { World } from './world.ts'

const A = `${QUEUE}a`
const B = `${QUEUE}b`

async function begin(settings: Readonly<Record<string, Partial<QueueSettings>>> = {}, options: LifeOptions = {}): Promise<Lives> {
  const lives = await Lives.begin(options)
  for (const [name, own] of Object.entries(settings)) lives.vhost.destinations.define({ name, settings: own })
  return lives
}

function sendToAll(client: LifeClient, addresses: readonly string[], text: string, options: PublishOptions & MessageOptions = {}): PublishResult {
  const message = messageOf(addresses[0]!, text, { durable: true, ...options })
  return client.producer.publish(client.producer.targetOfAll(addresses), message, 0, options)
}

/** Address and text of everything in these queues, and of what a subscriber of all topics has. */
async function readAll(lives: Lives, ...queues: string[]): Promise<string[]> {
  const reader = lives.client(`reader of ${queues.join(' ')}`)
  for (const queue of queues) reader.consume(queue)
  await lives.quiet()
  const seen = reader.sink.held.map(({ message }) => `${message.topic} ${Buffer.from(message.body).toString()}`)
  reader.acceptAll()
  await lives.quiet()
  return seen.sort()
}

function countIn(lives: Lives, queue: string): number {
  return lives.vhost.destinations.find(queue)?.queue.waitingCount ?? 0
}

test('a list of destinations gets one message each, with its own address, over a restart', async () => {
  const lives = await begin()
  const maker = lives.client('maker')
  expect(sendToAll(maker, [A, B, A], 'one')).toBe('pending')
  await lives.quiet()
  expect(maker.results).toEqual(['0 routed'])
  await lives.restart()
  expect(await readAll(lives, 'a', 'b')).toEqual([`${A} one`, `${B} one`])
})

test('topics and queues may be mixed, and what need not be kept is there at once', () => {
  const world = new World()
  const subscriber = world.connect('subscriber')
  subscriber.bind('news/#')
  const maker = world.connect('maker')
  const target = maker.producer.targetOfAll(['news/today', A])
  expect(maker.producer.publish(target, messageOf('news/today', 'm', { assurance: 0 }), 0)).toBe('routed')
  world.settle()
  expect(subscriber.texts).toEqual(['m'])
  expect(world.vhost.destinations.find('a')!.queue.waitingCount).toBe(1)
})

test('nobody gets it when one destination is full, and all do when there is room again', async () => {
  const lives = await begin({ b: { messagesMax: 1, whenFull: 'block', blockMaxMs: 60_000 } })
  const maker = lives.client('maker')
  maker.publish(B, 'first')
  sendToAll(maker, [A, B], 'second')
  maker.publish(A, 'third')
  await lives.quiet()
  expect(maker.results).toEqual(['0 routed'])
  expect(countIn(lives, 'a')).toBe(0)
  const seen = await readAll(lives, 'b')
  expect(seen).toEqual([`${B} first`, `${B} second`])
  expect(maker.results).toEqual(['0 routed', '0 routed', '0 routed'])
  expect(await readAll(lives, 'a')).toEqual([`${A} second`, `${A} third`])
})

test('one full destination that refuses, refuses for all; so does a wait that is too long', async () => {
  const lives = await begin({ b: { messagesMax: 1, whenFull: 'reject' }, c: { messagesMax: 1, whenFull: 'block', blockMaxMs: 1_000 } })
  const maker = lives.client('maker')
  maker.publish(B, 'first')
  maker.publish(`${QUEUE}c`, 'first')
  await lives.quiet()
  expect(sendToAll(maker, [A, B], 'refused')).toBe('refused')
  expect(maker.producer.refusal?.text).toContain('b is over its limit of 1 message')
  expect(sendToAll(maker, [A, `${QUEUE}c`], 'waits')).toBe('pending')
  await lives.pass(2_000)
  expect(maker.results.at(-1)).toBe('0 refused')
  expect(countIn(lives, 'a')).toBe(0)
})

test('an id received exactly once lasts with the messages of a composite', async () => {
  const lives = await begin()
  const owner = { onEvicted: () => {} }
  const asked = { clientId: 'kept', principal: lives.client('x').session.principal, cleanStart: false, expiryMs: 60_000, creditMax: 1, will: undefined, owner }
  const opened = lives.vhost.sessions.open(asked)
  if (!opened.ok) throw new Error(opened.detail.text)
  const producer = opened.value.session.openProducer({ onPublishSettled: () => {} })
  producer.publish(producer.targetOfAll([A, B]), messageOf(A, 'm', { durable: true, assurance: 2 }), 0, { receivedId: 5 })
  await lives.quiet()
  expect([...opened.value.session.received!]).toEqual([5])
  await lives.restart()
  const again = lives.vhost.sessions.open(asked)
  expect(again.ok && [...again.value.session.received!]).toEqual([5])
})

test('a queue that forwards keeps its message and gives copies on, with the address of each', async () => {
  const lives = await begin({ a: { forwardTo: [B, 'copies/a'] } })
  const subscriber = lives.client('subscriber')
  subscriber.session.bind({ pattern: topicPattern('copies/#'), shareName: undefined, assuranceMax: 1, noLocal: false, retained: 'never', data: {} })
  lives.client('maker').publish(A, 'm')
  await lives.quiet()
  expect(subscriber.sink.held.map(({ message }) => message.topic)).toEqual(['copies/a'])
  expect(await readAll(lives, 'a', 'b')).toEqual([`${A} m`, `${B} m`])
})

test('a queue that only forwards keeps nothing, and forwards of forwards are followed once', async () => {
  const lives = await begin({ a: { forwardTo: [B], forwardOnly: true }, b: { forwardTo: [A, `${QUEUE}c`] } })
  lives.client('maker').publish(A, 'm')
  await lives.quiet()
  expect(await readAll(lives, 'a', 'b', 'c')).toEqual([`${B} m`, `${QUEUE}c m`])
})

test('forwards in a circle that nobody keeps are refused with the reason', async () => {
  const lives = await begin({ a: { forwardTo: [B], forwardOnly: true }, b: { forwardTo: [A], forwardOnly: true } })
  const maker = lives.client('maker')
  expect(maker.publish(A, 'm')).toBe('refused')
  expect(maker.producer.refusal?.text).toContain('its forwards lead in a circle')
})

test('a forward that is given while messages wait counts for the next one, also for one that waits for room', async () => {
  const lives = await begin({ a: { messagesMax: 1 } })
  const maker = lives.client('maker')
  maker.publish(A, 'first')
  maker.publish(A, 'second')
  await lives.quiet()
  lives.vhost.destinations.define({ name: 'a', settings: { messagesMax: 1, forwardTo: [B] } })
  expect(await readAll(lives, 'a')).toEqual([`${A} first`, `${A} second`])
  expect(await readAll(lives, 'b')).toEqual([`${B} second`])
})

test('each destination gives its own time to live', async () => {
  const lives = await begin({ a: { ttlMs: 1_000, forwardTo: [B] }, b: { ttlMs: 60_000 } })
  lives.client('maker').publish(A, 'm')
  await lives.pass(2_000, 500)
  expect(await readAll(lives, 'a', 'b')).toEqual([`${B} m`])
})

test('later, and in a transaction, it is all of them as well', async () => {
  const lives = await begin({ a: { forwardTo: [B] } })
  const maker = lives.client('maker')
  maker.publish(A, 'later', { schedule: { delayMs: 1_000 } })
  const transaction = maker.begin()
  maker.stage(transaction, A, 'together')
  transaction.rollback()
  const second = maker.begin()
  maker.stage(second, A, 'together')
  second.commit(() => {})
  await lives.pass(2_000, 500)
  expect(await readAll(lives, 'a', 'b')).toEqual([`${A} later`, `${A} together`, `${B} later`, `${B} together`])
})

test('more destinations than a message may have are refused with the limit', async () => {
  const lives = await begin()
  const maker = lives.client('maker')
  const addresses = Array.from({ length: COMPOSITE_PARTS_MAX + 1 }, (_, index) => `${QUEUE}q${index}`)
  expect(sendToAll(maker, addresses, 'm')).toBe('refused')
  expect(maker.producer.refusal?.text).toContain('more than 64 destinations (COMPOSITE_PARTS_MAX)')
})

test('who may not send to one of them sends to none', () => {
  const authorizer: Authorizer = { ...allowAll, mayUse: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'b', rule: 'all but b' }) }
  const world = new World({ authorizer })
  const maker = world.connect('maker')
  expect(maker.producer.publish(maker.producer.targetOfAll([A, B]), messageOf(A, 'm'), 0)).toBe('refused')
  expect(maker.producer.refusal).toMatchObject({ refusal: 'not-authorized', subject: B })
  expect(world.vhost.destinations.find('a')?.queue.waitingCount ?? 0).toBe(0)
})
