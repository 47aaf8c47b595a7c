/** What an operator says about a queue, said while messages wait and kept over a restart. */
import { describe, expect, test } from 'vitest'
import type { Authorizer } from '../src/authorizer.ts'
import { QUEUES_PER_TURN } from '../src/limits.ts'
import { Producer } from '../src/publish/producer.ts'
import { GIVEN_BACK_PER_TURN } from '../src/queue/consumer.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../src/queue/settings.ts'
import { DurableWorld, queueMessage } from './durable.ts'
import { TestSink, textOf, user } from './support.ts'
import { World } from './world.ts'

async function open(settings: Parameters<DurableWorld['define']>[1] = {}): Promise<DurableWorld> {
  const world = await DurableWorld.open()
  world.define('q', settings)
  return world
}

function send(world: DurableWorld, ...texts: string[]): void {
  for (const text of texts) world.send('q', text)
}

/** Answers to publishes, in their order. */
function publish(world: DurableWorld, ...texts: string[]): string[] {
  const answers: string[] = []
  const owner = { onPublishSettled: (_tag: number, result: string) => void answers.push(result) }
  const producer = new Producer(world.vhost, { principal: user('u'), clientId: 'p' }, owner, undefined)
  for (const text of texts) {
    const message = queueMessage('q', text)
    const result = producer.publish(producer.target(message.topic), message, 0)
    if (result !== 'pending') answers.push(result)
    world.env.clock.turn()
  }
  return answers
}

describe('priorities', () => {
  test('0 to 9: the highest first, in order among equals, also after a restart', async () => {
    const world = await open()
    for (const priority of [4, 0, 9, 5, 9, 1, 4, 8, 2, 3, 7, 6, 0]) {
      world.send('q', `${priority}.${world.queue('q').waitingCount}`, { priority })
    }
    const expected = ['9.2', '9.4', '8.7', '7.10', '6.11', '5.3', '4.0', '4.6', '3.9', '2.8', '1.5', '0.1', '0.12']
    expect(await world.contents('q')).toEqual(expected)
    await world.restart()
    expect(await world.contents('q')).toEqual(expected)
  })

  test('a message that comes back is first again among its equals, behind those of a higher priority', async () => {
    const world = await open()
    world.send('q', 'low', { priority: 1 })
    const { consumer, sink } = world.read('q', { credit: 1 })
    await world.quiet()
    world.send('q', 'low 2', { priority: 1 })
    world.send('q', 'high', { priority: 8 })
    consumer.settle(sink.held.shift()!, 'released')
    consumer.grant(5)
    await world.quiet()
    expect(sink.texts).toEqual(['low', 'high', 'low', 'low 2'])
  })
})

describe('exclusive', () => {
  test('switched on while two read, one goes on alone; switched off, both', async () => {
    const world = await open()
    const [a, b] = [world.read('q'), world.read('q')]
    send(world, '1', '2')
    world.define('q', { exclusive: true })
    send(world, '3', '4')
    await world.quiet()
    expect([a.sink.texts.slice(1), b.sink.texts.slice(1)]).toEqual([['3', '4'], []])
    world.define('q', {})
    send(world, '5', '6')
    await world.quiet()
    expect([a.sink.texts.length, b.sink.texts.length]).toEqual([4, 2])
  })

  test('the next one takes over with what the first had not finished, in order', async () => {
    const world = await open({ exclusive: true })
    const [a, b] = [world.read('q', { credit: 2 }), world.read('q')]
    send(world, '1', '2', '3')
    await world.quiet()
    a.consumer.cancel()
    await world.quiet()
    expect([a.sink.texts, b.sink.texts]).toEqual([
      ['1', '2'],
      ['1', '2', '3'],
    ])
  })
})

test('who may read and not write makes no queue by reading from it, by whatever way; one that is there is read', () => {
  const mayUse: Authorizer['mayUse'] = (_, action) => ({ allowed: action !== 'create', rule: 'none' })
  const world = new World({ authorizer: { generation: 0, mayUse, mayMatch: mayUse } })
  const client = world.connect('c')
  const source = { kind: 'queue', queue: 'new' } as const
  const read = [
    client.session.consume({ queue: 'new', assuranceMax: 1, data: {} }),
    client.session.openReceiver({ source, selector: undefined, assuranceMax: 1, creditMax: 1, data: {}, sink: new TestSink() }),
  ]
  const text = "queue 'new' does not exist and user 'u' may not make it: that needs the right to write to it or to administer it"
  for (const each of read) expect(each).toMatchObject({ ok: false, detail: { refusal: 'not-authorized', text } })
  expect(world.vhost.destinations.count).toBe(0)
  world.vhost.destinations.define({ name: 'new' })
  expect(client.session.consume({ queue: 'new', assuranceMax: 1, data: {} }).ok).toBe(true)
})

