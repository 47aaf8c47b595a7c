/** Delayed, periodic and cron messages: when they are sent, what of them outlives the process, how they are listed and ended. */
import { describe, expect, test } from 'vitest'
import { allowAll, type Authorizer } from '../src/authorizer.ts'
import { SCHEDULED_MESSAGES_MAX } from '../src/limits.ts'
import { type LifeClient, Lives, QUEUE } from './lives.ts'
import { messageOf, topicPattern } from './support.ts'
import { World } from './world.ts'

const JOBS = `${QUEUE}jobs`

async function livesWithWorker(options: Parameters<typeof Lives.begin>[0] = {}): Promise<{ lives: Lives; worker: LifeClient; maker: LifeClient }> {
  const lives = await Lives.begin(options)
  const worker = lives.client('worker')
  worker.consume('jobs')
  return { lives, worker, maker: lives.client('maker') }
}

test('a delayed message is acknowledged after its commit and delivered when it is due, not before', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  expect(maker.publish(JOBS, 'later', { schedule: { delayMs: 60_000 }, tag: 7 })).toBe('pending')
  lives.env.clock.turn()
  expect(maker.results).toEqual(['7 routed'])
  await lives.pass(59_999)
  expect(worker.texts).toEqual([])
  await lives.pass(1)
  expect(worker.texts).toEqual(['later'])
  worker.acceptAll()
  await lives.pass(600_000)
  expect(worker.texts).toEqual(['later'])
  expect(lives.vhost.schedule.count).toBe(0)
})

test('nothing of a message that was sent and accepted stays in the engine', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  await lives.quiet()
  const before = lives.engine.usedBytes
  maker.publish(JOBS, 'x'.repeat(10_000), { schedule: { delayMs: 1_000 } })
  await lives.pass(1_000)
  worker.acceptAll()
  await lives.quiet()
  expect(lives.engine.usedBytes).toBeLessThan(before + 2_000)
  expect(lives.vhost.waiting.bytes).toBe(0)
})

test('messages are sent in the order in which they are due, and of one moment in the order in which they came', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  const schedules: [text: string, delayMs: number, durable: boolean][] = [
    ['c', 3_000, true],
    ['a', 1_000, true],
    ['b1', 2_000, true],
    ['b2', 2_000, false],
    ['b3', 2_000, true],
  ]
  for (const [text, delayMs, durable] of schedules) maker.publish(JOBS, text, { durable, schedule: { delayMs } })
  await lives.pass(3_000)
  expect(worker.texts).toEqual(['a', 'b1', 'b2', 'b3', 'c'])
})

test('all messages of one moment are sent, more of them than one go takes', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  for (let index = 0; index < 2_500; index++) maker.publish(JOBS, `${index}`, { schedule: { delayMs: 1_000 } })
  await lives.pass(1_000)
  for (let round = 0; round < 5; round++) {
    worker.acceptAll()
    await lives.quiet()
  }
  expect(worker.texts).toEqual(Array.from({ length: 2_500 }, (_, index) => `${index}`))
})

test('routing is decided when a message is due: a subscription made in between gets it', async () => {
  const lives = await Lives.begin()
  lives.client('maker').publish('news', 'later', { schedule: { delayMs: 1_000 } })
  await lives.quiet()
  const reader = lives.client('reader')
  const spec = { shareName: undefined, assuranceMax: 1 as const, noLocal: false, retained: 'never' as const, data: {} }
  reader.session.bind({ ...spec, pattern: topicPattern('news') })
  await lives.pass(1_000)
  expect(reader.texts).toEqual(['later'])
})

test('a binding that does not want its own messages does not get a delayed one either, not even after a restart', async () => {
  const lives = await Lives.begin()
  lives.client('maker').publish('news', 'own', { schedule: { delayMs: 1_000 }, publisher: 'maker' })
  lives.client('other').publish('news', 'other', { schedule: { delayMs: 1_000 }, publisher: 'other' })
  await lives.quiet()
  await lives.restart()
  const maker = lives.client('maker')
  const spec = { shareName: undefined, assuranceMax: 1 as const, retained: 'never' as const, data: {} }
  maker.session.bind({ ...spec, noLocal: true, pattern: topicPattern('news') })
  await lives.pass(1_000)
  expect(maker.texts).toEqual(['other'])
})

