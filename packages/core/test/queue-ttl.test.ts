/** A queue's own time to live, for messages that reach it through a topic: others have the same message, for as long as it says itself. */
import { expect, test } from 'vitest'
import { type LifeClient, Lives, QUEUE } from './lives.ts'
import { topicPattern, user } from './support.ts'
import { LARGE_BODY_BYTES } from '../src/limits.ts'
import type { Queue } from '../src/queue/queue.ts'
import type { QueueSettings } from '../src/queue/settings.ts'

const SHORT = 'Consumer.short.VirtualTopic.t'
const CAPPED = 'Consumer.capped.VirtualTopic.t'
const LONG = 'Consumer.long.VirtualTopic.t'
const TOPIC = 'VirtualTopic/t'

function define(lives: Lives, name: string, settings: Partial<QueueSettings> = {}): void {
  const defined = lives.vhost.destinations.define({ name, settings })
  if (!defined.ok) throw new Error(defined.detail.text)
}

async function begin(settings: Partial<QueueSettings> = {}): Promise<{ lives: Lives; publisher: LifeClient }> {
  const lives = await Lives.begin()
  define(lives, SHORT, { ttlMs: 10_000, ...settings })
  define(lives, CAPPED, { ttlMaxMs: 20_000, ...settings })
  define(lives, LONG, settings)
  await lives.quiet()
  return { lives, publisher: lives.client('publisher') }
}

function queue(lives: Lives, name: string): Queue {
  return lives.vhost.destinations.find(name)!.queue
}

function counts(lives: Lives): number[] {
  return [SHORT, CAPPED, LONG].map((name) => queue(lives, name).waitingCount)
}

/** When the entries of each queue expire, as a restart would read it and as a snapshot would say it. */
async function expiries(lives: Lives, name: string): Promise<readonly [folded: number[], captured: number[]]> {
  const { number } = queue(lives, name)
  const [folded, captured] = [await lives.folded(), lives.captured()].map((state) => {
    const found: number[] = []
    for (const line of state.lines.get(number)?.values() ?? []) {
      for (let at = line.nextLive(0); at !== 0; at = line.nextLive(at)) found.push(line.expiresAt(at))
    }
    return found
  })
  return [folded!, captured!]
}

for (const durable of [true, false]) {
  const kind = durable ? 'in the log' : 'in memory only'
  test(`messages ${kind} live in each queue of a virtual topic as long as that queue says`, async () => {
    const { lives, publisher } = await begin()
    const nowMs = lives.env.clock.wallMs()
    publisher.publish(TOPIC, 'plain', { durable })
    publisher.publish(TOPIC, 'brief', { durable, expiresAtMs: nowMs + 5_000 })
    publisher.publish(TOPIC, 'long', { durable, expiresAtMs: nowMs + 60_000 })
    await lives.quiet()
    const left: number[][] = [counts(lives)]
    for (const ms of [7_000, 5_000, 10_000, 50_000]) {
      await lives.pass(ms, 500)
      left.push(counts(lives))
    }
    expect(left).toEqual([
      [3, 3, 3],
      [2, 2, 2],
      [1, 2, 2],
      [1, 0, 2],
      [0, 0, 1],
    ])
  })
}

test('what was given in the log is what a restart finds, with or without a snapshot', async () => {
  const { lives, publisher } = await begin()
  const nowMs = lives.env.clock.wallMs()
  publisher.publish(TOPIC, 'x')
  await lives.quiet()
  for (const [name, atMs] of [[SHORT, nowMs + 10_000], [CAPPED, nowMs + 20_000], [LONG, 0]] as const) {
    expect(await expiries(lives, name)).toEqual([[atMs], [atMs]])
  }
  await lives.pass(8_000)
  await lives.restart()
  await lives.pass(4_000, 500)
  expect(counts(lives)).toEqual([0, 1, 1])
  await lives.restart()
  await lives.pass(10_000, 500)
  expect(counts(lives)).toEqual([0, 0, 1])
})

test('a consumer and those who look are told the time of its queue, before and after a restart', async () => {
  const { lives, publisher } = await begin()
  const atMs = lives.env.clock.wallMs() + 10_000
  publisher.publish(TOPIC, 'x')
  await lives.quiet()
  const told = async (name: string): Promise<number[]> => {
    const reader = lives.client('reader')
    reader.consume(name)
    await lives.quiet()
    const seen = reader.sink.held.map(({ message }) => message.expiresAtMs)
    reader.session.disconnect()
    await lives.quiet()
    return seen
  }
  expect([await told(SHORT), await told(LONG)]).toEqual([[atMs], [0]])
  await lives.restart()
  expect([await told(SHORT), await told(LONG)]).toEqual([[atMs], [0]])
})

