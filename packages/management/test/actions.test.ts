/** Moves, copies, deletes and retries: how far they are, where they end, how they go on. */
import {
  type ActionBody,
  actOnMessages,
  browseMessages,
  cancelOperation,
  getOperation,
  listDeadLetters,
  listOperations,
  type OperationItem,
  publishMessage,
  resumeOperation,
  settleMessages,
  takeMessages,
} from '@ternmq/api'
import { describe, expect, test } from 'vitest'
import { OPERATIONS_ENDED_MAX, OPERATIONS_RUNNING_MAX } from '../src/operations/operations.ts'
import { MessageWorld, VHOST } from './message-world.ts'

const Q = { ...VHOST, queue: 'q' }

async function worldWith(count: number): Promise<MessageWorld> {
  const world = await MessageWorld.open()
  for (const name of ['q', 'other', 'small'])
    world.define(name, name === 'small' ? { messagesMax: 2, whenFull: 'reject' } : {})
  await fill(world, 'q', count)
  return world
}

async function fill(world: MessageWorld, queue: string, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) {
    await world.call(publishMessage, {
      params: VHOST,
      body: { address: `queue://${queue}`, body: `${n}`, properties: { n: `${n}` } },
    })
  }
}

function act(world: MessageWorld, body: ActionBody, queue = 'q'): Promise<OperationItem> {
  return world.call(actOnMessages, { params: { ...VHOST, queue }, body })
}

async function bodiesIn(world: MessageWorld, queue: string): Promise<string[]> {
  const { items } = await world.call(takeMessages, { params: VHOST, body: { address: `queue://${queue}`, max: 100 } })
  await world.call(settleMessages, {
    params: VHOST,
    body: { deliveries: items.map(({ delivery }) => delivery), outcome: 'released' },
  })
  return items.map(({ body }) => body.value)
}

/** Makes dead letters of all that waits. */
async function reject(world: MessageWorld, queue: string, reason: string): Promise<void> {
  const { items } = await world.call(takeMessages, { params: VHOST, body: { address: `queue://${queue}`, max: 100 } })
  await world.call(settleMessages, {
    params: VHOST,
    body: { deliveries: items.map(({ delivery }) => delivery), outcome: 'rejected', reason },
  })
  await world.quiet()
}

