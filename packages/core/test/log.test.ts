/** Messages in the log: each stays as long as somebody needs it after a restart, and not longer. */
import { MemoryEngine } from '@ternmq/store'
import { expect, test } from 'vitest'
import { allowAll } from '../src/authorizer.ts'
import { DEFAULT_CORE_LIMITS } from '../src/limits.ts'
import { VirtualHost } from '../src/virtual-host.ts'
import { testCodec, textOf, quiet } from './support.ts'
import { World } from './world.ts'

const DURABLE = { durable: true } as const
const KEPT = { expiryMs: 60_000 } as const

async function loggedWorld(): Promise<{ world: World; engine: MemoryEngine }> {
  const world = new World()
  const engine = new MemoryEngine(world.env)
  await world.vhost.openLog(engine, [testCodec])
  return { world, engine }
}

/** Bodies of the messages that the log would give back. */
async function contentOf(engine: MemoryEngine): Promise<string[]> {
  const bodies: string[] = []
  const stop = new AbortController()
  for await (const { records, head } of engine.partition(0).tail(0, stop.signal)) {
    for (const { body, bodyStart, bodyEnd } of records) {
      if (body !== undefined)
        bodies.push(Buffer.from(body.subarray(bodyStart, bodyEnd)).toString().slice('h=1;'.length))
    }
    if (head) break
  }
  stop.abort()
  return bodies
}

test('a message that kept sessions get at most once is not logged: nobody would ever settle it', async () => {
  const { world, engine } = await loggedWorld()
  world.connect('kept', KEPT).bind('a', { assuranceMax: 0 })
  world.connect('self', KEPT).bind('b', { noLocal: true })
  const publisher = world.connect('publisher')
  expect(publisher.publish('a', 'x', DURABLE)).toBe('routed')
  expect(world.vhost.sessions.find('self')?.isDurable).toBe(true)
  expect(world.connect('self', KEPT).publish('b', 'own', DURABLE)).toBe('unmatched')
  world.settle()
  expect(await contentOf(engine)).toEqual([])
})

test('behind publishes that wait, one that is not logged keeps its place', async () => {
  const { world } = await loggedWorld()
  const kept = world.connect('kept', KEPT)
  kept.bind('logged', { assuranceMax: 1 })
  kept.bind('free', { assuranceMax: 0 })
  const publisher = world.connect('publisher')
  const answers = ['logged', 'free', 'logged'].map((topic, index) => publisher.publish(topic, `${index}`, DURABLE))
  expect(answers).toEqual(['pending', 'pending', 'pending'])
  world.settle()
  expect(kept.texts).toEqual(['0', '1', '2'])
})

test('a restart gives a message no higher assurance than its binding does', async () => {
  const { world, engine } = await loggedWorld()
  const kept = world.connect('kept', KEPT)
  kept.bind('a', { assuranceMax: 1 })
  kept.session.disconnect()
  world.connect('publisher').publish('a', 'x', { ...DURABLE, assurance: 2 })
  world.settle()
  const second = new World()
  await second.vhost.openLog(engine, [testCodec])
  const again = second.connect('kept', KEPT)
  await quiet(second.env.clock)
  await quiet(world.env.clock) // the engine's turns
  await quiet(second.env.clock)
  expect(again.sink.seen.map(({ text, assurance }) => [text, assurance])).toEqual([['x', 1]])
})

