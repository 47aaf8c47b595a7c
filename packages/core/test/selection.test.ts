/** Who gets a message where not everybody may: groups, selectors, refusals; and which message stays: last values. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LAST_VALUE_KEY_MAX } from '../src/queue/last-values.ts'
import { DurableWorld, queueMessage, type Reader, selectorOf, type SendOptions } from './durable.ts'
import type { Assurance } from '../src/message/message.ts'
import type { ConsumeOptions } from '../src/queue/consumer.ts'
import { textOf, user } from './support.ts'
import { World } from './world.ts'

const group = (groupId: string, groupEnds = false): { extras: { groupId: string; groupEnds?: boolean } } => ({
  extras: { groupId, ...(groupEnds && { groupEnds }) },
})

async function open(): Promise<DurableWorld> {
  const world = await DurableWorld.open()
  world.define('q')
  return world
}

function settleFirst({ consumer, sink }: Reader, outcome: 'accepted' | 'released' = 'accepted'): void {
  consumer.settle(sink.held.shift()!, outcome)
}

describe('groups', () => {
  test('all messages of a group go to one consumer, in order, whoever else has room', async () => {
    const world = await open()
    const [one, two] = [world.read('q', { credit: 1 }), world.read('q')]
    for (const text of ['a1', 'a2', 'b1', 'a3', 'b2']) world.send('q', text, group(text[0]!))
    await world.quiet()
    expect([one.sink.texts, two.sink.texts]).toEqual([['a1'], ['b1', 'b2']])
    one.consumer.grant(10)
    await world.quiet()
    expect([one.sink.texts, two.sink.texts]).toEqual([
      ['a1', 'a2', 'a3'],
      ['b1', 'b2'],
    ])
  })

  test('messages without a group go to whoever is next', async () => {
    const world = await open()
    const [one, two] = [world.read('q', { credit: 1 }), world.read('q')]
    for (const text of ['a1', 'a2']) world.send('q', text, group('a'))
    for (const text of ['x', 'y']) world.send('q', text)
    await world.quiet()
    expect([one.sink.texts, two.sink.texts]).toEqual([['a1'], ['x', 'y']])
  })

  test('a new group goes to the consumer with the fewest', async () => {
    const world = await open()
    const readers = [world.read('q'), world.read('q'), world.read('q')]
    for (const text of ['a', 'a', 'a', 'b', 'c', 'c', 'd', 'e', 'f']) world.send('q', text, group(text))
    await world.quiet()
    expect(readers.map(({ sink }) => new Set(sink.texts).size)).toEqual([2, 2, 2])
  })

  test('a consumer of a higher priority begins every group as long as it can take', async () => {
    const world = await open()
    const [low, high] = [world.read('q'), world.read('q', { priority: 5, credit: 2 })]
    for (const text of ['a', 'b', 'c']) world.send('q', text, group(text))
    await world.quiet()
    expect([low.sink.texts, high.sink.texts]).toEqual([['c'], ['a', 'b']])
  })

  test('when its owner leaves, a group goes on with another, what the owner had first', async () => {
    const world = await open()
    const one = world.read('q', { credit: 2 })
    for (const text of ['a1', 'a2', 'a3', 'a4']) world.send('q', text, group('a'))
    await world.quiet()
    const two = world.read('q')
    await world.quiet()
    expect(two.sink.texts).toEqual([])
    settleFirst(one)
    one.consumer.cancel()
    await world.quiet()
    expect(two.sink.texts).toEqual(['a2', 'a3', 'a4'])
  })

  test('a group that ends is open again: what comes later may go to another', async () => {
    const world = await open()
    const one = world.read('q', { credit: 2 })
    world.send('q', 'a1', group('a'))
    world.send('q', 'a2', group('a', true))
    for (const text of ['a3', 'a4']) world.send('q', text, group('a'))
    const two = world.read('q')
    await world.quiet()
    expect([one.sink.texts, two.sink.texts]).toEqual([
      ['a1', 'a2'],
      ['a3', 'a4'],
    ])
  })

  test('a message that others passed over while its group had an owner is theirs once the group has ended', async () => {
    const world = await open()
    const one = world.read('q', { credit: 1 })
    world.send('q', 'a1', group('a'))
    world.send('q', 'a2', group('a', true))
    world.send('q', 'a3', group('a'))
    const two = world.read('q')
    await world.quiet()
    expect(two.sink.texts).toEqual([])
    one.consumer.grant(1)
    await world.quiet()
    expect([one.sink.texts, two.sink.texts]).toEqual([['a1', 'a2'], ['a3']])
  })

  test('groups are kept apart when their messages come back from the disk, after a restart', async () => {
    const world = await open()
    for (let count = 0; count < 3_000; count++) world.send('q', `${count % 7}:${count}`, group(String(count % 7)))
    await world.restart()
    const readers = [world.read('q'), world.read('q'), world.read('q')]
    for (let round = 0; round < 20; round++) await world.quiet()
    expect(readers.reduce((sum, { sink }) => sum + sink.texts.length, 0)).toBe(3_000)
    expectGroupsApart(readers)
  })

  test('an empty queue whose groups have all ended hands over at once again', async () => {
    const world = await open()
    const one = world.read('q')
    world.send('q', 'a1', group('a', true))
    await world.quiet()
    settleFirst(one)
    await world.quiet()
    expect(world.queue('q').isChoosing).toBe(true)
    world.send('q', 'x', { durable: false })
    expect([world.queue('q').isChoosing, one.sink.texts]).toEqual([false, ['a1', 'x']])
  })

  test('beyond groupsMax groups share their consumer, and each stays with one', async () => {
    const world = await DurableWorld.open()
    world.define('q', { groupsMax: 2 })
    const readers = [world.read('q'), world.read('q')]
    for (let count = 0; count < 200; count++) world.send('q', `${count % 50}:${count}`, group(String(count % 50)))
    await world.quiet()
    expect(readers.map(({ sink }) => sink.texts.length > 0)).toEqual([true, true])
    expectGroupsApart(readers)
  })
})

/** No group is with two consumers, and each is in order. Texts are `group:number`. */
function expectGroupsApart(readers: readonly Reader[]): void {
  const owners = new Map<string, number>()
  readers.forEach(({ sink }, index) => {
    const last = new Map<string, number>()
    for (const text of sink.texts) {
      const [id, number] = text.split(':') as [string, string]
      expect(owners.get(id) ?? index, `group ${id} has two consumers`).toBe(index)
      owners.set(id, index)
      expect(last.get(id) ?? -1, `group ${id} is out of order`).toBeLessThan(Number(number))
      last.set(id, Number(number))
    }
  })
}

