/** Long work on what waits: in pieces, ended in the middle and gone on with, and at any moment a restart. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { browse } from '../src/operations/browse.ts'
import { type Pace, Scan } from '../src/operations/scan.ts'
import { copyWhere, deleteWhere, moveWhere, redrive, type Transferred } from '../src/operations/transfer.ts'
import { DurableWorld, finished, selectorOf } from './durable.ts'

const MESSAGES = ['1', '2', '3', '4', '5', '6']

async function worldWith(texts: readonly string[] = MESSAGES): Promise<DurableWorld> {
  const world = await DurableWorld.open()
  for (const name of ['q', 'other']) world.define(name)
  for (const text of texts) world.send('q', text, { properties: { odd: String(Number(text) % 2) } })
  await world.quiet()
  return world
}

/** Ends after so many batches. */
function ending(batchMax: number, batches: number): Pace {
  let left = batches
  return { batchMax, next: () => Promise.resolve(--left > 0) }
}

async function idsOf(world: DurableWorld, texts: readonly string[]): Promise<string[]> {
  const { entries } = await finished(world, browse(world.queue('q')))
  return texts.map((text) => entries[Number(text) - 1]!.id)
}

describe('ids', () => {
  test('only those are moved, in the order of the queue, and what is none of them is passed over', async () => {
    const world = await worldWith()
    const ids = [...(await idsOf(world, ['5', '2', '2'])), '4-999', '9-1', 'no id', '4-1e3', '-1']
    const moved = await finished(
      world,
      moveWhere(world.vhost, new Scan(world.queue('q'), { ids }), world.named('other')),
    )
    expect(moved.count).toBe(2)
    for (const life of ['first', 'second']) {
      expect([life, await world.contents('q'), await world.contents('other')]).toEqual([
        life,
        ['1', '3', '4', '6'],
        ['2', '5'],
      ])
      await world.restart()
    }
  })

  test('one that a consumer has is left alone', async () => {
    const world = await worldWith()
    const ids = await idsOf(world, ['1', '2'])
    world.read('q', { credit: 1 })
    await world.quiet()
    const deleted = await finished(world, deleteWhere(world.vhost, new Scan(world.queue('q'), { ids })))
    expect([deleted.count, world.queue('q').waitingCount, world.queue('q').inflightCount]).toEqual([1, 4, 1])
  })

  test('of priorities each has its own', async () => {
    const world = await worldWith([])
    for (const priority of [1, 9, 1, 9]) world.send('q', String(priority), { priority })
    await world.quiet()
    const ids = await idsOf(world, ['1', '4'])
    await finished(world, moveWhere(world.vhost, new Scan(world.queue('q'), { ids }), world.named('other')))
    expect([await world.contents('q'), await world.contents('other')]).toEqual([
      ['9', '1'],
      ['9', '1'],
    ])
  })
})

describe('pace', () => {
  test('batches are as small as it says, whatever the selector passes over', async () => {
    for (const selector of [undefined, selectorOf("odd = '1'")]) {
      const world = await worldWith()
      const seen: number[] = []
      const options = { pace: ending(2, 10), onProgress: ({ count }: Transferred) => void seen.push(count) }
      await finished(
        world,
        moveWhere(world.vhost, new Scan(world.queue('q'), { selector }), world.named('other'), options),
      )
      expect(seen).toEqual(selector === undefined ? [2, 4, 6] : [2, 3])
    }
  })

  test('a copy that it ended goes on where it was, and copies nothing twice', async () => {
    const world = await worldWith()
    const scan = new Scan(world.queue('q'))
    const first = await finished(world, copyWhere(world.vhost, scan, world.named('other'), { pace: ending(2, 2) }))
    world.send('q', 'later')
    const second = await finished(world, copyWhere(world.vhost, scan, world.named('other')))
    expect([first.count, second.count]).toEqual([4, 2])
    expect(await world.contents('other')).toEqual(MESSAGES)
    expect(await world.contents('q')).toEqual([...MESSAGES, 'later'])
  })

  test('a copy that ended at a full queue goes on with the message that had no room', async () => {
    const world = await worldWith()
    world.define('small', { messagesMax: 4, whenFull: 'reject' })
    const scan = new Scan(world.queue('q'))
    const first = await finished(world, copyWhere(world.vhost, scan, world.named('small')))
    world.define('small', { messagesMax: 10, whenFull: 'reject' })
    const second = await finished(world, copyWhere(world.vhost, scan, world.named('small')))
    expect([first.count, first.stopped, second.count]).toEqual([4, expect.stringContaining('is full'), 2])
    expect(await world.contents('small')).toEqual(MESSAGES)
  })

  test('the limit counts over both parts', async () => {
    const world = await worldWith()
    const scan = new Scan(world.queue('q'), { limit: 3 })
    await finished(world, moveWhere(world.vhost, scan, world.named('other'), { pace: ending(2, 1) }))
    await finished(world, moveWhere(world.vhost, scan, world.named('other')))
    expect([await world.contents('q'), await world.contents('other')]).toEqual([
      ['4', '5', '6'],
      ['1', '2', '3'],
    ])
  })

  test('after a rewind what was left behind is looked at again, and what came since is not', async () => {
    const world = await worldWith()
    world.define('small', { bytesMax: 400, whenFull: 'reject' })
    world.send('q', 'x'.repeat(1_000))
    await world.quiet()
    const scan = new Scan(world.queue('q'))
    const first = await finished(world, moveWhere(world.vhost, scan, world.named('small')))
    expect([first.count, first.refusedCount]).toEqual([6, 1])
    world.define('small', { bytesMax: 40_000, whenFull: 'reject' })
    world.send('q', 'later')
    scan.rewind()
    const second = await finished(world, moveWhere(world.vhost, scan, world.named('small')))
    expect([second.count, await world.contents('q')]).toEqual([1, ['later']])
  })
})

