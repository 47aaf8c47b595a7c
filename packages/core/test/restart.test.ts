/** The log gives the state back: a second virtual host on the same engine goes on where the first one stopped. */
import { type Engine, MemoryEngine, type PartitionLog } from '@ternmq/store'
import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { allowAll } from '../src/authorizer.ts'
import { DEFAULT_CORE_LIMITS } from '../src/limits.ts'
import { captureState } from '../src/log/capture.ts'
import { decodeState, encodeState } from '../src/log/snapshot.ts'
import { RecordKind } from '../src/log/records.ts'
import { releaseEnding } from '../src/log/state.ts'
import { type HeaderCodec, Message } from '../src/message/message.ts'
import type { PublishResult } from '../src/publish/producer.ts'
import type { Session } from '../src/session/session.ts'
import { VirtualHost } from '../src/virtual-host.ts'
import { messageOf, TestSink, textOf, topicPattern, user, quiet } from './support.ts'

const codec: HeaderCodec = { id: 'none', decode: () => ({ properties: [] }), encode: () => new Uint8Array(0) }

async function hostOn(env: VirtualEnv, engine: MemoryEngine): Promise<VirtualHost> {
  const vhost = new VirtualHost({ env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
  await vhost.openLog(engine, [codec])
  return vhost
}

function openSession(vhost: VirtualHost, clientId: string, expiryMs: number): Session {
  const owner = { onEvicted: () => {} }
  const creditMax = 10
  const opened = vhost.sessions.open({
    clientId,
    principal: user('u'),
    cleanStart: false,
    expiryMs,
    creditMax,
    will: undefined,
    owner,
  })
  if (!opened.ok) throw new Error(opened.detail.text)
  return opened.value.session
}

function publish(env: VirtualEnv, vhost: VirtualHost, topic: string, text: string, retain = false): PublishResult[] {
  const results: PublishResult[] = []
  const session = openSession(vhost, 'publisher', 0)
  const producer = session.openProducer({ onPublishSettled: (_tag, result) => results.push(result) })
  const bytes = new TextEncoder().encode(text)
  const at = { bytes, start: 0, headerStart: 0, bodyStart: 0, end: bytes.length }
  const message = new Message({
    topic,
    codec,
    ...at,
    assurance: 1,
    durable: true,
    retain,
    expiresAtMs: 0,
    publisher: session.clientId,
  })
  results.push(producer.publish(producer.target(topic), message, 1))
  env.clock.turn()
  session.disconnect()
  return results
}

function bind(session: Session, filter: string, shareName?: string): void {
  const spec = { pattern: topicPattern(filter), shareName, assuranceMax: 1 as const, noLocal: false, data: {} }
  const bound = session.bind({ ...spec, retained: 'never' })
  if (!bound.ok) throw new Error(bound.detail.text)
}

async function textsAfter(env: VirtualEnv, session: Session): Promise<{ sink: TestSink; texts: string[] }> {
  const sink = new TestSink()
  session.startDelivery(sink)
  await quiet(env.clock)
  return { sink, texts: sink.held.map((delivery) => textOf(delivery.message)) }
}

test('a publish to a kept session is pending until its record is committed', async () => {
  const env = virtualEnv()
  const vhost = await hostOn(env, new MemoryEngine(env))
  bind(openSession(vhost, 'kept', 60_000), 'a/#')
  expect(publish(env, vhost, 'a/b', 'one')).toEqual(['pending', 'routed'])
})

test('sessions, bindings and unsettled messages are there after a restart, settled ones are not', async () => {
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  const first = await hostOn(env, engine)
  const kept = openSession(first, 'kept', 60_000)
  bind(kept, 'a/#')
  const { sink } = await textsAfter(env, kept)
  for (const text of ['one', 'two', 'three']) publish(env, first, 'a/b', text)
  const [one] = sink.held
  one!.consumer!.settle(one!, 'accepted')
  env.clock.turn()

  const second = await hostOn(env, engine)
  const again = openSession(second, 'kept', 60_000)
  expect((await textsAfter(env, again)).texts).toEqual(['two', 'three'])
  publish(env, second, 'a/c', 'four')
  expect(again.bindingCount).toBe(1)
})

test('a settled message leaves nothing in the engine but bookkeeping', async () => {
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  const vhost = await hostOn(env, engine)
  const kept = openSession(vhost, 'kept', 60_000)
  bind(kept, 'a')
  const { sink } = await textsAfter(env, kept)
  env.clock.turn()
  const before = engine.usedBytes
  publish(env, vhost, 'a', 'x'.repeat(10_000))
  expect(engine.usedBytes).toBeGreaterThan(before + 10_000)
  const [delivery] = sink.held
  delivery!.consumer!.settle(delivery!, 'accepted')
  env.clock.turn()
  expect(engine.usedBytes).toBeLessThan(before + 1_000)
})

test('an id that was received exactly once is taken after a restart, also when nobody holds its message any more', async () => {
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  const first = await hostOn(env, engine)
  const publisher = openSession(first, 'publisher', 60_000)
  const reader = openSession(first, 'reader', 60_000)
  bind(reader, 'a')
  const { sink } = await textsAfter(env, reader)
  const producer = publisher.openProducer({ onPublishSettled: () => {} })
  for (const receivedId of [7, 8]) producer.publish(producer.target('a'), messageOf('a', 'm', { assurance: 2, durable: true, codec }), 1, { receivedId })
  await quiet(env.clock)
  for (const delivery of sink.held) delivery.consumer!.settle(delivery, 'accepted')
  publisher.releaseReceived(8, () => {})
  await quiet(env.clock)

  const second = await hostOn(env, engine)
  expect([...(openSession(second, 'publisher', 60_000).received ?? [])]).toEqual([7])
})

test('a retained message is there after a restart, a cleared one is not', async () => {
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  const first = await hostOn(env, engine)
  publish(env, first, 'kept', 'old', true)
  publish(env, first, 'kept', 'new', true)
  publish(env, first, 'cleared', 'x', true)
  publish(env, first, 'cleared', '', true)

  const second = await hostOn(env, engine)
  expect(second.retained.count).toBe(1)
  expect(textOf(second.retained.get(['kept'])!)).toBe('new')
})

test('a session that ended, and what it held, is gone after a restart', async () => {
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  const first = await hostOn(env, engine)
  const kept = openSession(first, 'kept', 60_000)
  bind(kept, 'a')
  kept.disconnect()
  publish(env, first, 'a', 'one')
  env.clock.advance(60_001)
  env.clock.turn()

  const second = await hostOn(env, engine)
  expect(second.sessions.find('kept')).toBeUndefined()
  expect(second.router.bindingCount).toBe(0)
})

test('what a session held is let go of although a snapshot was taken while its end was on the way to the log', async () => {
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  const first = await hostOn(env, engine)
  const [one, two] = [openSession(first, 'one', 60_000), openSession(first, 'two', 60_000)]
  bind(one, 'a/#')
  bind(two, 'a/both')
  publish(env, first, 'a/one', 'for one')
  publish(env, first, 'a/both', 'for both')
  await quiet(env.clock)
  one.end()
  const state = decodeState(encodeState(captureState(first)))
  const released: number[] = []
  releaseEnding(state, released)
  expect(released).toHaveLength(1)
  expect([...state.refs]).toEqual([])
  await quiet(env.clock)
  expect(captureState(first).ending).toEqual([])
})

test.each([
  ['a queue', RecordKind.queueDefined],
  ['a session', RecordKind.sessionOpened],
])('messages of %s whose definition the log has lost are kept in a queue of their own, and that is said', async (what, kind) => {
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  const first = await hostOn(env, engine)
  const kept = openSession(first, 'kept', 60_000)
  bind(kept, 'a')
  for (const text of ['one', 'two']) publish(env, first, what === 'a queue' ? '$queue/orders' : 'a', text)
  await quiet(env.clock)

  const events: string[] = []
  const options = { env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS }
  const second = new VirtualHost({ ...options, onEvent: ({ text }) => void events.push(text) })
  await second.openLog(without(engine, kind), [codec])
  const recovered = [...second.destinations.all()].find(({ name }) => name.startsWith('recovered.'))
  expect(recovered?.queue.waitingCount).toBe(2)
  expect(events).toEqual([expect.stringContaining(`2 messages belong to a queue or session that the log does not define any more`)])
  await quiet(env.clock)

  const third = await hostOn(env, engine)
  const reader = openSession(third, 'reader', 0)
  reader.consume({ queue: recovered!.name, assuranceMax: 1, data: {} })
  expect((await textsAfter(env, reader)).texts).toEqual(['one', 'two'])
})

/** The engine, but that records of a kind are damaged. */
function without(engine: MemoryEngine, kind: number): Engine {
  const log = engine.partition(0)
  const tail: PartitionLog['tail'] = async function* (after, signal) {
    for await (const batch of log.tail(after, signal)) yield { ...batch, records: batch.records.filter((record) => record.kind !== kind) }
  }
  return replacing(engine, { partition: () => replacing(log, { tail }) })
}

function replacing<T extends object>(object: T, members: Partial<T>): T {
  return new Proxy(object, {
    get(_, name) {
      const own: unknown = Reflect.get(members, name) ?? Reflect.get(object, name)
      return typeof own === 'function' && !Reflect.has(members, name) ? (own.bind(object) as unknown) : own
    },
  })
}

test('a session that nobody comes back to after a restart still expires', async () => {
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  openSession(await hostOn(env, engine), 'kept', 60_000)
  env.clock.turn()
  const second = await hostOn(env, engine)
  expect(second.sessions.find('kept')).toBeDefined()
  env.clock.advance(60_001)
  expect(second.sessions.find('kept')).toBeUndefined()
})

test('a shared subscription of kept sessions keeps what waited for it', async () => {
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  const first = await hostOn(env, engine)
  const member = openSession(first, 'member', 60_000)
  bind(member, 'jobs', 'workers')
  publish(env, first, 'jobs', 'one')

  const second = await hostOn(env, engine)
  expect((await textsAfter(env, openSession(second, 'member', 60_000))).texts).toEqual(['one'])
})

test('publishes of one producer keep their order when only some must be logged', async () => {
  const env = virtualEnv()
  const vhost = await hostOn(env, new MemoryEngine(env))
  bind(openSession(vhost, 'kept', 60_000), 'logged')
  const watcher = openSession(vhost, 'watcher', 0)
  bind(watcher, '#')
  const sink = new TestSink()
  watcher.startDelivery(sink)
  const producer = openSession(vhost, 'publisher', 0).openProducer({ onPublishSettled: () => {} })
  for (const topic of ['free', 'logged', 'free', 'logged', 'free']) {
    const at = { bytes: new TextEncoder().encode(topic), start: 0, headerStart: 0, bodyStart: 0, end: topic.length }
    const message = new Message({
      topic,
      codec,
      ...at,
      assurance: 1,
      durable: true,
      retain: false,
      expiresAtMs: 0,
      publisher: undefined,
    })
    producer.publish(producer.target(topic), message, 1)
  }
  env.clock.turn()
  expect(sink.seen.map(({ topic }) => topic)).toEqual(['free', 'logged', 'free', 'logged', 'free'])
})

test('a refused publish is answered in its turn behind those that wait for the log', async () => {
  const env = virtualEnv()
  const vhost = await hostOn(env, new MemoryEngine(env))
  const settled: string[] = []
  const onPublishSettled = (tag: number, result: PublishResult): void => void settled.push(`${tag} ${result}`)
  const producer = openSession(vhost, 'publisher', 0).openProducer({ onPublishSettled })
  for (const [index, topic] of ['$refused', 'logged', '$refused', 'logged', '$refused'].entries()) {
    const result = producer.publish(producer.target(topic), messageOf(topic, 'x', { retain: true }), index)
    if (result !== 'pending') settled.push(`${index} ${result}`)
  }
  env.clock.turn()
  expect(settled).toEqual(['0 refused', '1 unmatched', '2 refused', '3 unmatched', '4 refused'])
  expect(producer.refusal?.subject).toBe('$refused')
})