describe('selectors', () => {
  test('a consumer gets what it selects, another the rest', async () => {
    const world = await open()
    const red = world.read('q', { selector: selectorOf("color = 'red'") })
    for (const color of ['red', 'blue', 'red', 'blue']) world.send('q', color, { properties: { color } })
    await world.quiet()
    expect([red.sink.texts, world.queue('q').waitingCount]).toEqual([['red', 'red'], 2])
    const rest = world.read('q')
    await world.quiet()
    expect(rest.sink.texts).toEqual(['blue', 'blue'])
  })

  test('header fields are properties: priority, delivery mode, attempts, group', async () => {
    const world = await open()
    const wanted = [
      'JMSPriority > 7',
      "JMSDeliveryMode = 'NON_PERSISTENT'",
      'JMSXDeliveryCount = 2',
      "JMSXGroupID = 'g'",
    ]
    const readers = wanted.map((text) => world.read('q', { selector: selectorOf(text) }))
    world.send('q', 'urgent', { priority: 8 })
    world.send('q', 'light', { durable: false })
    world.send('q', 'grouped', group('g'))
    world.send('q', 'plain')
    await world.quiet()
    expect(readers.map(({ sink }) => sink.texts)).toEqual([['urgent'], ['light'], [], ['grouped']])
    const rest = world.read('q')
    await world.quiet()
    rest.consumer.settle(rest.sink.held[0]!, 'modified')
    rest.consumer.cancel()
    await world.quiet()
    expect(readers[2]!.sink.texts).toEqual(['plain'])
  })

  test('a match far behind a long backlog that nobody wants is found, with bodies on disk', async () => {
    const world = await open()
    for (let count = 0; count < 20_000; count++) world.send('q', 'hay', { properties: { kind: 'hay' } })
    world.send('q', 'needle', { properties: { kind: 'needle' } })
    const seeker = world.read('q', { selector: selectorOf("kind = 'needle'") })
    for (let round = 0; round < 40 && seeker.sink.texts.length === 0; round++) await world.quiet()
    expect(seeker.sink.texts).toEqual(['needle'])
  })

  test('a consumer that has no credit at the head of the line does not stop one that looks further behind', async () => {
    const world = await open()
    const held = world.read('q', { selector: selectorOf("kind = 'hay'") })
    held.consumer.pool.setLimit(0) // takes at most once only
    const seeker = world.read('q', { selector: selectorOf("kind = 'needle'") })
    for (let count = 0; count < 20_000; count++) world.send('q', 'hay', { properties: { kind: 'hay' } })
    world.send('q', 'needle', { properties: { kind: 'needle' } })
    for (let round = 0; round < 40 && seeker.sink.texts.length === 0; round++) await world.quiet()
    expect([held.sink.texts, seeker.sink.texts]).toEqual([[], ['needle']])
  })

  test('what a consumer refuses for itself goes to the next, and never to it again', async () => {
    const world = await open()
    const one = world.read('q')
    world.send('q', 'x')
    one.consumer.settle(one.sink.held.shift()!, 'modified', { undeliverableHere: true })
    await world.quiet()
    expect([one.sink.texts, world.queue('q').waitingCount]).toEqual([['x'], 1])
    const two = world.read('q')
    await world.quiet()
    expect(two.sink.texts).toEqual(['x'])
  })
})

