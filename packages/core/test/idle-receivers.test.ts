/** When a receiver is told that there is nothing more for it, and subscriptions that go with their last receiver. */
import { describe, expect, test } from 'vitest'
import type { Receiver, ReceiverSpec } from '../src/receive/receiver.ts'
import { subscriptionQueueName } from '../src/session/subscriptions.ts'
import { TestSink, topicPattern } from './support.ts'
import { type Client, World } from './world.ts'

interface Reader {
  readonly sink: TestSink
  readonly receiver: Receiver
  /** How often it was told. */
  told: number
}

function read(client: Client, source: ReceiverSpec['source'], options: Partial<ReceiverSpec> = {}): Reader {
  const sink = new TestSink()
  const opened = client.session.openReceiver({ source, selector: undefined, assuranceMax: 1, creditMax: 1_000, data: {}, sink, ...options })
  if (!opened.ok) throw new Error(opened.detail.text)
  return { sink, receiver: opened.value, told: 0 }
}

function ask(reader: Reader): void {
  reader.receiver.whenIdle(() => void reader.told++)
}

describe('a receiver is told that there is nothing more', () => {
  test('at the end of the turn where there is nothing, and once', () => {
    const world = new World()
    const reader = read(world.connect('c'), { kind: 'queue', queue: 'q' })
    ask(reader)
    expect(reader.told).toBe(0)
    world.settle()
    world.connect('p').publish('$queue/q', 'm')
    world.settle()
    expect([reader.told, reader.sink.texts]).toEqual([1, ['m']])
  })

  test('after it has had what waited', () => {
    const world = new World()
    const reader = read(world.connect('c'), { kind: 'queue', queue: 'q' })
    reader.sink.writable = false
    for (const text of ['1', '2']) world.connect('p').publish('$queue/q', text)
    world.settle()
    reader.sink.writable = true
    reader.receiver.wake()
    reader.receiver.whenIdle(() => void (reader.told = reader.sink.texts.length))
    world.settle()
    expect(reader.told).toBe(2)
  })

  test('although others are waiting for what does not match it, and from a queue that is paused', () => {
    const world = new World()
    const client = world.connect('c')
    const picky = read(client, { kind: 'queue', queue: 'q' }, { selector: "JMSType = 'none'" })
    const paused = read(client, { kind: 'queue', queue: 'p' })
    const { destinations } = world.vhost
    destinations.setPaused(destinations.find('p')!, true)
    for (const queue of ['q', 'p']) world.connect('p').publish(`$queue/${queue}`, 'm')
    for (const reader of [picky, paused]) ask(reader)
    world.settle()
    expect([picky.told, paused.told, picky.sink.texts, paused.sink.texts]).toEqual([1, 1, [], []])
  })

  test('once for all queues that a pattern matches, and where there are none', () => {
    const world = new World()
    const client = world.connect('c')
    const none = read(client, { kind: 'queue', queue: 'none.>' })
    for (const queue of ['some.a', 'some.b']) world.connect('p').publish(`$queue/${queue}`, 'm')
    const some = read(client, { kind: 'queue', queue: 'some.>' })
    for (const reader of [none, some]) ask(reader)
    world.settle()
    expect([none.told, some.told, some.sink.texts]).toEqual([1, 1, ['m', 'm']])
  })

  test('when its queue goes', () => {
    const world = new World()
    const reader = read(world.connect('c'), { kind: 'queue', queue: 'q' })
    ask(reader)
    world.vhost.destinations.delete(world.vhost.destinations.find('q')!)
    world.settle()
    expect(reader.told).toBe(1)
  })
})

describe('a volatile subscription', () => {
  const source = (clientId: string | undefined): ReceiverSpec['source'] => ({
    kind: 'subscription',
    subscription: { clientId, name: 's', pattern: topicPattern('t'), shared: true, volatile: true },
  })

  test('shares its messages, and goes with the last of its receivers', () => {
    const world = new World()
    const client = world.connect('c')
    const [one, two] = [read(client, source('c')), read(client, source('c'))]
    for (const text of ['1', '2']) world.connect('p').publish('t', text)
    world.settle()
    expect([one.sink.texts, two.sink.texts].flat().toSorted()).toEqual(['1', '2'])
    one.receiver.close('goodbye')
    const name = subscriptionQueueName('c', 's', true)
    expect(world.vhost.destinations.find(name)).toBeDefined()
    client.session.disconnect()
    expect(world.vhost.destinations.find(name)).toBeUndefined()
  })

  test('is another one than the durable one of its name', () => {
    const world = new World()
    const client = world.connect('c')
    read(client, source(undefined))
    const durable = read(client, { kind: 'subscription', subscription: { clientId: undefined, name: 's', pattern: topicPattern('u'), shared: true } })
    world.connect('p').publish('u', 'm')
    world.settle()
    expect(durable.sink.texts).toEqual(['m'])
  })
})
