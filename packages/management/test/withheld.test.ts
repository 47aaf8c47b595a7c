/** Dead letters are seen by those who may look into where they died: to have them fail until they are elsewhere is of no use to others. */
import {
  type ActionBody,
  actOnMessages,
  browseMessages,
  downloadBody,
  getMessage,
  type OperationItem,
  publishMessage,
  resumeOperation,
} from '@ternmq/api'
import { allowAll, type Authorizer } from '@ternmq/core'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Caller } from '../src/handlers.ts'
import { readPublish } from '../src/http-messaging/http-message.ts'
import { callerOf, MessageWorld, VHOST } from './message-world.ts'

const DLQ = { ...VHOST, queue: 'DLQ' }
/** May look into all but the queue `secret` and topics below it. */
const OLGA = callerOf('olga', 'operator')
const MISSING =
  "user 'olga' may not browse queue 'secret', where it was before it died; it needs the permission 'browse' of '$queue/secret'"

const mayUse = vi.fn<Authorizer['mayUse']>(({ principal }, action, { levels }) => ({
  allowed: principal.name !== OLGA.user || action !== 'browse' || levels[0] !== 'secret',
  rule: 'of the test',
}))

/** Nobody else is asked about everything at once. */
const mayMatch: Authorizer['mayMatch'] = (_, action) => ({ allowed: action !== 'browse', rule: 'of the test' })

let world: MessageWorld

beforeEach(async () => {
  mayUse.mockClear()
  world = await MessageWorld.open({ authorizer: { ...allowAll, mayUse, mayMatch } })
  for (const name of ['DLQ', 'open', 'other', 'secret']) world.define(name)
})

async function die(body: string, annotations: Readonly<Record<string, string>>): Promise<void> {
  const { message } = readPublish({ address: 'queue://DLQ', body, correlationId: body }, '$queue/DLQ', 'p', 0)
  message.extras = { ...message.extras, annotations: { cause: 'rejected', ...annotations } }
  world.vhost.publishAs({ principal: OLGA.principal, clientId: 'p' }, message)
  await world.quiet()
}

const ofQueue = (name: string): Readonly<Record<string, string>> => ({ originalQueue: `$queue/${name}` })
const act = (body: ActionBody, caller: Caller = OLGA): Promise<OperationItem> =>
  world.call(actOnMessages, { params: DLQ, body, caller })

async function bodiesIn(queue: string): Promise<string[]> {
  const params = { ...VHOST, queue }
  const { items } = await world.call(browseMessages, { params })
  const all = await Promise.all(items.map(({ id }) => world.call(getMessage, { params: { ...params, id } })))
  return all.map(({ body }) => body.value)
}