describe('a consumer that is lost with very much', () => {
  const COUNT = GIVEN_BACK_PER_TURN * 2 + 10
  const NUMBERS = Array.from({ length: COUNT }, (_, index) => String(index))

  /** One has all, the next one asks for more. */
  async function lose(settings: Parameters<DurableWorld['define']>[1] = {}) {
    const world = await open(settings)
    const first = world.read('q')
    send(world, ...NUMBERS)
    await world.quiet()
    const second = world.read('q')
    first.consumer.cancel()
    return { world, first, second }
  }

  test('gives it back in turns of their own, and nobody gets anything before all of it is there', async () => {
    const { world, first, second } = await lose()
    const left = new Set<number>()
    const watch = (): void => {
      left.add(first.consumer.unsettledCount)
      if (first.consumer.unsettledCount === 0) return
      expect(second.sink.texts).toEqual([])
      world.env.clock.after(0, watch)
    }
    watch()
    send(world, 'younger')
    await world.quiet()
    expect([...left]).toEqual([COUNT, COUNT - GIVEN_BACK_PER_TURN, COUNT - GIVEN_BACK_PER_TURN * 2, 0])
    expect(second.sink.texts).toEqual([...NUMBERS, 'younger'])
  })

  test('leaves it to the dead letters in its order', async () => {
    const { world } = await lose({
      deadLetter: 'dead',
      redelivery: { ...DEFAULT_QUEUE_SETTINGS.redelivery, deliveriesMax: 1 },
    })
    expect(world.vhost.destinations.find('dead')).toBeUndefined()
    await world.quiet()
    expect(await world.contents('dead')).toEqual(NUMBERS)
  })

  test('leaves nothing of it where its queue is deleted meanwhile', async () => {
    const { world, first } = await lose()
    world.vhost.destinations.delete(world.named('q'))
    await world.quiet()
    expect(first.consumer.unsettledCount).toBe(0)
    await world.restart()
    expect(world.vhost.destinations.find('q')).toBeUndefined()
  })

  test('who waits for the end of the queue hears when all of it has come back and gone', async () => {
    const { world, second } = await lose()
    let seen = -1
    world.queue('q').whenIdle(() => (seen = second.sink.texts.length))
    await world.quiet()
    expect(seen).toBe(COUNT)
  })
})

describe('paused', () => {
  test('nothing goes out, publishers are served, and that lasts over a restart until it is resumed', async () => {
    const world = await open()
    world.vhost.destinations.setPaused(world.named('q'), true)
    const { sink } = world.read('q')
    expect(publish(world, '1', '2')).toEqual(['routed', 'routed'])
    await world.quiet()
    expect(sink.texts).toEqual([])
    await world.restart()
    expect(world.queue('q').isPaused).toBe(true)
    const again = world.read('q')
    await world.quiet()
    expect(again.sink.texts).toEqual([])
    world.vhost.destinations.setPaused(world.named('q'), false)
    await world.quiet()
    expect(again.sink.texts).toEqual(['1', '2'])
    await world.restart()
    expect(world.queue('q').isPaused).toBe(false)
  })

  test('what a consumer has it may finish', async () => {
    const world = await open()
    const { consumer, sink } = world.read('q', { credit: 1 })
    send(world, '1', '2')
    await world.quiet()
    world.queue('q').pause()
    consumer.settle(sink.held[0]!, 'accepted')
    await world.quiet()
    expect([world.queue('q').inflightCount, world.queue('q').waitingCount]).toEqual([0, 1])
  })
})

