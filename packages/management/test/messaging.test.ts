/** Publish, take and settle over HTTP, with the core's promises: what is answered is kept, what is taken comes back, nobody sees another's. */
import {
  browseMessages,
  publishMessage,
  type PublishBody,
  settleMessages,
  subscribeEvents,
  type SettleBody,
  type TakeBody,
  takeMessages,
  type TakenMessage,
} from '@ternmq/api'
import { allowAll, type Authorizer, Message } from '@ternmq/core'
import { describe, expect, test } from 'vitest'
import { loginEnded } from '../src/handlers.ts'
import { HTTP_SESSION_IDLE_MS, LOCKS_PER_USER_MAX, TAKES_PER_USER_MAX } from '../src/http-messaging/bounds.ts'
import { httpHeaders } from '../src/http-messaging/http-headers.ts'
import { callerOf, MessageWorld, TestEvents, VHOST } from './message-world.ts'

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

function publish(world: MessageWorld, body: Partial<PublishBody> & Pick<PublishBody, 'address'>): Promise<unknown> {
  return world.call(publishMessage, { params: VHOST, body: { body: 'x', ...body } })
}

async function take(world: MessageWorld, body: Partial<TakeBody> = {}, user = 'ann'): Promise<readonly TakenMessage[]> {
  return (
    await world.call(takeMessages, { params: VHOST, body: { address: 'queue://q', ...body }, caller: callerOf(user) })
  ).items
}

function settle(
  world: MessageWorld,
  deliveries: readonly string[],
  outcome: SettleBody['outcome'],
  user = 'ann',
  reason?: string,
): Promise<{ readonly settledCount: number; readonly unknown: readonly string[] }> {
  return world.call(settleMessages, { params: VHOST, body: { deliveries, outcome, reason }, caller: callerOf(user) })
}

async function worldWith(count: number): Promise<MessageWorld> {
  const world = await MessageWorld.open()
  for (let n = 1; n <= count; n++) await publish(world, { address: 'queue://q', body: `${n}` })
  return world
}

const texts = (items: readonly TakenMessage[]): string[] => items.map(({ body }) => body.value)

