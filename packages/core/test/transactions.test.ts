/** Transactions: all of it or nothing, over restarts, refusals, and consumers that end in between. */
import { expect, test } from 'vitest'
import { TRANSACTION_BYTES_MAX, TRANSACTION_OPERATIONS_MAX, TRANSACTION_REWRITES_MAX, TRANSACTIONS_PER_SESSION_MAX } from '../src/limits.ts'
import type { RefusalDetail } from '../src/refusal.ts'
import type { Transaction } from '../src/transaction/transaction.ts'
import { type LifeClient, type LifeOptions, Lives, QUEUE } from './lives.ts'
import { messageOf, textOf } from './support.ts'
import { World } from './world.ts'

const IN = `${QUEUE}in`
const OUT = `${QUEUE}out`

interface Scene {
  readonly lives: Lives
  readonly worker: LifeClient
  readonly reader: LifeClient
}

/** A worker reads from `in`, on which `texts` are, and a reader from `out`. */
async function scene(texts: readonly string[] = [], options: LifeOptions = {}): Promise<Scene> {
  const lives = await Lives.begin(options)
  const maker = lives.client('maker')
  for (const text of texts) maker.publish(IN, text)
  const worker = lives.client('worker')
  worker.consume('in')
  const reader = lives.client('reader')
  reader.consume('out')
  await lives.quiet()
  return { lives, worker, reader }
}

function commit(transaction: Transaction): (RefusalDetail | undefined)[] {
  const results: (RefusalDetail | undefined)[] = []
  transaction.commit((refusal) => results.push(refusal))
  return results
}

/** What a restart finds in a queue, in order. */
async function textsAfterRestart(lives: Lives, queue: string): Promise<string[]> {
  const client = lives.client(`reader of ${queue}`)
  client.consume(queue)
  await lives.quiet()
  return client.texts
}

test('nothing of a transaction is seen before its commit, and all of it after, in order', async () => {
  const { lives, worker, reader } = await scene(['one', 'two'])
  const transaction = worker.begin()
  worker.stage(transaction, OUT, 'a')
  worker.settle(transaction, 'one')
  worker.stage(transaction, OUT, 'b', { durable: false })
  worker.stage(transaction, OUT, 'c')
  await lives.quiet()
  expect(reader.texts).toEqual([])
  expect(lives.vhost.destinations.find('in')!.queue.inflightCount).toBe(2)
  const results = commit(transaction)
  expect(transaction.state).toBe('committing')
  expect(results).toEqual([])
  await lives.quiet()
  expect(results).toEqual([undefined])
  expect(reader.texts).toEqual(['a', 'b', 'c'])
  expect(lives.vhost.destinations.find('in')!.queue.inflightCount).toBe(1)
  expect(lives.vhost.transactions.count).toBe(0)
  expect(lives.vhost.waiting.bytes).toBe(0)
})

test('a restart before the commit finds nothing of it, and after the commit all of it', async () => {
  for (const isCommitted of [false, true]) {
    const { lives, worker } = await scene(['one', 'two'])
    const transaction = worker.begin()
    worker.stage(transaction, OUT, 'a')
    worker.settle(transaction, 'one')
    worker.stage(transaction, OUT, 'b')
    await lives.quiet()
    if (isCommitted) {
      commit(transaction)
      lives.env.clock.turn()
    }
    await lives.restart()
    expect(await textsAfterRestart(lives, 'out')).toEqual(isCommitted ? ['a', 'b'] : [])
    expect(await textsAfterRestart(lives, 'in')).toEqual(isCommitted ? ['two'] : ['one', 'two'])
  }
})

test('a rollback forgets the messages, and the deliveries are in flight with their consumer again', async () => {
  const { lives, worker, reader } = await scene(['one', 'two'])
  const transaction = worker.begin()
  worker.stage(transaction, OUT, 'a')
  worker.settle(transaction, 'one')
  worker.settle(transaction, 'two', 'rejected')
  transaction.rollback()
  await lives.quiet()
  expect(reader.texts).toEqual([])
  expect(worker.texts).toEqual(['one', 'two'])
  expect(lives.vhost.destinations.find('in')!.queue.inflightCount).toBe(2)
  const { consumer, delivery } = worker.held('one')
  consumer.settle(delivery, 'modified')
  await lives.quiet()
  expect(worker.sink.seen.map(({ text, failedCount }) => [text, failedCount])).toEqual([
    ['one', 0],
    ['two', 0],
    ['one', 1],
  ])
})

