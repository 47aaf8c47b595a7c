/** A log that takes no more: publishes are refused with its reason, sessions that cannot be kept end, and what was promised stays. */
import { MemoryEngine } from '@ternmq/store'
import { expect, test } from 'vitest'
import { testCodec } from './support.ts'
import { type Client, World } from './world.ts'

const DURABLE = { durable: true } as const
const KEPT = { expiryMs: 60_000 } as const

async function worldWith(maxBytes: number): Promise<{ world: World; engine: MemoryEngine }> {
  const world = new World()
  const engine = new MemoryEngine(world.env, { maxBytes })
  await world.vhost.openLog(engine, [testCodec])
  return { world, engine }
}

/** Publishes until one is refused. Returns the texts that were routed. */
function fill(world: World, publisher: Client): string[] {
  const routed: string[] = []
  for (let count = 0; count < 1_000; count++) {
    const text = `${count}:${'x'.repeat(1_000)}`
    const before = publisher.results.length
    publisher.publish('a', text, DURABLE)
    world.settle()
    if (publisher.results[before] === 'refused') return routed
    routed.push(text)
  }
  throw new Error('the log never filled up')
}

test('a publish that does not fit is refused with a reason and reaches nobody; what was routed before is delivered', async () => {
  const { world } = await worldWith(50_000)
  const kept = world.connect('kept', { ...KEPT, creditMax: 1_000 })
  kept.bind('a')
  const publisher = world.connect('publisher')
  const routed = fill(world, publisher)
  expect(routed.length).toBeGreaterThan(10)
  expect(kept.texts).toEqual(routed)
  expect(publisher.producer.refusal).toMatchObject({ refusal: 'limit-reached', subject: 'a' })
  expect(publisher.producer.refusal!.text).not.toBe('')
})

test('when messages are settled there is room again', async () => {
  const { world } = await worldWith(50_000)
  const kept = world.connect('kept', { ...KEPT, creditMax: 1_000 })
  kept.bind('a')
  const publisher = world.connect('publisher')
  fill(world, publisher)
  kept.settleAll()
  world.settle()
  const again = fill(world, publisher)
  expect(again.length).toBeGreaterThan(10)
})

test('in a full log publishes that need none of it go on, in their order', async () => {
  const { world } = await worldWith(50_000)
  world.connect('kept', { ...KEPT, creditMax: 1_000 }).bind('a')
  const watcher = world.connect('watcher', { creditMax: 10_000 })
  watcher.bind('b')
  const publisher = world.connect('publisher')
  fill(world, publisher)
  const from = publisher.results.length
  publisher.publish('a', 'x'.repeat(2_000), DURABLE)
  publisher.publish('b', 'behind', DURABLE)
  publisher.publish('a', 'x'.repeat(2_000), DURABLE)
  world.settle()
  expect(publisher.results.slice(from)).toEqual(['refused', 'routed', 'refused'])
  expect(watcher.texts).toEqual(['behind'])
})

test('a session that the log cannot keep is ended and told so, and its client id is free', async () => {
  const { world } = await worldWith(20_000)
  world.connect('kept', { ...KEPT, creditMax: 1_000 }).bind('a')
  fill(world, world.connect('publisher'))
  let ended: Client | undefined = undefined
  for (let count = 0; count < 1_000 && ended === undefined; count++) {
    const client = world.connect(`session ${count}`, KEPT)
    world.settle()
    if (client.evictions.length > 0) ended = client
  }
  expect(ended!.evictions).toEqual(['deleted'])
  expect(world.vhost.sessions.find(ended!.session.clientId)).toBeUndefined()
  expect(world.connect(ended!.session.clientId).present).toBe(false)
})
