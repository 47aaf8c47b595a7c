/** What operators do to queues: nothing is lost on the way, nothing comes back, also over a restart. */
import fc from 'fast-check'
import { keptPromises } from '@ternmq/testkit'
import { describe, expect, test } from 'vitest'
import { browse, type BrowsedPage, browseOne } from '../src/operations/browse.ts'
import { queueInfo } from '../src/operations/info.ts'
import { purge } from '../src/operations/purge.ts'
import { Scan } from '../src/operations/scan.ts'
import { copyWhere, deleteWhere, moveWhere, NOTHING_TRANSFERRED, redrive } from '../src/operations/transfer.ts'
import { DurableWorld, finished, queueMessage, selectorOf, type SendOptions } from './durable.ts'
import { messageOf, textOf, user } from './support.ts'

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index))
}

async function worldWith(queue: string, count: number): Promise<DurableWorld> {
  const world = await DurableWorld.open()
  world.define(queue)
  for (const text of numbers(1, count))
    world.send(queue, text, { properties: { n: text, odd: String(Number(text) % 2) } })
  return world
}

describe('purge', () => {
  test('all that waits goes, in the log too, and the space is free', async () => {
    const world = await worldWith('q', 0)
    world.queue('q')
    await world.quiet()
    const before = world.engine.usedBytes
    for (const text of numbers(1, 50)) world.send('q', text.padEnd(1_000, '.'))
    const result = await finished(world, purge(world.vhost, world.queue('q')))
    expect(result).toMatchObject({ ok: true, value: { count: 50 } })
    expect([world.queue('q').waitingCount, world.queue('q').waitingBytes, world.vhost.waiting.bytes]).toEqual([0, 0, 0])
    expect(world.engine.usedBytes - before).toBeLessThan(10_000)
    await world.restart()
    expect(await world.contents('q')).toEqual([])
  })

  test('what a consumer has stays its own, and stays over a restart', async () => {
    const world = await worldWith('q', 5)
    const { sink, consumer } = world.read('q', { credit: 2 })
    await world.quiet()
    await finished(world, purge(world.vhost, world.queue('q')))
    expect([world.queue('q').waitingCount, world.queue('q').inflightCount]).toEqual([0, 2])
    consumer.settle(sink.held[0]!, 'accepted')
    await world.restart()
    expect(await world.contents('q')).toEqual(['2'])
  })

  test('what comes after it stays, and so does what is published while it is under way', async () => {
    const world = await worldWith('q', 3)
    const purging = purge(world.vhost, world.queue('q'))
    world.send('q', 'later')
    await finished(world, purging)
    expect(await world.contents('q')).toEqual(['later'])
    await world.restart()
    expect(await world.contents('q')).toEqual(['later'])
  })

  test('nobody gets a message that is on its way out', async () => {
    const world = await worldWith('q', 3)
    const purging = purge(world.vhost, world.queue('q'))
    const { sink } = world.read('q')
    await finished(world, purging)
    expect(sink.texts).toEqual([])
  })

  test('a message that other queues have too is theirs still', async () => {
    const world = await DurableWorld.open()
    world.define('Consumer.A.VirtualTopic.T')
    world.define('Consumer.B.VirtualTopic.T')
    const { vhost } = world
    vhost.publishAs({ principal: user('u'), clientId: 'p' }, messageOf('VirtualTopic/T', 'both', { durable: true }))
    await world.quiet()
    await finished(world, purge(vhost, world.queue('Consumer.A.VirtualTopic.T')))
    await world.restart()
    expect(await world.contents('Consumer.A.VirtualTopic.T')).toEqual([])
    expect(await world.contents('Consumer.B.VirtualTopic.T')).toEqual(['both'])
  })

  test('what comes after it stays also when it had to wait for another one', async () => {
    const world = await worldWith('q', 3)
    const { vhost } = world
    const publish = (text: string, options: SendOptions): void =>
      vhost.publishAs({ principal: user('u'), clientId: 'p' }, queueMessage('q', text, options))
    const first = purge(vhost, world.queue('q'))
    publish('between', { priority: 2, durable: false })
    const second = purge(vhost, world.queue('q'))
    publish('later', { priority: 2 })
    publish('last', { priority: 7 })
    const results = await finished(world, Promise.all([first, second]))
    expect(results.map((result) => result.ok && result.value.count)).toEqual([3, 1])
    for (const life of ['first', 'second']) {
      expect([life, await world.contents('q')]).toEqual([life, ['last', 'later']])
      await world.restart()
    }
  })

  test('two at once both end, and a queue that is not durable is emptied at once', async () => {
    const world = await worldWith('q', 3)
    const both = Promise.all([purge(world.vhost, world.queue('q')), purge(world.vhost, world.queue('q'))])
    const results = await finished(world, both)
    expect(results.map((result) => result.ok && result.value.count)).toEqual([3, 0])
    world.define('m', { durability: 'memory' })
    world.send('m', '1')
    expect(await purge(world.vhost, world.queue('m'))).toMatchObject({ ok: true, value: { count: 1 } })
  })
})

