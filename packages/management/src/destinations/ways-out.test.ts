/** Leading a queue elsewhere is of no use to have messages come to where one looks that one is not shown where they are. */
import { putQueue, type QueueSettingsInput } from '@ternmq/api'
import { RuleAuthorizer } from '@ternmq/auth'
import type { MessageExtras, Policy } from '@ternmq/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { ADMINISTRATOR, callerWith, ManagedWorld } from '../../test/managed-world.ts'
import type { Bound, Caller } from '../handlers.ts'
import { Sampler } from '../broker/sampler.ts'
import { queueHandlers } from './queues.ts'

/** May browse the queues that the rules name, and no topic. */
const OPERATOR = callerWith('op', 'operator')
const MINE: QueueSettingsInput = { deadLetter: 'mine' }

let world: ManagedWorld
let bound: readonly Bound[]

beforeEach(async () => {
  const rules = [
    { user: 'op', allow: ['read', 'write'], topics: ['$queue/mine'] },
    { user: 'op', allow: ['browse'], topics: ['$queue/dead', '$queue/between', '$queue/gone', '$queue/open.>'] },
    { user: 'op', allow: ['write'], topics: ['$queue/blind'] },
    { user: 'sender', allow: ['write'], topics: ['$queue/>'] },
    { user: 'all', allow: ['browse', 'write'], topics: ['#', '$queue/>'] },
  ] as const
  world = await ManagedWorld.open({ authorizer: new RuleAuthorizer({ rules }, 'auth') })
  bound = queueHandlers(world.broker, new Sampler(world.broker))
  usePolicies([])
  world.define('dead')
})

/** Without these nothing dies into anything. */
function usePolicies(policies: readonly Policy[]): void {
  const { policies: used } = world.vhost
  used.use({ ...used.defaults, deadLetter: undefined }, policies)
}

function put(queue: string, settings: QueueSettingsInput = MINE, caller: Caller = OPERATOR): Promise<unknown> {
  return world.call(bound, putQueue, { params: { vhost: '/', queue }, body: { settings }, caller })
}

const missing = (text: string): object => ({
  code: 'NOT_ALLOWED',
  message: expect.stringContaining(text) as string,
  more: { rule: 'browse' },
})

const diedIn = (annotations: NonNullable<MessageExtras['annotations']>): { readonly extras: MessageExtras } => ({
  extras: { annotations: { cause: 'rejected', ...annotations } },
})

describe('a queue is led to where its operator looks', () => {
  test('when nothing dies into it, and what it holds died where he may look', async () => {
    world.send('$queue/dead', 'a')
    world.send('$queue/dead', 'b', diedIn({ originalQueue: '$queue/gone' }))
    await put('dead')
    expect(world.queue('dead').settings.deadLetter).toBe('mine')
  })

  test('whatever dies into it, by who may browse everything, and to where he does not look, by all', async () => {
    usePolicies([{ match: '>', settings: { deadLetter: 'dead' } }])
    world.send('$queue/dead', 'a', diedIn({ originalQueue: '$queue/secret' }))
    await put('dead', MINE, callerWith('all', 'operator'))
    await put('dead', { deadLetter: 'blind', messagesMax: 7 }, ADMINISTRATOR)
    await put('dead', { deadLetter: 'blind' })
    expect(world.queue('dead').settings.deadLetter).toBe('blind')
  })
})

describe('a queue is not led to where its operator looks, with what died where he may not', () => {
  test.each([
    ['in a queue that is gone by now, or leads elsewhere', { originalQueue: '$queue/secret' }],
    ['by a subscription', { originalQueue: '$queue/$subscription/c/s', originalAddress: 'secret' }],
    ['before it died where he may', { originalQueue: '$queue/gone', earlierQueues: '["$queue/secret"]' }],
  ])('%s', async (_, annotations) => {
    world.send('$queue/dead', 'a', diedIn(annotations))
    await expect(put('dead')).rejects.toMatchObject(missing("queue 'dead' has a message"))
    await expect(put('dead', { expiryTarget: 'mine', ttlMs: 1 })).rejects.toMatchObject(missing('secret'))
    expect(world.queue('dead').settings.deadLetter).toBeUndefined()
  })

  test('and waits in a queue that dies into it, which a consumer may have it from', async () => {
    world.define('between', { expiryTarget: 'dead' })
    world.send('$queue/between', 'a', diedIn({ originalQueue: '$queue/secret' }))
    await expect(put('dead')).rejects.toMatchObject(missing("queue 'between' has a message"))
  })

  test('or may die there, by settings of a queue on the way, there or not', async () => {
    world.define('secret', { deadLetter: 'between' })
    usePolicies([{ match: 'between', settings: { deadLetter: 'dead' } }])
    await expect(put('dead')).rejects.toMatchObject(missing("browse queue 'secret'"))
  })

  test('or may die in queues that a policy is about, when one of them is made', async () => {
    usePolicies([{ match: 'open.>', settings: { deadLetter: 'dead' } }])
    await put('dead')
    await put('dead', { deadLetter: '' })
    usePolicies([{ match: 'payroll.>', settings: { deadLetter: 'between' } }])
    world.define('between', { deadLetter: 'dead' })
    await expect(put('dead')).rejects.toMatchObject(missing("what dies in any queue 'payroll.>' may come to it"))
  })

  test.each(['deadLetter', 'expiryTarget'] as const)('or in a subscription whose %s it is', async (key) => {
    const named = world.vhost.destinations.define({ name: '$subscription/c/s', settings: { [key]: 'dead' } })
    expect(named.ok).toBe(true)
    await expect(put('dead')).rejects.toMatchObject(missing('messages of subscriptions die into it'))
  })

  test('in a queue that was led there while it was looked at', async () => {
    const answer = put('dead')
    world.define('between', { deadLetter: 'dead' })
    world.send('$queue/between', 'a', diedIn({ originalQueue: '$queue/secret' }))
    await expect(answer).rejects.toMatchObject(missing("queue 'between' has a message"))
  })
})

test('of a queue with more messages than are looked at, only who may browse everything leads it elsewhere', async () => {
  const { queue } = world.vhost.destinations.find('dead')!
  world.send('$queue/dead', 'a')
  const { line } = queue.lanes.find((lane) => lane.line.liveCount > 0)!
  Object.defineProperty(line.entryAt(line.nextLive(0))!.message, 'size', { value: 1024 ** 3 })
  await expect(put('dead')).rejects.toMatchObject(missing('it has too many messages to look at'))
  await put('dead', MINE, callerWith('all', 'operator'))
})
