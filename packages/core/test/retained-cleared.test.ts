import { expect, test } from 'vitest'
import { Message } from '../src/message/message.ts'
import { DurableWorld } from './durable.ts'
import { testCodec, user } from './support.ts'

function retain(world: DurableWorld, topic: string, durable: boolean): void {
  const message = new Message({
    topic,
    codec: testCodec,
    bytes: Buffer.from('x'),
    start: 0,
    headerStart: 0,
    bodyStart: 0,
    end: 1,
    assurance: 1,
    durable,
    retain: true,
    expiresAtMs: 0,
    publisher: undefined,
  })
  world.vhost.publishAs({ principal: user('u'), clientId: 'publisher' }, message)
}

test.each([true, false])(
  'a retained message (durable: %s) that was cleared is not there, and not after a restart either',
  async (durable) => {
    const world = await DurableWorld.open()
    for (const topic of ['a/b', 'a/c']) retain(world, topic, durable)
    await world.quiet()
    expect(world.vhost.clearRetained(['a', 'b'])).toBe(true)
    expect(world.vhost.clearRetained(['a', 'b'])).toBe(false)
    expect(world.vhost.clearRetained(['a'])).toBe(false)
    const topics = (): string[] => [...world.vhost.retained.all()].map(({ topic }) => topic)
    expect([topics(), world.vhost.retained.count]).toEqual([['a/c'], 1])
    await world.restart()
    expect(topics()).toEqual(['a/c'])
  },
)

test('what is cleared goes from the store, and subscribers hear nothing of it', async () => {
  const world = await DurableWorld.open()
  retain(world, 'a/b', true)
  await world.quiet()
  const before = world.vhost.counters.messagesIn
  world.vhost.clearRetained(['a', 'b'])
  await world.quiet()
  await world.restart()
  expect([before, world.vhost.retained.count, world.vhost.counters.messagesIn]).toEqual([1, 0, 0])
})