test('a retained message is the last of its topic from its sending on', async () => {
  const lives = await Lives.begin()
  lives.client('maker').publish('state', 'new', { retain: true, schedule: { delayMs: 1_000 } })
  await lives.quiet()
  await lives.restart()
  expect(lives.vhost.retained.count).toBe(0)
  await lives.pass(1_000)
  expect(lives.vhost.retained.count).toBe(1)
  await lives.restart()
  expect(lives.vhost.retained.count).toBe(1)
})

test('the time to live of a message begins when it is sent', async () => {
  const lives = await Lives.begin()
  const expiresAtMs = lives.env.clock.wallMs() + 5_000
  lives.client('maker').publish(JOBS, 'brief', { expiresAtMs, schedule: { delayMs: 60_000 } })
  await lives.quiet()
  await lives.restart()
  await lives.pass(64_000, 1_000)
  const early = lives.client('early')
  early.consume('jobs')
  await lives.quiet()
  expect(early.texts).toEqual(['brief'])
  early.session.disconnect()
  await lives.pass(1_000)
  const late = lives.client('late')
  late.consume('jobs')
  await lives.quiet()
  expect(late.texts).toEqual([])
})

test('a delayed message survives a restart before it is due, and comes once', async () => {
  const { lives, maker } = await livesWithWorker()
  maker.publish(JOBS, 'later', { schedule: { delayMs: 60_000 } })
  await lives.quiet()
  await lives.restart()
  const worker = lives.client('worker')
  worker.consume('jobs')
  await lives.pass(59_000, 10_000)
  expect(worker.texts).toEqual([])
  await lives.pass(1_000)
  expect(worker.texts).toEqual(['later'])
  await lives.restart()
  expect(lives.vhost.schedule.count).toBe(0)
})

test('a message that was due while the broker was down is sent at once after the restart', async () => {
  const lives = await Lives.begin()
  lives.client('maker').publish(JOBS, 'late', { schedule: { delayMs: 1_000 } })
  await lives.quiet()
  await lives.stop()
  await lives.pass(3_600_000)
  await lives.restart()
  expect(lives.vhost.schedule.count).toBe(1)
  const worker = lives.client('worker')
  worker.consume('jobs')
  await lives.quiet()
  expect(worker.texts).toEqual(['late'])
})

test('a periodic message is sent as often as asked, whether the broker is started again between its sendings or not', async () => {
  for (const restarts of [false, true]) {
    const { lives, maker } = await livesWithWorker()
    maker.publish(JOBS, 'tick', { schedule: { delayMs: 500, periodMs: 1_000, repeats: 4 } })
    await lives.quiet()
    const seen: string[] = []
    for (let second = 0; second < 8; second++) {
      if (restarts) await lives.restart()
      const worker = lives.client('worker')
      worker.consume('jobs')
      await lives.pass(1_000, 250)
      seen.push(...worker.texts)
      worker.acceptAll()
      await lives.quiet()
      worker.session.disconnect()
    }
    expect(seen).toEqual(['tick', 'tick', 'tick', 'tick', 'tick'])
    expect(lives.vhost.schedule.count).toBe(0)
  }
})

test('a cron message comes at each of its moments; of those missed while the broker was down, one is made up for', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  maker.publish(JOBS, 'hourly', { schedule: { cron: '0 * * * *' } })
  await lives.pass(2 * 3_600_000, 60_000)
  expect(worker.texts).toEqual(['hourly', 'hourly'])
  worker.acceptAll()
  await lives.quiet()
  const { schedules } = await lives.folded()
  await lives.stop()
  await lives.pass(5 * 3_600_000 + 60_000)
  await lives.restart()
  expect((await lives.folded()).schedules).toEqual(schedules)
  const again = lives.client('worker')
  again.consume('jobs')
  await lives.quiet()
  expect(again.texts).toEqual(['hourly'])
  await lives.pass(3_600_000, 60_000)
  expect(again.texts).toEqual(['hourly', 'hourly'])
})