describe('limits', () => {
  test('a ring keeps the last ones, also the log does', async () => {
    const world = await open({ messagesMax: 3, whenFull: 'drop-oldest' })
    expect(publish(world, '1', '2', '3', '4', '5')).toEqual(['routed', 'routed', 'routed', 'routed', 'routed'])
    await world.quiet()
    expect([await world.contents('q'), world.queue('q').droppedCount]).toEqual([['3', '4', '5'], 2])
    await world.restart()
    expect(await world.contents('q')).toEqual(['3', '4', '5'])
  })

  test('a ring drops of the lowest priority first', async () => {
    const world = await open({ messagesMax: 2, whenFull: 'drop-oldest' })
    world.send('q', 'low', { priority: 1 })
    world.send('q', 'high', { priority: 9 })
    world.send('q', 'middle', { priority: 5 })
    await world.quiet()
    expect(await world.contents('q')).toEqual(['high', 'middle'])
  })

  test('lowered while messages wait: a ring drops what is too much, any other queue keeps all and takes no more', async () => {
    const ring = await open({ whenFull: 'drop-oldest' })
    send(ring, '1', '2', '3', '4')
    ring.define('q', { whenFull: 'drop-oldest', messagesMax: 2 })
    expect(await ring.contents('q')).toEqual(['3', '4'])
    const world = await open()
    send(world, '1', '2', '3', '4')
    world.define('q', { whenFull: 'reject', messagesMax: 2 })
    expect(publish(world, '5')).toEqual(['refused'])
    expect(await world.contents('q')).toEqual(['1', '2', '3', '4'])
  })

  test('raised while a publisher waits for room: it goes on at once', async () => {
    const world = await open({ messagesMax: 1, whenFull: 'block' })
    const answers = publish(world, '1', '2')
    await world.quiet()
    expect(answers).toEqual(['routed'])
    world.define('q', { messagesMax: 10, whenFull: 'block' })
    await world.quiet()
    expect([answers, await world.contents('q')]).toEqual([
      ['routed', 'routed'],
      ['1', '2'],
    ])
  })

  test('by bytes: a message that does not fit is refused, a smaller one taken', async () => {
    const world = await open({ bytesMax: 2_000, whenFull: 'reject' })
    expect(publish(world, 'x'.repeat(1_500), 'y'.repeat(1_500), 'z')).toEqual(['routed', 'refused', 'routed'])
    await world.quiet()
    expect((await world.contents('q')).map((text) => text.length)).toEqual([1_500, 1])
  })
})

describe('other settings, while messages wait', () => {
  test('redelivery: more attempts, later ones, and none that is left', async () => {
    const world = await open({ deadLetter: 'dead' })
    send(world, '1')
    const { consumer, sink } = world.read('q')
    await world.quiet()
    const fail = async (): Promise<void> => {
      consumer.settle(sink.held.shift()!, 'modified')
      await world.quiet()
    }
    await fail()
    expect(sink.texts).toEqual(['1', '1'])
    world.define('q', {
      deadLetter: 'dead',
      redelivery: { deliveriesMax: 3, delayMs: 500, multiplier: 1, delayMaxMs: 500, jitter: 0 },
    })
    await fail()
    expect(sink.texts).toHaveLength(2)
    world.env.clock.advance(500)
    await world.quiet()
    expect(sink.texts).toHaveLength(3)
    await fail()
    expect([sink.texts.length, await world.contents('dead')]).toEqual([3, ['1']])
  })

  test('redelivery that cannot be is refused with every fault of it', async () => {
    const world = await open()
    const redelivery = { deliveriesMax: -1, delayMs: 0, multiplier: 0, delayMaxMs: 0, jitter: 0 }
    const defined = world.vhost.destinations.define({ name: 'q', settings: { redelivery } })
    expect(defined).toMatchObject({ ok: false, detail: { refusal: 'mismatch' } })
    expect(!defined.ok && defined.detail.text).toMatch(/deliveriesMax is -1.*multiplier is 0/)
  })

  test('the dead-letter queue: the next dead letter goes to the new one', async () => {
    const world = await open({ deadLetter: 'dead' })
    send(world, '1', '2')
    const { consumer, sink } = world.read('q')
    await world.quiet()
    consumer.settle(sink.held.shift()!, 'rejected')
    await world.quiet()
    world.define('q', { deadLetter: 'other' })
    consumer.settle(sink.held.shift()!, 'rejected')
    await world.quiet()
    expect([await world.contents('dead'), await world.contents('other')]).toEqual([['1'], ['2']])
  })

  test('time to live: of messages that come from now on', async () => {
    const world = await open()
    send(world, 'stays')
    world.define('q', { ttlMs: 1_000 })
    send(world, 'goes')
    await world.quiet()
    world.env.clock.advance(1_001)
    expect(await world.contents('q')).toEqual(['stays'])
  })

  test('where expired messages go, also those that came before', async () => {
    const world = await open()
    world.send('q', 'late', { expiresAtMs: world.env.clock.wallMs() + 1_000 })
    world.define('q', { expiryTarget: 'expired' })
    world.env.clock.advance(1_001)
    await world.quiet()
    world.read('q')
    await world.quiet()
    expect(await world.contents('expired')).toEqual(['late'])
  })

  test('groupsMax: groups that have their consumer keep it', async () => {
    const world = await open()
    const readers = [world.read('q'), world.read('q')]
    const sendGroups = (): void => {
      for (const groupId of ['a', 'b', 'c', 'd']) world.send('q', groupId, { extras: { groupId } })
    }
    sendGroups()
    world.define('q', { groupsMax: 1 })
    sendGroups()
    await world.quiet()
    const owners = readers.map(({ sink }) => new Set(sink.held.map(({ message }) => textOf(message))))
    expect(owners.reduce((sum, each) => sum + each.size, 0)).toBe(4)
  })

  test('settings of a definition last over a restart; those of policies are the policies at that time', async () => {
    const world = await open({ messagesMax: 7 })
    await world.restart()
    expect(world.queue('q').settings.messagesMax).toBe(7)
  })

  test('whether a queue lasts is decided when it is made', async () => {
    const world = await open()
    const defined = world.vhost.destinations.define({ name: 'q', settings: { durability: 'memory' } })
    expect(defined).toMatchObject({ ok: false, detail: { refusal: 'mismatch' } })
  })

  test('policies that change reach every queue that they match', async () => {
    const world = await open()
    const { vhost } = world
    vhost.policies.use(world.queue('q').settings, [{ match: 'q', settings: { exclusive: true } }])
    await vhost.destinations.applyPolicies()
    const [a, b] = [world.read('q'), world.read('q')]
    send(world, '1', '2')
    await world.quiet()
    expect([a.sink.texts, b.sink.texts]).toEqual([['1', '2'], []])
  })
})