describe('actions', () => {
  test('a move is an operation that is done when it answers, and is in the audit log', async () => {
    const world = await worldWith(5)
    const item = await act(world, { action: 'move', all: true, target: 'other' })
    expect(item).toMatchObject({
      state: 'done',
      total: 5,
      doneCount: 5,
      skippedCount: 0,
      refusedCount: 0,
      user: 'admin',
      target: 'other',
      canResume: false,
    })
    expect([await bodiesIn(world, 'other'), world.queue('q').waitingCount]).toEqual([['1', '2', '3', '4', '5'], 0])
    expect(world.notes.at(-1)).toBe(`move in queue 'q' to queue 'other': done after 5 messages, operation ${item.id}`)
    expect((await world.call(getOperation, { params: { id: item.id } })).doneCount).toBe(5)
  })

  test('ids, a selector and a limit say which', async () => {
    const world = await worldWith(6)
    const { items } = await world.call(browseMessages, { params: Q })
    expect(await act(world, { action: 'delete', ids: [items[1]!.id, '4-77', 'x'] })).toMatchObject({
      doneCount: 1,
      total: 3,
      missingIds: ['4-77', 'x'],
    })
    expect(await act(world, { action: 'copy', selector: "n = '3'", target: 'other' })).toMatchObject({
      doneCount: 1,
      total: undefined,
      missingIds: undefined,
    })
    expect(await act(world, { action: 'move', all: true, limit: 2, target: 'other' })).toMatchObject({
      doneCount: 2,
      total: 2,
    })
    expect([await bodiesIn(world, 'q'), await bodiesIn(world, 'other')]).toEqual([
      ['4', '5', '6'],
      ['3', '1', '3'],
    ])
  })

  test('what cannot be is refused before anything is done', async () => {
    const world = await worldWith(2)
    const refused: readonly (readonly [Partial<ActionBody>, string, string])[] = [
      [{ action: 'delete' }, 'INVALID', 'ids'],
      [{ action: 'delete', all: false }, 'INVALID', 'ids'],
      [{ action: 'delete', all: true, ids: ['4-1'] }, 'INVALID', 'ids'],
      [{ action: 'delete', all: true, target: 'other' }, 'INVALID', 'target'],
      [{ action: 'move', all: true }, 'INVALID', 'target'],
      [{ action: 'move', all: true, target: 'q' }, 'INVALID', 'target'],
      [{ action: 'move', all: true, target: 'nowhere' }, 'QUEUE_UNKNOWN', 'target'],
      [{ action: 'move', selector: 'n =', target: 'other' }, 'INVALID', 'selector'],
    ]
    for (const [body, code, field] of refused) {
      const error = await world.refusal(actOnMessages, { params: Q, body: body as ActionBody })
      expect([body, error.code, error.more.field]).toEqual([body, code, field])
    }
    expect(
      (await world.refusal(actOnMessages, { params: { ...VHOST, queue: 'x' }, body: { action: 'delete', all: true } }))
        .code,
    ).toBe('QUEUE_UNKNOWN')
    expect([world.queue('q').waitingCount, world.operations.list(), world.vhost.destinations.find('nowhere')]).toEqual([
      2,
      [],
      undefined,
    ])
  })

  test('a move that ends at a full queue says so, and resumed it goes on with what is left', async () => {
    const world = await worldWith(5)
    const item = await act(world, { action: 'move', all: true, target: 'small' })
    expect(item).toMatchObject({
      state: 'stopped',
      doneCount: 2,
      canResume: true,
      reason: expect.stringContaining("queue 'small' is full") as unknown,
    })
    world.define('small', { messagesMax: 10, whenFull: 'reject' })
    await world.call(resumeOperation, { params: { id: item.id } })
    await world.quiet()
    expect(await world.call(getOperation, { params: { id: item.id } })).toMatchObject({
      state: 'done',
      doneCount: 5,
      reason: undefined,
      canResume: false,
    })
    expect(await bodiesIn(world, 'small')).toEqual(['1', '2', '3', '4', '5'])
    expect((await world.refusal(resumeOperation, { params: { id: item.id } })).code).toBe('CONFLICT')
  })

  test('a move whose target was deleted goes on to the one that has its name now', async () => {
    const world = await worldWith(3)
    const body = { action: 'move', all: true, target: 'other', perSecond: 1 } as const
    const begun = await world.begin(actOnMessages, { params: Q, query: { waitMs: 0 }, body })
    const { id } = await begun.answer
    world.vhost.destinations.delete(world.vhost.destinations.find('other')!)
    await world.pass(1_000)
    const stopped = await world.call(getOperation, { params: { id } })
    expect([stopped.state, stopped.reason]).toEqual(['stopped', "queue 'other' was deleted meanwhile"])
    world.define('other')
    await world.call(resumeOperation, { params: { id } })
    for (let second = 0; second < 3; second++) await world.pass(1_000)
    expect((await world.call(getOperation, { params: { id } })).state).toBe('done')
    expect(await bodiesIn(world, 'other')).toEqual(['2', '3'])
  })

  test('a throttled copy goes at its pace, is cancelled in the middle, and resumed copies nothing twice', async () => {
    const world = await worldWith(9)
    const begun = await world.begin(actOnMessages, {
      params: Q,
      query: { waitMs: 1_500 },
      body: { action: 'copy', all: true, target: 'other', perSecond: 2 },
    })
    expect(world.queue('other').waitingCount).toBe(1)
    await world.pass(1_499)
    expect(world.queue('other').waitingCount).toBe(3)
    await world.pass(1)
    const { id, state } = await begun.answer
    expect([state, world.queue('other').waitingCount]).toEqual(['running', 4])
    const cancelled = await world.call(cancelOperation, { params: { id } })
    expect(cancelled).toMatchObject({ state: 'cancelled', doneCount: 4, canResume: true })
    await world.pass(10_000)
    expect(world.queue('other').waitingCount).toBe(4)
    await world.call(resumeOperation, { params: { id } })
    await world.pass(2_000)
    expect(world.queue('other').waitingCount).toBe(9)
    await world.pass(1_000)
    expect(await world.call(getOperation, { params: { id } })).toMatchObject({ state: 'done', doneCount: 9 })
    expect(await bodiesIn(world, 'other')).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })

  test('a move that is resumed tries again what it had left behind', async () => {
    const world = await worldWith(0)
    world.define('small', { bytesMax: 500, whenFull: 'reject' })
    for (const body of ['x'.repeat(1_000), '2', '3'])
      await world.call(publishMessage, { params: VHOST, body: { address: 'queue://q', body } })
    const body: ActionBody = { action: 'move', all: true, target: 'small', perSecond: 1 }
    const { answer } = await world.begin(actOnMessages, { params: Q, query: { waitMs: 0 }, body })
    const { id } = await answer
    expect(await world.call(cancelOperation, { params: { id } })).toMatchObject({
      state: 'cancelled',
      doneCount: 1,
      refusedCount: 1,
      reason: expect.stringContaining('is larger than') as unknown,
    })
    world.define('small', { bytesMax: 5_000, whenFull: 'reject' })
    await world.call(resumeOperation, { params: { id } })
    await world.pass(5_000)
    expect(await world.call(getOperation, { params: { id } })).toMatchObject({
      state: 'done',
      doneCount: 3,
      refusedCount: 0,
      reason: undefined,
    })
    expect(world.queue('small').waitingCount).toBe(3)
  })

  test('a call that waits for an operation hears of its end at once, and who leaves stops waiting', async () => {
    const world = await worldWith(3)
    const { answer } = await world.begin(actOnMessages, {
      params: Q,
      query: { waitMs: 0 },
      body: { action: 'move', all: true, target: 'other', perSecond: 2 },
    })
    const { id } = await answer
    const leaver = new AbortController()
    const left = await world.begin(getOperation, { params: { id }, query: { waitMs: 50_000 }, signal: leaver.signal })
    const stays = await world.begin(getOperation, { params: { id }, query: { waitMs: 50_000 } })
    leaver.abort()
    expect((await left.answer).state).toBe('running')
    await world.pass(1_500)
    expect((await stays.answer).state).toBe('done')
    expect(world.env.clock.timerCount).toBeLessThanOrEqual(1) // of the session that publishes
  })
})