test('each moment of a cron expression with repeats begins a series, which is listed and ended on its own', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  maker.publish(JOBS, 'burst', { schedule: { cron: '0 * * * *', delayMs: 1_000, periodMs: 1_000, repeats: 2 } })
  await lives.pass(3_600_000, 60_000)
  expect(worker.texts).toEqual([])
  const [cron, series] = lives.vhost.schedule.list(10).items
  expect(cron).toMatchObject({ cron: '0 * * * *', durable: true })
  expect(series).toMatchObject({ periodMs: 1_000, repeats: 3, address: JOBS })
  await lives.restart()
  const again = lives.client('worker')
  again.consume('jobs')
  await lives.pass(2_000, 500)
  expect(again.texts).toEqual(['burst', 'burst'])
  expect(lives.vhost.schedule.cancel(series!.id)).toBe(true)
  await lives.pass(10_000, 1_000)
  expect(again.texts).toEqual(['burst', 'burst'])
  expect(lives.vhost.schedule.list(10).items.map(({ id }) => id)).toEqual([cron!.id])
})

test('messages that do not outlive the process are sent, and are gone after a restart', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  expect(maker.publish(JOBS, 'at most once', { assurance: 0, schedule: { delayMs: 1_000 } })).toBe('routed')
  maker.publish(JOBS, 'transient', { durable: false, schedule: { delayMs: 1_000, periodMs: 1_000, repeats: 1 } })
  lives.vhost.destinations.define({ name: 'volatile', settings: { durability: 'memory' } })
  maker.publish(`${QUEUE}volatile`, 'for a queue in memory', { schedule: { delayMs: 1_000 } })
  worker.consume('volatile')
  expect(lives.vhost.schedule.list(10).items.map(({ durable }) => durable)).toEqual([false, false, false])
  await lives.pass(2_000, 1_000)
  expect(worker.texts).toEqual(['at most once', 'transient', 'for a queue in memory', 'transient'])
  maker.publish(JOBS, 'lost', { durable: false, schedule: { delayMs: 1_000 } })
  await lives.restart()
  expect(lives.vhost.schedule.count).toBe(0)
})

test('scheduled messages wait in a virtual host without a log, too', () => {
  const world = new World()
  const reader = world.connect('reader')
  reader.bind('a')
  const { producer } = world.connect('maker')
  expect(producer.publish(producer.target('a'), messageOf('a', 'later', { durable: true }), 0, { schedule: { delayMs: 5 } })).toBe('routed')
  world.advance(5)
  expect(reader.texts).toEqual(['later'])
})

test('acknowledgements keep their order, whichever of the publishes are scheduled, logged or refused', async () => {
  const { lives, maker } = await livesWithWorker()
  maker.publish(JOBS, 'a', { tag: 1 })
  maker.publish(JOBS, 'b', { tag: 2, durable: false, schedule: { delayMs: 1 } })
  maker.publish(JOBS, 'c', { tag: 3, schedule: { cron: 'x' } })
  maker.publish(JOBS, 'd', { tag: 4, schedule: { delayMs: 1 } })
  maker.publish(JOBS, 'e', { tag: 5, durable: false })
  expect(maker.results).toEqual([])
  lives.env.clock.turn()
  expect(maker.results).toEqual(['1 routed', '2 routed', '3 refused', '4 routed', '5 routed'])
})

test('a bad cron expression is refused with its position, and nothing is kept', async () => {
  const { lives, maker } = await livesWithWorker()
  expect(maker.publish(JOBS, 'x', { schedule: { cron: '0 25 * * *' } })).toBe('refused')
  expect(maker.producer.refusal).toMatchObject({ refusal: 'mismatch', subject: JOBS })
  expect(maker.producer.refusal?.text).toContain('column 3')
  expect(lives.vhost.schedule.count).toBe(0)
  expect(lives.vhost.waiting.bytes).toBe(0)
})