describe('by selector', () => {
  test('delete ends what matches, up to the limit, and says how many', async () => {
    const world = await worldWith('q', 10)
    const selector = selectorOf("odd = '1'")
    const scan = new Scan(world.queue('q'), { selector, limit: 3 })
    expect((await finished(world, deleteWhere(world.vhost, scan))).count).toBe(3)
    expect(await world.contents('q')).toEqual(['2', '4', '6', '7', '8', '9', '10'])
    await world.restart()
    expect(await world.contents('q')).toEqual(['2', '4', '6', '7', '8', '9', '10'])
  })

  test('move puts them into the other queue in their order, and out of this one', async () => {
    const world = await worldWith('q', 6)
    world.define('other')
    const selecting = { selector: selectorOf("odd = '0'") }
    const moved = await finished(
      world,
      moveWhere(world.vhost, new Scan(world.queue('q'), selecting), world.named('other')),
    )
    expect(moved).toEqual({ ...NOTHING_TRANSFERRED, count: 3 })
    for (const life of ['first', 'second']) {
      expect([life, await world.contents('q'), await world.contents('other')]).toEqual([
        life,
        ['1', '3', '5'],
        ['2', '4', '6'],
      ])
      await world.restart()
    }
  })

  test('copy leaves the originals, and ends where it began when both queues are one', async () => {
    const world = await worldWith('q', 2)
    await finished(world, copyWhere(world.vhost, new Scan(world.queue('q')), world.named('q')))
    expect(await world.contents('q')).toEqual(['1', '2', '1', '2'])
    await world.restart()
    expect(await world.contents('q')).toEqual(['1', '2', '1', '2'])
  })

  test('a target that is deleted meanwhile ends a move, and what has not gone stays', async () => {
    const world = await worldWith('q', 3_000)
    world.define('other')
    await world.quiet()
    const moving = moveWhere(world.vhost, new Scan(world.queue('q')), world.named('other'))
    world.vhost.destinations.delete(world.named('other'))
    const moved = await finished(world, moving)
    expect(moved.stopped).toBe("queue 'other' was deleted meanwhile")
    expect(moved.count + world.queue('q').waitingCount).toBe(3_000)
    expect(world.queue('q').waitingCount).toBeGreaterThan(1_000)
  })

  test('a move ends where the other queue is full, and says so', async () => {
    const world = await worldWith('q', 5)
    world.define('small', { messagesMax: 2, whenFull: 'reject' })
    const moved = await finished(world, moveWhere(world.vhost, new Scan(world.queue('q')), world.named('small')))
    expect(moved).toMatchObject({ count: 2, stopped: expect.stringContaining("'small' is full") as unknown })
    expect(await world.contents('q')).toEqual(['3', '4', '5'])
    expect(await world.contents('small')).toEqual(['1', '2'])
  })

  test('what is too large for the other queue is left out and counted with the reason, and the rest goes', async () => {
    const world = await DurableWorld.open()
    world.define('q')
    for (const text of ['1', 'x'.repeat(5_000), '3', 'y'.repeat(6_000)]) world.send('q', text)
    world.define('small', { bytesMax: 4_000, whenFull: 'reject' })
    const moved = await finished(world, moveWhere(world.vhost, new Scan(world.queue('q')), world.named('small')))
    expect(moved).toMatchObject({ count: 2, refusedCount: 2, stopped: undefined })
    expect(moved.refusedBecause).toMatch(
      /^a message of 5\d{3} bytes is larger than queue 'small' can be: its bytesMax is 4000$/,
    )
    expect((await world.contents('q')).map(([first]) => first)).toEqual(['x', 'y'])
    expect(await world.contents('small')).toEqual(['1', '3'])
  })

  test('dead letters go past one whose queue is full, and then it has not come to its end: it says which limit of which queue', async () => {
    const world = await DurableWorld.open()
    for (const name of ['one', 'two', 'dead']) world.define(name, { deadLetter: 'dead' })
    for (const name of ['one', 'one', 'two']) {
      world.send(name, `of ${name}`)
      const { consumer, sink } = world.read(name)
      await world.quiet()
      consumer.settle(sink.held[0]!, 'rejected')
      consumer.cancel()
      await world.quiet()
    }
    world.define('one', { messagesMax: 1, whenFull: 'reject' })
    const back = await finished(world, redrive(world.vhost, new Scan(world.queue('dead'))))
    const full = "queue 'one' is full: it has 1 message, its messagesMax is 1"
    expect(back).toMatchObject({ count: 2, skippedCount: 0, refusedCount: 1, refusedBecause: full, stopped: full })
    expect([await world.contents('one'), await world.contents('two'), await world.contents('dead')]).toEqual([
      ['of one'],
      ['of two'],
      ['of one'],
    ])
  })

  test('more than one batch, with bodies that are on disk only', async () => {
    const world = await worldWith('q', 3_000)
    world.define('other')
    const moved = await finished(
      world,
      moveWhere(world.vhost, new Scan(world.queue('q'), { limit: 2_500 }), world.named('other')),
    )
    expect(moved.count).toBe(2_500)
    expect([world.queue('q').waitingCount, world.queue('other').waitingCount]).toEqual([500, 2_500])
    expect(await world.contents('q')).toEqual(numbers(2_501, 3_000))
    expect(await world.contents('other')).toEqual(numbers(1, 2_500))
  })

  test('dead letters go back to where they came from, as they were', async () => {
    const world = await DurableWorld.open()
    world.define('one', { deadLetter: 'dead' })
    world.define('two', { deadLetter: 'dead' })
    world.define('dead')
    world.send('one', 'a', { extras: { annotations: { own: 'kept' } } })
    world.send('two', 'b')
    for (const name of ['one', 'two']) {
      const { consumer, sink } = world.read(name)
      await world.quiet()
      consumer.settle(sink.held[0]!, 'rejected', { reason: 'no' })
      consumer.cancel()
      await world.quiet()
    }
    world.send('dead', 'a stranger')
    expect(await world.contents('dead')).toEqual(['a', 'b', 'a stranger'])
    const back = await finished(world, redrive(world.vhost, new Scan(world.queue('dead'))))
    const skippedBecause = 'it is no dead letter: nothing says which queue it came from'
    expect(back).toEqual({ ...NOTHING_TRANSFERRED, count: 2, skippedCount: 1, skippedBecause })
    expect([await world.contents('one'), await world.contents('two'), await world.contents('dead')]).toEqual([
      ['a'],
      ['b'],
      ['a stranger'],
    ])
    const page = await browse(world.queue('one'))
    expect(page.entries[0]!.message.extras?.annotations).toEqual({ own: 'kept' })
  })

  test('whatever is moved, copied and deleted: each message is where it should be, before and after a restart', async () => {
    const step = fc.record({
      act: fc.constantFrom('move', 'copy', 'delete', 'purge'),
      from: fc.constantFrom('a', 'b'),
      limit: fc.integer({ min: 1, max: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
        const world = await DurableWorld.open()
        world.define('a')
        world.define('b')
        const model: Record<string, string[]> = { a: numbers(1, 6), b: [] }
        for (const text of model['a']!) world.send('a', text)
        for (const { act, from, limit } of steps) {
          const to = from === 'a' ? 'b' : 'a'
          const [source, target] = [model[from]!, model[to]!]
          const queue = world.queue(from)
          if (act === 'move') {
            await finished(world, moveWhere(world.vhost, new Scan(queue, { limit }), world.named(to)))
            target.push(...source.splice(0, limit))
          } else if (act === 'copy') {
            await finished(world, copyWhere(world.vhost, new Scan(queue, { limit }), world.named(to)))
            target.push(...source.slice(0, limit))
          } else if (act === 'delete') {
            await finished(world, deleteWhere(world.vhost, new Scan(queue, { limit })))
            source.splice(0, limit)
          } else {
            await finished(world, purge(world.vhost, queue))
            source.length = 0
          }
        }
        expect({ a: await world.contents('a'), b: await world.contents('b') }).toEqual(model)
        await world.restart()
        expect({ a: await world.contents('a'), b: await world.contents('b') }).toEqual(model)
      }),
      { numRuns: 40 },
    )
  })
})

describe('browse', () => {
  test('shows what waits and what a consumer has, by priority and in order, and changes nothing', async () => {
    const world = await worldWith('q', 3)
    world.send('q', 'urgent', { priority: 9 })
    world.send('q', 'not kept', { durable: false })
    world.read('q', { credit: 2 })
    await world.quiet()
    const before = await queueInfo(world.vhost, world.queue('q'))
    const { entries, cursor } = await finished(world, browse(world.queue('q')))
    expect(entries.map(({ message, state }) => [textOf(message), state])).toEqual([
      ['urgent', 'in flight'],
      ['1', 'in flight'],
      ['2', 'waiting'],
      ['3', 'waiting'],
      ['not kept', 'waiting'],
    ])
    expect(cursor).toBeUndefined()
    expect(await queueInfo(world.vhost, world.queue('q'))).toEqual(before)
  })

  test('shows a message that is not in the log while a consumer has it', async () => {
    const world = await DurableWorld.open()
    world.define('m', { durability: 'memory' })
    world.read('m')
    world.send('m', 'at once')
    const { entries } = await browse(world.queue('m'))
    expect(entries.map(({ message, state }) => [textOf(message), state])).toEqual([['at once', 'in flight']])
  })

  test('pages follow one another, also over priorities and with bodies on disk', async () => {
    const world = await worldWith('q', 2_500)
    world.send('q', 'urgent', { priority: 9 })
    const texts: string[] = []
    for (let after: string | undefined = undefined; ;) {
      const page: BrowsedPage = await finished(
        world,
        browse(world.queue('q'), { limit: 700, ...(after !== undefined && { after }) }),
      )
      texts.push(...page.entries.map(({ message }) => textOf(message)))
      after = page.cursor
      if (after === undefined) break
      expect(page.entries).toHaveLength(700)
    }
    expect(texts).toEqual(['urgent', ...numbers(1, 2_500)])
  })

  test('a selector leaves out, and failed attempts are told', async () => {
    const world = await worldWith('q', 4)
    const { consumer, sink } = world.read('q', { credit: 1 })
    await world.quiet()
    consumer.settle(sink.held[0]!, 'modified')
    const { entries } = await browse(world.queue('q'), { selector: selectorOf("odd = '1' AND JMSXDeliveryCount < 3") })
    expect(entries.map(({ message, failedCount, redelivered }) => [textOf(message), failedCount, redelivered])).toEqual(
      [
        ['1', 1, true],
        ['3', 0, false],
      ],
    )
  })

  test('of a long queue in memory leaves others their turn', async () => {
    const world = await DurableWorld.open()
    world.define('m', { durability: 'memory' })
    for (let number = 1; number <= 2_500; number++) world.send('m', `${number}`)
    let isDone = false
    const looking = browse(world.queue('m'), { selector: selectorOf("odd = 'neither'") }).finally(() => (isDone = true))
    await keptPromises()
    expect(isDone).toBe(false)
    expect(await finished(world, looking)).toEqual({ entries: [], cursor: undefined })
  })

  test('one entry by its id, until it is gone', async () => {
    const world = await worldWith('q', 2)
    const { entries } = await browse(world.queue('q'))
    const { id } = entries[1]!
    expect(textOf((await browseOne(world.queue('q'), id))!.message)).toBe('2')
    await finished(world, purge(world.vhost, world.queue('q')))
    expect([await browseOne(world.queue('q'), id), await browseOne(world.queue('q'), 'nonsense')]).toEqual([
      undefined,
      undefined,
    ])
  })
})

describe('info', () => {
  test('says how much there is, how old, who reads, and why nothing moves', async () => {
    const world = await worldWith('q', 2)
    world.env.clock.advance(5_000)
    expect(await queueInfo(world.vhost, world.queue('q'))).toMatchObject({
      name: 'q',
      isDurable: true,
      waitingCount: 2,
      inflightCount: 0,
      oldestAgeMs: 5_000,
      stuckBecause: 'it has no consumer',
    })
    world.read('q', { credit: 1 })
    await world.quiet()
    const info = await queueInfo(world.vhost, world.queue('q'))
    expect(info).toMatchObject({
      waitingCount: 1,
      inflightCount: 1,
      consumers: [{ unsettledCount: 1, isAttached: true }],
    })
    expect(info.stuckBecause).toBe('its consumer has to settle or read first')
    world.queue('q').pause()
    expect((await queueInfo(world.vhost, world.queue('q'))).stuckBecause).toContain('paused')
  })

  test('a consumer that settles one after another is well, until it has settled nothing for ten seconds', async () => {
    const world = await worldWith('q', 3)
    const { consumer, sink } = world.read('q', { credit: 1 })
    await world.quiet()
    consumer.settle(sink.held[0]!, 'accepted')
    consumer.grant(1)
    await world.quiet()
    expect(world.queue('q')).toMatchObject({ waitingCount: 1, inflightCount: 1 })
    expect((await queueInfo(world.vhost, world.queue('q'))).stuckBecause).toBeUndefined()
    world.env.clock.advance(11_000)
    expect((await queueInfo(world.vhost, world.queue('q'))).stuckBecause).toContain('has to settle')
  })
})