test('the credit of a settled delivery comes back with the commit, not before', async () => {
  const { lives, worker } = await scene(['one', 'two'])
  worker.session.pool.setLimit(2)
  lives.client('maker').publish(IN, 'three')
  await lives.quiet()
  const transaction = worker.begin()
  worker.settle(transaction, 'one')
  await lives.quiet()
  expect(worker.texts).toEqual(['one', 'two'])
  commit(transaction)
  await lives.quiet()
  expect(worker.texts).toEqual(['one', 'two', 'three'])
})

test('a delivery is in one transaction at a time', async () => {
  const { worker } = await scene(['one'])
  const [first, second] = [worker.begin(), worker.begin()]
  expect(worker.settle(first, 'one')).toBeUndefined()
  expect(worker.settle(second, 'one')).toMatchObject({ refusal: 'in-use' })
  first.rollback()
  expect(worker.settle(second, 'one')).toBeUndefined()
})

test('several transactions of one session are open at once, and end in any order', async () => {
  const { lives, worker, reader } = await scene(['one', 'two', 'three'])
  const [first, second, third] = [worker.begin(), worker.begin(), worker.begin()]
  for (const [index, transaction] of [first, second, third].entries()) {
    worker.stage(transaction, OUT, `${index}`)
    worker.settle(transaction, ['one', 'two', 'three'][index]!)
  }
  commit(third)
  second.rollback()
  commit(first)
  await lives.quiet()
  expect(reader.texts).toEqual(['2', '0'])
  await lives.restart()
  expect(await textsAfterRestart(lives, 'in')).toEqual(['two'])
})

test('a message that another consumer waits for goes there when the consumer of the transaction releases it by the commit', async () => {
  const { lives, worker } = await scene(['one', 'two', 'three'])
  const other = lives.client('other')
  other.consume('in')
  const transaction = worker.begin()
  worker.settle(transaction, 'one', 'released')
  worker.settle(transaction, 'two', 'modified', { undeliverableHere: true })
  worker.settle(transaction, 'three', 'accepted')
  await lives.quiet()
  expect(other.texts).toEqual([])
  commit(transaction)
  await lives.quiet()
  const again = [...other.sink.seen, ...worker.sink.seen.slice(3)].map(({ text, failedCount }) => `${text} ${failedCount}`)
  expect(new Set(again)).toEqual(new Set(['one 0', 'two 1']))
  expect(other.texts).toContain('two')
})

test('a rejected message is in the dead-letter queue with its reason once, in the group of the commit', async () => {
  for (const isCommitted of [false, true]) {
    const { lives, worker } = await scene(['bad', 'good'])
    const transaction = worker.begin()
    worker.settle(transaction, 'bad', 'rejected', { reason: 'no such order' })
    worker.settle(transaction, 'good')
    if (isCommitted) {
      commit(transaction)
      lives.env.clock.turn()
      const { counters } = lives.vhost
      expect([counters.rejected, counters.deadLettered]).toEqual([1, 1])
    }
    await lives.restart()
    expect(await textsAfterRestart(lives, 'in')).toEqual(isCommitted ? [] : ['bad', 'good'])
    const reader = lives.client('dead letters')
    reader.consume('DLQ')
    await lives.quiet()
    expect(reader.texts).toEqual(isCommitted ? ['bad'] : [])
    if (isCommitted) {
      const { annotations } = reader.sink.held[0]!.message.extras!
      expect(annotations).toMatchObject({ originalAddress: IN, cause: 'rejected', reason: 'no such order' })
    }
  }
})

test('nothing of a committed and settled transaction stays in the engine', async () => {
  const { lives, worker, reader } = await scene(['x'.repeat(10_000)])
  const transaction = worker.begin()
  const { consumer, delivery } = worker.held('x'.repeat(10_000))
  transaction.settle(consumer, delivery, 'accepted')
  worker.stage(transaction, OUT, 'y'.repeat(10_000))
  commit(transaction)
  await lives.quiet()
  reader.acceptAll()
  await lives.quiet()
  expect(lives.engine.usedBytes).toBeLessThan(5_000)
})