describe('publish', () => {
  test('is answered when the log has it: a restart finds it with all that it says', async () => {
    const world = await worldWith(0)
    const said = {
      messageId: 'm',
      correlationId: 'base64:/w==',
      contentType: 'text/plain',
      replyTo: 'topic://a.b',
      type: 't',
      groupId: 'g',
      priority: 2,
      properties: { colour: 'röd' },
    }
    expect(await publish(world, { address: 'queue://q', body: 'tëxt', ...said })).toEqual({ outcome: 'routed' })
    await world.restart()
    const [message] = await take(world)
    expect(message).toMatchObject({
      ...said,
      replyTo: '/topics/a.b',
      properties: [['colour', 'röd']],
      body: { value: 'tëxt' },
      durable: true,
      format: 'http',
      redelivered: false,
    })
  })

  test.each<[string, Record<string, string>, string | undefined, [string, string][]]>([
    [
      'the trace of the call',
      { a: '1' },
      PARENT,
      [
        ['a', '1'],
        ['traceparent', PARENT],
        ['tracestate', 'v=1'],
      ],
    ],
    [
      'a state of its own without a parent: the one of the call',
      { tracestate: 'mine=1' },
      PARENT,
      [
        ['traceparent', PARENT],
        ['tracestate', 'v=1'],
      ],
    ],
    ['its own, where it has one', { traceparent: 'mine' }, PARENT, [['traceparent', 'mine']]],
    ['none, where the call has nonsense', {}, '00-nonsense', []],
    ['none, where the call has none', {}, undefined, []],
  ])('a message belongs to %s', async (_which, properties, traceparent, expected) => {
    const world = await worldWith(0)
    const trace = traceparent === undefined ? {} : { trace: { traceparent, tracestate: 'v=1' } }
    await world.call(publishMessage, { params: VHOST, body: { address: 'queue://q', body: 'x', properties }, ...trace })
    const [message] = await take(world)
    expect(message?.properties).toEqual(expected)
  })

  test('one that need not last does not, and one that nobody wants is told so', async () => {
    const world = await worldWith(0)
    await publish(world, { address: 'queue://q', durable: false })
    expect(await publish(world, { address: 'topic://nobody.hears' })).toEqual({ outcome: 'unmatched' })
    await world.restart()
    expect(await take(world)).toEqual([])
  })

  test('a list goes to all of it, and a topic keeps its last message', async () => {
    const world = await worldWith(0)
    await publish(world, { address: 'queue://q,queue://r', body: 'both' })
    expect([texts(await take(world)), texts(await take(world, { address: 'queue://r' }))]).toEqual([['both'], ['both']])
    await publish(world, { address: 'topic://a.b', body: 'last', retain: true })
    expect(world.vhost.retained.get(['a', 'b'])?.headers.text).toBe(true)
    await publish(world, { address: 'topic://a.b', body: '', retain: true })
    expect(world.vhost.retained.get(['a', 'b'])).toBeUndefined()
  })

  test('a delay keeps it until then, a time to live ends it', async () => {
    const world = await worldWith(0)
    await publish(world, { address: 'queue://q', body: 'later', delayMs: 5_000 })
    await publish(world, { address: 'queue://q', body: 'short', ttlMs: 1_000 })
    await world.pass(4_999)
    expect(texts(await take(world, { max: 10 }))).toEqual([])
    await world.pass(1)
    expect(texts(await take(world, { max: 10 }))).toEqual(['later'])
  })

  test('bytes come as base64, and what only looks like it is refused', async () => {
    const world = await worldWith(0)
    await publish(world, { address: 'queue://q', body: '/wA=', encoding: 'base64' })
    expect((await take(world))[0]!.body).toEqual({ encoding: 'base64', value: '/wA=', bytes: 2, truncated: false })
    for (const body of ['/wA', 'x', '/w A=', '/wB=', 'ä===']) {
      const error = await world.refusal(publishMessage, {
        params: VHOST,
        body: { address: 'queue://q', body, encoding: 'base64' },
      })
      expect([body, error.code, error.more.field]).toEqual([body, 'INVALID', 'body'])
    }
  })

  test('an address that cannot be sent to is refused, and makes no queue', async () => {
    const world = await worldWith(0)
    for (const address of [
      '',
      'queue://',
      'queue://a.>',
      'topic://a.*',
      '\0',
      'queue://\ud800',
      `queue://${'x'.repeat(5_000)}`,
      '/queues/none%zz',
      'topic://$queue.x',
    ]) {
      const error = await world.refusal(publishMessage, { params: VHOST, body: { address, body: 'x' } })
      expect([address, error.code, error.more.field]).toEqual([address, 'INVALID', 'address'])
    }
    for (const [body, field] of [
      [{ retain: true }, 'retain'],
      [{ replyTo: 'queue://a.>' }, 'replyTo'],
      [{ groupId: '' }, 'groupId'],
      [{ properties: { _AMQ_DUPL_ID: '' } }, 'properties._AMQ_DUPL_ID'],
    ] as const) {
      const error = await world.refusal(publishMessage, {
        params: VHOST,
        body: { address: 'queue://q', body: 'x', ...body },
      })
      expect([field, error.code, error.more.field]).toEqual([field, 'INVALID', field])
    }
    expect(world.vhost.destinations.count).toBe(0)
  })

  test('what the core refuses is told as it says it: rights, limits', async () => {
    const authorizer: Authorizer = {
      ...allowAll,
      mayUse: (_, action, { levels }) => ({
        allowed: action !== 'write' || levels[0] !== 'secret',
        rule: 'of the test',
      }),
    }
    const world = await MessageWorld.open({ authorizer, limits: { messageBytesMax: 100 } })
    const secret = await world.refusal(publishMessage, {
      params: VHOST,
      body: { address: 'queue://secret', body: 'x' },
    })
    expect([secret.code, secret.message]).toEqual(['NOT_ALLOWED', "user 'admin' may not send to queue 'secret'"])
    expect(
      (await world.refusal(publishMessage, { params: VHOST, body: { address: 'queue://q', body: 'x'.repeat(200) } }))
        .code,
    ).toBe('LIMIT_REACHED')
    world.define('full', { messagesMax: 1, whenFull: 'reject' })
    await publish(world, { address: 'queue://full' })
    expect(
      (await world.refusal(publishMessage, { params: VHOST, body: { address: 'queue://full', body: 'x' } })).code,
    ).toBe('LIMIT_REACHED')
  })

  test('one that waits for room in its queue holds up no other of the same user, and goes on when there is room', async () => {
    const world = await worldWith(0)
    world.define('full', { messagesMax: 1, whenFull: 'block', blockMaxMs: 5_000 })
    await publish(world, { address: 'queue://full', body: '1' })
    const waits = await world.begin(publishMessage, { params: VHOST, body: { address: 'queue://full', body: '2' } })
    expect(await publish(world, { address: 'queue://q' })).toEqual({ outcome: 'routed' })
    await take(world, { address: 'queue://full', autoSettle: true })
    expect(await waits.answer).toEqual({ outcome: 'routed' })
    const late = await world.begin(publishMessage, { params: VHOST, body: { address: 'queue://full', body: '3' } })
    await world.pass(5_000)
    await expect(late.answer).rejects.toMatchObject({ code: 'LIMIT_REACHED' })
  })

  test('a queue that remembers ids takes one message of each', async () => {
    const world = await worldWith(0)
    world.define('q', { duplicatesMax: 10 })
    for (const body of ['first', 'second'])
      await publish(world, { address: 'queue://q', body, properties: { _AMQ_DUPL_ID: 'one' } })
    expect(texts(await take(world, { max: 5 }))).toEqual(['first'])
  })
})