describe('what a consumer can never take', () => {
  /** Clients that read from one queue; the first ones cannot take 'large'. */
  function readers(
    smallCount: number,
    largeCount: number,
    spec: { readonly assuranceMax?: Assurance; readonly options?: ConsumeOptions } = {},
  ) {
    const world = new World()
    const all = Array.from({ length: smallCount + largeCount }, (_, index) => world.connect(`c${index}`))
    for (const [index, { session, sink }] of all.entries()) {
      if (index < smallCount) sink.refused.add('large')
      expect(session.consume({ queue: 'q', assuranceMax: 1, data: {}, ...spec }).ok).toBe(true)
    }
    const send = (texts: readonly string[], options: SendOptions = {}): void => {
      for (const text of texts)
        world.vhost.publishAs({ principal: user('u'), clientId: 'p' }, queueMessage('q', text, options))
      world.settle()
    }
    const { queue } = world.vhost.destinations.find('q')!
    return { world, all, send, queue, got: () => all.map(({ texts }) => texts) }
  }

  test.each([0, 1] as const)('goes to others in its turn, at assurance %i', (assuranceMax) => {
    const { send, got, queue } = readers(1, 1, { assuranceMax })
    send(['1', '2', 'large', '3', 'large', '4'])
    expect(
      got()
        .flat()
        .filter((text) => text === 'large'),
    ).toHaveLength(2)
    expect(got()[0]).not.toContain('large')
    expect(got().flat()).toHaveLength(6)
    expect(queue.waitingCount).toBe(0)
  })

  test('waits where nobody can take it, costs no credit, holds up nothing, and is told of once', () => {
    const { world, all, send, got, queue } = readers(2, 0)
    const used = all.map(({ session }) => session.pool.used)
    send(['large', 'large', 'large'])
    expect(all.map(({ session }) => session.pool.used)).toEqual(used)
    send(['1', '2'])
    expect(got().flat().sort()).toEqual(['1', '2'])
    expect(queue.waitingCount).toBe(3)
    expect(world.events).toHaveLength(2)
    expect(world.events[0]).toContain("in queue 'q' is larger than its receiver takes")
    const late = world.connect('late')
    late.session.consume({ queue: 'q', assuranceMax: 1, data: {} })
    world.settle()
    expect(late.texts).toEqual(['large', 'large', 'large'])
    expect(late.sink.held.map(({ redelivered, failedCount }) => [redelivered, failedCount])).toEqual(
      Array.from({ length: 3 }, () => [false, 0]),
    )
  })

  test('begins its group with another consumer', () => {
    const { all, send } = readers(2, 1)
    send(['large', '1', '2'], group('g'))
    expect(all[2]!.texts).toEqual(['large', '1', '2'])
  })

  test('is looked at again when a consumer has gone, and by those alone who are there', () => {
    const { world, all, send, queue } = readers(2, 0)
    send(['large'])
    all[0]!.session.stopConsuming('q')
    world.settle()
    send(['1'])
    expect([all[1]!.texts, queue.waitingCount]).toEqual([['1'], 1])
  })

  test('is done with where nobody else reads from the queue', () => {
    const world = new World()
    const client = world.connect('c')
    client.sink.refused.add('large')
    client.bind('t')
    for (const assurance of [0, 1] as const) world.publish('t', 'large', { assurance })
    world.publish('t', 'small', { assurance: 1 })
    world.settle()
    expect([client.texts, client.session.queue.waitingCount, client.sink.held.length]).toEqual([['small'], 0, 1])
    expect(world.events).toEqual([])
  })
})