test('a consumer that ends leaves its deliveries to the transaction, whose commit finishes them', async () => {
  const { lives, worker } = await scene(['one', 'two'])
  const transaction = worker.begin()
  worker.settle(transaction, 'one')
  worker.session.stopConsuming('in')
  const other = lives.client('other')
  other.consume('in')
  await lives.quiet()
  expect(other.texts).toEqual(['two'])
  commit(transaction)
  await lives.quiet()
  expect(other.texts).toEqual(['two'])
  await lives.restart()
  expect(await textsAfterRestart(lives, 'in')).toEqual(['two'])
})

test('a consumer that ends leaves its deliveries to the transaction, whose rollback returns them to their old place, an attempt counted of those', async () => {
  const { lives, worker } = await scene(['one', 'two', 'three'])
  const transaction = worker.begin()
  worker.settle(transaction, 'two')
  worker.session.stopConsuming('in')
  transaction.rollback()
  const other = lives.client('other')
  other.consume('in')
  await lives.quiet()
  expect(other.sink.seen.map(({ text, failedCount }) => [text, failedCount])).toEqual([
    ['one', 0],
    ['two', 1],
    ['three', 0],
  ])
})

test('what a rollback gave back to its consumer counts an attempt when that ends in good order', async () => {
  const { lives, worker } = await scene(['one', 'two'])
  const transaction = worker.begin()
  worker.settle(transaction, 'two')
  transaction.rollback()
  worker.session.stopConsuming('in')
  const other = lives.client('other')
  other.consume('in')
  await lives.quiet()
  expect(other.sink.seen.map(({ text, failedCount }) => [text, failedCount])).toEqual([
    ['one', 0],
    ['two', 1],
  ])
})

test('the end of a connection rolls back what is open, and what is being committed goes on', async () => {
  const { lives, worker, reader } = await scene(['one', 'two'])
  const [open, committing] = [worker.begin(), worker.begin()]
  worker.stage(open, OUT, 'open')
  worker.settle(open, 'one')
  worker.stage(committing, OUT, 'committing')
  worker.settle(committing, 'two')
  const results = commit(committing)
  worker.session.disconnect()
  expect(open.state).toBe('rolled-back')
  await lives.quiet()
  expect(results).toEqual([undefined])
  expect(reader.texts).toEqual(['committing'])
  expect(lives.vhost.transactions.count).toBe(0)
  expect(await textsAfterRestart(lives, 'in')).toEqual(['one'])
})

test('a queue that is deleted while a transaction has something of it does no harm', async () => {
  for (const ends of ['commit', 'rollback'] as const) {
    const { lives, worker } = await scene(['one'])
    const transaction = worker.begin()
    worker.settle(transaction, 'one', 'rejected')
    lives.vhost.destinations.delete(lives.vhost.destinations.find('in')!)
    if (ends === 'commit') expect(commit(transaction)).toEqual([undefined])
    else transaction.rollback()
    await lives.quiet()
    await lives.restart()
    expect(await textsAfterRestart(lives, 'in')).toEqual([])
    expect(await textsAfterRestart(lives, 'DLQ')).toEqual([])
  }
})

test('a queue that is deleted between commit and log does no harm either', async () => {
  const { lives, worker } = await scene(['one'])
  const transaction = worker.begin()
  worker.settle(transaction, 'one')
  const results = commit(transaction)
  lives.vhost.destinations.delete(lives.vhost.destinations.find('in')!)
  await lives.quiet()
  expect(results).toEqual([undefined])
  expect(lives.vhost.log.isEnded).toBe(false)
})

test('publishes take their place among those of the same producer at the commit', async () => {
  const { lives, worker, reader } = await scene()
  const transaction = worker.begin()
  worker.stage(transaction, OUT, 'in 1')
  worker.publish(OUT, 'before')
  worker.stage(transaction, OUT, 'in 2', { durable: false })
  commit(transaction)
  worker.publish(OUT, 'after', { durable: false })
  worker.publish(OUT, 'after that')
  await lives.quiet()
  expect(reader.texts).toEqual(['before', 'in 1', 'in 2', 'after', 'after that'])
})

test('a transaction in which nothing must be logged is over at once, but behind what waits for the log', async () => {
  const { lives, worker, reader } = await scene()
  const first = worker.begin()
  worker.stage(first, OUT, 'a', { durable: false })
  expect(commit(first)).toEqual([undefined])
  const second = worker.begin()
  worker.stage(second, OUT, 'c', { durable: false })
  worker.publish(OUT, 'b')
  const results = commit(second)
  expect(results).toEqual([])
  await lives.quiet()
  expect(results).toEqual([undefined])
  expect(reader.texts).toEqual(['a', 'b', 'c'])
})

