/** Who hears that he is not let in any more, and when. */
import { type Call, getOverview } from '@ternmq/api'
import { ApiError, bind, type Caller } from '@ternmq/management'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ApiServer } from './index.ts'
import { FakeBroker } from './test/fake-broker.ts'

let broker: FakeBroker
let server: ApiServer
/** Of calls that wait, by user. */
const waiting = new Map<string, { readonly caller: Caller; readonly ended: Promise<unknown> }>()

beforeEach(async () => {
  broker = new FakeBroker()
  const wait = bind<Call>(getOverview, ({ caller, signal }) => {
    const ended = new Promise<unknown>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)))
    waiting.set(caller.user, { caller, ended })
    return ended.then((reason) => {
      throw reason
    })
  })
  server = await broker.server({ handlers: broker.handlers([wait]) })
})

afterEach(async () => {
  waiting.clear()
  await server.close()
})

/** Begins a call that waits, and what it is refused with. */
function call(headers: Readonly<Record<string, string>>): Promise<{ readonly code: string }> {
  return server.app.inject({ url: '/api/v1/overview', headers }).then((answer) => answer.json<{ code: string }>())
}

function basic(user: string): Readonly<Record<string, string>> {
  return { authorization: `Basic ${Buffer.from(`${user}:${user}-secret`).toString('base64')}` }
}

async function isWaiting(user: string): Promise<Caller> {
  await expect.poll(() => waiting.get(user)).toBeDefined()
  return waiting.get(user)!.caller
}

test('a call that waits ends at once when the role, the password or the user goes, and no other does', async () => {
  const changes: readonly (readonly [user: string, () => void])[] = [
    ['ann', () => broker.putUser('ann', { role: 'viewer' })],
    ['olga', () => broker.putUser('olga', { role: 'operator', verifier: 'v2' })],
    ['vic', () => broker.removeUser('vic')],
  ]
  const answers = changes.map(([user]) => call(basic(user)))
  for (const [user] of changes) await isWaiting(user)
  for (const [index, [user, change]] of changes.entries()) {
    expect(server.callCount).toBe(changes.length - index)
    broker.putUser(user, { role: user === 'ann' ? 'administrator' : user === 'olga' ? 'operator' : 'viewer' }) // as it was
    change()
    expect(await waiting.get(user)!.ended).toBeInstanceOf(ApiError)
    expect(await answers[index]).toMatchObject({ code: 'NOT_LOGGED_IN' })
    expect(waiting.get(user)!.caller.mayGoOn()).toBe(false)
  }
  expect(server.callCount).toBe(0)
})

test('a call of a browser ends at its logout, and what it began may go on until the role is another', async () => {
  const payload = { user: 'olga', password: 'olga-secret' }
  const login = await server.app.inject({ method: 'POST', url: '/api/v1/session', payload })
  const cookie = String(login.headers['set-cookie']).split(';')[0]!
  const headers = { cookie, 'x-csrf-token': login.json<{ csrfToken: string }>().csrfToken }
  const answer = call({ cookie })
  const caller = await isWaiting('olga')
  await server.app.inject({ method: 'DELETE', url: '/api/v1/session', headers })
  expect(await answer).toMatchObject({ code: 'NOT_LOGGED_IN' })
  expect([caller.isValid(), caller.mayGoOn()]).toEqual([false, true])
  broker.putUser('olga', { role: 'viewer' })
  expect(caller.mayGoOn()).toBe(false)
})

test('a call of a token that expires after more days than a timer has ends then, and not before', async () => {
  const dayMs = 24 * 3_600_000
  broker.tokens.set('tmq_long', { user: 'ann', scopes: ['read'], expiresAtMs: broker.clock.wallMs() + 40 * dayMs })
  const answer = call({ authorization: 'Bearer tmq_long' })
  const caller = await isWaiting('ann')
  broker.clock.advance(40 * dayMs - 1)
  expect([caller.isValid(), server.callCount]).toEqual([true, 1])
  broker.clock.advance(1)
  expect(await answer).toMatchObject({ code: 'NOT_LOGGED_IN' })
  expect([caller.isValid(), caller.mayGoOn()]).toEqual([false, false])
})