describe('operations', () => {
  test('so many run at a time, and no more', async () => {
    const world = await worldWith(2)
    const body: ActionBody = { action: 'copy', all: true, target: 'other', perSecond: 1 }
    for (let count = 0; count < OPERATIONS_RUNNING_MAX; count++)
      await world.begin(actOnMessages, { params: Q, query: { waitMs: 0 }, body })
    expect((await world.refusal(actOnMessages, { params: Q, body })).code).toBe('BUSY')
    await world.call(cancelOperation, { params: { id: world.operations.list()[0]!.id } })
    expect(
      world.operations.begin({
        action: 'delete',
        queue: 'q',
        user: 'u',
        total: 0,
        target: undefined,
        canResume: false,
        again: () => undefined,
        takeOver: () => {},
        run: () => Promise.resolve('done'),
      }).state,
    ).toBe('running')
  })

  test('those that ended are remembered up to a number, the newest first', async () => {
    const world = await worldWith(0)
    const ids: string[] = []
    for (let count = 0; count < OPERATIONS_ENDED_MAX + 5; count++)
      ids.push((await act(world, { action: 'delete', all: true })).id)
    const { items } = await world.call(listOperations, { params: {} })
    expect(items.map(({ id }) => id)).toEqual(ids.reverse().slice(0, OPERATIONS_ENDED_MAX))
  })

  test('work that fails says why, and the others go on', async () => {
    const world = await worldWith(0)
    const { id } = world.operations.begin({
      action: 'move',
      queue: '',
      user: 'u',
      total: undefined,
      target: undefined,
      canResume: false,
      again: () => undefined,
      takeOver: () => {},
      run: () => Promise.reject(new Error('the disk is gone')),
    })
    await world.quiet()
    expect(world.operations.get(id)).toMatchObject({ state: 'failed', reason: 'the disk is gone', canResume: false })
    expect((await world.refusal(resumeOperation, { params: { id } })).code).toBe('CONFLICT')
  })

  test('an id that is none is refused by its code', async () => {
    const world = await worldWith(0)
    for (const id of ['', '0', '../x', '__proto__', 'constructor']) {
      for (const route of [getOperation, cancelOperation, resumeOperation]) {
        expect([id, (await world.refusal(route, { params: { id } })).code]).toEqual([id, 'OPERATION_UNKNOWN'])
      }
    }
  })
})