test('settles alone do not wait behind a commit that waits for room, and may make it', async () => {
  const { lives, worker } = await scene()
  lives.vhost.destinations.define({ name: 'small', settings: { messagesMax: 1, whenFull: 'block' } })
  worker.publish(`${QUEUE}small`, 'first')
  worker.consume('small')
  await lives.quiet()
  worker.publish(`${QUEUE}small`, 'second')
  worker.session.pool.setLimit(1)
  await lives.quiet()
  const publishing = worker.begin()
  worker.stage(publishing, `${QUEUE}small`, 'third')
  const published = commit(publishing)
  await lives.quiet()
  expect(published).toEqual([])
  const settling = worker.begin()
  worker.settle(settling, 'first')
  const settled = commit(settling)
  await lives.quiet()
  expect([settled, published]).toEqual([[undefined], [undefined]])
})

test('an empty transaction is committed at once', async () => {
  const { worker } = await scene()
  expect(commit(worker.begin())).toEqual([undefined])
})

test('transactions work in a virtual host without a log', () => {
  const world = new World()
  const client = world.connect('client')
  client.session.consume({ queue: 'in', assuranceMax: 1, data: {} })
  client.publish(IN, 'one')
  client.publish(IN, 'two')
  world.settle()
  const begun = client.session.beginTransaction(client.producer)
  const transaction = begun.ok ? begun.value : undefined
  const [one, two] = client.sink.held
  transaction!.settle(one!.consumer!, one!, 'accepted')
  transaction!.settle(two!.consumer!, two!, 'rejected')
  transaction!.publish(client.producer.target(IN), messageOf(IN, 'three'))
  expect(commit(transaction!)).toEqual([undefined])
  world.settle()
  expect(client.texts).toEqual(['one', 'two', 'three'])
  expect(world.vhost.destinations.find('DLQ')!.queue.waitingCount).toBe(1)
  expect(world.vhost.destinations.find('in')!.queue.inflightCount).toBe(1)
})

test('a message for the schedule is scheduled with the commit, and its delay counts from the publish', async () => {
  const { lives, worker, reader } = await scene()
  const [kept, dropped] = [worker.begin(), worker.begin()]
  worker.stage(kept, OUT, 'kept', { schedule: { delayMs: 10_000 } })
  worker.stage(dropped, OUT, 'dropped', { schedule: { delayMs: 10_000 } })
  expect(worker.stage(kept, OUT, 'bad', { schedule: { cron: 'x' } })).toMatchObject({ refusal: 'mismatch' })
  expect(lives.vhost.schedule.count).toBe(0)
  await lives.pass(6_000)
  commit(kept)
  dropped.rollback()
  await lives.quiet()
  expect(lives.vhost.schedule.count).toBe(1)
  await lives.restart()
  reader.session.disconnect()
  const again = lives.client('again')
  again.consume('out')
  await lives.pass(3_999)
  expect(again.texts).toEqual([])
  await lives.pass(1)
  expect(again.texts).toEqual(['kept'])
})

test('permission is asked at the publish, and the transaction goes on without what was refused', async () => {
  const { lives, worker, reader } = await scene()
  const transaction = worker.begin()
  expect(worker.stage(transaction, '$SYS/x', 'no')).toMatchObject({ refusal: 'not-authorized' })
  worker.stage(transaction, OUT, 'yes')
  commit(transaction)
  await lives.quiet()
  expect(reader.texts).toEqual(['yes'])
})

test('a retained message is the last of its topic from the commit on', async () => {
  const { lives, worker } = await scene()
  const transaction = worker.begin()
  for (const text of ['old', 'new']) worker.stage(transaction, 'state', text, { retain: true })
  expect(lives.vhost.retained.count).toBe(0)
  commit(transaction)
  await lives.quiet()
  await lives.restart()
  expect(textOf(lives.vhost.retained.get(['state'])!)).toBe('new')
})

