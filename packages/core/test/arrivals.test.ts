/** When messages came, and from whom: from the log, in every life of the broker. */
import { expect, test } from 'vitest'
import { QUEUE_PREFIX } from '../src/routing/address.ts'
import { arrivalsOf, oldestAgesMs, oldestLsn } from '../src/operations/arrivals.ts'
import { browse } from '../src/operations/browse.ts'
import { queueInfo } from '../src/operations/info.ts'
import { Producer } from '../src/publish/producer.ts'
import { Scan } from '../src/operations/scan.ts'
import { moveWhere } from '../src/operations/transfer.ts'
import { DurableWorld, finished } from './durable.ts'
import { messageOf, textOf, user } from './support.ts'

/** Texts of what is in the queue with ms since the world began. */
async function arrivals(world: DurableWorld, queue: string, startMs: number): Promise<[string, number | undefined][]> {
  const { entries } = await finished(world, browse(world.queue(queue)))
  const moments = await arrivalsOf(
    world.vhost,
    entries.map(({ message }) => message),
  )
  return entries.map(({ message }, index) => {
    const atMs = moments[index]
    return [textOf(message), atMs === undefined ? undefined : atMs - startMs]
  })
}

test('each message of the log says when it came, before and after a restart; of others nobody knows', async () => {
  const world = await DurableWorld.open()
  world.define('q')
  await world.quiet()
  const startMs = world.env.clock.wallMs()
  world.send('q', 'first')
  world.env.clock.advance(5_000)
  world.send('q', 'second', { priority: 9 })
  world.send('q', 'in memory', { durable: false })
  expect(await arrivals(world, 'q', startMs)).toEqual([
    ['second', 5_000],
    ['first', 0],
    ['in memory', undefined],
  ])
  world.env.clock.advance(60_000)
  await world.restart()
  expect(await arrivals(world, 'q', startMs)).toEqual([
    ['second', 5_000],
    ['first', 0],
  ])
})

test('who published it is known in every life of the broker, also when it has been moved since', async () => {
  const world = await DurableWorld.open()
  for (const name of ['q', 'to']) world.define(name)
  const producer = new Producer(world.vhost, { principal: user('u'), clientId: 'shop-1' }, undefined, undefined)
  for (const [publisher, text] of [
    ['shop-1', '1'],
    ['shop-2', '2'],
    [undefined, '3'],
  ] as const) {
    const message = messageOf(`${QUEUE_PREFIX}q`, text, {
      durable: true,
      ...(publisher !== undefined && { publisher }),
    })
    producer.publish(producer.target(`${QUEUE_PREFIX}q`), message, 0)
  }
  await world.quiet()
  const publishers = async (queue: string): Promise<(string | undefined)[]> => {
    const { entries } = await finished(world, browse(world.queue(queue)))
    return entries.map(({ message }) => message.publisher)
  }
  for (const life of ['first', 'second']) {
    expect([life, await publishers('q')]).toEqual([life, ['shop-1', 'shop-2', undefined]])
    await world.restart()
  }
  await finished(world, moveWhere(world.vhost, new Scan(world.queue('q')), world.named('to')))
  await world.restart()
  expect(await publishers('to')).toEqual(['shop-1', 'shop-2', undefined])
})

test('one that was moved came when it was moved', async () => {
  const world = await DurableWorld.open()
  world.define('from')
  world.define('to')
  await world.quiet()
  const startMs = world.env.clock.wallMs()
  world.send('from', 'one')
  world.env.clock.advance(7_000)
  await finished(world, moveWhere(world.vhost, new Scan(world.queue('from')), world.named('to')))
  const [[text, atMs] = []] = await arrivals(world, 'to', startMs)
  expect(text).toBe('one')
  expect(atMs).toBeGreaterThanOrEqual(7_000)
})

test('a retained message says when its topic got it', async () => {
  const world = await DurableWorld.open()
  const { vhost } = world
  const startMs = world.env.clock.wallMs()
  world.env.clock.advance(3_000)
  vhost.publishAs(
    { principal: user('u'), clientId: 'p' },
    messageOf('lamp', 'on', { durable: true, retain: true, assurance: 1 }),
  )
  await world.quiet()
  const committedAtMs = await arrivalsOf(vhost, [vhost.retained.get(['lamp'])!])
  expect(committedAtMs.map((atMs) => atMs! - startMs)).toEqual([3_000])
})

test('queues are as old as the oldest that the log has of them, whoever has it and whatever is in memory before it', async () => {
  const world = await DurableWorld.open()
  for (const name of ['empty', 'old', 'new', 'memory']) world.define(name)
  world.send('old', 'in memory', { durable: false })
  world.send('old', 'first')
  world.env.clock.advance(10_000)
  world.send('new', 'second', { priority: 2 })
  world.env.clock.advance(10_000)
  world.send('new', 'third', { priority: 9 })
  world.send('memory', 'only', { durable: false })
  const queues = ['empty', 'old', 'new', 'memory'].map((name) => world.queue(name))
  expect(await oldestAgesMs(world.vhost, queues)).toEqual([undefined, 20_000, 10_000, undefined])
  const [none, older = 0, newer = 0] = queues.map(oldestLsn)
  expect(none).toBe(0)
  expect(older).toBeLessThan(newer)
  world.read('old', { credit: 2 })
  await world.quiet()
  expect(world.queue('old').inflightCount).toBe(2)
  expect((await queueInfo(world.vhost, world.queue('old'))).oldestAgeMs).toBe(20_000)
})