test('one message that all queues have settled is gone from the store, whatever their times', async () => {
  const { lives, publisher } = await begin()
  publisher.publish(TOPIC, 'x')
  await lives.quiet()
  await lives.pass(30_000, 500)
  expect(counts(lives)).toEqual([0, 0, 1])
  const reader = lives.client('reader')
  reader.consume(LONG)
  await lives.quiet()
  reader.acceptAll()
  await lives.quiet()
  const state = await lives.folded()
  expect([state.refs.size, lives.vhost.log.refs.size]).toEqual([0, 0])
})

test('a message that expires in one queue goes where that queue says, with its time', async () => {
  const { lives, publisher } = await begin({ expiryTarget: 'late' })
  const atMs = lives.env.clock.wallMs() + 10_000
  publisher.publish(TOPIC, 'x')
  await lives.quiet()
  await lives.restart()
  await lives.pass(12_000, 500)
  const reader = lives.client('reader')
  reader.consume('late')
  await lives.quiet()
  expect(reader.sink.held[0]!.message.extras!.annotations).toMatchObject({ cause: 'expired', expiredAtMs: atMs })
  expect(counts(lives)).toEqual([0, 1, 1])
})

test('the queue of a durable subscription has a time to live like any other, and a retained message stays for its topic', async () => {
  const lives = await Lives.begin()
  const { policies } = lives.vhost
  policies.use({ ...policies.settingsFor('any'), ttlMs: 10_000 }, [])
  const subject = { principal: user('u'), clientId: 'c' }
  const spec = { clientId: 'c', name: 's', pattern: topicPattern('news/#'), shared: false }
  const opened = lives.vhost.subscriptions.open(spec, subject)
  if (!opened.ok) throw new Error(opened.detail.text)
  await lives.quiet()
  lives.client('publisher').publish('news/a', 'x', { retain: true })
  await lives.quiet()
  const kept = lives.vhost.retained.get(['news', 'a'])
  expect([kept?.expiresAtMs, kept?.lives]).toEqual([0, undefined])
  expect(opened.value.queue.waitingCount).toBe(1)
  await lives.pass(12_000, 500)
  expect(opened.value.queue.waitingCount).toBe(0)
  expect(lives.vhost.retained.get(['news', 'a'])).toBeDefined()
})

test('publishes of a transaction and scheduled ones get the times of the queues, too', async () => {
  const { lives, publisher } = await begin()
  const nowMs = lives.env.clock.wallMs()
  const transaction = publisher.begin()
  publisher.stage(transaction, TOPIC, 'in a transaction')
  transaction.commit(() => {})
  publisher.publish(TOPIC, 'scheduled', { schedule: { delayMs: 5_000 } })
  await lives.pass(5_000)
  await lives.quiet()
  expect(await expiries(lives, SHORT)).toEqual([
    [nowMs + 10_000, nowMs + 15_000],
    [nowMs + 10_000, nowMs + 15_000],
  ])
})

test.each([
  ['a large body', 'x'.repeat(LARGE_BODY_BYTES), {}],
  ['an id', 'x', { dedupId: 'a' }],
])('a message with %s has the times of the queues in its record', async (_what, text, options) => {
  const { lives, publisher } = await begin({ duplicatesMax: 10 })
  const nowMs = lives.env.clock.wallMs()
  expect(publisher.publish(TOPIC, text, options)).toBe('pending')
  await lives.quiet()
  expect(await expiries(lives, SHORT)).toEqual([[nowMs + 10_000], [nowMs + 10_000]])
  expect(await expiries(lives, LONG)).toEqual([[0], [0]])
})

test('one that waited for room keeps the times of when it was sent', async () => {
  const { lives, publisher } = await begin({ messagesMax: 1, whenFull: 'block', blockMaxMs: 60_000 })
  const nowMs = lives.env.clock.wallMs()
  publisher.publish(QUEUE + LONG, 'full')
  await lives.quiet()
  expect(publisher.publish(TOPIC, 'waits')).toBe('pending')
  await lives.pass(3_000)
  const reader = lives.client('reader')
  reader.consume(LONG)
  await lives.quiet()
  reader.acceptAll()
  await lives.quiet()
  expect(await expiries(lives, SHORT)).toEqual([[nowMs + 10_000], [nowMs + 10_000]])
})