test('what the log refuses is rolled back as a whole, with the reason', async () => {
  const { lives, worker, reader } = await scene(['one'], { maxBytes: 60_000 })
  const transaction = worker.begin()
  worker.stage(transaction, OUT, 'small')
  worker.stage(transaction, OUT, 'x'.repeat(70_000))
  worker.settle(transaction, 'one')
  const results = commit(transaction)
  await lives.quiet()
  expect(results).toMatchObject([{ refusal: 'limit-reached', subject: 'worker' }])
  expect(results[0]!.text).toMatch(/^the transaction was rolled back: .*70310 bytes do not fit/)
  expect(transaction.state).toBe('rolled-back')
  expect(reader.texts).toEqual([])
  expect(lives.vhost.waiting.bytes).toBe(0)
  const { consumer, delivery } = worker.held('one')
  consumer.settle(delivery, 'accepted')
  worker.publish(OUT, 'afterwards')
  await lives.quiet()
  expect(reader.texts).toEqual(['afterwards'])
})

test('a queue without room for all of it refuses all of it, and keeps no place for it', async () => {
  const { lives, worker } = await scene(['one'])
  lives.vhost.destinations.define({ name: 'small', settings: { messagesMax: 2, whenFull: 'reject' } })
  const transaction = worker.begin()
  worker.settle(transaction, 'one')
  for (const text of ['a', 'b', 'c']) worker.stage(transaction, `${QUEUE}small`, text)
  const results = commit(transaction)
  expect(results[0]?.text).toMatch(/small is over its limit of 2 messages/)
  await lives.quiet()
  const { queue } = lives.vhost.destinations.find('small')!
  expect([queue.waitingCount, queue.underWayCount, queue.underWayBytes]).toEqual([0, 0, 0])
  const fits = worker.begin()
  for (const text of ['a', 'b']) worker.stage(fits, `${QUEUE}small`, text)
  worker.settle(fits, 'one')
  expect(commit(fits)).toEqual([])
  await lives.quiet()
  expect([queue.waitingCount, queue.underWayCount, queue.underWayBytes]).toEqual([2, 0, 0])
})

test('a commit waits for room where publishers do, everything else of its producer behind it', async () => {
  const { lives, worker } = await scene(['one'])
  lives.vhost.destinations.define({ name: 'small', settings: { messagesMax: 2, whenFull: 'block' } })
  lives.client('maker').publish(`${QUEUE}small`, 'first')
  await lives.quiet()
  const transaction = worker.begin()
  worker.settle(transaction, 'one')
  for (const text of ['a', 'b']) worker.stage(transaction, `${QUEUE}small`, text)
  const results = commit(transaction)
  worker.publish(OUT, 'behind')
  await lives.pass(1_000)
  expect(results).toEqual([])
  expect(lives.vhost.destinations.find('out')!.queue.inflightCount).toBe(0)
  const reader = lives.client('reader of small')
  reader.consume('small')
  await lives.quiet()
  expect(results).toEqual([undefined])
  expect(reader.texts).toEqual(['first', 'a', 'b'])
  expect(lives.vhost.destinations.find('out')!.queue.inflightCount).toBe(1)
})

test('a commit for which there is room for a part only waits, and keeps nobody busy', async () => {
  const { lives, worker } = await scene()
  lives.vhost.destinations.define({ name: 'small', settings: { messagesMax: 2, whenFull: 'block' } })
  for (const text of ['first', 'second']) worker.publish(`${QUEUE}small`, text)
  await lives.quiet()
  const transaction = worker.begin()
  for (const text of ['a', 'b']) worker.stage(transaction, `${QUEUE}small`, text)
  const results = commit(transaction)
  failAfterTimers(lives, 100)
  const reader = lives.client('reader of small')
  reader.session.pool.setLimit(1)
  reader.consume('small')
  await lives.quiet()
  expect(reader.texts).toEqual(['first'])
  expect(results).toEqual([])
  reader.session.pool.setLimit(10)
  await lives.quiet()
  expect(results).toEqual([undefined])
  expect(reader.texts).toEqual(['first', 'second', 'a', 'b'])
})

/** Whoever looks for room again and again sets a timer each time. */
function failAfterTimers({ env: { clock } }: Lives, countMax: number): void {
  const after = clock.after.bind(clock)
  let count = 0
  clock.after = (delayMs, f) => {
    if (++count > countMax) throw new Error(`${count} timers were set`)
    return after(delayMs, f)
  }
}

