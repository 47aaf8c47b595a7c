/** What is in the way of a move, a copy or a retry: told with its queue and its limit, left where it is, and done when it is gone on with. */
import { type ActionBody, actOnMessages, getOperation, type OperationItem, resumeOperation } from '@ternmq/api'
import type { Authorizer, Message } from '@ternmq/core'
import { describe, expect, test } from 'vitest'
import type { Caller } from '../src/handlers.ts'
import { readPublish } from '../src/http-messaging/http-message.ts'
import { ADMIN, callerOf, MessageWorld, type MessageWorldOptions, VHOST } from './message-world.ts'

const OPERATOR = callerOf('olga', 'operator')

/** The operator may write to queues of those names only. */
function operatorWritesTo(...queues: string[]): Authorizer {
  const decide: Authorizer['mayUse'] = ({ principal }, action, { levels }) => ({
    allowed: principal.name !== OPERATOR.user || action !== 'write' || queues.includes(levels.join('.')),
    rule: 'the rule of the test',
  })
  return { generation: 0, mayUse: decide, mayMatch: () => ({ allowed: false, rule: 'the rule of the test' }) }
}

function bodyOf({ body }: Message): string {
  return Buffer.from(body).toString()
}

class StoppedWorld {
  readonly world: MessageWorld

  private constructor(world: MessageWorld) {
    this.world = world
  }

  /** With a queue of dead letters, `1` to `4`, from these queues in turn. */
  static async open(origins: readonly string[], options: MessageWorldOptions = {}): Promise<StoppedWorld> {
    const { world } = new StoppedWorld(await MessageWorld.open(options))
    world.define('dead')
    for (let n = 0; n < 4; n++) {
      const originalQueue = `$queue/${origins[n % origins.length]}`
      const { message } = readPublish({ address: 'queue://dead', body: `${n + 1}` }, '$queue/dead', 'p', 0)
      message.extras = { annotations: { cause: 'rejected', originalQueue } }
      world.vhost.publishAs({ principal: ADMIN.principal, clientId: 'p' }, message)
    }
    await world.quiet()
    return new StoppedWorld(world)
  }

  act(body: ActionBody, caller: Caller = ADMIN): Promise<OperationItem> {
    return this.world.call(actOnMessages, { params: { ...VHOST, queue: 'dead' }, body, caller })
  }

  async resume({ id }: OperationItem, caller: Caller = ADMIN): Promise<OperationItem> {
    await this.world.call(resumeOperation, { params: { id }, caller })
    return this.world.call(getOperation, { params: { id }, query: { waitMs: 1_000 } })
  }

  bodiesIn(queue: string): string[] {
    return this.world
      .queue(queue)
      .lanes.flatMap(({ line }) => Array.from({ length: line.end }, (_, at) => line.entryAt(at)?.message))
      .flatMap((message) => (message === undefined ? [] : [bodyOf(message)]))
  }
}

