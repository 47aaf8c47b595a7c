/** Looking into queues and sessions: everything is shown, nothing is changed. */
import {
  actOnMessages,
  browseMessages,
  browseSession,
  downloadBody,
  getMessage,
  publishMessage,
  type MessageItem,
} from '@ternmq/api'
import { allowAll, type Authorizer } from '@ternmq/core'
import { describe, expect, test } from 'vitest'
import { ADMIN, callerOf, type MessageWorldOptions, MessageWorld, VHOST } from './message-world.ts'

const Q = { ...VHOST, queue: 'q' }

async function worldWith(bodies: readonly string[], options?: MessageWorldOptions): Promise<MessageWorld> {
  const world = await MessageWorld.open(options)
  world.define('q')
  for (const body of bodies) await world.call(publishMessage, { params: VHOST, body: { address: 'queue://q', body } })
  return world
}

/** Who may browse, by the last level of the address. */
function browsersOf(allowed: string): Authorizer {
  return {
    ...allowAll,
    mayUse: (_, action, { levels }) => ({
      allowed: action !== 'browse' || levels.at(-1) === allowed,
      rule: 'of the test',
    }),
  }
}

describe('browse', () => {
  test('pages follow one another to the end, in order, and the queue is as it was', async () => {
    const world = await worldWith(Array.from({ length: 25 }, (_, index) => `${index}`))
    const ids: string[] = []
    let cursor: string | undefined = undefined
    do {
      const page: { items: readonly MessageItem[]; next?: string | undefined; total?: number | undefined } =
        await world.call(browseMessages, { params: Q, query: { limit: 10, cursor } })
      expect(page.total).toBe(25)
      ids.push(...page.items.map(({ id }) => id))
      cursor = page.next
    } while (cursor !== undefined)
    expect([new Set(ids).size, ids.length, world.queue('q').waitingCount]).toEqual([25, 25, 25])
    const bodies = await Promise.all(ids.map((id) => world.call(getMessage, { params: { ...Q, id } })))
    expect(bodies.map(({ body }) => body.value)).toEqual(Array.from({ length: 25 }, (_, index) => `${index}`))
  })

  test('a selector chooses, and a wrong one is refused with where it is wrong', async () => {
    const world = await worldWith([])
    for (const priority of [1, 9])
      await world.call(publishMessage, { params: VHOST, body: { address: 'queue://q', body: 'x', priority } })
    const page = await world.call(browseMessages, { params: Q, query: { selector: 'JMSPriority > 4' } })
    expect([page.items.map(({ priority }) => priority), page.total]).toEqual([[9], undefined])
    const error = await world.refusal(browseMessages, { params: Q, query: { selector: 'priority >' } })
    expect([error.code, error.more.field, error.message]).toEqual([
      'INVALID',
      'selector',
      expect.stringContaining('at character 11'),
    ])
  })

  test('all that a message says is there', async () => {
    const world = await worldWith([])
    const said = {
      messageId: 'm1',
      correlationId: 'c1',
      contentType: 'application/json',
      replyTo: 'queue://answers',
      type: 'order',
      groupId: 'g',
      priority: 7,
      ttlMs: 5_000,
      properties: { colour: 'red' },
    }
    await world.call(publishMessage, { params: VHOST, body: { address: 'queue://q', body: '{"n":1}', ...said } })
    const { items } = await world.call(browseMessages, { params: Q })
    const detail = await world.call(getMessage, { params: { ...Q, id: items[0]!.id } })
    expect(detail).toMatchObject({
      state: 'waiting',
      address: '$queue/q',
      durable: true,
      redelivered: false,
      failedCount: 0,
      format: 'http',
      bodyBytes: 7,
      messageId: 'm1',
      correlationId: 'c1',
      contentType: 'application/json',
      replyTo: '$queue/answers',
      type: 'order',
      groupId: 'g',
      priority: 7,
      expiresAtMs: world.env.clock.wallMs() + 5_000,
      properties: [['colour', 'red']],
      annotations: {},
      body: { encoding: 'json', value: '{"n":1}', bytes: 7, truncated: false },
    })
  })

  test('each message says when it came, also after a restart, and one in memory only says nothing of it', async () => {
    const world = await worldWith(['first'])
    const startMs = world.env.clock.wallMs()
    world.env.clock.advance(60_000)
    const body = { address: 'queue://q', body: 'second' }
    await world.call(publishMessage, { params: VHOST, body })
    await world.call(publishMessage, { params: VHOST, body: { ...body, durable: false } })
    const arrivals = async (): Promise<unknown[]> => {
      const { items } = await world.call(browseMessages, { params: Q })
      const details = await Promise.all(items.map(({ id }) => world.call(getMessage, { params: { ...Q, id } })))
      expect(details.map(({ arrivedAtMs }) => arrivedAtMs)).toEqual(items.map(({ arrivedAtMs }) => arrivedAtMs))
      return items.map(({ arrivedAtMs }) => arrivedAtMs)
    }
    expect(await arrivals()).toEqual([startMs, startMs + 60_000, undefined])
    world.env.clock.advance(60_000)
    await world.restart()
    expect(await arrivals()).toEqual([startMs, startMs + 60_000])
  })

  test('what is not there, and what never was, is refused by its code', async () => {
    const world = await worldWith(['x'])
    expect((await world.refusal(browseMessages, { params: { vhost: 'other', queue: 'q' } })).code).toBe('VHOST_UNKNOWN')
    expect((await world.refusal(browseMessages, { params: { ...VHOST, queue: 'none' } })).code).toBe('QUEUE_UNKNOWN')
    for (const id of [
      '4-2',
      '9-1',
      '../../etc',
      '4-99999999999999999999',
      '',
      '-',
      '4-0',
      "4-1' OR 1=1",
      '\0',
      '__proto__',
    ]) {
      expect([id, (await world.refusal(getMessage, { params: { ...Q, id } })).code]).toEqual([id, 'MESSAGE_GONE'])
      expect([id, (await world.refusal(downloadBody, { params: { ...Q, id } })).code]).toEqual([id, 'MESSAGE_GONE'])
    }
    for (const cursor of ['x', '4', '4-1-1', '__proto__']) {
      expect([cursor, (await world.refusal(browseMessages, { params: Q, query: { cursor } })).code]).toEqual([
        cursor,
        'INVALID',
      ])
    }
    expect(world.vhost.destinations.find('none')).toBeUndefined()
  })
})