describe('dead letters', () => {
  async function worldOfDead(): Promise<MessageWorld> {
    const world = await MessageWorld.open()
    for (const name of ['one', 'two', 'DLQ', 'plain']) world.define(name)
    await fill(world, 'one', 3)
    await fill(world, 'two', 1)
    await reject(world, 'one', 'no stock')
    await reject(world, 'two', 'no address')
    return world
  }

  test('the overview says why and from where, the most first', async () => {
    const world = await worldOfDead()
    const { items } = await world.call(listDeadLetters, { params: VHOST })
    const atMs = world.env.clock.wallMs()
    expect(items).toEqual([
      {
        queue: 'DLQ',
        readyCount: 4,
        lookedAtCount: 4,
        groups: [
          { cause: 'rejected', originalQueue: 'one', reason: 'no stock', count: 3, oldestAtMs: atMs },
          { cause: 'rejected', originalQueue: 'two', reason: 'no address', count: 1, oldestAtMs: atMs },
        ],
      },
    ])
  })

  test('reasons beyond a hundred are put together by cause and origin, and none of their letters is missing', async () => {
    const world = await worldOfDead()
    for (let n = 0; n < 120; n++) {
      await fill(world, n % 3 === 0 ? 'two' : 'one', 1)
      await reject(world, n % 3 === 0 ? 'two' : 'one', `article ${n} unknown`)
    }
    world.define('three')
    await fill(world, 'three', 1)
    await reject(world, 'three', 'alone')
    const [dlq] = (await world.call(listDeadLetters, { params: VHOST })).items
    const others = dlq!.groups.slice(100)
    expect(dlq!.groups[0]).toMatchObject({ reason: 'no stock', count: 3 })
    expect(dlq!.groups.slice(0, 100).filter(({ otherReasonsCount }) => otherReasonsCount !== undefined)).toEqual([])
    expect(others.map(({ cause, originalQueue, reason }) => [cause, originalQueue, reason])).toEqual([
      ['rejected', 'one', undefined],
      ['rejected', 'two', undefined],
      ['rejected', 'three', 'alone'],
    ])
    expect(others.map(({ count, otherReasonsCount }) => otherReasonsCount ?? count)).toEqual(
      others.map(({ count }) => count),
    )
    expect(dlq!.groups.reduce((sum, { count }) => sum + count, 0)).toBe(dlq!.lookedAtCount)
    expect(dlq!.lookedAtCount).toBe(125)
  })

  test('a queue that holds dead letters is listed though no setting names it', async () => {
    const world = await worldOfDead()
    await act(world, { action: 'move', all: true, target: 'plain' }, 'DLQ')
    const { items } = await world.call(listDeadLetters, { params: VHOST })
    expect(items.map(({ queue, readyCount }) => [queue, readyCount])).toEqual([
      ['plain', 4],
      ['DLQ', 0],
    ])
  })

  test('a browsed dead letter says where it was, and a retry brings it back there', async () => {
    const world = await worldOfDead()
    const { items } = await world.call(browseMessages, { params: { ...VHOST, queue: 'DLQ' } })
    expect(items[0]!.deadLetter).toEqual({
      cause: 'rejected',
      reason: 'no stock',
      originalQueue: 'one',
      originalAddress: '$queue/one',
      atMs: world.env.clock.wallMs(),
    })
    expect(await act(world, { action: 'retry', ids: [items[3]!.id] }, 'DLQ')).toMatchObject({
      state: 'done',
      doneCount: 1,
    })
    expect(await act(world, { action: 'retry', all: true, target: 'plain' }, 'DLQ')).toMatchObject({
      state: 'done',
      doneCount: 3,
    })
    expect([await bodiesIn(world, 'two'), await bodiesIn(world, 'plain')]).toEqual([['1'], ['1', '2', '3']])
    expect((await world.call(listDeadLetters, { params: VHOST })).items.map(({ readyCount }) => readyCount)).toEqual([
      0,
    ])
  })

  test('a retry of what is no dead letter leaves it where it is and says why', async () => {
    const world = await worldWith(1)
    expect(await act(world, { action: 'retry', all: true })).toMatchObject({
      state: 'done',
      doneCount: 0,
      skippedCount: 1,
      reason: expect.stringContaining('it is no dead letter') as unknown,
    })
    expect(world.queue('q').waitingCount).toBe(1)
  })
})