describe('a retry', () => {
  test('to an origin that is full stops, says which queue and which limit, and resumed sends the rest, nothing twice', async () => {
    const stopped = await StoppedWorld.open(['small', 'roomy'])
    const { world } = stopped
    world.define('small', { messagesMax: 1, whenFull: 'reject' })
    world.define('roomy')
    const item = await stopped.act({ action: 'retry', all: true })
    expect(item).toMatchObject({
      state: 'stopped',
      total: 4,
      doneCount: 3,
      refusedCount: 1,
      reason: "queue 'small' is full: it has 1 message, its messagesMax is 1",
      canResume: true,
    })
    expect([stopped.bodiesIn('small'), stopped.bodiesIn('roomy'), stopped.bodiesIn('dead')]).toEqual([
      ['1'],
      ['2', '4'],
      ['3'],
    ])
    expect((await stopped.resume(item)).state).toBe('stopped')
    world.define('small', { messagesMax: 9, whenFull: 'reject' })
    expect(await stopped.resume(item)).toMatchObject({
      state: 'done',
      doneCount: 4,
      refusedCount: 0,
      reason: undefined,
      canResume: false,
    })
    expect([stopped.bodiesIn('small'), stopped.bodiesIn('roomy'), stopped.bodiesIn('dead')]).toEqual([
      ['1', '3'],
      ['2', '4'],
      [],
    ])
  })

  test.each<readonly [string, Pick<ActionBody, 'ids' | 'selector'>]>([
    ['by ids', { ids: ['4-1', '4-2', '4-3', '4-4'] }],
    ['by a selector', { selector: 'JMSPriority = 4' }],
  ])('%s does the same', async (_, which) => {
    const stopped = await StoppedWorld.open(['small'])
    stopped.world.define('small', { messagesMax: 3, whenFull: 'reject' })
    const item = await stopped.act({ action: 'retry', ...which })
    expect([item.state, item.doneCount, item.canResume]).toEqual(['stopped', 3, true])
    stopped.world.define('small', { messagesMax: 4, whenFull: 'reject' })
    expect([(await stopped.resume(item)).doneCount, stopped.bodiesIn('small')]).toEqual([4, ['1', '2', '3', '4']])
  })

  test('to an origin that is gone and is not made by being used stops until somebody defines it', async () => {
    const stopped = await StoppedWorld.open(['gone'], { limits: { queuesAutoCreate: false } })
    const item = await stopped.act({ action: 'retry', all: true })
    expect(item).toMatchObject({ state: 'stopped', doneCount: 0, skippedCount: 4, canResume: true })
    expect(item.reason).toContain("there is no queue 'gone'")
    stopped.world.define('gone')
    expect(await stopped.resume(item)).toMatchObject({ state: 'done', doneCount: 4, skippedCount: 0 })
  })

  test('to an origin that is deleted in the middle makes it again, and nothing that was not in it is lost', async () => {
    const stopped = await StoppedWorld.open(['orders'])
    const { world } = stopped
    world.define('orders')
    const params = { ...VHOST, queue: 'dead' }
    const body: ActionBody = { action: 'retry', all: true, perSecond: 1 }
    const { answer } = await world.begin(actOnMessages, { params, query: { waitMs: 0 }, body })
    const { id } = await answer
    world.vhost.destinations.delete(world.vhost.destinations.find('orders')!)
    for (let second = 0; second < 4; second++) await world.pass(1_000)
    expect(await world.call(getOperation, { params: { id } })).toMatchObject({ state: 'done', doneCount: 4 })
    expect([stopped.bodiesIn('orders'), stopped.bodiesIn('dead')]).toEqual([['2', '3', '4'], []])
  })

  test('sends nothing to where its operator may not; somebody who may goes on with it', async () => {
    const stopped = await StoppedWorld.open(['allowed', 'secret'], { authorizer: operatorWritesTo('allowed') })
    const item = await stopped.act({ action: 'retry', all: true }, OPERATOR)
    expect(item).toMatchObject({ state: 'stopped', doneCount: 2, refusedCount: 2, canResume: true })
    expect(item.reason).toBe(
      "user 'olga' may not send to queue 'secret'; it needs the permission 'write' of '$queue/secret'",
    )
    expect(stopped.world.vhost.destinations.find('secret')).toBeUndefined()
    expect((await stopped.resume(item, OPERATOR)).state).toBe('stopped')
    expect((await stopped.resume(item, ADMIN)).state).toBe('done')
    expect([stopped.bodiesIn('allowed'), stopped.bodiesIn('secret')]).toEqual([
      ['1', '3'],
      ['2', '4'],
    ])
  })
})