test('a scheduled message for which there is no memory is refused with value and limit', async () => {
  const { lives, maker } = await livesWithWorker({ limits: { queuedBytesTotalMax: 1_000 } })
  const schedule = { delayMs: 1_000 }
  expect(maker.publish(JOBS, 'x'.repeat(600), { durable: false, schedule })).toBe('routed')
  expect(maker.publish(JOBS, 'y', { durable: false, schedule })).toBe('refused')
  expect(maker.producer.refusal).toMatchObject({ refusal: 'limit-reached' })
  expect(maker.producer.refusal?.text).toMatch(/limits\.waitingBytesMax 1000/)
  expect(lives.vhost.schedule.count).toBe(1)
  await lives.pass(1_000)
  expect(lives.vhost.schedule.count).toBe(0)
})

test('more scheduled messages than the limit are refused', async () => {
  const { lives, maker } = await livesWithWorker()
  Object.defineProperty(lives.vhost.schedule, 'count', { value: SCHEDULED_MESSAGES_MAX })
  expect(maker.publish(JOBS, 'x', { schedule: { delayMs: 1 } })).toBe('refused')
  expect(maker.producer.refusal?.text).toContain(`there are ${SCHEDULED_MESSAGES_MAX} scheduled messages, the limit`)
})

test('what the log refuses is not scheduled, and costs nothing', async () => {
  const { lives, maker } = await livesWithWorker({ maxBytes: 20_000 })
  maker.publish(JOBS, 'x'.repeat(30_000), { tag: 3, schedule: { delayMs: 1 } })
  await lives.quiet()
  expect(maker.results).toEqual(['3 refused'])
  expect(lives.vhost.schedule.count).toBe(0)
  expect(lives.vhost.waiting.bytes).toBe(0)
})

test('a page of the list goes on behind its last message, though that is gone meanwhile', async () => {
  const { lives, maker } = await livesWithWorker()
  for (let index = 0; index < 6; index++) maker.publish(JOBS, `${index}`, { durable: index % 2 === 0, schedule: { delayMs: 1_000 } })
  await lives.quiet()
  const { schedule } = lives.vhost
  const { items: all, next: none } = schedule.list(100)
  expect(all).toHaveLength(6)
  expect(none).toBeUndefined()
  const first = schedule.list(2)
  expect(first.items).toEqual(all.slice(0, 2))
  schedule.cancel(all[1]!.id)
  await lives.quiet()
  const second = schedule.list(2, first.next)
  expect(second.items).toEqual(all.slice(2, 4))
  expect(schedule.list(2, second.next)).toEqual({ items: all.slice(4, 6), next: undefined })
  expect(schedule.find(all[4]!.id)).toEqual(all[4])
  expect(schedule.find(all[1]!.id)).toBeUndefined()
})

test('a message that was cancelled is not sent, not even after a restart, and its bytes are gone', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  await lives.quiet()
  const before = lives.engine.usedBytes
  maker.publish(JOBS, 'x'.repeat(10_000), { schedule: { delayMs: 1_000 } })
  await lives.quiet()
  const { id } = lives.vhost.schedule.list(1).items[0]!
  const done: boolean[] = []
  expect(lives.vhost.schedule.cancel(id, (isDone) => done.push(isDone))).toBe(true)
  expect(done).toEqual([])
  expect(lives.vhost.schedule.list(1).items).toEqual([])
  expect(lives.vhost.schedule.cancel(id)).toBe(false)
  await lives.quiet()
  expect(done).toEqual([true])
  expect(lives.engine.usedBytes).toBeLessThan(before + 2_000)
  await lives.pass(2_000)
  expect(worker.texts).toEqual([])
  await lives.restart()
  expect(lives.vhost.schedule.count).toBe(0)
})

