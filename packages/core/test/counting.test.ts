/** What is counted where: by protocol, by session, by queue. */
import { expect, test } from 'vitest'
import { Counters, LabelledCounters } from '../src/counters.ts'
import type { Queue } from '../src/queue/queue.ts'
import type { QueueSettings } from '../src/queue/settings.ts'
import { willOf, World } from './world.ts'

function define(world: World, name: string, settings: Partial<QueueSettings> = {}): Queue {
  const defined = world.vhost.destinations.define({ name, settings })
  if (!defined.ok) throw new Error(defined.detail.text)
  return defined.value.queue
}

function consume(world: World, clientId: string, queue: string): ReturnType<World['connect']> {
  const client = world.connect(clientId)
  const consumed = client.session.consume({ queue, assuranceMax: 1, data: {} })
  if (!consumed.ok) throw new Error(consumed.detail.text)
  return client
}

function countsOf(queue: Queue): Partial<Queue> {
  const {
    messagesIn,
    bytesIn,
    messagesOut,
    bytesOut,
    settledCount,
    redeliveredCount,
    expiredCount,
    deadLetteredCount,
    droppedCount,
  } = queue
  return {
    messagesIn,
    bytesIn,
    messagesOut,
    bytesOut,
    settledCount,
    redeliveredCount,
    expiredCount,
    deadLetteredCount,
    droppedCount,
  }
}

const NOTHING = {
  messagesIn: 0,
  bytesIn: 0,
  messagesOut: 0,
  bytesOut: 0,
  settledCount: 0,
  redeliveredCount: 0,
  expiredCount: 0,
  deadLetteredCount: 0,
  droppedCount: 0,
}

test('what comes in counts for the protocol of its publisher, what goes out for that of its receiver', () => {
  const world = new World()
  const publisher = world.connect('p', { protocol: 'mqtt' })
  const readers = [world.connect('s', { protocol: 'stomp' }), world.connect('a', { protocol: 'amqp' })]
  for (const reader of readers) reader.bind('t')
  publisher.publish('t', 'hello')
  publisher.publish('nobody', '')
  world.settle()
  const { countersBy, counters } = world.vhost
  expect(countersBy.mqtt).toMatchObject({ messagesIn: 2, bytesIn: 5, messagesOut: 0, unmatched: 1 })
  expect(countersBy.stomp).toMatchObject({ messagesIn: 0, messagesOut: 1, bytesOut: 5 })
  expect(countersBy.amqp).toMatchObject({ messagesIn: 0, messagesOut: 1, bytesOut: 5 })
  expect(countersBy.core).toEqual(new Counters())
  expect(counters).toMatchObject({ messagesIn: 2, bytesIn: 5, messagesOut: 2, bytesOut: 10, unmatched: 1 })
})

test('a receiver of its own counts for its session, and so does a transaction and a message to several addresses', () => {
  const world = new World()
  define(world, 'q')
  const client = world.connect('c', { protocol: 'amqp' })
  const source = { kind: 'queue', queue: 'q' } as const
  const opened = client.session.openReceiver({
    source,
    selector: undefined,
    assuranceMax: 0,
    creditMax: 9,
    data: {},
    sink: client.sink,
  })
  expect(opened.ok).toBe(true)
  const target = client.producer.targetOfAll(['$queue/q', 'topic'])
  const begun = client.session.beginTransaction(client.producer)
  if (!begun.ok) throw new Error(begun.detail.text)
  world.connect('other', { protocol: 'mqtt' }).publish('$queue/q', 'abc')
  client.publish('$queue/q', 'de')
  world.settle()
  expect(target.addresses).toHaveLength(2)
  expect(client.session.traffic).toMatchObject({ messagesIn: 1, bytesIn: 2, messagesOut: 2, bytesOut: 5 })
  expect(world.vhost.countersBy.amqp).toMatchObject({ messagesIn: 1, bytesIn: 2, messagesOut: 2, bytesOut: 5 })
  expect(world.vhost.countersBy.mqtt).toMatchObject({ messagesIn: 1, messagesOut: 0 })
})

test('a session that is resumed goes on with its counts, under the protocol of its present connection', () => {
  const world = new World()
  const first = world.connect('c', { protocol: 'mqtt', expiryMs: 60_000 })
  first.publish('t', 'a')
  first.session.disconnect()
  const again = world.connect('c', { protocol: 'http', expiryMs: 60_000 })
  again.publish('t', 'b')
  expect(again.session.traffic).toMatchObject({ messagesIn: 2, bytesIn: 2 })
  expect([
    again.session.protocol,
    world.vhost.countersBy.mqtt.messagesIn,
    world.vhost.countersBy.http.messagesIn,
  ]).toEqual(['http', 1, 1])
})

