/** A log that takes no more: publishes are refused with its reason, sessions that cannot be kept end, and what was promised stays. */
import { MemoryEngine, NotAppended } from '@ternmq/store'
import { expect, test } from 'vitest'
import { Lives, QUEUE } from './lives.ts'
import { Scan } from '../src/operations/scan.ts'
import { moveWhere, NOTHING_TRANSFERRED } from '../src/operations/transfer.ts'
import { testCodec } from './support.ts'
import { type Client, World } from './world.ts'

const DURABLE = { durable: true } as const
const KEPT = { expiryMs: 60_000 } as const
const FULL = new NotAppended('full', 'the disk is full')

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

/** Two messages in a queue with a consumer that has finished with both while the log took nothing. */
async function settledInVain(): Promise<{ lives: Lives; log: { refusal: NotAppended | undefined } }> {
  const log: { refusal: NotAppended | undefined } = { refusal: undefined }
  const lives = await Lives.begin({ refusal: () => log.refusal })
  const worker = lives.client('worker')
  worker.consume('jobs')
  for (const text of ['one', 'two']) worker.publish(`${QUEUE}jobs`, text)
  await lives.quiet()
  log.refusal = FULL
  worker.acceptAll()
  await lives.quiet()
  return { lives, log }
}

async function close(lives: Lives): Promise<void> {
  const closing = lives.vhost.close()
  await lives.quiet()
  await closing
}

test('what was refused is tried once more at the end, and does not come back', async () => {
  const { lives, log } = await settledInVain()
  log.refusal = undefined
  await close(lives)
  expect(lives.events).toEqual([])
  await lives.restart()
  expect(lives.vhost.destinations.find('jobs')!.queue.waitingCount).toBe(0)
})

test('what is refused to the last comes back, and an event says so', async () => {
  const { lives, log } = await settledInVain()
  await close(lives)
  expect(lives.events).toEqual([expect.stringMatching(/no room to the last \(the disk is full\): 2 messages .* are back at the next start/)])
  log.refusal = undefined
  await lives.restart()
  expect(lives.vhost.destinations.find('jobs')!.queue.waitingCount).toBe(2)
})

test('a refused settle is in the log a little later', async () => {
  const { lives, log } = await settledInVain()
  log.refusal = undefined
  await lives.pass(1_000)
  await lives.restart()
  expect(lives.vhost.destinations.find('jobs')!.queue.waitingCount).toBe(0)
})

test('what the log will never take is counted as refused by a move, and waits where it was', async () => {
  const log: { refusal: NotAppended | undefined } = { refusal: undefined }
  const lives = await Lives.begin({ refusal: () => log.refusal })
  const { destinations } = lives.vhost
  for (const name of ['jobs', 'other']) destinations.define({ name, settings: {} })
  lives.client('maker').publish(`${QUEUE}jobs`, 'one')
  await lives.quiet()
  log.refusal = new NotAppended('too-big', 'a group of 129 MiB is over the limit')
  const moving = moveWhere(lives.vhost, new Scan(destinations.find('jobs')!.queue), destinations.find('other')!)
  await lives.quiet()
  const refusedBecause = 'the log did not take it: a group of 129 MiB is over the limit'
  expect(await moving).toEqual({ ...NOTHING_TRANSFERRED, refusedCount: 1, refusedBecause })
  expect(destinations.find('jobs')!.queue.waitingCount).toBe(1)
})

/** A message of `jobs` is rejected, and the log says `too-big` to the first `times` groups that come of it. */
async function rejectedTooLarge(times: number): Promise<{ lives: Lives; asked: () => number }> {
  let left = 0
  let asked = 0
  const lives = await Lives.begin({
    refusal: () => {
      asked++
      return left-- > 0 ? new NotAppended('too-big', 'a group of 129 MiB is over the limit') : undefined
    },
  })
  lives.vhost.destinations.define({ name: 'dead', settings: {} })
  lives.vhost.destinations.define({ name: 'jobs', settings: { deadLetter: 'dead' } })
  const worker = lives.client('worker')
  worker.consume('jobs')
  worker.publish(`${QUEUE}jobs`, 'one')
  await lives.quiet()
  left = times
  asked = 0
  const { consumer, delivery } = worker.held('one')
  consumer.settle(delivery, 'rejected', { reason: 'x'.repeat(1_000) })
  await lives.quiet()
  return { lives, asked: () => asked }
}

test('a dead letter that is too large for the log with its cause goes without it, and an event says so', async () => {
  const { lives } = await rejectedTooLarge(1)
  expect(lives.vhost.destinations.find('dead')!.queue.waitingCount).toBe(1)
  expect(lives.vhost.destinations.find('jobs')!.queue.inflightCount).toBe(0)
  expect(lives.events).toEqual([expect.stringContaining("too large to go to 'dead' with its cause and goes there without it: a group of 129 MiB")])
})

test('a dead letter that is too large even so is not tried for ever, holds nobody up, and is there after a restart', async () => {
  const { lives, asked } = await rejectedTooLarge(2)
  const before = asked()
  await lives.pass(10_000, 1_000)
  expect(asked()).toBe(before)
  expect(lives.vhost.log.settledSoFar()).toBe(undefined)
  expect(lives.events[1]).toContain('stays in flight until the broker is started again')
  await lives.restart()
  expect(lives.vhost.destinations.find('jobs')!.queue.waitingCount).toBe(1)
})
