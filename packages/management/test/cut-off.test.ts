/**
 * Long work over the end of the broker: the next start lists what that cut off, what became of the messages, and what had ended before, and
 * goes on where it can.
 */
import {
  type ActionBody,
  actOnMessages,
  cancelOperation,
  getOperation,
  listOperations,
  publishMessage,
  resumeOperation,
} from '@ternmq/api'
import { describe, expect, test } from 'vitest'
import { OPERATION_RECORD_KEPT_MS } from '../src/operations/operation-records.ts'
import { OPERATION_WRITTEN_AFTER_MS, OPERATIONS_ENDED_MAX } from '../src/operations/operations.ts'
import { MessageWorld, VHOST } from './message-world.ts'

const Q = { ...VHOST, queue: 'q' }

async function worldWith(count: number): Promise<MessageWorld> {
  const world = await MessageWorld.open()
  for (const name of ['q', 'other']) world.define(name)
  for (let n = 1; n <= count; n++) {
    const body = { address: 'queue://q', body: `${n}` }
    await world.call(publishMessage, { params: VHOST, body })
  }
  return world
}

/** Begins it, at a message a second, and lets `seconds` pass. */
async function runFor(world: MessageWorld, body: ActionBody, seconds: number): Promise<string> {
  const { answer } = await world.begin(actOnMessages, {
    params: Q,
    query: { waitMs: 0 },
    body: { ...body, perSecond: 1 },
  })
  const { id } = await answer
  for (let second = 0; second < seconds; second++) await world.pass(1_000)
  return id
}

function countsIn(world: MessageWorld): [left: number, moved: number] {
  return [world.queue('q').waitingCount, world.queue('other').waitingCount]
}

describe('a move that a crash cut off', () => {
  test('is listed after the restart with what became of the messages, and resumed it moves the rest', async () => {
    const world = await worldWith(6)
    const id = await runFor(world, { action: 'move', all: true, target: 'other' }, 3)
    await world.restart()
    expect(countsIn(world)).toEqual([2, 4])
    const [item] = (await world.call(listOperations, { params: {} })).items
    expect(item).toMatchObject({ id, state: 'interrupted', action: 'move', queue: 'q', target: 'other', user: 'admin' })
    expect(item!.doneCount).toBeLessThanOrEqual(4)
    expect(item!.reason).toBe(
      "the broker ended in the middle of it: what it had moved is in queue 'other', the rest in queue 'q'; " +
        'resume it, or make the same call again: both take what has come since, too',
    )
    await world.call(resumeOperation, { params: { id } })
    for (let second = 0; second < 3; second++) await world.pass(1_000)
    expect(await world.call(getOperation, { params: { id } })).toMatchObject({ state: 'done', total: 2, doneCount: 2 })
    expect(countsIn(world)).toEqual([0, 6])
    await world.restart()
    expect(world.operations.list()).toMatchObject([{ id, state: 'done', total: 2, doneCount: 2, canResume: false }])
  })

  test('stays listed over further restarts until it is gone on with, or a week is over', async () => {
    const world = await worldWith(6)
    const id = await runFor(world, { action: 'move', all: true, target: 'other' }, 2)
    await world.restart()
    await world.restart()
    expect(world.operations.list().map(({ state }) => state)).toEqual(['interrupted'])
    expect(world.ended).toEqual([`${id} interrupted`])
    await world.pass(OPERATION_RECORD_KEPT_MS)
    await world.restart()
    expect(world.operations.list()).toEqual([])
  })

  test('is gone on with by the rights of whoever does, and by nobody when its queue is gone', async () => {
    const world = await worldWith(6)
    const id = await runFor(world, { action: 'move', all: true, target: 'other' }, 2)
    world.vhost.destinations.delete(world.vhost.destinations.find('q')!)
    await world.quiet()
    await world.restart()
    expect((await world.refusal(resumeOperation, { params: { id } })).code).toBe('QUEUE_UNKNOWN')
    expect(world.operations.get(id).state).toBe('interrupted')
  })

  test.each<[ActionBody, string]>([
    [{ action: 'move', ids: ['4-1', '4-2', '4-3', '4-4'], target: 'other' }, 'choose what is left again'],
    [{ action: 'delete', all: true, limit: 4 }, 'choose what is left again'],
    [{ action: 'copy', all: true, target: 'other' }, 'copying again would copy that twice: choose what is missing'],
  ])('as %j is not offered to be gone on with, since the same call would do something else', async (body, advice) => {
    const world = await worldWith(6)
    const id = await runFor(world, body, 2)
    await world.restart()
    const item = world.operations.get(id)
    expect([item.state, item.canResume, item.reason?.endsWith(`; ${advice}`)]).toEqual(['interrupted', false, true])
    expect((await world.refusal(resumeOperation, { params: { id } })).code).toBe('CONFLICT')
  })
})

