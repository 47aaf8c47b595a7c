/** A queue that is deleted while messages are on their way into it or out of it: each is counted once, on the side where it ended. */
import { describe, expect, test, vi } from 'vitest'
import { purge } from '../src/operations/purge.ts'
import { Scan } from '../src/operations/scan.ts'
import { deleteWhere, moveWhere } from '../src/operations/transfer.ts'
import type { Queue } from '../src/queue/queue.ts'
import { DurableWorld, finished, queueMessage } from './durable.ts'
import { user } from './support.ts'

const COUNT = 1_200

async function worldWith(count: number): Promise<DurableWorld> {
  const world = await DurableWorld.open()
  for (const name of ['q', 'other']) world.define(name)
  for (let index = 0; index < count; index++) world.send('q', `${index}`)
  await world.quiet()
  return world
}

/** Until what was begun has sent something on its way. */
async function underWay(queue: Queue): Promise<void> {
  for (let turn = 0; turn < 1_000 && queue.underWayCount === 0; turn++) await Promise.resolve()
  expect(queue.underWayCount).toBeGreaterThan(0)
}

/** Published, and the log has not answered yet. */
function publish(world: DurableWorld, queue: string, text: string): void {
  world.vhost.publishAs({ principal: user('u'), clientId: 'publisher' }, queueMessage(queue, text))
}

describe('deleted', () => {
  test('in the middle of a move to it, it takes along what was under way, and the rest stays where it was', async () => {
    const world = await worldWith(COUNT)
    const other = world.queue('other')
    const moving = moveWhere(world.vhost, new Scan(world.queue('q')), world.named('other'))
    await underWay(other)
    world.vhost.destinations.delete(world.named('other'))
    const { count, stopped } = await finished(world, moving)
    expect([count > 0, stopped]).toEqual([true, "queue 'other' was deleted meanwhile"])
    expect([other.gone.count, world.queue('q').waitingCount]).toEqual([count, COUNT - count])
    await world.restart()
    expect([world.vhost.destinations.find('other'), world.queue('q').waitingCount]).toEqual([undefined, COUNT - count])
  })

  test.each(['at once', 'in the middle'])(
    'while a move takes from it (%s), it takes along what has not gone, and nothing of that goes elsewhere',
    async (when) => {
      const world = await worldWith(COUNT)
      const q = world.queue('q')
      const moving = moveWhere(world.vhost, new Scan(q), world.named('other'))
      if (when === 'in the middle') await underWay(world.queue('other'))
      world.vhost.destinations.delete(world.named('q'))
      const { count, stopped } = await finished(world, moving)
      expect([count > 0, stopped]).toEqual([when === 'in the middle', "queue 'q' was deleted meanwhile"])
      expect([q.gone.count, world.queue('other').waitingCount]).toEqual([COUNT - count, count])
      await world.restart()
      expect([world.vhost.destinations.find('q'), world.queue('other').waitingCount]).toEqual([undefined, count])
    },
  )

  test.each(['a delete by selector', 'a purge'])(
    'beside %s, each message is counted by one of the two',
    async (how) => {
      const world = await worldWith(COUNT)
      const q = world.queue('q')
      const purged = async (): Promise<number | undefined> => {
        const result = await purge(world.vhost, q)
        return result.ok ? result.value.count : undefined
      }
      const ending = how === 'a purge' ? purged() : deleteWhere(world.vhost, new Scan(q)).then(({ count }) => count)
      for (let turn = 0; turn < 100 && q.waitingCount === COUNT; turn++) await Promise.resolve()
      world.vhost.destinations.delete(world.named('q'))
      const again = purged()
      const count = (await finished(world, ending))!
      expect([count > 0, q.gone.count]).toEqual([true, COUNT - count])
      expect(await finished(world, again)).toBeUndefined()
    },
  )

  test('it takes along what was published to it and will be confirmed, not what a consumer has settled', async () => {
    const world = await worldWith(2)
    const { consumer, sink } = world.read('q')
    await world.quiet()
    consumer.settle(sink.held[0]!, 'accepted')
    publish(world, 'q', 'late')
    const q = world.queue('q')
    world.vhost.destinations.delete(world.named('q'))
    publish(world, 'q', 'for the next one')
    await world.quiet()
    expect(q.gone.count).toBe(2)
    expect(await world.contents('q')).toEqual(['for the next one'])
    await world.restart()
    expect(await world.contents('q')).toEqual(['for the next one'])
  })

  test('its rejected messages go with it, and none becomes a dead letter as well', async () => {
    const world = await worldWith(2)
    world.define('q', { deadLetter: 'other' })
    const { consumer, sink } = world.read('q')
    await world.quiet()
    const q = world.queue('q')
    world.vhost.destinations.delete(world.named('q'))
    consumer.settle(sink.held[0]!, 'rejected')
    await world.quiet()
    expect([q.gone.count, world.queue('other').waitingCount]).toEqual([2, 0])
  })
})

test('a dead letter whose queue is deleted before the log has room for it goes to the one that has its name by then', async () => {
  const world = await worldWith(1)
  world.define('q', { deadLetter: 'other' })
  const { consumer, sink } = world.read('q')
  await world.quiet()
  const { log } = world.vhost
  const append = vi.spyOn(log, 'appendAll').mockImplementationOnce((_, group) => group.onRefused('no room', false))
  consumer.settle(sink.held[0]!, 'rejected')
  expect(append).toHaveBeenCalledTimes(1)
  const other = world.queue('other')
  world.vhost.destinations.delete(world.named('other'))
  world.env.clock.advance(1_000)
  await world.quiet()
  expect([other.gone.count, other.underWayCount, world.queue('q').inflightCount]).toEqual([0, 0, 0])
  expect(world.queue('other').underWayCount).toBe(0)
  expect(await world.contents('other')).toEqual(['0'])
})

describe('deleteIfEmpty', () => {
  test('leaves a queue that something is on its way to, whatever its settings are, and whenever that was published', async () => {
    for (const whenFull of ['reject', 'drop-newest', 'drop-oldest'] as const) {
      for (const isBefore of [true, false]) {
        const world = await worldWith(0)
        world.define('q', { whenFull })
        await world.quiet()
        if (isBefore) publish(world, 'q', 'late')
        const deleting = world.vhost.destinations.deleteIfEmpty(world.named('q'))
        if (!isBefore) publish(world, 'q', 'late')
        expect(await finished(world, deleting)).toBe(1)
        expect(world.queue('q').underWayCount).toBe(0)
        expect(await world.contents('q')).toEqual(['late'])
      }
    }
  })

  test('leaves a queue that a dead letter is on its way to', async () => {
    const world = await worldWith(1)
    world.define('q', { deadLetter: 'other' })
    const { consumer, sink } = world.read('q')
    await world.quiet()
    consumer.settle(sink.held[0]!, 'rejected')
    expect(await finished(world, world.vhost.destinations.deleteIfEmpty(world.named('other')))).toBe(1)
  })

  test('deletes one that is empty, and counts what is published to others no more', async () => {
    const world = await worldWith(0)
    expect(await finished(world, world.vhost.destinations.deleteIfEmpty(world.named('q')))).toBe(0)
    expect(world.vhost.destinations.find('q')).toBeUndefined()
  })
})
