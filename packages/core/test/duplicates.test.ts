/** A message that is published again with the same id is acknowledged and not kept, also after a restart. */
import { expect, test } from 'vitest'
import type { QueueSettings } from '../src/queue/settings.ts'
import { decodeState, encodeState } from '../src/log/snapshot.ts'
import { captureState } from '../src/log/capture.ts'
import { Producer, type PublishResult } from '../src/publish/producer.ts'
import { DurableWorld, queueMessage, type SendOptions } from './durable.ts'
import { messageOf, user } from './support.ts'

interface Publisher {
  readonly answers: string[]
  publish(queue: string, text: string, dedupId?: string, options?: SendOptions): PublishResult
}

function publisherOf(world: DurableWorld): Publisher {
  const answers: string[] = []
  const owner = { onPublishSettled: (tag: number, result: string) => void answers.push(`${tag}:${result}`) }
  const producer = new Producer(world.vhost, { principal: user('u'), clientId: 'p' }, owner, undefined)
  let tag = 0
  return {
    answers,
    publish(queue, text, dedupId, options) {
      const message = queueMessage(queue, text, options)
      return producer.publish(producer.target(message.topic), message, ++tag, dedupId === undefined ? {} : { dedupId })
    },
  }
}

async function open(settings: Partial<QueueSettings> = {}): Promise<{ world: DurableWorld; publisher: Publisher }> {
  const world = await DurableWorld.open()
  world.define('q', { duplicatesMax: 100, ...settings })
  await world.quiet()
  return { world, publisher: publisherOf(world) }
}

test('a duplicate is answered as routed, not kept, and counted', async () => {
  const { world, publisher } = await open()
  publisher.publish('q', 'one', 'id-1')
  await world.quiet()
  expect(publisher.publish('q', 'again', 'id-1')).toBe('routed')
  publisher.publish('q', 'two', 'id-2')
  publisher.publish('q', 'without')
  await world.quiet()
  expect(publisher.answers).toEqual(['1:routed', '3:routed', '4:routed'])
  expect([await world.contents('q'), world.vhost.counters.duplicates]).toEqual([['one', 'two', 'without'], 1])
})

test('a duplicate of one that is on its way to the log is answered after it', async () => {
  const { world, publisher } = await open()
  const other = publisherOf(world)
  expect([publisher.publish('q', 'one', 'x'), publisher.publish('q', 'again', 'x'), other.publish('q', 'too', 'x')]).toEqual([
    'pending',
    'pending',
    'pending',
  ])
  expect([publisher.answers, other.answers]).toEqual([[], []])
  await world.quiet()
  expect([publisher.answers, other.answers]).toEqual([['1:routed', '2:routed'], ['1:routed']])
  expect(await world.contents('q')).toEqual(['one'])
})

test('when the first one cannot be kept, its duplicate is refused with it, and the next try is taken', async () => {
  const { world, publisher } = await open()
  const { log } = world.vhost
  const submit = log.appendAll.bind(log)
  log.appendAll = (_records, group, level) => {
    log.appendAll = submit
    // An append that the engine refuses: too large for any group.
    submit([{ kind: 1, dest: 1, meta: new Uint8Array(0), body: new Uint8Array(0), bodyStart: 0, bodyEnd: 1e12 }], group, level)
  }
  publisher.publish('q', 'one', 'x')
  publisher.publish('q', 'again', 'x')
  await world.quiet()
  expect(publisher.answers).toEqual(['1:refused', '2:refused'])
  publisher.publish('q', 'third', 'x')
  await world.quiet()
  expect([publisher.answers[2], await world.contents('q')]).toEqual(['3:routed', ['third']])
})

test('ids are known after a restart, also of messages that are gone long since', async () => {
  const { world, publisher } = await open()
  publisher.publish('q', 'one', 'id-1')
  await world.quiet()
  const { consumer, sink } = world.read('q')
  await world.quiet()
  consumer.settle(sink.held[0]!, 'accepted')
  await world.restart()
  const again = publisherOf(world)
  expect([again.publish('q', 'again', 'id-1'), await world.contents('q')]).toEqual(['routed', []])
})