describe('last values', () => {
  async function openLastValues(): Promise<DurableWorld> {
    const world = await DurableWorld.open()
    world.define('q', { lastValueKey: 'key' })
    return world
  }
  const key = (value: string): { properties: { key: string } } => ({ properties: { key: value } })

  test('of each key the last message is left, at its own place; those without one are all kept', async () => {
    const world = await openLastValues()
    world.send('q', 'a1', key('a'))
    world.send('q', 'b1', key('b'))
    world.send('q', 'none')
    world.send('q', 'a2', key('a'))
    world.send('q', 'none')
    world.send('q', 'by annotation', { extras: { annotations: { lastValue: 'b' } } })
    await world.quiet()
    expect(await world.contents('q')).toEqual(['none', 'a2', 'none', 'by annotation'])
    expect([world.queue('q').waitingCount, world.vhost.counters.replaced]).toEqual([4, 2])
  })

  test('what is replaced is gone from the log, and its space is free', async () => {
    const world = await openLastValues()
    world.send('q', 'x'.repeat(1_000), key('a'))
    await world.quiet()
    const before = world.engine.usedBytes
    for (let count = 0; count < 50; count++) world.send('q', 'x'.repeat(1_000), key('a'))
    await world.quiet()
    expect(world.engine.usedBytes - before).toBeLessThan(20_000)
    await world.restart()
    expect(world.queue('q').waitingCount).toBe(1)
  })

  test('after a restart a new value still replaces the one from before', async () => {
    const world = await openLastValues()
    for (let count = 0; count < 2_500; count++) world.send('q', `old ${count}`, key(String(count)))
    await world.restart()
    for (let count = 0; count < 2_500; count += 500) world.send('q', `new ${count}`, key(String(count)))
    for (let round = 0; round < 10; round++) await world.quiet()
    expect(world.queue('q').waitingCount).toBe(2_500)
    const texts = await world.contents('q')
    expect(texts).not.toContain('old 500')
    expect(texts.slice(-5)).toEqual([0, 500, 1_000, 1_500, 2_000].map((count) => `new ${count}`))
  })

  test('a value that a consumer has is not replaced, and goes when it comes back behind a newer one', async () => {
    const world = await openLastValues()
    const one = world.read('q', { credit: 1 })
    world.send('q', 'a1', key('a'))
    await world.quiet()
    world.send('q', 'a2', key('a'))
    await world.quiet()
    expect([one.sink.texts, world.queue('q').waitingCount]).toEqual([['a1'], 1])
    settleFirst(one, 'released')
    one.consumer.grant(5)
    await world.quiet()
    expect(one.sink.texts).toEqual(['a1', 'a2'])
  })

  test('a value that comes back and is still the last waits again', async () => {
    const world = await openLastValues()
    const one = world.read('q', { credit: 1 })
    world.send('q', 'a1', key('a'))
    await world.quiet()
    settleFirst(one, 'released')
    await world.quiet()
    expect(await world.contents('q')).toEqual(['a1'])
  })

  test('switched on while messages wait, it leaves the last of each key; switched off, all are kept from then on', async () => {
    const world = await open()
    for (const text of ['a1', 'b1', 'a2']) world.send('q', text, key(text[0]!))
    world.define('q', { lastValueKey: 'key' })
    await world.quiet()
    expect(await world.contents('q')).toEqual(['b1', 'a2'])
    world.define('q', {})
    world.send('q', 'a3', key('a'))
    expect(await world.contents('q')).toEqual(['b1', 'a2', 'a3'])
  })

  test('a key that is too long is none', async () => {
    const world = await openLastValues()
    for (const text of ['1', '2']) world.send('q', text, key('x'.repeat(LAST_VALUE_KEY_MAX + 1)))
    expect(await world.contents('q')).toEqual(['1', '2'])
  })
})