test('all that are scheduled can be cancelled at once', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  for (const durable of [true, false, true]) maker.publish(JOBS, 'x', { durable, schedule: { periodMs: 1_000, repeats: -1 } })
  await lives.quiet()
  expect(lives.vhost.schedule.cancelAll()).toBe(3)
  await lives.pass(10_000)
  expect(worker.texts).toEqual([])
  expect(lives.vhost.schedule.cancelAll()).toBe(0)
  expect(lives.vhost.waiting.bytes).toBe(0)
})

test('a message is cancelled by the id that its copies carry, while one is on its way', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  maker.publish(JOBS, 'tick', { schedule: { periodMs: 1_000, repeats: 5 } })
  await lives.quiet()
  await lives.pass(1_000)
  const id = worker.sink.held[0]!.message.extras!.annotations!['scheduledId'] as number
  lives.env.clock.advance(1_000) // due again, and being read
  expect(lives.vhost.schedule.cancel(id)).toBe(true)
  await lives.pass(10_000, 1_000)
  expect(worker.texts).toEqual(['tick'])
  await lives.restart()
  expect(lives.vhost.schedule.count).toBe(0)
})

test('a full queue delays a scheduled message until there is room, and loses nothing', async () => {
  const lives = await Lives.begin()
  lives.vhost.destinations.define({ name: 'small', settings: { messagesMax: 1, whenFull: 'reject' } })
  const maker = lives.client('maker')
  for (const text of ['one', 'two']) maker.publish(`${QUEUE}small`, text, { schedule: { delayMs: 1_000 } })
  await lives.pass(3_000, 1_000)
  expect(lives.vhost.schedule.count).toBe(1)
  await lives.restart()
  const worker = lives.client('worker')
  worker.consume('small')
  await lives.quiet()
  worker.acceptAll()
  await lives.pass(3_000, 500)
  expect(worker.texts).toEqual(['one', 'two'])
})

test('a message for a queue that cannot be made any more goes to the dead-letter queue with the reason', async () => {
  const lives = await Lives.begin({ limits: { queuesMax: 2 } })
  lives.client('maker').publish(`${QUEUE}gone`, 'x', { schedule: { delayMs: 1_000 } })
  await lives.quiet()
  lives.vhost.destinations.delete(lives.vhost.destinations.find('gone')!)
  const reader = lives.client('reader')
  reader.consume('DLQ')
  reader.consume('another')
  await lives.pass(1_000)
  expect(reader.texts).toEqual(['x'])
  const { annotations } = reader.sink.held[0]!.message.extras!
  expect(annotations).toMatchObject({ originalAddress: `${QUEUE}gone`, cause: 'undeliverable' })
})

test('a virtual host that has closed sends nothing and leaves no timer', async () => {
  const { lives, worker, maker } = await livesWithWorker()
  maker.publish(JOBS, 'later', { schedule: { delayMs: 1_000 } })
  await lives.quiet()
  const closed = lives.vhost.close()
  await lives.quiet()
  await closed
  await lives.pass(10_000, 1_000)
  expect(worker.texts).toEqual([])
  expect(lives.env.clock.timerCount).toBe(0)
  await lives.restart()
  const again = lives.client('again')
  again.consume('jobs')
  await lives.quiet()
  expect(again.texts).toEqual(['later'])
})

test('what a snapshot says of the schedule is what a restart would find in the log', async () => {
  const { lives, maker } = await livesWithWorker()
  maker.publish(JOBS, 'a', { schedule: { delayMs: 100_000 } })
  maker.publish(JOBS, 'b', { schedule: { periodMs: 1_000, repeats: 9 } })
  maker.publish('news', 'c', { retain: true, publisher: 'maker', schedule: { cron: '* * * * *', periodMs: 7_000, repeats: 3 } })
  maker.publish(JOBS, 'd', { schedule: { periodMs: 1_000, repeats: -1 } })
  maker.publish(JOBS, 'e', { schedule: { delayMs: 1_500 } })
  for (let round = 0; round < 8; round++) {
    await lives.pass(10_000, 1_000)
    const folded = await lives.folded()
    expect(folded.schedules.size).toBeGreaterThan(2)
    expect(lives.captured().schedules).toEqual(folded.schedules)
    expect(lives.captured().refs).toEqual(folded.refs)
  }
  expect(lives.vhost.log.isEnded).toBe(false)
})

