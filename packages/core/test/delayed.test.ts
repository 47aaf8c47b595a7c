/** Messages that wait for their next attempt: in the log or in memory, within the limits, and back at their time. */
import { expect, test } from 'vitest'
import { queueInfo } from '../src/operations/info.ts'
import { Producer } from '../src/publish/producer.ts'
import type { QueueSettings } from '../src/queue/settings.ts'
import { parseSelector } from '../src/selector/selector.ts'
import { DurableWorld, queueMessage } from './durable.ts'
import { user } from './support.ts'

const MINUTE_MS = 60_000
const redelivery = { deliveriesMax: 0, delayMs: MINUTE_MS, multiplier: 1, delayMaxMs: MINUTE_MS, jitter: 0 }
const body = 'x'.repeat(10_000)

async function open(settings: Partial<QueueSettings> = {}): Promise<DurableWorld> {
  const world = await DurableWorld.open()
  world.define('q', { redelivery, ...settings })
  return world
}

/** A consumer takes all that waits, and fails with it. */
async function failAll(world: DurableWorld): Promise<void> {
  const { consumer, sink } = world.read('q')
  await world.quiet()
  for (const delivery of sink.held.splice(0)) consumer.settle(delivery, 'modified')
  consumer.cancel()
  await world.quiet()
}

/** As a publisher that is told. */
function publish(world: DurableWorld, text: string): string {
  const answers: string[] = []
  const owner = { onPublishSettled: (_tag: number, result: string) => void answers.push(result) }
  const producer = new Producer(world.vhost, { principal: user('u'), clientId: 'p' }, owner, undefined)
  const message = queueMessage('q', text)
  const result = producer.publish(producer.target(message.topic), message, 0)
  world.env.clock.turn()
  return answers[0] ?? result
}

test('messages of the log leave the memory while they wait, and come back at their time, in order, with their failed attempts', async () => {
  const world = await open()
  for (let count = 0; count < 50; count++) world.send('q', `${count} ${body}`)
  await failAll(world)
  expect(world.vhost.waiting.bytes).toBeLessThan(50 * 100)
  expect([world.queue('q').waitingCount, world.queue('q').inflightCount]).toEqual([0, 50])
  const { sink } = world.read('q')
  world.env.clock.advance(MINUTE_MS - 1)
  await world.quiet()
  expect(sink.seen).toEqual([])
  world.env.clock.advance(1)
  await world.quiet()
  expect(sink.texts).toEqual(Array.from({ length: 50 }, (_, index) => `${index} ${body}`))
  expect(sink.held.every(({ redelivered, failedCount }) => redelivered && failedCount === 1)).toBe(true)
})

test('one timer serves them all, and it goes with the queue', async () => {
  const world = await open()
  const before = world.env.clock.timerCount
  for (let count = 0; count < 50; count++) world.send('q', `${count}`)
  await failAll(world)
  expect(world.env.clock.timerCount).toBe(before + 1)
  const { waiting } = world.vhost
  world.vhost.destinations.delete(world.named('q'))
  await world.quiet()
  expect([world.env.clock.timerCount, waiting.bytes]).toEqual([before, 0])
})

test('they count against the limits of their queue', async () => {
  const world = await open({ messagesMax: 5, whenFull: 'reject' })
  for (let count = 0; count < 5; count++) world.send('q', `${count}`)
  await failAll(world)
  expect(publish(world, 'one too many')).toBe('refused')
  const { stuckBecause } = await queueInfo(world.vhost, world.queue('q'))
  expect(stuckBecause).toMatch(/^it is full: what has failed waits for its next attempt, messages: 5, bytes: \d+$/)
  const { consumer, sink } = world.read('q')
  world.env.clock.advance(MINUTE_MS)
  await world.quiet()
  for (const delivery of sink.held.splice(0)) consumer.settle(delivery, 'accepted')
  await world.quiet()
  expect(publish(world, 'now')).toBe('routed')
  expect(world.queue('q').isFullFor(1)).toBe(false)
})

test('their bytes count against the limits of their queue', async () => {
  const world = await open({ bytesMax: 50_000, whenFull: 'reject' })
  for (let count = 0; count < 4; count++) world.send('q', body)
  await failAll(world)
  expect([world.queue('q').isFullFor(1_000), world.queue('q').isFullFor(10_000)]).toEqual([false, true])
})

