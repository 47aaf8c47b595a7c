/** Topics as server-sent events: at most once, and who reads too slowly is told how many he has missed. */
import { publishMessage, subscribeEvents } from '@ternmq/api'
import { allowAll, type Authorizer } from '@ternmq/core'
import { expect, test } from 'vitest'
import { STREAM_PENDING_MAX, STREAMS_PER_USER_MAX } from '../src/http-messaging/bounds.ts'
import { callerOf, MessageWorld, TestEvents, VHOST } from './message-world.ts'

async function publish(world: MessageWorld, topic: string, body: string): Promise<void> {
  await world.call(publishMessage, {
    params: VHOST,
    body: { address: `topic://${topic}`, body, properties: { n: '1' } },
  })
}

function subscribe(world: MessageWorld, address: string, events: TestEvents, user = 'ann'): Promise<() => void> {
  return world.stream(subscribeEvents, { params: VHOST, query: { address }, caller: callerOf(user) }, events)
}

/** Bodies of messages, numbers of lost ones. */
function told({ seen }: TestEvents): unknown[] {
  return seen.map(({ event, data }) =>
    event === 'message' ? (data as { body: { value: string } }).body.value : (data as { count: number }).count,
  )
}

test('what is published from now on comes, of all topics that match, until it ends', async () => {
  const world = await MessageWorld.open()
  const events = new TestEvents()
  await publish(world, 'a.before', '0')
  const end = await subscribe(world, 'topic://a.>', events)
  await publish(world, 'a.b', '1')
  await publish(world, 'other', '2')
  await publish(world, 'a.c', '3')
  expect(told(events)).toEqual(['1', '3'])
  expect(events.seen[0]).toMatchObject({
    event: 'message',
    data: { address: 'a/b', properties: [['n', '1']], format: 'http', body: { encoding: 'text' } },
  })
  end()
  end()
  await publish(world, 'a.b', '4')
  expect([told(events), events.isEnded]).toEqual([['1', '3'], false])
})

test('a slow reader loses messages, is told how many before the next one, and holds up nobody', async () => {
  const world = await MessageWorld.open()
  const events = new TestEvents()
  await subscribe(world, 'topic://a', events)
  events.writable = false
  for (const body of ['1', '2', '3']) await publish(world, 'a', body)
  events.writable = true
  await publish(world, 'a', '4')
  expect(told(events)).toEqual([3, '4'])
})

test('it is told, too, when nothing more comes', async () => {
  const world = await MessageWorld.open()
  const events = new TestEvents()
  const end = await subscribe(world, 'topic://a', events)
  events.writable = false
  await publish(world, 'a', '1')
  await world.pass(5_000)
  expect(told(events)).toEqual([])
  events.writable = true
  await world.pass(1_000)
  expect(told(events)).toEqual([1])
  end()
  await world.pass(60_000)
  expect(world.env.clock.timerCount).toBe(0)
})

test('of a burst in one turn so many are kept, and the others are counted', async () => {
  const world = await MessageWorld.open()
  const events = new TestEvents()
  await subscribe(world, 'topic://a', events)
  const all = Array.from({ length: STREAM_PENDING_MAX + 7 }, (_, n) =>
    world.begin(publishMessage, {
      params: VHOST,
      body: { address: 'topic://a', body: `${n}`, durable: false },
      caller: callerOf(`user${n % 2}`),
    }),
  )
  await Promise.all(all)
  expect(events.seen.filter(({ event }) => event === 'message')).toHaveLength(STREAM_PENDING_MAX)
  await publish(world, 'a', 'next')
  expect(told(events).slice(-2)).toEqual([7, 'next'])
})

test('what may not be read, and what is no topic, is refused', async () => {
  const authorizer: Authorizer = {
    ...allowAll,
    mayMatch: (_, action) => ({ allowed: action !== 'read', rule: 'of the test' }),
  }
  const world = await MessageWorld.open({ authorizer })
  await expect(subscribe(world, 'topic://a', new TestEvents())).rejects.toMatchObject({
    code: 'NOT_ALLOWED',
    message: "user 'ann' may not subscribe to 'topic://a'",
  })
  for (const address of ['queue://q', 'queue://q.>', '', '\0', 'topic://a,topic://b', 'topic://$temp.x']) {
    const outcome = await subscribe(world, address, new TestEvents()).then(
      () => 'begun',
      (error: { code: string }) => error.code,
    )
    expect([address, outcome]).toEqual([address, 'INVALID'])
  }
})

test('a user has so many streams, they end with his session, and others go on', async () => {
  const world = await MessageWorld.open()
  const all = Array.from({ length: STREAMS_PER_USER_MAX }, () => new TestEvents())
  for (const events of all) await subscribe(world, 'topic://a', events)
  await expect(subscribe(world, 'topic://a', new TestEvents())).rejects.toMatchObject({ code: 'BUSY' })
  const other = new TestEvents()
  await subscribe(world, 'topic://a', other, 'bob')
  world.vhost.departures.end('ann')
  await publish(world, 'a', '1')
  expect(all.every(({ isEnded, seen }) => isEnded && seen.length === 0)).toBe(true)
  expect(told(other)).toEqual(['1'])
})