test('a crash at any moment of a sending neither loses the message nor sends it twice', async () => {
  // Turn by turn: before the read, between read and commit, behind the commit.
  for (let turns = 0; turns < 12; turns++) {
    const { lives, maker } = await livesWithWorker()
    maker.publish(JOBS, 'once', { schedule: { delayMs: 1_000 } })
    await lives.quiet()
    lives.env.clock.advance(999)
    lives.env.clock.advance(1)
    for (let turn = 0; turn < turns; turn++) {
      await Promise.resolve()
      if (turn % 4 === 3) lives.env.clock.turn()
    }
    await lives.restart()
    const worker = lives.client('again')
    worker.consume('jobs')
    await lives.pass(2_000)
    expect(worker.texts).toEqual(['once'])
  }
})

describe('permission', () => {
  /** Everybody may everything, but publish to what is in `denied`. */
  function denying(denied: Set<string>): Authorizer {
    return {
      ...allowAll,
      mayUse: (_, action, { levels }) => ({ allowed: action !== 'write' || !denied.has(levels.join('/')), rule: 'denied' }),
    }
  }

  test('is asked for when a message is due: who lost it sends nothing more, and goes on when it is back', async () => {
    const denied = new Set<string>()
    const { lives, maker } = await livesWithWorker({ authorizer: denying(denied) })
    maker.publish(JOBS, 'once', { schedule: { delayMs: 1_500 } })
    maker.publish(JOBS, 'often', { schedule: { delayMs: 1_000, periodMs: 1_000, repeats: -1 } })
    await lives.quiet()
    lives.vhost.schedule.close()
    await lives.restart()
    const worker = lives.client('worker')
    worker.consume('jobs')
    lives.client('other').publish(JOBS, 'in memory', { durable: false, schedule: { delayMs: 1_500 } })
    await lives.pass(1_000)
    denied.add('jobs')
    await lives.pass(1_000)
    expect([worker.texts, lives.vhost.traffic.counters.refused]).toEqual([['often'], 3])
    expect(lives.events.at(-1)).toBe("a message that was scheduled for '$queue/jobs' is not sent: user 'u' may not send to queue 'jobs'")
    denied.clear()
    await lives.pass(1_000)
    expect([worker.texts, lives.vhost.schedule.count]).toEqual([['often', 'often'], 1])
  })

  test('is asked for at the queue that was sent to, not at those to which its settings forward', async () => {
    const denied = new Set(['jobs'])
    const { lives, worker, maker } = await livesWithWorker({ authorizer: denying(denied) })
    lives.vhost.destinations.define({ name: 'front', settings: { forwardTo: [JOBS], forwardOnly: true } })
    const publish = (text: string): string => maker.publish(`${QUEUE}front`, text, { schedule: { delayMs: 1_000 } })
    publish('first')
    await lives.pass(1_000)
    publish('second')
    denied.add('front')
    await lives.pass(1_000)
    expect(worker.texts).toEqual(['first'])
  })

  test('is not asked for of a message that a broker scheduled that did not note for whom', async () => {
    const denied = new Set<string>()
    const { lives, worker, maker } = await livesWithWorker({ authorizer: denying(denied) })
    maker.publish(JOBS, 'old', { schedule: { delayMs: 1_000 } })
    await lives.quiet()
    const [scheduled] = lives.vhost.schedule.ofUsers(new Set(['u']))
    const { address, bytes, dueAtMs } = scheduled!.logged
    scheduled!.logged = { address, bytes, dueAtMs }
    denied.add('jobs')
    await lives.pass(1_000)
    expect(worker.texts).toEqual(['old'])
  })
})