test('policies reach very many queues in pieces, each as a whole, and one that is made meanwhile at once', async () => {
  const world = new World()
  const { destinations, policies } = world.vhost
  const names = Array.from({ length: 2 * QUEUES_PER_TURN + 1 }, (_, index) => `q${index}`)
  for (const name of names) destinations.ensure(name)
  policies.use(policies.defaults, [{ match: '>', settings: { ttlMs: 5, messagesMax: 7 } }])
  const applied = destinations.applyPolicies()
  destinations.ensure('later')
  destinations.delete(destinations.find('q1')!)
  const reached = (): number => [...destinations.all()].filter(({ queue }) => queue.settings.ttlMs === 5).length
  for (const { queue } of destinations.all())
    expect([queue.settings.ttlMs, queue.settings.messagesMax]).toEqual(
      queue.settings.ttlMs === 5 ? [5, 7] : [0, 100_000_000],
    )
  const counts = [reached()]
  for (let turn = 0; turn < 2; turn++) {
    world.settle()
    await new Promise((resolve) => setImmediate(resolve))
    counts.push(reached())
  }
  await applied
  expect(counts).toEqual([QUEUES_PER_TURN, 2 * QUEUES_PER_TURN, 2 * QUEUES_PER_TURN + 1])
})

test('a reading by name goes on with a queue of that name that is made again, beside patterns that come and go', () => {
  const world = new World()
  const client = world.connect('c')
  for (const queue of ['jobs.a', 'jobs.*', '>']) client.session.consume({ queue, assuranceMax: 1, data: {} })
  const { destinations } = world.vhost
  const consumersOf = (name: string): number => destinations.find(name)!.queue.consumers.length
  destinations.ensure('jobs.b')
  expect([consumersOf('jobs.a'), consumersOf('jobs.b')]).toEqual([3, 2])
  client.session.stopConsuming('>')
  destinations.delete(destinations.find('jobs.a')!)
  for (const name of ['jobs.a', 'jobs.c', 'other']) destinations.ensure(name)
  expect(['jobs.a', 'jobs.b', 'jobs.c', 'other'].map(consumersOf)).toEqual([2, 1, 1, 0])
  client.session.stopConsuming('jobs.*')
  client.session.stopConsuming('jobs.a')
  for (const name of ['jobs.a', 'jobs.d']) {
    const known = destinations.find(name)
    if (known !== undefined) destinations.delete(known)
    destinations.ensure(name)
    expect(consumersOf(name)).toBe(0)
  }
})

describe('a queue that was made by being used', () => {
  test('is a defined one as soon as it is defined, also after a restart', async () => {
    const world = await DurableWorld.open()
    world.send('q', 'text')
    expect(world.named('q').automatic).toBe(true)
    world.define('q')
    expect(world.named('q').automatic).toBe(false)
    await world.restart()
    expect(world.named('q').automatic).toBe(false)
    expect(await world.contents('q')).toEqual(['text'])
  })
})