test('a group that is kept from its second member on settles only what the log gave it', async () => {
  const { world, engine } = await loggedWorld()
  const clean = world.connect('clean')
  clean.bind('a', { share: 'g' })
  clean.sink.writable = false
  world.connect('publisher').publish('a', 'retained', { ...DURABLE, retain: true })
  world.settle()
  const kept = world.connect('kept', KEPT)
  kept.bind('a', { share: 'g' })
  world.settle()
  expect(kept.texts).toEqual(['retained'])
  kept.settleFirst()
  world.settle()
  expect(await contentOf(engine)).toEqual(['retained'])
  const second = new VirtualHost({ env: world.env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
  await second.openLog(engine, [testCodec])
  expect(textOf(second.retained.get(['a'])!)).toBe('retained')
})

test('a message that waits for the log while its group becomes kept is settled only where it was logged', async () => {
  const { world, engine } = await loggedWorld()
  const clean = world.connect('clean')
  clean.bind('a', { share: 'g' })
  world.connect('publisher').publish('a', 'retained', { ...DURABLE, retain: true })
  const kept = world.connect('kept', KEPT)
  kept.bind('a', { share: 'g' })
  world.settle()
  clean.settleAll()
  kept.settleAll()
  world.settle()
  expect([[...clean.texts, ...kept.texts], await contentOf(engine)]).toEqual([['retained'], ['retained']])
})

test('a delivery from before its group was kept is not settled in the log, not even while the log is busy', async () => {
  const { world, engine } = await loggedWorld()
  const clean = world.connect('clean')
  clean.bind('a', { share: 'g' })
  const publisher = world.connect('publisher')
  publisher.publish('a', 'retained', { ...DURABLE, retain: true })
  world.settle()
  expect(publisher.publish('busy', 'x', { ...DURABLE, retain: true })).toBe('pending')
  world.connect('kept', KEPT).bind('a', { share: 'g' })
  clean.settleFirst()
  world.settle()
  expect((await contentOf(engine)).sort()).toEqual(['retained', 'x'])
})

test('a group is in the log from the moment a kept session joins it, for producers that knew the topic before, too', async () => {
  const { world, engine } = await loggedWorld()
  world.connect('clean').bind('a', { share: 'g' })
  const publisher = world.connect('publisher')
  expect(publisher.publish('a', 'before', DURABLE)).toBe('routed')
  world.connect('kept', KEPT).bind('a', { share: 'g' })
  expect(publisher.publish('a', 'after', DURABLE)).toBe('pending')
  world.settle()
  expect(await contentOf(engine)).toEqual(['after'])
})

test('what a member of a kept group gets at most once leaves the log when it is sent', async () => {
  const { world, engine } = await loggedWorld()
  const kept = world.connect('kept', KEPT)
  kept.bind('a', { share: 'g', assuranceMax: 0 })
  const publisher = world.connect('publisher')
  publisher.publish('a', 'at once', DURABLE)
  world.settle()
  kept.sink.writable = false
  publisher.publish('a', 'from the line', DURABLE)
  world.settle()
  expect([kept.texts, await contentOf(engine)]).toEqual([['at once'], ['from the line']])
  kept.sink.writable = true
  kept.session.onWritable()
  world.settle()
  expect([kept.texts, await contentOf(engine)]).toEqual([['at once', 'from the line'], []])
})

test('what was begun in a group that has ended leaves the log whatever its outcome', async () => {
  const { world, engine } = await loggedWorld()
  const kept = world.connect('kept', KEPT)
  kept.bind('a', { share: 'g' })
  const publisher = world.connect('publisher')
  for (const text of ['1', '2', '3']) publisher.publish('a', text, DURABLE)
  world.settle()
  kept.unbind('a', 'g')
  for (const outcome of ['released', 'modified', 'accepted'] as const) kept.settleFirst(outcome)
  world.settle()
  expect(await contentOf(engine)).toEqual([])
})

test('what a queue cannot keep leaves the log: over the limit, expired, ended before the commit', async () => {
  const world = new World({ limits: { queuedMessagesMax: 1 } })
  const engine = new MemoryEngine(world.env)
  await world.vhost.openLog(engine, [testCodec])
  const kept = world.connect('kept', KEPT)
  kept.bind('a')
  kept.session.disconnect()
  const publisher = world.connect('publisher')
  publisher.publish('a', 'expires', { ...DURABLE, expiresAtMs: world.env.clock.wallMs() + 100 })
  publisher.publish('a', 'over the limit', DURABLE)
  world.settle()
  expect(await contentOf(engine)).toEqual(['expires'])
  world.advance(100)
  const again = world.connect('kept', KEPT)
  world.settle()
  expect([again.texts, await contentOf(engine)]).toEqual([[], []])
  publisher.publish('a', 'too late', DURABLE)
  again.session.end()
  world.settle()
  expect(await contentOf(engine)).toEqual([])
})

async function retainedAfterRestart(world: World, engine: MemoryEngine, topic: string): Promise<string | undefined> {
  const second = new VirtualHost({ env: world.env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
  await second.openLog(engine, [testCodec])
  const message = second.retained.get(topic.split('/'))
  return message && textOf(message)
}

test('a topic that is cleared and retained again in one turn is retained after a restart', async () => {
  const { world, engine } = await loggedWorld()
  const publisher = world.connect('publisher')
  for (const text of ['first', '', 'second']) publisher.publish('a', text, { ...DURABLE, retain: true })
  world.settle()
  expect(textOf(world.vhost.retained.get(['a'])!)).toBe('second')
  expect(await retainedAfterRestart(world, engine, 'a')).toBe('second')
})

test('an older message that a queue still holds is not retained again when the newer one has expired', async () => {
  const { world, engine } = await loggedWorld()
  world.connect('kept', KEPT).bind('a', { assuranceMax: 1 })
  const publisher = world.connect('publisher')
  publisher.publish('a', 'older', { ...DURABLE, retain: true })
  publisher.publish('a', 'newer', {
    ...DURABLE,
    retain: true,
    assurance: 0,
    expiresAtMs: world.env.clock.wallMs() + 100,
  })
  world.advance(100)
  world.connect('reader').bind('#')
  world.settle()
  expect(await contentOf(engine)).toEqual(['older'])
  expect(await retainedAfterRestart(world, engine, 'a')).toBeUndefined()
})

test('a message that is too much to retain is not retained after a restart, nor is the one before it', async () => {
  const world = new World({ limits: { retainedBytesMax: 60 } })
  const engine = new MemoryEngine(world.env)
  await world.vhost.openLog(engine, [testCodec])
  world.connect('kept', KEPT).bind('a')
  const publisher = world.connect('publisher')
  publisher.publish('a', 'small', { ...DURABLE, retain: true })
  publisher.publish('a', 'x'.repeat(100), { ...DURABLE, retain: true })
  world.settle()
  expect(world.vhost.retained.count).toBe(0)
  expect(await retainedAfterRestart(world, engine, 'a')).toBeUndefined()
})