describe('retry', () => {
  test('to another queue takes every message there, without what was said of dead letters', async () => {
    const world = await worldWith([])
    world.send('q', 'dead', { extras: { annotations: { cause: 'rejected', originalQueue: '$queue/gone', own: 1 } } })
    world.send('q', 'a stranger')
    await world.quiet()
    const back = await finished(world, redrive(world.vhost, new Scan(world.queue('q')), world.named('other')))
    expect([back.count, await world.contents('other')]).toEqual([2, ['dead', 'a stranger']])
    const { entries } = await browse(world.queue('other'))
    expect(entries[0]!.message.extras?.annotations).toEqual({ own: 1 })
  })

  test('what came from a subscription that has ended is left where it is, and why is said', async () => {
    const world = await worldWith([])
    world.send('q', 'dead', {
      extras: { annotations: { cause: 'rejected', originalQueue: '$queue/$subscription/c/s' } },
    })
    const back = await finished(world, redrive(world.vhost, new Scan(world.queue('q'))))
    expect([back.count, back.skippedCount]).toEqual([0, 1])
    expect(back.skippedBecause).toContain("there is no queue '$subscription/c/s'")
    expect(back.stopped).toBe(back.skippedBecause)
    expect(await world.contents('q')).toEqual(['dead'])
  })

  test('gone on with it takes what is left in its order, once there is room', async () => {
    const world = await worldWith([])
    for (const [text, origin] of [
      ['1', 'small'],
      ['a', 'other'],
      ['2', 'small'],
      ['3', 'small'],
      ['b', 'other'],
    ] as const)
      world.send('q', text, { extras: { annotations: { cause: 'rejected', originalQueue: `$queue/${origin}` } } })
    world.define('small', { messagesMax: 1, whenFull: 'reject' })
    await world.quiet()
    const scan = new Scan(world.queue('q'))
    const first = await finished(world, redrive(world.vhost, scan))
    expect([first.count, first.refusedCount, await world.contents('other')]).toEqual([3, 2, ['a', 'b']])
    world.define('small', { messagesMax: 10, whenFull: 'reject' })
    scan.rewind()
    const second = await finished(world, redrive(world.vhost, scan))
    expect([second.count, second.refusedCount, second.stopped]).toEqual([2, 0, undefined])
    for (const life of ['first', 'second']) {
      expect([life, await world.contents('small'), await world.contents('q')]).toEqual([life, ['1', '2', '3'], []])
      await world.restart()
    }
  })

  test('a message behind one that had no room does not overtake it, though it is small enough', async () => {
    const world = await worldWith([])
    for (const text of ['1', 'x'.repeat(600), '3'])
      world.send('q', text, { extras: { annotations: { cause: 'rejected', originalQueue: '$queue/small' } } })
    world.define('small', { bytesMax: 1_000, whenFull: 'reject' })
    world.send('small', 'y'.repeat(400))
    await world.quiet()
    const back = await finished(world, redrive(world.vhost, new Scan(world.queue('q'))))
    expect([back.count, back.refusedCount]).toEqual([1, 2])
    expect(back.stopped).toMatch(
      /^queue 'small' is full: it has \d+ bytes, and with one more message of \d+ it would have more than its bytesMax, 1000$/,
    )
    expect((await world.contents('q')).map(([first]) => first)).toEqual(['x', '3'])
  })

  test('queues that are gone, and those that may not be sent to, are in the way as full ones are, and none of them is made', async () => {
    const world = await DurableWorld.open({ queuesAutoCreate: false })
    world.define('q')
    world.define('secret')
    for (const origin of ['gone', 'secret', 'gone'])
      world.send('q', origin, { extras: { annotations: { cause: 'rejected', originalQueue: `$queue/${origin}` } } })
    await world.quiet()
    const scan = new Scan(world.queue('q'))
    const refusalToReach = (queue: string): string | undefined => (queue === 'secret' ? 'nobody may' : undefined)
    const first = await finished(world, redrive(world.vhost, scan, undefined, { refusalToReach }))
    expect(first).toMatchObject({ count: 0, skippedCount: 2, refusedCount: 1, refusedBecause: 'nobody may' })
    expect(first.stopped).toMatch(
      /^there is no queue 'gone' and .*\(queues\.autoCreate\).*; 1 more queue is in the way$/,
    )
    expect(world.vhost.destinations.find('gone')).toBeUndefined()
    world.define('gone')
    scan.rewind()
    const second = await finished(world, redrive(world.vhost, scan))
    expect([second.count, second.stopped]).toEqual([3, undefined])
    expect([await world.contents('gone'), await world.contents('secret')]).toEqual([['gone', 'gone'], ['secret']])
  })

  test('a queue that is deleted meanwhile ends it, and it says so', async () => {
    const world = await worldWith(Array.from({ length: 2_000 }, (_, index) => String(index)))
    const deleting = deleteWhere(world.vhost, new Scan(world.queue('q')))
    world.vhost.destinations.delete(world.named('q'))
    expect((await finished(world, deleting)).stopped).toBe("queue 'q' was deleted meanwhile")
  })
})