test('a commit that waited for room in vain is rolled back with the reason', async () => {
  const { lives, worker } = await scene(['one'])
  lives.vhost.destinations.define({ name: 'small', settings: { messagesMax: 1, whenFull: 'block', blockMaxMs: 5_000 } })
  const transaction = worker.begin()
  worker.settle(transaction, 'one')
  for (const text of ['a', 'b']) worker.stage(transaction, `${QUEUE}small`, text)
  const results = commit(transaction)
  await lives.pass(4_999)
  expect(results).toEqual([])
  await lives.pass(1)
  expect(results[0]?.text).toMatch(/small is over its limit of 1 message.*waited 5 s/)
  expect(transaction.state).toBe('rolled-back')
  expect(worker.held('one').delivery.transaction).toBeUndefined()
})

test('bounds are refused with name, value and limit, and the transaction can still be committed', async () => {
  const { lives, worker } = await scene()
  const many = Array.from({ length: TRANSACTIONS_PER_SESSION_MAX }, () => worker.begin())
  const one = worker.session.beginTransaction(worker.producer)
  expect(!one.ok && one.detail.text).toContain(`${TRANSACTIONS_PER_SESSION_MAX} transactions open, the limit (TRANSACTIONS_PER_SESSION_MAX)`)
  const [first, second] = many as [Transaction, Transaction]
  for (let index = 0; index < TRANSACTION_OPERATIONS_MAX; index++) worker.stage(first, 'nobody', '', { durable: false })
  expect(worker.stage(first, 'nobody', '')?.text).toContain(`${TRANSACTION_OPERATIONS_MAX} publishes and settles, the limit (TRANSACTION_OPERATIONS_MAX)`)
  const half = 'x'.repeat(TRANSACTION_BYTES_MAX / 2)
  expect(worker.stage(second, 'nobody', half, { durable: false })).toBeUndefined()
  expect(worker.stage(second, 'nobody', half, { durable: false })?.text).toContain(`exceed TRANSACTION_BYTES_MAX ${TRANSACTION_BYTES_MAX}`)
  for (const transaction of many) expect(commit(transaction)).toEqual([undefined])
  expect(lives.vhost.waiting.bytes).toBe(0)
})

test('a transaction takes none of the memory that messages which wait have already', async () => {
  const { lives, worker } = await scene([], { limits: { queuedBytesTotalMax: 20_000 } })
  const maker = lives.client('maker')
  maker.publish(`${QUEUE}elsewhere`, 'x'.repeat(14_000), { durable: false })
  const [first, second] = [worker.begin(), worker.begin()]
  expect(worker.stage(first, OUT, 'x'.repeat(4_000))).toBeUndefined()
  expect(worker.stage(second, OUT, 'x'.repeat(4_000))?.text).toMatch(/limits\.waitingBytesMax\) is 20000/)
  first.rollback()
  expect(worker.stage(second, OUT, 'x'.repeat(4_000))).toBeUndefined()
  expect(lives.vhost.waiting.bytes).toBeGreaterThan(18_000)
})

test('the transactions of one session share a limit, and leave others their own', async () => {
  const { lives, worker } = await scene([], { limits: { transactionBytesMax: 10_000 } })
  const [first, second] = [worker.begin(), worker.begin()]
  expect(worker.stage(first, OUT, 'x'.repeat(6_000))).toBeUndefined()
  expect(worker.stage(second, OUT, 'x'.repeat(6_000))?.text).toMatch(
    /^a transaction of 'worker' takes no more: the transactions of its connection hold 6\.\d+ KiB, and with 6\.\d+ KiB more exceed limits\.transactionBytesMax 10000; commit it$/,
  )
  const other = lives.client('other')
  expect(other.stage(other.begin(), OUT, 'x'.repeat(6_000))).toBeUndefined()
  expect(commit(first)).toEqual([])
  await lives.quiet()
  expect(worker.stage(second, OUT, 'x'.repeat(6_000))).toBeUndefined()
})

test('all transactions together hold half of the memory for what waits at most: others can still publish', async () => {
  const { lives, worker } = await scene([], { limits: { queuedBytesTotalMax: 20_000 } })
  const other = lives.client('other')
  const [first, second] = [worker.begin(), other.begin()]
  expect(worker.stage(first, OUT, 'x'.repeat(6_000))).toBeUndefined()
  expect(other.stage(second, OUT, 'x'.repeat(6_000))?.text).toMatch(/the transactions of all clients hold 6\.\d+ KiB, and may hold half of limits\.waitingBytesMax 20000/)
  const maker = lives.client('maker')
  maker.publish(`${QUEUE}elsewhere`, 'x'.repeat(9_000), { durable: false })
  await lives.quiet()
  expect(lives.vhost.destinations.find('elsewhere')!.queue.waitingCount).toBe(1)
})