describe('what ended before a restart is listed after it as it was', () => {
  test('done, when it had run for a second; stopped and cancelled, however short', async () => {
    const world = await worldWith(6)
    world.define('small', { messagesMax: 1, whenFull: 'reject' })
    await world.call(actOnMessages, { params: Q, body: { action: 'copy', all: true, limit: 1, target: 'other' } })
    await runFor(world, { action: 'copy', all: true, limit: 2, target: 'other' }, 3)
    await world.call(actOnMessages, { params: Q, body: { action: 'move', all: true, target: 'small' } })
    const id = await runFor(world, { action: 'move', all: true, target: 'other' }, 0)
    await world.call(cancelOperation, { params: { id } })
    const before = world.operations.list()
    expect(before.map(({ state }) => state)).toEqual(['cancelled', 'stopped', 'done', 'done'])
    await world.restart()
    expect(world.operations.list()).toEqual(before.slice(0, 3))
    await world.restart()
    expect(world.operations.list()).toEqual(before.slice(0, 3))
    expect(world.ended.map((text) => text.split(' ')[1])).toEqual(['done', 'cancelled']) // and not once more
    await world.pass(OPERATION_RECORD_KEPT_MS)
    await world.restart()
    expect(world.operations.list()).toEqual([])
  })

  test('and goes on from there when it is resumed, counting on', async () => {
    const world = await worldWith(6)
    world.define('small', { messagesMax: 2, whenFull: 'reject' })
    const { id } = await world.call(actOnMessages, { params: Q, body: { action: 'move', all: true, target: 'small' } })
    await world.restart()
    expect(world.operations.get(id)).toMatchObject({
      state: 'stopped',
      total: 6,
      doneCount: 2,
      reason: "queue 'small' is full: it has 2 messages, its messagesMax is 2",
      canResume: true,
    })
    world.define('small', { messagesMax: 9, whenFull: 'reject' })
    await world.call(resumeOperation, { params: { id } })
    const done = { state: 'done', total: 6, doneCount: 6, reason: undefined }
    expect(await world.call(getOperation, { params: { id }, query: { waitMs: 1_000 } })).toMatchObject(done)
    expect([world.queue('q').waitingCount, world.queue('small').waitingCount]).toEqual([0, 6])
  })

  test('and does no more than its limit, and where a crash makes that unknown, no more at all', async () => {
    const world = await worldWith(6)
    const id = await runFor(world, { action: 'delete', all: true, limit: 5 }, 0)
    await world.call(cancelOperation, { params: { id } })
    await world.restart()
    expect(world.operations.get(id)).toMatchObject({ state: 'cancelled', doneCount: 1, canResume: true })
    await world.call(resumeOperation, { params: { id } })
    await world.pass(1_000)
    await world.call(cancelOperation, { params: { id } })
    await world.restart()
    await world.call(resumeOperation, { params: { id } })
    expect(world.operations.get(id)).toMatchObject({ total: 5, doneCount: 4 })
    const left = world.queue('q').waitingCount
    await world.restart()
    expect([left, world.operations.get(id)]).toMatchObject([2, { state: 'interrupted', canResume: false }])
  })

  test.each<[ActionBody, string]>([
    [{ action: 'move', ids: ['4-1', '4-2', '4-3'], target: 'small' }, 'choose what is left again'],
    [{ action: 'copy', all: true, target: 'small' }, 'copying again would copy that twice: choose what is missing'],
  ])('and says of %j that it cannot be resumed any more', async (body, advice) => {
    const world = await worldWith(6)
    world.define('small', { messagesMax: 1, whenFull: 'reject' })
    const { id, canResume } = await world.call(actOnMessages, { params: Q, body })
    await world.restart()
    const item = world.operations.get(id)
    expect([canResume, item.state, item.canResume, item.reason]).toEqual([
      true,
      'stopped',
      false,
      `queue 'small' is full: it has 1 message, its messagesMax is 1; since the broker was started anew it cannot be resumed: ${advice}`,
    ])
    expect((await world.refusal(resumeOperation, { params: { id } })).code).toBe('CONFLICT')
  })

  test('but not more of them than without a restart: those that ended first are forgotten', async () => {
    const world = await worldWith(1)
    world.define('full', { messagesMax: 0, whenFull: 'reject' })
    const ids: string[] = []
    for (let n = 0; n < OPERATIONS_ENDED_MAX + 3; n++) {
      ids.push((await world.call(actOnMessages, { params: Q, body: { action: 'move', all: true, target: 'full' } })).id)
      await world.pass(1)
    }
    const kept = ids.slice(3).reverse()
    expect(world.operations.list().map(({ id }) => id)).toEqual(kept)
    expect(await world.engine.catalog.get(`operations/${ids[2]}`)).toBeUndefined()
    await world.restart()
    expect(world.operations.list().map(({ id }) => id)).toEqual(kept)
  })
})