describe('bodies', () => {
  async function bodyOf(base64: string, bodyBytesMax?: number): Promise<unknown> {
    const world = await worldWith([])
    await world.call(publishMessage, {
      params: VHOST,
      body: { address: 'queue://q', body: base64, encoding: 'base64' },
    })
    const { items } = await world.call(browseMessages, { params: Q })
    return (await world.call(getMessage, { params: { ...Q, id: items[0]!.id }, query: { bodyBytesMax } })).body
  }
  const base64 = (text: string): string => Buffer.from(text).toString('base64')

  test('a body is JSON, text or bytes by what is in it', async () => {
    expect(await bodyOf(base64('[1]'))).toMatchObject({ encoding: 'json', value: '[1]' })
    expect(await bodyOf(base64('[1'))).toMatchObject({ encoding: 'text', value: '[1' })
    expect(await bodyOf(base64('12'))).toMatchObject({ encoding: 'text' })
    expect(await bodyOf('/w==')).toEqual({ encoding: 'base64', value: '/w==', bytes: 1, truncated: false })
    expect(await bodyOf('')).toEqual({ encoding: 'text', value: '', bytes: 0, truncated: false })
  })

  test('a text is cut between characters, and says how long it is', async () => {
    expect(await bodyOf(base64('aäöü'), 4)).toEqual({ encoding: 'text', value: 'aä', bytes: 7, truncated: true })
    expect(await bodyOf(base64('{"a":1}'), 3)).toEqual({ encoding: 'text', value: '{"a', bytes: 7, truncated: true })
    expect(await bodyOf(Buffer.from([0xff, 1, 2]).toString('base64'), 2)).toEqual({
      encoding: 'base64',
      value: '/wE=',
      bytes: 3,
      truncated: true,
    })
    expect(await bodyOf(base64('äx'), 0)).toEqual({ encoding: 'text', value: '', bytes: 3, truncated: true })
  })

  test('a download has all bytes', async () => {
    const world = await worldWith(['x'.repeat(200_000)])
    const { items } = await world.call(browseMessages, { params: Q })
    const bytes = await world.call(downloadBody, { params: { ...Q, id: items[0]!.id } })
    expect(bytes.length).toBe(200_000)
  })
})