test('a session that has ended has told what it did, and what it had on its way counts when it arrives', () => {
  const world = new World()
  define(world, 'q', { messagesMax: 1, blockMaxMs: 600_000 })
  const client = world.connect('c', { protocol: 'stomp' })
  for (const text of ['a', 'bc']) client.publish('$queue/q', text)
  client.session.disconnect()
  const counted = (): number[] => [world.vhost.countersBy.stomp.messagesIn, world.vhost.countersBy.stomp.bytesIn]
  expect([world.vhost.sessions.count, counted(), counted()]).toEqual([0, [1, 1], [1, 1]])
  const reader = consume(world, 'r', 'q')
  world.settle()
  reader.settleFirst()
  world.settle()
  expect(reader.texts).toEqual(['a', 'bc'])
  expect([counted(), counted()]).toEqual([
    [2, 3],
    [2, 3],
  ])
})

test('what the broker publishes by itself counts for no protocol: a will', () => {
  const world = new World()
  const client = world.connect('c', { protocol: 'mqtt', will: willOf('t', 'gone', 0) })
  client.session.disconnect()
  world.settle()
  expect([world.vhost.countersBy.mqtt.messagesIn, world.vhost.countersBy.core.messagesIn]).toEqual([0, 1])
})

test('the sum has every counter of every protocol', () => {
  const counters = new LabelledCounters()
  let expected = 0
  for (const each of Object.values(counters) as Counters[]) {
    for (const name of Object.keys(each) as (keyof Counters)[]) each[name] = 10 ** expected++ % 97
  }
  const sum = counters.sum()
  for (const name of Object.keys(sum) as (keyof Counters)[]) {
    expect([name, sum[name]]).toEqual([
      name,
      Object.values(counters).reduce((total: number, each: Counters) => total + each[name], 0),
    ])
  }
})

test('a queue counts what it takes and hands out, waiting or not, and what is accepted', () => {
  const world = new World()
  const queue = define(world, 'q')
  world.connect('p').publish('$queue/q', 'abc')
  expect(countsOf(queue)).toEqual({ ...NOTHING, messagesIn: 1, bytesIn: 3 })
  const reader = consume(world, 'r', 'q')
  world.settle()
  world.connect('p').publish('$queue/q', 'de')
  world.settle()
  reader.settleFirst()
  expect(countsOf(queue)).toEqual({
    ...NOTHING,
    messagesIn: 2,
    bytesIn: 5,
    messagesOut: 2,
    bytesOut: 5,
    settledCount: 1,
  })
  expect(world.vhost.counters.settled).toBe(1)
})

test('a queue counts what comes back, what dies and what is too much; that is all', () => {
  const world = new World()
  const redelivery = { deliveriesMax: 2, delayMs: 0, multiplier: 1, delayMaxMs: 0, jitter: 0 }
  const queue = define(world, 'q', { deadLetter: 'DLQ', redelivery, messagesMax: 1, whenFull: 'drop-newest' })
  const publisher = world.connect('p')
  publisher.publish('$queue/q', 'abc')
  publisher.publish('$queue/q', 'too much')
  expect(countsOf(queue)).toEqual({ ...NOTHING, messagesIn: 1, bytesIn: 3, droppedCount: 1 })
  const reader = consume(world, 'r', 'q')
  world.settle()
  reader.settleFirst('modified')
  world.settle()
  expect(countsOf(queue)).toMatchObject({ messagesOut: 2, bytesOut: 6, redeliveredCount: 1, deadLetteredCount: 0 })
  reader.settleFirst('modified')
  world.settle()
  expect(countsOf(queue)).toEqual({
    ...NOTHING,
    messagesIn: 1,
    bytesIn: 3,
    messagesOut: 2,
    bytesOut: 6,
    redeliveredCount: 1,
    deadLetteredCount: 1,
    droppedCount: 1,
  })
  expect(world.vhost.destinations.find('DLQ')!.queue.messagesIn).toBe(1)
})

test('a queue counts what expires in it, moved or not', () => {
  for (const expiryTarget of [undefined, 'late']) {
    const world = new World()
    const queue = define(world, 'q', { expiryTarget })
    world.connect('p').publish('$queue/q', 'abc', { expiresAtMs: world.env.clock.wallMs() + 1_000 })
    world.advance(10_000)
    world.settle()
    expect(countsOf(queue)).toEqual({
      ...NOTHING,
      messagesIn: 1,
      bytesIn: 3,
      expiredCount: 1,
      deadLetteredCount: expiryTarget === undefined ? 0 : 1,
    })
  }
})
