/** Subscriptions made while a retained message is on its way into the log. */
import { MemoryEngine } from '@ternmq/store'
import { expect, test } from 'vitest'
import { testCodec } from './support.ts'
import { type Client, World } from './world.ts'

const RETAINED = { retain: true, durable: true } as const

async function loggedWorld(): Promise<World> {
  const world = new World()
  await world.vhost.openLog(new MemoryEngine(world.env), [testCodec])
  return world
}

function seen({ sink }: Client): unknown[] {
  return sink.seen.map(({ text, retained }) => [text, retained])
}

test('a subscription that comes before the message is retained gets it as a retained one, and what comes later once', async () => {
  const world = await loggedWorld()
  const publisher = world.connect('p')
  expect(publisher.publish('a/b', 'first', RETAINED)).toBe('pending')
  const client = world.connect('c')
  client.bind('a/#', { retained: 'always' })
  world.settle()
  publisher.publish('a/b', 'second', RETAINED)
  world.settle()
  expect(seen(client)).toEqual([
    ['first', true],
    ['second', false],
  ])
})

test('one that wants nothing retained, or nothing of its own, or something else, gets none', async () => {
  const world = await loggedWorld()
  const publisher = world.connect('p')
  publisher.publish('a', 'm', RETAINED)
  const never = world.connect('never')
  never.bind('a', { retained: 'never' })
  publisher.bind('a', { retained: 'always', noLocal: true })
  const other = world.connect('other')
  other.bind('b', { retained: 'always' })
  world.settle()
  expect([never, publisher, other].map(seen)).toEqual([[], [], []])
})

test('one that was there gets it once', async () => {
  const world = await loggedWorld()
  const client = world.connect('c')
  client.bind('a', { retained: 'always' })
  world.connect('p').publish('a', 'm', RETAINED)
  client.bind('a', { retained: 'always' })
  world.settle()
  expect(seen(client)).toEqual([['m', false]])
})

test('a message that clears its topic is no retained one', async () => {
  const world = await loggedWorld()
  const publisher = world.connect('p')
  publisher.publish('a', 'm', RETAINED)
  publisher.publish('a', '', RETAINED)
  const client = world.connect('c')
  client.bind('a', { retained: 'always' })
  world.settle()
  expect(seen(client).at(-1)).not.toEqual(['', true])
})