test('what the log does not know stays in memory, and counts there', async () => {
  const world = await open()
  for (let count = 0; count < 10; count++) world.send('q', `${count} ${body}`, { durable: false })
  await failAll(world)
  expect(world.vhost.waiting.bytes).toBeGreaterThan(10 * body.length)
  const { consumer, sink } = world.read('q')
  world.env.clock.advance(MINUTE_MS)
  await world.quiet()
  expect(sink.texts).toEqual(Array.from({ length: 10 }, (_, index) => `${index} ${body}`))
  for (const delivery of sink.held.splice(0)) consumer.settle(delivery, 'accepted')
  await world.quiet()
  expect(world.vhost.waiting.bytes).toBe(0)
})

test('a ring drops what waits for a consumer first, and then what waits for its next attempt', async () => {
  const world = await open({ messagesMax: 3, whenFull: 'drop-oldest' })
  for (const text of ['1', '2']) world.send('q', text)
  await failAll(world)
  for (const text of ['3', '4', '5']) world.send('q', text)
  expect(world.queue('q').waitingCount).toBe(1)
  const { consumer, sink } = world.read('q')
  await world.quiet()
  expect(sink.texts).toEqual(['5'])
  consumer.settle(sink.held.shift()!, 'accepted')
  consumer.detach()
  for (const text of ['6', '7', '8']) world.send('q', text)
  await world.quiet()
  expect([world.queue('q').waitingCount, world.queue('q').inflightCount]).toEqual([1, 2])
  world.define('q', { redelivery, messagesMax: 1, whenFull: 'drop-oldest' })
  await world.quiet()
  expect([world.queue('q').waitingCount, world.queue('q').inflightCount]).toEqual([0, 1])
  world.env.clock.advance(MINUTE_MS)
  expect(await world.contents('q')).toEqual(['2'])
})

test('a restart makes them wait for a consumer again, with what they have failed', async () => {
  const world = await open()
  for (const text of ['1', '2']) world.send('q', text)
  await failAll(world)
  await world.restart()
  const { sink } = world.read('q')
  await world.quiet()
  expect(sink.seen.map(({ text, failedCount }) => [text, failedCount])).toEqual([
    ['1', 1],
    ['2', 1],
  ])
})

test('one that its consumer refused comes to another one only', async () => {
  const world = await open()
  world.send('q', '1')
  const first = world.read('q')
  await world.quiet()
  first.consumer.settle(first.sink.held.shift()!, 'modified', { undeliverableHere: true })
  world.env.clock.advance(MINUTE_MS)
  await world.quiet()
  expect(first.sink.texts).toEqual(['1'])
  const second = world.read('q')
  await world.quiet()
  expect(second.sink.texts).toEqual(['1'])
})

test('in a last-value queue, one that was replaced while it waited does not come back', async () => {
  const world = await open({ lastValueKey: 'lastValue' })
  const extras = { annotations: { lastValue: 'key' } }
  world.send('q', 'old', { extras })
  await failAll(world)
  world.send('q', 'new', { extras })
  world.env.clock.advance(MINUTE_MS)
  await world.quiet()
  expect(await world.contents('q')).toEqual(['new'])
})

test('who is far down the queue looks at one that comes back, and reads nothing else again', async () => {
  const world = await open()
  for (let count = 0; count < 3_000; count++) world.send('q', `${count}`)
  const parsed = parseSelector("never = 'x'")
  if (!parsed.ok) throw new Error('unreachable')
  const plain = world.read('q', { credit: 1 })
  await world.quiet()
  world.read('q', { selector: parsed.selector })
  for (let round = 0; round < 20; round++) await world.quiet()
  const read: number[] = []
  const { log } = world.vhost
  const readMessages = log.readMessages.bind(log)
  log.readMessages = (lsns) => {
    read.push(lsns.length)
    return readMessages(lsns)
  }
  plain.consumer.settle(plain.sink.held.shift()!, 'modified')
  world.env.clock.advance(MINUTE_MS)
  for (let round = 0; round < 20; round++) await world.quiet()
  expect(read).toEqual([1])
  plain.consumer.grant(1)
  await world.quiet()
  expect(plain.sink.texts).toEqual(['0', '0'])
})
