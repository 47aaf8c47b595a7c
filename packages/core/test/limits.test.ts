/** Limits that hold for a whole virtual host or a whole session, however the load is spread. */
import { virtualEnv } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { allowAll } from '../src/authorizer.ts'
import { DEFAULT_CORE_LIMITS, ENTRY_BYTES } from '../src/limits.ts'
import { type HeaderCodec, Message } from '../src/message/message.ts'
import type { Session } from '../src/session/session.ts'
import { VirtualHost } from '../src/virtual-host.ts'
import { topicPattern, user } from './support.ts'

const codec: HeaderCodec = { id: 'none', decode: () => ({ properties: [] }), encode: () => new Uint8Array(0) }

function open(vhost: VirtualHost, clientId: string): Session {
  const owner = { onEvicted: () => {} }
  const opened = vhost.sessions.open({
    clientId,
    principal: user('u'),
    cleanStart: true,
    expiryMs: 60_000,
    creditMax: 10,
    will: undefined,
    owner,
  })
  if (!opened.ok) throw new Error(opened.detail.text)
  return opened.value.session
}

function bind(session: Session, filter: string): string {
  const spec = { pattern: topicPattern(filter), shareName: undefined, assuranceMax: 1 as const, noLocal: false, data: {} }
  const bound = session.bind({ ...spec, retained: 'never' })
  return bound.ok ? 'bound' : bound.detail.refusal
}

test('all queues together hold no more than their limit, and have room again when one of them goes', () => {
  const env = virtualEnv()
  const room = 10 * (ENTRY_BYTES + 1)
  const limits = { ...DEFAULT_CORE_LIMITS, queuedBytesTotalMax: room }
  const vhost = new VirtualHost({ env, name: '/', authorizer: allowAll, limits })
  const absent = Array.from({ length: 4 }, (_each, index) => open(vhost, `absent-${index}`))
  for (const session of absent) expect(bind(session, 'a')).toBe('bound')
  const producer = open(vhost, 'publisher').openProducer({ onPublishSettled: () => {} })
  const publish = (): void => {
    const at = { bytes: Uint8Array.of(1), start: 0, headerStart: 0, bodyStart: 0, end: 1 }
    const fields = { topic: 'a', codec, assurance: 1 as const, durable: true, retain: false, expiresAtMs: 0, publisher: undefined }
    producer.publish(producer.target('a'), new Message({ ...fields, ...at }), 1)
  }
  for (let index = 0; index < 5; index++) publish()
  expect(absent.map(({ queue }) => queue.waitingCount)).toEqual([3, 3, 2, 2])
  expect(vhost.waiting.bytes).toBe(room)
  expect(vhost.counters.droppedOverLimit).toBe(10)

  vhost.sessions.delete('absent-0')
  publish()
  expect(absent.slice(1).map(({ queue }) => queue.waitingCount)).toEqual([4, 3, 3])
})

test('filters of many levels are refused when they take too much memory, and fit again after an unsubscribe', () => {
  const vhost = new VirtualHost({ env: virtualEnv(), name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
  const session = open(vhost, 'c')
  const deep = (index: number): string => `${index}/${'+/'.repeat(999)}x`
  let index = 0
  while (bind(session, deep(index)) === 'bound') index++
  expect(index).toBeGreaterThan(50)
  expect(index).toBeLessThan(200)
  expect(session.unbind(topicPattern(deep(0)), undefined)).toBe(true)
  expect(bind(session, deep(index))).toBe('bound')
})