describe('another action', () => {
  test.each(['move', 'copy'] as const)(
    'a %s stops at its full target with the same words, and goes on',
    async (action) => {
      const stopped = await StoppedWorld.open(['x'])
      stopped.world.define('small', { messagesMax: 3, whenFull: 'reject' })
      const item = await stopped.act({ action, all: true, target: 'small' })
      expect(item).toMatchObject({
        state: 'stopped',
        doneCount: 3,
        reason: "queue 'small' is full: it has 3 messages, its messagesMax is 3",
        canResume: true,
      })
      stopped.world.define('small', { messagesMax: 4, whenFull: 'reject' })
      expect(await stopped.resume(item)).toMatchObject({ state: 'done', doneCount: 4 })
      expect([stopped.bodiesIn('small'), stopped.world.queue('dead').waitingCount]).toEqual([
        ['1', '2', '3', '4'],
        action === 'move' ? 0 : 4,
      ])
    },
  )

  test('to a target that the operator may not write to is refused before anything is done, begun and gone on with', async () => {
    const stopped = await StoppedWorld.open(['x'], { authorizer: operatorWritesTo('small') })
    const { world } = stopped
    world.define('small', { messagesMax: 1, whenFull: 'reject' })
    world.define('secret', { messagesMax: 1, whenFull: 'reject' })
    for (const action of ['move', 'copy', 'retry'] as const) {
      const error = await world.refusal(actOnMessages, {
        params: { ...VHOST, queue: 'dead' },
        body: { action, all: true, target: 'secret' },
        caller: OPERATOR,
      })
      expect([action, error.code, error.more.field, error.more.rule]).toEqual([
        action,
        'NOT_ALLOWED',
        'target',
        'write',
      ])
    }
    expect(world.operations.list()).toEqual([])
    const { id } = await stopped.act({ action: 'move', all: true, target: 'secret' })
    const error = await world.refusal(resumeOperation, { params: { id }, caller: OPERATOR })
    expect([error.code, (await world.call(getOperation, { params: { id } })).state]).toEqual(['NOT_ALLOWED', 'stopped'])
    expect(await stopped.act({ action: 'move', all: true, target: 'small' }, OPERATOR)).toMatchObject({ doneCount: 1 })
  })

  test('whose queue is deleted in the middle says so, and is not offered to be gone on with', async () => {
    const stopped = await StoppedWorld.open(['x'])
    const { world } = stopped
    const params = { ...VHOST, queue: 'dead' }
    const body: ActionBody = { action: 'delete', all: true, perSecond: 1 }
    const { answer } = await world.begin(actOnMessages, { params, query: { waitMs: 0 }, body })
    const { id } = await answer
    world.vhost.destinations.delete(world.vhost.destinations.find('dead')!)
    await world.pass(1_000)
    expect(await world.call(getOperation, { params: { id } })).toMatchObject({
      state: 'stopped',
      doneCount: 1,
      reason: "queue 'dead' was deleted meanwhile",
      canResume: false,
    })
  })
})

describe('what runs for somebody', () => {
  const body: ActionBody = { action: 'copy', all: true, target: 'other', perSecond: 1 }

  async function begun(may: { look: boolean; manage: boolean; isIn: boolean }, action: ActionBody['action']) {
    const authorizer: Authorizer = {
      generation: 0,
      mayUse: ({ principal }, asked) => {
        if (principal.name !== OPERATOR.user) return { allowed: true, rule: 'others' }
        if (asked === 'admin' && !may.manage) return { allowed: false, rule: 'rule 1', isDenied: true }
        return { allowed: asked !== 'browse' || may.look, rule: 'rule 2' }
      },
      mayMatch: () => ({ allowed: false, rule: 'the rule of the test' }),
    }
    const stopped = await StoppedWorld.open(['a'], { authorizer })
    stopped.world.define('other')
    const caller = { ...OPERATOR, mayGoOn: () => may.isIn }
    const params = { ...VHOST, queue: 'dead' }
    const { answer } = await stopped.world.begin(actOnMessages, {
      params,
      query: { waitMs: 0 },
      body: { ...body, action },
      caller,
    })
    return { stopped, caller, item: await answer }
  }

  test.each([
    ['copy', { look: false }, "may not browse queue 'dead'"],
    ['move', { look: false }, "may not browse queue 'dead'"],
    ['move', { manage: false }, "may not manage '$queue/dead': rule 1"],
    ['copy', { isIn: false }, 'is not let in by that login or token any more'],
  ] as const)('a %s goes no further once %j, says why, and is resumed by whoever may', async (action, lost, why) => {
    const may = { look: true, manage: true, isIn: true }
    const { stopped, caller, item } = await begun(may, action)
    const { world } = stopped
    await world.pass(1_000)
    const { doneCount } = world.operations.get(item.id)
    Object.assign(may, lost)
    await world.pass(5_000)
    expect(world.operations.get(item.id)).toMatchObject({ state: 'stopped', doneCount, canResume: true })
    expect(world.operations.get(item.id).reason).toContain(why)
    expect(world.queue('other').waitingCount).toBe(doneCount)
    if (may.isIn) {
      const refused = await world.refusal(resumeOperation, { params: { id: item.id }, caller })
      expect(refused.code).toBe('NOT_ALLOWED')
    }
    await world.call(resumeOperation, { params: { id: item.id } })
    await world.pass(5_000)
    expect([world.operations.get(item.id).state, world.queue('other').waitingCount]).toEqual(['done', 4])
  })
})