describe('model', () => {
  test('groups: at any time a group is with one consumer, in order, and nothing is lost', async () => {
    const step = fc.oneof(
      fc.record({ act: fc.constant('send' as const), to: fc.integer({ min: 0, max: 4 }) }),
      fc.record({ act: fc.constant('join' as const), to: fc.integer({ min: 1, max: 3 }) }),
      fc.record({
        act: fc.constantFrom('leave', 'accept', 'release', 'grant', 'turn'),
        to: fc.integer({ min: 0, max: 3 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = await open()
        let readers: Reader[] = []
        const settled = new Set<string>()
        let sent = 0
        const checkHolders = (): void => {
          const holders = new Map<string, Set<Reader>>()
          for (const reader of readers) {
            const perGroup = new Map<string, number>()
            for (const { message } of reader.sink.held) {
              const [id, number] = textOf(message).split(':') as [string, string]
              holders.set(id, (holders.get(id) ?? new Set()).add(reader))
              expect(perGroup.get(id) ?? -1).toBeLessThan(Number(number))
              perGroup.set(id, Number(number))
            }
          }
          for (const [id, set] of holders) expect(set.size, `holders of group ${id}`).toBe(1)
        }
        for (const { act, to } of steps) {
          const reader = readers[to % Math.max(1, readers.length)]
          if (act === 'send') world.send('q', `${to}:${sent++}`, group(String(to)))
          else if (act === 'join' && readers.length < 4) readers.push(world.read('q', { credit: to }))
          else if (act === 'turn') await world.quiet()
          else if (reader === undefined) continue
          else if (act === 'leave') {
            readers = readers.filter((each) => each !== reader)
            reader.consumer.cancel()
          } else if (act === 'grant') reader.consumer.grant(to)
          else if (act === 'accept' && reader.sink.held.length > 0) {
            settled.add(textOf(reader.sink.held[0]!.message))
            settleFirst(reader)
          } else if (act === 'release') {
            // All of them, the newest first, as a client does that goes away.
            for (const delivery of reader.sink.held.splice(0).reverse()) reader.consumer.settle(delivery, 'released')
          }
          checkHolders()
        }
        for (const reader of readers) {
          for (const delivery of reader.sink.held) settled.add(textOf(delivery.message))
          reader.consumer.detach()
        }
        await world.quiet()
        expect(world.queue('q').waitingCount + settled.size).toBe(sent)
      }),
      { numRuns: 150 },
    )
  })

  test('last values: what waits is the last of each key that was sent, over a restart too', async () => {
    const sends = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 9 })), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(sends, fc.integer({ min: 0, max: 40 }), async (values, restartAt) => {
        const world = await DurableWorld.open()
        world.define('q', { lastValueKey: 'key' })
        const model = new Map<number, string>()
        for (const [index, [key, priority]] of values.entries()) {
          if (index === restartAt) await world.restart()
          const text = `${key}:${index}`
          model.delete(key)
          model.set(key, text)
          world.send('q', text, { priority, properties: { key: String(key) } })
        }
        await world.quiet()
        expect((await world.contents('q')).sort()).toEqual([...model.values()].sort())
      }),
      { numRuns: 60 },
    )
  })
})