describe('take', () => {
  test('up to so many, in order; accepted they are gone, over a restart too', async () => {
    const world = await worldWith(5)
    const items = await take(world, { max: 3 })
    expect(texts(items)).toEqual(['1', '2', '3'])
    expect(
      await settle(
        world,
        items.map(({ delivery }) => delivery),
        'accepted',
      ),
    ).toEqual({ settledCount: 3, unknown: [] })
    await world.restart()
    expect(texts(await take(world, { max: 10 }))).toEqual(['4', '5'])
  })

  test('what one has taken no other gets, and no other can settle', async () => {
    const world = await worldWith(2)
    const [first] = await take(world)
    expect(texts(await take(world, { max: 10 }, 'bob'))).toEqual(['2'])
    expect(await settle(world, [first!.delivery], 'accepted', 'bob')).toEqual({
      settledCount: 0,
      unknown: [first!.delivery],
    })
    expect(await settle(world, [first!.delivery], 'accepted')).toEqual({ settledCount: 1, unknown: [] })
  })

  test('a lock that is not settled in time goes back as a failed attempt; one that is extended does not', async () => {
    const world = await worldWith(2)
    const [one, two] = await take(world, { max: 2, lockMs: 10_000 })
    expect(one!.lockedUntilMs).toBe(world.env.clock.wallMs() + 10_000)
    await world.pass(9_000)
    expect(await settle(world, [two!.delivery], 'extend')).toEqual({ settledCount: 1, unknown: [] })
    await world.pass(1_000)
    await world.pass(5_000) // until its next attempt
    const [again] = await take(world, {}, 'bob')
    expect(again).toMatchObject({ failedCount: 1, redelivered: true, body: { value: '1' } })
    expect(await settle(world, [one!.delivery, two!.delivery], 'accepted')).toEqual({
      settledCount: 1,
      unknown: [one!.delivery],
    })
  })

  test('released goes back as it was, modified with a failed attempt more, rejected to the dead letters with its reason', async () => {
    const world = await worldWith(3)
    world.define('q', {
      deadLetter: 'DLQ',
      redelivery: { deliveriesMax: 10, delayMs: 0, multiplier: 1, delayMaxMs: 0, jitter: 0 },
    })
    const [one, two, three] = await take(world, { max: 3 })
    await settle(world, [one!.delivery], 'released')
    await settle(world, [two!.delivery], 'modified')
    await settle(world, [three!.delivery], 'rejected', 'ann', 'no stock')
    const again = await take(world, { max: 3 })
    expect(again.map(({ body, failedCount }) => [body.value, failedCount])).toEqual([
      ['1', 0],
      ['2', 1],
    ])
    const { items } = await world.call(browseMessages, { params: { ...VHOST, queue: 'DLQ' } })
    expect(items[0]!.deadLetter).toMatchObject({ cause: 'rejected', reason: 'no stock', originalQueue: 'q' })
    const error = await world.refusal(settleMessages, {
      params: VHOST,
      body: { deliveries: [], outcome: 'accepted', reason: 'x' },
    })
    expect([error.code, error.more.field]).toEqual(['INVALID', 'reason'])
  })

  test('it waits for the first, up to its time, and takes what comes in the same turn with it', async () => {
    const world = await worldWith(0)
    const { answer } = await world.begin(takeMessages, {
      params: VHOST,
      body: { address: 'queue://q', max: 5, waitMs: 10_000 },
    })
    await world.pass(3_000)
    await publish(world, { address: 'queue://q', body: 'came' })
    expect(texts((await answer).items)).toEqual(['came'])
    const late = await world.begin(takeMessages, { params: VHOST, body: { address: 'queue://q', waitMs: 1_000 } })
    await world.pass(1_000)
    expect((await late.answer).items).toEqual([])
    await publish(world, { address: 'queue://q', body: 'not for it' })
    expect(world.queue('q').waitingCount).toBe(1)
  })

  test('a caller whose login ends while it waits hears so at once, and has taken nothing', async () => {
    const world = await MessageWorld.open()
    const login = new AbortController()
    const body = { address: 'queue://q', waitMs: 1_000, autoSettle: true }
    const { answer } = await world.begin(takeMessages, { params: VHOST, body, signal: login.signal })
    login.abort(loginEnded())
    await expect(answer).rejects.toMatchObject({ code: 'NOT_LOGGED_IN' })
    await publish(world, { address: 'queue://q', body: 'secret' })
    expect(texts(await take(world))).toEqual(['secret'])
  })

  test('a caller who leaves while it waits has taken nothing', async () => {
    const world = await worldWith(0)
    const leaver = new AbortController()
    const { answer } = await world.begin(takeMessages, {
      params: VHOST,
      body: { address: 'queue://q', waitMs: 10_000 },
      signal: leaver.signal,
    })
    leaver.abort()
    expect((await answer).items).toEqual([])
    await publish(world, { address: 'queue://q' })
    expect([world.queue('q').waitingCount, world.queue('q').consumers.length]).toEqual([1, 0])
  })

  test('settled as they are handed out, there is nothing to settle', async () => {
    const world = await worldWith(3)
    const items = await take(world, { max: 2, autoSettle: true })
    expect(items.map(({ body, delivery, lockedUntilMs }) => [body.value, delivery, lockedUntilMs])).toEqual([
      ['1', '', 0],
      ['2', '', 0],
    ])
    await world.restart()
    expect(texts(await take(world, { max: 9 }))).toEqual(['3'])
  })

  test('a selector and a pattern choose', async () => {
    const world = await worldWith(0)
    await publish(world, { address: 'queue://a.x', body: 'ax', priority: 9 })
    await publish(world, { address: 'queue://a.y', body: 'ay' })
    expect(texts(await take(world, { address: 'queue://a.>', max: 9, selector: 'JMSPriority = 4' }))).toEqual(['ay'])
    const error = await world.refusal(takeMessages, { params: VHOST, body: { address: 'queue://q', selector: 'a =' } })
    expect([error.code, error.more.field]).toEqual(['INVALID', 'selector'])
  })

  test('what it may not read or cannot be taken from is refused', async () => {
    const authorizer: Authorizer = {
      ...allowAll,
      mayUse: (_, action) => ({ allowed: action !== 'read', rule: 'of the test' }),
    }
    const world = await MessageWorld.open({ authorizer })
    expect((await world.refusal(takeMessages, { params: VHOST, body: { address: 'queue://q' } })).code).toBe(
      'NOT_ALLOWED',
    )
    for (const address of ['topic://a', 'topic://a.>', '', 'queue://$temp/x', '/dsub/x', 'a,b']) {
      expect([address, (await world.refusal(takeMessages, { params: VHOST, body: { address } })).code]).toEqual([
        address,
        'INVALID',
      ])
    }
    expect((await world.refusal(takeMessages, { params: { vhost: 'x' }, body: { address: 'queue://q' } })).code).toBe(
      'VHOST_UNKNOWN',
    )
  })

  test('nobody learns whether there is a queue that he may not use, and who only reads makes none', async () => {
    const denied = new Set(['read', 'write'])
    const mayUse: Authorizer['mayUse'] = (_, action) => ({ allowed: !denied.has(action), rule: 'of the test' })
    const world = await MessageWorld.open({ authorizer: { ...allowAll, mayUse } })
    world.define('there')
    for (const prefix of ['', '/amq/queue/']) {
      const answers = await Promise.all(
        ['there', 'other'].map(async (name) => {
          const body = { address: prefix + name }
          const refusals = [
            await world.refusal(publishMessage, { params: VHOST, body: { ...body, body: 'x' } }),
            await world.refusal(takeMessages, { params: VHOST, body }),
          ]
          return refusals.map(({ code, message }) => [code, message.replaceAll(name, 'X')])
        }),
      )
      expect(answers[0]).toEqual(answers[1])
    }
    denied.delete('read')
    denied.add('create')
    const made = await world.refusal(takeMessages, { params: VHOST, body: { address: 'queue://new' } })
    expect([made.code, world.vhost.destinations.find('new')]).toEqual(['NOT_ALLOWED', undefined])
  })

  test('ids that were never given are unknown, whatever they look like', async () => {
    const world = await worldWith(1)
    const [one] = await take(world)
    const hostile = ['', '0', '__proto__', 'constructor', one!.delivery.slice(1), `${one!.delivery} `, '../x', '\0']
    expect(await settle(world, hostile, 'accepted')).toEqual({ settledCount: 0, unknown: hostile })
    expect(await settle(world, [one!.delivery, one!.delivery], 'accepted')).toEqual({
      settledCount: 1,
      unknown: [one!.delivery],
    })
    expect(Buffer.from(one!.delivery, 'base64url').length).toBe(16)
  })

  test('a message that was published at most once is settled by being taken', async () => {
    const world = await worldWith(0)
    world.define('q')
    const bytes = Buffer.from('qos 0')
    const message = new Message({
      topic: '$queue/q',
      codec: httpHeaders,
      bytes,
      start: 0,
      headerStart: 0,
      bodyStart: 0,
      end: 5,
      assurance: 0,
      durable: false,
      retain: false,
      expiresAtMs: 0,
      publisher: undefined,
    })
    world.vhost.publishAs({ principal: callerOf('x').principal, clientId: 'p' }, message)
    expect((await take(world)).map(({ body, delivery }) => [body.value, delivery])).toEqual([['qos 0', '']])
  })
})

