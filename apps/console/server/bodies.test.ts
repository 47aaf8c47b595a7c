import { PassThrough } from 'node:stream'
import { login, planDefinitions, publishMessage, settleMessages } from '@ternmq/api'
import { ApiError } from '@ternmq/management'
import { expect, test } from 'vitest'
import { Bodies } from './bodies.ts'
import {
  BODY_BYTES_MAX,
  BODY_ENTRIES_MAX,
  LARGE_BODY_BYTES_MAX,
  LOGIN_BODY_BYTES_MAX,
  LOGIN_BODY_MS,
  UNREAD_BYTES_MAX,
  UNREAD_BYTES_PER_USER_MAX,
} from './limits.ts'
import { TestClock } from './test/fake-broker.ts'

const clock = new TestClock()
const made = (): Bodies => new Bodies({ clock, pause: () => Promise.resolve() })

const codeOf = (reading: Promise<unknown>): Promise<string> =>
  reading.then(
    () => 'read',
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  )

/** Many streams of it take no memory. */
const LARGE = Buffer.alloc(LARGE_BODY_BYTES_MAX, ' ')

/** A body of which `bytes` have come in, and that does not end. */
async function begun(bodies: Bodies, user: string, bytes: Buffer): Promise<{ end: () => Promise<string> }> {
  const payload = new PassThrough({ highWaterMark: 2 * LARGE_BODY_BYTES_MAX })
  const code = codeOf(bodies.read(payload, publishMessage, user, undefined))
  const before = bodies.unreadBytes
  payload.write(bytes)
  while (bodies.unreadBytes === before && payload.listenerCount('data') > 0) await new Promise(setImmediate)
  return { end: () => (payload.end(), code) }
}

function sent(bodies: Bodies, route: Parameters<Bodies['read']>[1], text: string): Promise<string> {
  const payload = new PassThrough()
  payload.end(text)
  return codeOf(bodies.read(payload, route, 'ann', undefined))
}

test('a body is read as JSON, and an empty one is none', async () => {
  const bodies = made()
  const payload = new PassThrough()
  payload.write('{"a":')
  payload.end('[1]}')
  expect(await bodies.read(payload, settleMessages, 'ann', 9)).toEqual({ a: [1] })
  expect(await bodies.read(new PassThrough().end(), settleMessages, 'ann', 0)).toBeUndefined()
  expect(bodies.unreadBytes).toBe(0)
})

test.each([
  ['a login', login, LOGIN_BODY_BYTES_MAX],
  ['the usual call', settleMessages, BODY_BYTES_MAX],
  ['a message', publishMessage, LARGE_BODY_BYTES_MAX],
  ['definitions', planDefinitions, LARGE_BODY_BYTES_MAX],
])('of %s so many bytes are read, as it says and as it is', async (_, route, bytesMax) => {
  const bodies = made()
  expect(await sent(bodies, route, '1'.padEnd(bytesMax))).toBe('read')
  expect(await sent(bodies, route, '1'.padEnd(bytesMax + 1))).toBe('TOO_LARGE')
  expect(await codeOf(bodies.read(new PassThrough(), route, 'ann', bytesMax + 1))).toBe('TOO_LARGE')
  expect(bodies.unreadBytes).toBe(0)
})

test('a login has two fields, others many more', async () => {
  const list = (count: number): string => JSON.stringify(Array(count).fill(1))
  expect(await sent(made(), login, '{"user":"ann","password":"x"}')).toBe('read')
  expect(await sent(made(), login, list(17))).toBe('TOO_LARGE')
  expect(await sent(made(), settleMessages, list(BODY_ENTRIES_MAX))).toBe('read')
  expect(await sent(made(), settleMessages, list(BODY_ENTRIES_MAX + 1))).toBe('TOO_LARGE')
  expect(await sent(made(), planDefinitions, list(BODY_ENTRIES_MAX + 1))).toBe('read')
})

test('a login whose body does not end is refused when its time is over, and others are not', async () => {
  const bodies = made()
  const late = codeOf(bodies.read(new PassThrough(), login, '', undefined))
  const other = await begun(bodies, 'ann', Buffer.from('{}'))
  clock.advance(LOGIN_BODY_MS)
  expect(await late).toBe('INVALID')
  expect(await other.end()).toBe('read')
})

test('a body that breaks off is refused, and takes no room any more', async () => {
  const bodies = made()
  const payload = new PassThrough()
  const code = codeOf(bodies.read(payload, publishMessage, 'ann', undefined))
  payload.write('{"a"')
  await new Promise(setImmediate)
  expect(bodies.unreadBytes).toBe(4)
  payload.destroy(new Error('aborted'))
  expect([await code, bodies.unreadBytes]).toEqual(['INVALID', 0])
})

test('bodies of one user that do not end have a bound together, and those of others go on', async () => {
  const bodies = made()
  const first = await begun(bodies, 'ann', LARGE)
  for (let bytes = LARGE.length; bytes < UNREAD_BYTES_PER_USER_MAX; bytes += LARGE.length)
    await begun(bodies, 'ann', LARGE)
  const refused = await begun(bodies, 'ann', Buffer.from('1'))
  expect(await refused.end()).toBe('BUSY')
  expect(await (await begun(bodies, 'bob', Buffer.from('1'))).end()).toBe('read')
  expect(bodies.unreadBytes).toBe(UNREAD_BYTES_PER_USER_MAX)
  await first.end()
  expect(await (await begun(bodies, 'ann', Buffer.from('1'))).end()).toBe('read')
})

test('bodies of all users that do not end have a bound together', async () => {
  const bodies = made()
  for (let count = 0; count * LARGE.length < UNREAD_BYTES_MAX; count++) await begun(bodies, `user${count}`, LARGE)
  expect(bodies.unreadBytes).toBe(UNREAD_BYTES_MAX)
  expect(await (await begun(bodies, 'last', Buffer.from('1'))).end()).toBe('BUSY')
})
