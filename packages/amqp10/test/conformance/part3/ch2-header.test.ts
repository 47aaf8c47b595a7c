import { describe, expect, test } from 'vitest'

import { type Delivery, type MessageParts, type ReceiverPeer, type SenderPeer, World } from '../../harness.ts'
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'

interface Scene {
  readonly world: World
  readonly sender: SenderPeer
  readonly receiver: ReceiverPeer
}

function through(fields = {}): Scene {
  const world = new World()
  const session = world.connect().begin()
  return { world, sender: session.sender('queue://q'), receiver: session.receiver('queue://q', fields) }
}

function passed(parts: MessageParts): Delivery {
  const { sender, receiver } = through()
  sender.send(parts, { settled: true })
  receiver.grant(1)
  return receiver.take()
}

/** Header of what came; the defaults without one. */
function headerOf({ message }: Delivery): Record<string, unknown> {
  return { durable: false, priority: 4, firstAcquirer: false, deliveryCount: 0, ...message.header }
}

describe('durable', () => {
  test.each([true, false])('[AMQP10-3.2.1-a] %s goes on', (durable) => {
    expect(headerOf(passed({ header: { durable }, data: 'x' }))).toMatchObject({ durable })
  })

  test('[AMQP10-3.2.1-a] is false where there is no header', () => {
    expect(headerOf(passed({ data: 'x' }))).toMatchObject({ durable: false, priority: 4 })
  })

  test('[AMQP10-3.2.1-b, AMQP10-3.4.2-b] is kept over a restart once it was accepted, others are not', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const world = await World.withLog({}, env, engine)
    const peer = world.connect()
    const sender = peer.begin().sender('queue://q')
    await peer.finish(
      sender.transferFrame({ header: { durable: true }, properties: { messageId: 'kept' }, value: 'a' }),
      sender.transferFrame({ header: { durable: false }, data: 'b' }),
      sender.transferFrame({ header: { durable: true }, data: ['c', 'd'] }),
    )
    expect(peer.takeAll('disposition').every(({ state }) => (state as { kind: string }).kind === 'accepted')).toBe(true)
    const again = await World.withLog({}, env, engine)
    const receiver = again.connect().begin().receiver('queue://q')
    await receiver.session.peer.finish(receiver.flowFrame({ linkCredit: 10 }))
    const got = receiver.takeAll()
    expect(got.map(({ message }) => message.value ?? message.text)).toEqual(['a', 'cd'])
    expect(got[0]!.message.properties).toEqual({ messageId: 'kept' })
    expect(headerOf(got[0]!)).toMatchObject({ durable: true })
  })

  test('[AMQP10-3.2.1-b, AMQP10-3.2.1-c] is not accepted before it is stored', async () => {
    const world = await World.withLog()
    const peer = world.connect()
    const sender = peer.begin().sender('queue://q')
    peer.push(sender.transferFrame({ header: { durable: true }, data: 'a' }))
    world.clock.turn()
    expect(peer.waiting).toEqual([])
    await world.settle()
    expect(peer.next('disposition')['state']).toEqual({ kind: 'accepted' })
  })
})

describe('priority', () => {
  test('[AMQP10-3.2.1-d] of 0 to 4 differs from 5 to 9: higher ones come first', () => {
    const { sender, receiver } = through()
    for (const priority of [0, 4, 9, 5])
      sender.send({ header: { priority }, data: String(priority) }, { settled: true })
    receiver.grant(10)
    const texts = receiver.texts()
    expect(texts.indexOf('9')).toBeLessThan(texts.indexOf('0'))
    expect(texts.indexOf('5')).toBeLessThan(texts.indexOf('4'))
  })

  test.each([0, 1, 9])('goes on: %i', (priority) => {
    expect(headerOf(passed({ header: { priority }, data: 'x' }))).toMatchObject({ priority })
  })

  test('above 9 is taken as 9', () => {
    expect(headerOf(passed({ header: { priority: 200 }, data: 'x' }))).toMatchObject({ priority: 9 })
  })
})

describe('ttl', () => {
  test('[AMQP10-3.2.1-e] that is over: the message does not come', () => {
    const { world, sender, receiver } = through()
    sender.send({ header: { ttl: 5_000 }, data: 'x' }, { settled: true })
    sender.send('y', { settled: true })
    world.advance(6_000)
    receiver.grant(10)
    expect(receiver.texts()).toEqual(['y'])
  })

  test('[AMQP10-3.2.1-f] goes on as what is left of it', () => {
    const { world, sender, receiver } = through()
    sender.send({ header: { ttl: 60_000 }, data: 'x' }, { settled: true })
    world.advance(20_000)
    receiver.grant(1)
    const ttl = Number(headerOf(receiver.take())['ttl'])
    expect(ttl).toBeLessThanOrEqual(40_000)
    expect(ttl).toBeGreaterThan(39_000)
  })

  test('[AMQP10-3.2.1-f] is not there where there was none', () => {
    expect(headerOf(passed({ data: 'x' }))['ttl']).toBeUndefined()
  })

  test('[AMQP10-3.2.1-e] and absolute-expiry-time: the earlier counts', () => {
    const { world, sender, receiver } = through()
    const now = world.clock.wallMs()
    sender.send({ properties: { absoluteExpiryTime: now + 5_000 }, data: 'x' }, { settled: true })
    world.advance(6_000)
    receiver.grant(10)
    expect(receiver.texts()).toEqual([])
  })
})

describe('attempts', () => {
  test('[AMQP10-3.2.1-g, AMQP10-3.2.1-h] the first: first-acquirer, delivery-count 0', () => {
    expect(headerOf(passed({ data: 'x' }))).toMatchObject({ firstAcquirer: true, deliveryCount: 0 })
  })

  test('[AMQP10-3.2.1-g, AMQP10-3.2.1-h] one after a failed one: no first-acquirer, delivery-count 1', () => {
    const { world, sender, receiver } = through()
    sender.send('x', { settled: true })
    receiver.grant(1)
    receiver.settle(receiver.take().id, { kind: 'modified', deliveryFailed: true })
    world.advance(60_000)
    receiver.grant(1)
    expect(headerOf(receiver.take())).toMatchObject({ firstAcquirer: false, deliveryCount: 1 })
  })

  test('[AMQP10-3.2.1-g, AMQP10-3.4.4-b] one after a released one: no first-acquirer, delivery-count 0', () => {
    const { sender, receiver } = through()
    sender.send('x', { settled: true })
    receiver.grant(1)
    receiver.settle(receiver.take().id, { kind: 'released' })
    receiver.grant(1)
    expect(headerOf(receiver.take())).toMatchObject({ firstAcquirer: false, deliveryCount: 0 })
  })

  test('[AMQP10-3.2.1-h] of the sender are its own: delivery-count of what is sent does not go on', () => {
    expect(headerOf(passed({ header: { deliveryCount: 7, firstAcquirer: false }, data: 'x' }))).toMatchObject({
      deliveryCount: 0,
      firstAcquirer: true,
    })
  })
})