describe('sessions', () => {
  test('one for each user, while something is under way and a while after it', async () => {
    const world = await worldWith(3)
    await take(world)
    await take(world, { lockMs: 200_000 }, 'bob')
    expect(world.vhost.sessions.count).toBe(3) // admin has published
    await world.pass(HTTP_SESSION_IDLE_MS)
    expect([...world.vhost.sessions.all()].map(({ principal }) => principal.name)).toEqual(['ann', 'bob'])
    await world.pass(HTTP_SESSION_IDLE_MS)
    expect([...world.vhost.sessions.all()].map(({ principal }) => principal.name)).toEqual(['bob'])
    await world.pass(200_000)
    expect([world.vhost.sessions.count, world.queue('q').inflightCount, world.queue('q').waitingCount]).toEqual([
      0, 0, 3,
    ])
    expect(world.env.clock.timerCount).toBe(0)
  })

  test('when an operator ends it, what was taken waits again, and waiting calls end', async () => {
    const world = await worldWith(1)
    const [one] = await take(world)
    const waits = await world.begin(takeMessages, {
      params: VHOST,
      body: { address: 'queue://empty', waitMs: 30_000 },
      caller: callerOf('ann'),
    })
    const { clientId } = [...world.vhost.sessions.all()].find(({ principal }) => principal.name === 'ann')!
    world.vhost.sessions.delete(clientId)
    expect((await waits.answer).items).toEqual([])
    await world.pass(5_000)
    expect(await settle(world, [one!.delivery], 'accepted')).toEqual({ settledCount: 0, unknown: [one!.delivery] })
    expect(texts(await take(world))).toEqual(['1'])
  })

  test('when the broker stops, what was taken goes back and has not failed', async () => {
    const world = await worldWith(1)
    await take(world)
    world.messaging.close()
    expect(world.vhost.sessions.count).toBe(0)
    expect((await take(world, {}, 'bob'))[0]!.failedCount).toBe(0)
  })

  test('a user has so many locks and waiting calls, and no more', async () => {
    const world = await worldWith(0)
    for (let count = 0; count < LOCKS_PER_USER_MAX / 1_000; count++) {
      await world.begin(takeMessages, { params: VHOST, body: { address: 'queue://q', max: 1_000, waitMs: 60_000 } })
    }
    expect((await world.refusal(takeMessages, { params: VHOST, body: { address: 'queue://q' } })).code).toBe(
      'LIMIT_REACHED',
    )
    const wait = { address: 'queue://q', waitMs: 60_000, autoSettle: true } as const
    for (let count = LOCKS_PER_USER_MAX / 1_000; count < TAKES_PER_USER_MAX; count++)
      await world.begin(takeMessages, { params: VHOST, body: wait })
    expect((await world.refusal(takeMessages, { params: VHOST, body: wait })).code).toBe('BUSY')
    expect(await take(world, {}, 'bob')).toEqual([])
    await world.pass(60_000)
    expect(await world.call(takeMessages, { params: VHOST, body: { address: 'queue://q' } })).toEqual({ items: [] })
  })

  test('whoever may not read any more loses what was taken, is told so while waiting, and settles nothing of others', async () => {
    const rules = { generation: 0, allowed: true }
    const decide = (user: string): { allowed: boolean; rule: string } => ({
      allowed: rules.allowed || user !== 'ann',
      rule: 'of the test',
    })
    const authorizer: Authorizer = {
      get generation() {
        return rules.generation
      },
      mayUse: ({ principal }, action) => (action === 'read' ? decide(principal.name) : decide('')),
      mayMatch: ({ principal }) => decide(principal.name),
    }
    const world = await MessageWorld.open({ authorizer })
    await publish(world, { address: 'queue://q', body: '1' })
    const [one] = await take(world)
    const caller = callerOf('ann')
    const waits = await world.begin(takeMessages, {
      params: VHOST,
      body: { address: 'queue://empty', waitMs: 30_000 },
      caller,
    })
    const events = new TestEvents()
    await world.stream(subscribeEvents, { params: VHOST, query: { address: 'topic://t' }, caller }, events)
    rules.allowed = false
    rules.generation++
    world.vhost.recheckAccess()
    await world.quiet()
    await expect(waits.answer).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
    expect([events.seen.map(({ event }) => event), events.isEnded]).toEqual([['ended'], true])
    const [same] = await take(world, {}, 'bob')
    expect([same!.body.value, same!.failedCount]).toEqual(['1', 0])
    for (const outcome of ['extend', 'rejected'] as const)
      expect((await settle(world, [one!.delivery], outcome)).unknown).toEqual([one!.delivery])
    await world.pass(29_000)
    expect((await settle(world, [same!.delivery], 'accepted', 'bob')).settledCount).toBe(1)
  })

  test('a queue that is deleted under a lock harms nobody', async () => {
    const world = await worldWith(1)
    const [one] = await take(world)
    world.vhost.destinations.delete(world.vhost.destinations.find('q')!)
    expect((await settle(world, [one!.delivery], 'modified')).settledCount).toBe(1)
    expect(await take(world)).toEqual([])
  })
})