describe('a dead letter of a queue that the caller may not look into', () => {
  test('is listed without what its publisher gave, with the permission that is missing, and its body is refused', async () => {
    await die('a', ofQueue('open'))
    await die('b', ofQueue('secret'))
    await world.call(publishMessage, { params: VHOST, body: { address: 'queue://DLQ', body: 'c' } }) // no dead letter
    const { items } = await world.call(browseMessages, { params: DLQ, caller: OLGA })
    expect(items.map(({ correlationId, withheld }) => [correlationId, withheld])).toEqual([
      ['a', undefined],
      [undefined, MISSING],
      [undefined, undefined],
    ])
    expect(items[1]).toMatchObject({ bodyBytes: 1, deadLetter: { cause: 'rejected', originalQueue: 'secret' } })
    const params = { ...DLQ, id: items[1]!.id }
    const asked = { params, caller: OLGA }
    for (const error of [await world.refusal(getMessage, asked), await world.refusal(downloadBody, asked)]) {
      expect([error.code, error.message, error.more]).toEqual([
        'NOT_ALLOWED',
        MISSING,
        { field: 'id', value: params.id, rule: 'browse' },
      ])
    }
    expect(await bodiesIn('DLQ')).toEqual(['a', 'b', 'c'])
  })

  test('is found by no selector', async () => {
    await die('a', ofQueue('open'))
    await die('b', ofQueue('secret'))
    const query = { selector: "JMSCorrelationID IN ('a', 'b')" }
    const found = await world.call(browseMessages, { params: DLQ, query, caller: OLGA })
    expect(found.items.map(({ correlationId }) => correlationId)).toEqual(['a'])
    expect((await world.call(browseMessages, { params: DLQ, query })).items).toHaveLength(2)
    const { doneCount, refusedCount } = await act({ action: 'delete', selector: "JMSCorrelationID = 'b'" })
    expect([doneCount, refusedCount, await bodiesIn('DLQ')]).toEqual([0, 1, ['a', 'b']])
  })

  test.each(['move', 'copy', 'retry'] as const)('is not sent elsewhere by a %s, which says so', async (action) => {
    await die('b', ofQueue('secret'))
    await die('a', ofQueue('open'))
    const item = await act({ action, all: true, target: 'other' })
    const state = action === 'copy' ? 'done' : 'stopped'
    expect(item).toMatchObject({ state, doneCount: 1, refusedCount: 1, reason: MISSING })
    expect(await bodiesIn('other')).toEqual(['a'])
    if (action === 'copy') return
    await world.call(resumeOperation, { params: { id: item.id } })
    await world.quiet()
    expect([world.operations.get(item.id).state, await bodiesIn('other')]).toEqual(['done', ['a', 'b']])
  })

  test('goes back to where it died, and is deleted, by whoever may do that: nothing of it is shown', async () => {
    await die('b', ofQueue('secret'))
    expect(await act({ action: 'retry', all: true })).toMatchObject({ state: 'done', doneCount: 1 })
    expect(await bodiesIn('secret')).toEqual(['b'])
    await die('c', ofQueue('secret'))
    expect(await act({ action: 'delete', all: true })).toMatchObject({ state: 'done', doneCount: 1 })
  })

  test('is one, too, when it has died so often that nobody knows where', async () => {
    await die('a', { ...ofQueue('open'), earlierQueues: 'too many' })
    const [item] = (await world.call(browseMessages, { params: DLQ, caller: OLGA })).items
    expect(item!.withheld).toContain("it needs the permission 'browse' of '#' and '$queue/>'")
  })

  test('is one, too, when it has died again since, and when it came by a subscription', async () => {
    await die('a', { ...ofQueue('open'), earlierQueues: '["$queue/secret"]' })
    await die('b', { originalQueue: '$queue/$subscription/c/s', originalAddress: 'secret/1' })
    await die('c', { originalQueue: '$queue/$subscription/c/s', originalAddress: 'open/1' })
    const { items } = await world.call(browseMessages, { params: DLQ, caller: OLGA })
    expect(items.map(({ withheld }) => withheld)).toEqual([
      MISSING,
      "user 'olga' may not browse 'secret/1', where it was before it died; it needs the permission 'browse' of 'secret/1'",
      undefined,
    ])
    const item = await act({ action: 'retry', ids: [items[0]!.id] })
    expect(item).toMatchObject({ state: 'stopped', doneCount: 0, refusedCount: 1, reason: MISSING })
  })
})

test('a message that dies again and again remembers all queues that it died in, and nothing of them once it went back', async () => {
  const way = ['open', 'secret', 'DLQ']
  for (const [index, name] of way.entries()) world.define(name, { deadLetter: way[index + 1] ?? 'other' })
  await world.call(publishMessage, { params: VHOST, body: { address: 'queue://open', body: 'x' } })
  for (const name of way) {
    const { queue } = world.vhost.destinations.find(name)!
    const { line } = queue.lanes.find((lane) => lane.line.liveCount > 0)!
    const delivery = queue.entryFor(line.entryAt(line.nextWaiting(0))!.message, line, line.nextWaiting(0))
    queue.takeOut(line, delivery.position)
    world.vhost.mover.deadLetter(queue, delivery, queue.settings.deadLetter!, 'rejected', undefined)
    await world.quiet()
  }
  const params = { ...VHOST, queue: 'other' }
  const [item] = (await world.call(browseMessages, { params, caller: OLGA })).items
  expect([item!.deadLetter?.originalQueue, item!.withheld]).toEqual(['DLQ', MISSING])
  await world.call(actOnMessages, { params, body: { action: 'retry', all: true } })
  const [back] = (await world.call(browseMessages, { params: DLQ })).items
  const { annotations } = await world.call(getMessage, { params: { ...DLQ, id: back!.id } })
  expect(annotations).toEqual({})
})

test('each origin is asked about once in a call', async () => {
  for (let n = 0; n < 50; n++) await die(`${n}`, ofQueue(n % 2 === 0 ? 'open' : 'secret'))
  mayUse.mockClear()
  await world.call(browseMessages, { params: DLQ, caller: OLGA })
  expect(mayUse.mock.calls.length).toBe(3) // the queue itself, and two origins
})