test('one that is open for too long is rolled back, and its owner and operators hear of it', async () => {
  const { lives, worker, reader } = await scene(['one', 'two'], { limits: { transactionAgeMaxMs: 60_000 } })
  const ends: string[] = []
  const late = worker.begin(() => ends.push('late'))
  worker.stage(late, OUT, 'a')
  worker.settle(late, 'one')
  await lives.pass(59_000)
  const inTime = worker.begin(() => ends.push('in time'))
  worker.stage(inTime, OUT, 'b')
  expect(ends).toEqual([])
  await lives.pass(1_500)
  expect([ends, late.state, inTime.state]).toEqual([['late'], 'rolled-back', 'open'])
  expect(lives.events).toEqual([
    expect.stringMatching(
      /^a transaction with 2 publishes and settles \(\d+ bytes\) was open for longer than limits\.transactionAgeMaxMs 60000 \(60 s\) and was rolled back$/,
    ),
  ])
  commit(inTime)
  await lives.pass(120_000)
  expect([ends, reader.texts, inTime.state]).toEqual([['late'], ['b'], 'committed'])
  expect(lives.vhost.waiting.bytes).toBe(0)
  const { consumer, delivery } = worker.held('one')
  consumer.settle(delivery, 'accepted')
  expect(lives.vhost.transactions.count).toBe(0)
})

test('one whose commit waits for room is not too old, and without a limit none ever is', async () => {
  const { lives, worker } = await scene([], { limits: { transactionAgeMaxMs: 60_000 } })
  lives.vhost.destinations.define({ name: 'small', settings: { messagesMax: 1, whenFull: 'block', blockMaxMs: 600_000 } })
  const waiting = worker.begin()
  for (const text of ['a', 'b']) worker.stage(waiting, `${QUEUE}small`, text)
  commit(waiting)
  await lives.pass(120_000)
  expect(waiting.state).toBe('committing')
  const endless = await scene([], { limits: { transactionAgeMaxMs: 0 } })
  const open = endless.worker.begin()
  await endless.lives.pass(7_200_000)
  expect(open.state).toBe('open')
})

test('whoever goes on with a transaction that is over has a bug, and hears of it', async () => {
  const { worker } = await scene(['one'])
  const transaction = worker.begin()
  transaction.rollback()
  expect(() => worker.stage(transaction, OUT, 'x')).toThrow('publish in a transaction of \'worker\' that is rolled-back')
  expect(() => worker.settle(transaction, 'one')).toThrow('rolled-back')
  expect(() => transaction.commit(() => {})).toThrow('rolled-back')
  expect(() => transaction.rollback()).toThrow('rolled-back')
})

test('settles that may write messages anew have a bound of their own, others none beside that of all', async () => {
  const { lives, worker } = await scene()
  const maker = lives.client('many')
  const readers = Array.from({ length: 5 }, (_, index) => lives.client(`reader ${index}`))
  for (const reader of readers) reader.consume('much')
  for (let index = 0; index < TRANSACTION_REWRITES_MAX + 2; index++) maker.publish(`${QUEUE}much`, '', { durable: false })
  await lives.quiet()
  const [last, other, ...held] = readers.flatMap(({ sink }) => sink.held)
  expect(held).toHaveLength(TRANSACTION_REWRITES_MAX)
  const transaction = worker.begin()
  for (const [index, delivery] of held.entries()) {
    expect(transaction.settle(delivery.consumer!, delivery, index % 2 === 0 ? 'rejected' : 'modified')).toBeUndefined()
  }
  const refusal = transaction.settle(last!.consumer!, last!, 'rejected')
  expect(refusal?.text).toContain(`${TRANSACTION_REWRITES_MAX} settles as rejected or modified, the limit (TRANSACTION_REWRITES_MAX)`)
  expect(transaction.settle(other!.consumer!, other!, 'released')).toBeUndefined()
  expect(commit(transaction)).toEqual([undefined])
})