test('a snapshot has the ids, but for those of messages that may be refused yet', async () => {
  const { world, publisher } = await open()
  publisher.publish('q', 'one', 'committed')
  await world.quiet()
  publisher.publish('q', 'two', 'on its way')
  const { number } = world.queue('q')
  const state = decodeState(encodeState(captureState(world.vhost)))
  expect([...state.duplicates.get(number)!.keys()]).toEqual(['committed'])
  await world.quiet()
  expect([...captureState(world.vhost).duplicates.get(number)!.keys()]).toEqual(['committed', 'on its way'])
})

test('ids are forgotten after their time, and the oldest when there are too many', async () => {
  const { world, publisher } = await open({ duplicatesMax: 2, duplicatesMs: 1_000 })
  for (const id of ['a', 'b', 'c', 'a']) publisher.publish('q', id, id)
  await world.quiet()
  expect(await world.contents('q')).toEqual(['a', 'b', 'c', 'a'])
  expect(publisher.publish('q', 'again', 'c')).toBe('routed')
  world.env.clock.advance(1_000)
  publisher.publish('q', 'later', 'c')
  await world.quiet()
  expect((await world.contents('q')).at(-1)).toBe('later')
})

test('a queue that remembers nothing takes all, and one that begins to remember does so from then on', async () => {
  const { world, publisher } = await open({ duplicatesMax: 0 })
  publisher.publish('q', '1', 'x')
  publisher.publish('q', '2', 'x')
  await world.quiet()
  world.define('q', { duplicatesMax: 10 })
  publisher.publish('q', '3', 'x')
  publisher.publish('q', '4', 'x')
  await world.quiet()
  expect(await world.contents('q')).toEqual(['1', '2', '3'])
})

test('a message for several queues goes to those that have not had its id', async () => {
  const { world } = await open()
  const [a, b] = ['Consumer.A.VirtualTopic.T', 'Consumer.B.VirtualTopic.T']
  world.define(a, { duplicatesMax: 10 })
  world.define(b, { duplicatesMax: 10 })
  const producer = new Producer(world.vhost, { principal: user('u'), clientId: 'p' }, undefined, undefined)
  const publish = (address: string, text: string): PublishResult =>
    producer.publish(producer.target(address), messageOf(address, text, { durable: true }), 0, { dedupId: 'x' })
  publish(`$queue/${a}`, 'only a')
  await world.quiet()
  publish('VirtualTopic/T', 'both')
  await world.quiet()
  expect(publish('VirtualTopic/T', 'again')).toBe('routed')
  expect([await world.contents(a), await world.contents(b)]).toEqual([['only a'], ['both']])
})

test('a duplicate for a queue that is full is answered at once, and one that waits for room is taken when there is some', async () => {
  const { world, publisher } = await open({ messagesMax: 1, whenFull: 'block' })
  publisher.publish('q', 'one', 'a')
  await world.quiet()
  const other = publisherOf(world)
  expect([other.publish('q', 'again', 'a'), publisher.publish('q', 'two', 'b')]).toEqual(['routed', 'pending'])
  expect(publisher.publish('q', 'two again', 'b')).toBe('pending')
  await world.quiet()
  expect(publisher.answers).toEqual(['1:routed'])
  const { consumer, sink } = world.read('q')
  await world.quiet()
  consumer.settle(sink.held[0]!, 'accepted')
  await world.quiet()
  expect([publisher.answers, sink.texts]).toEqual([
    ['1:routed', '2:routed', '3:routed'],
    ['one', 'two'],
  ])
})

test('a queue that does not outlive the process remembers as long as that', async () => {
  const { world, publisher } = await open()
  world.define('m', { durability: 'memory', duplicatesMax: 10 })
  expect([publisher.publish('m', '1', 'x'), publisher.publish('m', '2', 'x')]).toEqual(['routed', 'routed'])
  expect(await world.contents('m')).toEqual(['1'])
})