test('the end of a broker that is told to stop cuts work off, too, and says how far it was, though it had run for a moment only', async () => {
  const world = await worldWith(6)
  const id = await runFor(world, { action: 'move', all: true, target: 'other' }, 0)
  const closing = world.operations.close()
  await world.quiet()
  await closing
  await world.restart()
  expect(world.operations.get(id)).toMatchObject({ state: 'interrupted', doneCount: 1 })
})

test('work that is over before anybody has to wait writes nothing down', async () => {
  const world = await worldWith(6)
  let written = 0
  const commit = world.engine.catalog.commit.bind(world.engine.catalog)
  world.engine.catalog.commit = (ops) => {
    written++
    return commit(ops)
  }
  await world.call(actOnMessages, { params: Q, body: { action: 'move', all: true, target: 'other' } })
  await world.pass(OPERATION_WRITTEN_AFTER_MS)
  expect([written, world.env.clock.timerCount <= 1]).toEqual([0, true]) // one of the session that publishes
})

test('a store that takes nothing stops no work: it is not listed after a restart, and that is all', async () => {
  const world = await worldWith(6)
  world.engine.catalog.commit = () => Promise.reject(new Error('the disk is full'))
  const id = await runFor(world, { action: 'move', all: true, target: 'other' }, 6)
  expect((await world.call(getOperation, { params: { id } })).state).toBe('done')
})

test('the end of what was still running when its call was answered is told, and of what was not is in the answer', async () => {
  const world = await worldWith(6)
  const id = await runFor(world, { action: 'move', all: true, limit: 2, target: 'other' }, 3)
  expect(world.ended).toEqual([`${id} done`])
  await world.call(actOnMessages, { params: Q, body: { action: 'move', all: true, target: 'other' } })
  expect(world.ended).toEqual([`${id} done`])
})

test('a record that is damaged, or of a later version, is passed over and taken away', async () => {
  const world = await worldWith(0)
  const put = (key: string, text: string): Promise<unknown> =>
    world.engine.catalog.commit([{ key: `operations/${key}`, value: Buffer.from(text) }])
  await put('a', '{"version":1')
  await put('b', '{"version":3,"value":{"id":"b","startedAtMs":1}}')
  await world.restart()
  await world.quiet()
  expect([world.operations.list(), await world.engine.catalog.get('operations/a')]).toEqual([[], undefined])
  expect(await world.engine.catalog.get('operations/b')).toBeUndefined()
})