describe('permission', () => {
  test('whoever may not browse is refused with the address and the right, but for administrators and the socket', async () => {
    const world = await worldWith(['x'], { authorizer: browsersOf('other') })
    const viewer = callerOf('ann', 'viewer')
    const error = await world.refusal(browseMessages, { params: Q, caller: viewer })
    expect([error.code, error.more.rule, error.more.value]).toEqual(['NOT_ALLOWED', 'browse', '$queue/q'])
    expect(error.message).toContain("user 'ann' may not browse queue 'q'")
    expect((await world.call(browseMessages, { params: Q })).items).toHaveLength(1)
    expect((await world.call(browseMessages, { params: Q, caller: { ...ADMIN, by: 'socket' } })).items).toHaveLength(1)
    expect((await world.refusal(getMessage, { params: { ...Q, id: '4-1' }, caller: viewer })).code).toBe('NOT_ALLOWED')
    expect((await world.refusal(downloadBody, { params: { ...Q, id: '4-1' }, caller: viewer })).code).toBe(
      'NOT_ALLOWED',
    )
  })

  test('nobody has messages that he may not browse sent to where he may, nor asks a selector what they say', async () => {
    const world = await worldWith(['x'], { authorizer: browsersOf('other') })
    world.define('other')
    const caller = callerOf('ann', 'operator')
    for (const body of [
      { action: 'copy', all: true, target: 'other' },
      { action: 'move', ids: ['4-1'], target: 'other' },
      { action: 'retry', all: true, target: 'other' },
      { action: 'delete', selector: 'JMSPriority = 4' },
    ] as const) {
      const error = await world.refusal(actOnMessages, { params: Q, body, caller })
      expect([body.action, error.code, error.more.value]).toEqual([body.action, 'NOT_ALLOWED', '$queue/q'])
    }
    expect([world.queue('q').waitingCount, world.queue('other').waitingCount]).toEqual([1, 0])
    const deleted = await world.call(actOnMessages, { params: Q, body: { action: 'delete', all: true }, caller })
    expect([deleted.state, deleted.doneCount]).toEqual(['done', 1])
  })

  test('what waits in a session is seen by whoever may browse the topics of it', async () => {
    const world = await worldWith([], { authorizer: browsersOf('seen') })
    const owner = { onEvicted: () => {} }
    const opened = world.vhost.sessions.open({
      clientId: 'c',
      principal: ADMIN.principal,
      cleanStart: false,
      expiryMs: 9_000,
      creditMax: 10,
      will: undefined,
      owner,
    })
    if (!opened.ok) throw new Error(opened.detail.text)
    const { session } = opened.value
    for (const level of ['seen', 'hidden']) {
      session.bind({
        pattern: { vhost: '/', kind: 'topic', levels: ['t', level] },
        shareName: undefined,
        assuranceMax: 1,
        noLocal: false,
        retained: 'never',
        data: {},
      })
    }
    session.disconnect()
    const viewer = callerOf('ann', 'viewer')
    const params = { ...VHOST, clientId: 'c' }
    await world.call(publishMessage, { params: VHOST, body: { address: 'topic://t.seen', body: '1' } })
    expect((await world.call(browseSession, { params, caller: viewer })).items.map(({ address }) => address)).toEqual([
      't/seen',
    ])
    await world.call(publishMessage, { params: VHOST, body: { address: 'topic://t.hidden', body: '2' } })
    for (const selector of [undefined, 'JMSPriority = 4', 'JMSPriority = 5']) {
      const refused = await world.refusal(browseSession, { params, query: { selector }, caller: viewer })
      expect([refused.code, refused.more]).toEqual(['NOT_ALLOWED', { rule: 'browse' }])
      expect(refused.message).not.toContain('hidden')
    }
    expect((await world.call(browseSession, { params })).items).toHaveLength(2)
    expect((await world.refusal(browseSession, { params: { ...VHOST, clientId: 'x' } })).code).toBe('SESSION_UNKNOWN')
  })
})