test('a restart after any batch finds every message in one of the two queues', async () => {
  for (let batches = 1; batches <= 4; batches++) {
    const world = await worldWith()
    const scan = new Scan(world.queue('q'))
    await finished(world, moveWhere(world.vhost, scan, world.named('other'), { pace: ending(2, batches) }))
    await world.restart()
    const both = [...(await world.contents('other')), ...(await world.contents('q'))]
    expect([batches, both]).toEqual([batches, MESSAGES])
  }
})

test('a retry to queues that are full, by turns, and gone on with again and again, brings back every message once and in order', async () => {
  const origins = ['a', 'b', 'c']
  const step = fc.record({
    from: fc.constantFrom(...origins),
    take: fc.integer({ min: 0, max: 4 }),
    batch: fc.integer({ min: 1, max: 5 }),
  })
  const story = fc.record({
    dead: fc.array(fc.constantFrom(...origins), { minLength: 1, maxLength: 14 }),
    rooms: fc.tuple(...origins.map(() => fc.integer({ min: 1, max: 3 }))),
    steps: fc.array(step, { maxLength: 6 }),
  })
  await fc.assert(
    fc.asyncProperty(story, async ({ dead, rooms, steps }) => {
      const world = await worldWith([])
      for (const [index, origin] of origins.entries())
        world.define(origin, { messagesMax: rooms[index]!, whenFull: 'reject' })
      for (const [index, origin] of dead.entries())
        world.send('q', `${index}`, {
          extras: { annotations: { cause: 'rejected', originalQueue: `$queue/${origin}` } },
        })
      await world.quiet()
      const taken: Record<string, string[]> = { a: [], b: [], c: [] }
      const take = async (origin: string, limit: number): Promise<void> => {
        taken[origin]!.push(...(await world.contents(origin)).slice(0, limit))
        await finished(world, deleteWhere(world.vhost, new Scan(world.queue(origin), { limit })))
      }
      const scan = new Scan(world.queue('q'))
      let back = await finished(world, redrive(world.vhost, scan))
      for (const { from, take: limit, batch } of steps) {
        expect(back.stopped === undefined).toBe((await world.contents('q')).length === 0)
        await take(from, limit)
        scan.rewind()
        back = await finished(world, redrive(world.vhost, scan, undefined, { pace: ending(batch, 1_000) }))
      }
      for (let round = 0; round < dead.length; round++) {
        for (const origin of origins) await take(origin, 9)
        scan.rewind()
        back = await finished(world, redrive(world.vhost, scan))
      }
      for (const origin of origins) await take(origin, 9)
      expect([back.stopped, await world.contents('q')]).toEqual([undefined, []])
      for (const origin of origins)
        expect([origin, ...taken[origin]!]).toEqual([
          origin,
          ...dead.flatMap((of, index) => (of === origin ? [`${index}`] : [])),
        ])
    }),
    { numRuns: 30 },
  )
})
