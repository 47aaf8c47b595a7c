/** Logins: cookies, tokens, passwords, and what pages of others cannot do with them. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { Me, Problem } from '@ternmq/api'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ApiServer } from './index.ts'
import { SESSIONS_PER_USER_MAX } from './limits.ts'
import { FakeBroker } from './test/fake-broker.ts'

let broker: FakeBroker
let server: ApiServer

beforeEach(async () => {
  broker = new FakeBroker()
  server = await broker.server()
})

afterEach(() => server.close())

const PURGE = '/api/v1/vhosts/%2F/queues/orders/purge'
const MINUTE_MS = 60_000

interface Browser {
  readonly cookie: string
  readonly me: Me
}

async function login(user: string, headers: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const payload = { user, password: `${user}-secret` }
  const answer = await server.app.inject({ method: 'POST', url: '/api/v1/session', payload, headers })
  expect(answer.statusCode, answer.body).toBe(200)
  return { cookie: String(answer.headers['set-cookie']).split(';')[0]!, me: answer.json<Me>() }
}

async function statusOf({ cookie }: Browser): Promise<number> {
  return (await server.app.inject({ url: '/api/v1/session', headers: { cookie } })).statusCode
}

async function purge(headers: Readonly<Record<string, string>>): Promise<Problem & { readonly count?: number }> {
  return (await server.app.inject({ method: 'POST', url: PURGE, headers })).json()
}

describe('a login', () => {
  test('with a wrong password is refused, and neither told nor logged with it', async () => {
    const payload = { user: 'ann', password: 'hunter2-hunter2' }
    const answer = await server.app.inject({ method: 'POST', url: '/api/v1/session', payload })
    expect(answer.json<Problem>()).toMatchObject({ code: 'LOGIN_REFUSED', status: 401 })
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(answer.body + JSON.stringify(broker.audit)).not.toContain('hunter2')
    expect(broker.audit).toMatchObject([{ user: 'ann', action: 'session.login', outcome: 'refused', by: 'none' }])
  })

  test('after too many says when to come again', async () => {
    const payload = { user: 'flooder', password: 'x' }
    const answer = await server.app.inject({ method: 'POST', url: '/api/v1/session', payload })
    expect(answer.json<Problem>()).toMatchObject({ code: 'LOCKED_OUT', status: 429, retryAfterMs: 2_500 })
    expect(answer.headers['retry-after']).toBe('3')
  })

  test('of a user without a role is refused with what to do', async () => {
    const payload = { user: 'device', password: 'device-secret' }
    const answer = await server.app.inject({ method: 'POST', url: '/api/v1/session', payload })
    expect(answer.json<Problem>()).toMatchObject({ code: 'NOT_ALLOWED', status: 403 })
    expect(answer.json<Problem>().detail).toContain('an administrator can give one')
  })

  test('never takes the id that a browser came with', async () => {
    const fixed = 'ternmq=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    const { cookie } = await login('ann', { cookie: fixed })
    expect(cookie).not.toBe(fixed)
    expect(await statusOf({ cookie: fixed, me: {} as Me })).toBe(401)
    const again = await login('vic', { cookie })
    expect(await statusOf(again)).toBe(200)
    expect(await statusOf({ cookie, me: {} as Me })).toBe(401)
  })

  test('from a page of others is refused', async () => {
    const answer = await server.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload: { user: 'ann', password: 'ann-secret' },
      headers: { origin: 'https://evil.example' },
    })
    expect(answer.json<Problem>()).toMatchObject({ code: 'CSRF', status: 403 })
  })

  test('is in the audit log, and so is the logout', async () => {
    const { cookie, me } = await login('ann')
    await server.app.inject({
      method: 'DELETE',
      url: '/api/v1/session',
      headers: { cookie, 'x-csrf-token': me.csrfToken! },
    })
    expect(broker.audit.map(({ user, action, outcome }) => [user, action, outcome])).toEqual([
      ['ann', 'session.login', 'done'],
      ['ann', 'session.logout', 'done'],
    ])
  })
})

describe('a session', () => {
  test('ends at the logout', async () => {
    const browser = await login('ann')
    const headers = { cookie: browser.cookie, 'x-csrf-token': browser.me.csrfToken! }
    const answer = await server.app.inject({ method: 'DELETE', url: '/api/v1/session', headers })
    expect(answer.statusCode).toBe(204)
    expect(String(answer.headers['set-cookie'])).toMatch(/^ternmq=; .*Max-Age=0$/)
    expect(await statusOf(browser)).toBe(401)
  })

  test('ends after 30 minutes without a call, and not before', async () => {
    const browser = await login('ann')
    for (let n = 0; n < 3; n++) {
      broker.clock.advance(29 * MINUTE_MS)
      expect(await statusOf(browser)).toBe(200)
    }
    broker.clock.advance(30 * MINUTE_MS)
    expect(await statusOf(browser)).toBe(401)
  })

  test('ends after 12 hours however much it is used', async () => {
    const browser = await login('ann')
    expect(browser.me.expiresAtMs).toBe(broker.clock.wallMs() + 12 * 60 * MINUTE_MS)
    for (let n = 0; n < 35; n++) {
      broker.clock.advance(20 * MINUTE_MS)
      expect(await statusOf(browser)).toBe(200)
    }
    broker.clock.advance(20 * MINUTE_MS)
    expect(await statusOf(browser)).toBe(401)
  })

  test.each([
    ['the role changes', () => broker.putUser('ann', { role: 'viewer' })],
    ['the password changes', () => broker.putUser('ann', { role: 'administrator', verifier: 'v2' })],
    ['the user is removed', () => broker.removeUser('ann')],
  ])('ends when %s', async (_, change) => {
    const [own, other] = [await login('ann'), await login('vic')]
    change()
    expect(await statusOf(own)).toBe(401)
    expect(await statusOf(other)).toBe(200)
  })

  test('stays when the user changes otherwise', async () => {
    const browser = await login('ann')
    broker.putUser('ann', { role: 'administrator' })
    expect(await statusOf(browser)).toBe(200)
  })

  test('that was used least recently gives way to one too many of the same user', async () => {
    const browsers = []
    for (let n = 0; n < SESSIONS_PER_USER_MAX; n++) browsers.push(await login('ann'))
    expect(await statusOf(browsers[0]!)).toBe(200)
    await login('ann')
    expect(server.sessionCount).toBe(SESSIONS_PER_USER_MAX)
    expect(await statusOf(browsers[0]!)).toBe(200)
    expect(await statusOf(browsers[1]!)).toBe(401)
  })
})

describe('a write with a cookie', () => {
  let headers: Record<string, string>

  beforeEach(async () => {
    const { cookie, me } = await login('ann')
    headers = { cookie, 'x-csrf-token': me.csrfToken!, host: 'broker.example:8161' }
  })

  test('needs the token of its session', async () => {
    expect(await purge(headers)).toMatchObject({ count: 12 })
    const other = await login('olga')
    expect(await purge({ cookie: headers['cookie']!, host: headers['host']! })).toMatchObject({
      code: 'CSRF',
      status: 403,
    })
    expect(await purge({ ...headers, 'x-csrf-token': other.me.csrfToken! })).toMatchObject({ code: 'CSRF' })
    expect(await purge({ ...headers, 'x-csrf-token': '' })).toMatchObject({ code: 'CSRF' })
  })

  test.each([
    ['of another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['of another port', { origin: 'http://broker.example:8162' }],
    ['of another site that hides where it is', { origin: 'null' }],
    ['of the same site, but another origin', { 'sec-fetch-site': 'same-site' }],
  ])('by a page %s is refused, token or not', async (_, more) => {
    expect(await purge({ ...headers, ...more })).toMatchObject({ code: 'CSRF', status: 403 })
  })

  test('by our own page is taken', async () => {
    expect(
      await purge({ ...headers, origin: 'http://broker.example:8161', 'sec-fetch-site': 'same-origin' }),
    ).toMatchObject({ count: 12 })
  })

  test('by a page of an origin that the configuration names is taken, and its cookie is for TLS only', async () => {
    const own = await broker.server({ settings: { origins: ['https://ops.example'] } })
    const payload = { user: 'ann', password: 'ann-secret' }
    const origin = 'https://ops.example'
    const answer = await own.app.inject({ method: 'POST', url: '/api/v1/session', payload, headers: { origin } })
    const setCookie = String(answer.headers['set-cookie'])
    expect(setCookie).toMatch(/^__Host-ternmq=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/)
    const done = await own.app.inject({
      method: 'POST',
      url: PURGE,
      headers: { origin, cookie: setCookie.split(';')[0]!, 'x-csrf-token': answer.json<Me>().csrfToken! },
    })
    expect(done.statusCode).toBe(200)
    await own.close()
  })
})

describe('a token', () => {
  test('needs no token against forged calls', async () => {
    expect(await purge({ authorization: 'Bearer tmq_operate', origin: 'https://scripts.example' })).toMatchObject({
      count: 12,
    })
  })

  test('can do no more than its user can by now', async () => {
    broker.tokens.set('tmq_vic', { user: 'vic', scopes: ['read', 'operate', 'admin'] })
    expect(await purge({ authorization: 'Bearer tmq_vic' })).toMatchObject({ code: 'NOT_ALLOWED' })
    broker.putUser('vic', { role: 'operator' })
    expect(await purge({ authorization: 'Bearer tmq_vic' })).toMatchObject({ count: 12 })
  })

  test('of a user who has no role any more does nothing but publish and take, also a token for all', async () => {
    broker.tokens.set('tmq_olga', { user: 'olga', scopes: ['read', 'operate', 'messages'] })
    expect(await purge({ authorization: 'Bearer tmq_olga' })).toMatchObject({ count: 12 })
    broker.putUser('olga', {})
    for (const { method, url } of [
      { method: 'POST', url: PURGE },
      { method: 'GET', url: '/api/v1/overview' },
      { method: 'GET', url: '/api/v1/config' },
    ] as const) {
      const answer = await server.app.inject({ method, url, headers: { authorization: 'Bearer tmq_olga' } })
      expect([url, answer.statusCode]).toEqual([url, 403])
    }
  })

  test('ends with its user', async () => {
    broker.removeUser('ann')
    expect(await purge({ authorization: 'Bearer tmq_operate' })).toMatchObject({ code: 'NOT_LOGGED_IN', status: 401 })
  })

  test('whose user has another role since a call began does not finish it', async () => {
    const body = '{"password":"x","role":"administrator"}'
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
    const call = request({
      port,
      agent: false,
      method: 'PUT',
      path: '/api/v1/users/mallory',
      headers: { authorization: 'Bearer tmq_admin', 'content-type': 'application/json', 'content-length': body.length },
    })
    const asked = vi.spyOn(broker.tokens, 'get')
    call.write(body.slice(0, 9))
    await expect.poll(() => asked).toHaveBeenCalled()
    broker.putUser('ann', { role: 'viewer' })
    call.end(body.slice(9))
    const [answer] = (await once(call, 'response')) as [IncomingMessage]
    answer.resume()
    expect([answer.statusCode, broker.audit.map(({ outcome }) => outcome)]).toEqual([401, ['refused']])
  })

  test('that is wrong is refused, though a cookie comes with it', async () => {
    const { cookie, me } = await login('ann')
    const headers = { cookie, 'x-csrf-token': me.csrfToken!, authorization: 'Bearer tmq_wrong' }
    expect(await purge(headers)).toMatchObject({ code: 'NOT_LOGGED_IN' })
  })
})

describe('name and password', () => {
  const basic = (user: string, password = `${user}-secret`): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

  test('make a call like a token, with what the role allows and with messages', async () => {
    const me = await server.app.inject({ url: '/api/v1/session', headers: { authorization: basic('vic') } })
    expect(me.json<Me>()).toEqual({ user: 'vic', role: 'viewer', scopes: ['read', 'messages'], by: 'password' })
  })

  test('of a user without a role publish, and see nothing', async () => {
    const headers = { authorization: basic('device') }
    const payload = { address: 'topic://a', body: 'x' }
    expect(
      (await server.app.inject({ method: 'POST', url: '/api/v1/vhosts/%2F/publish', headers, payload })).statusCode,
    ).toBe(200)
    expect((await server.app.inject({ url: '/api/v1/overview', headers })).statusCode).toBe(403)
  })

  test('that are wrong are refused without a question that a browser would show', async () => {
    const answer = await server.app.inject({ url: '/api/v1/overview', headers: { authorization: basic('vic', 'no') } })
    expect(answer.json<Problem>()).toMatchObject({ code: 'LOGIN_REFUSED', status: 401 })
    expect(String(answer.headers['www-authenticate'])).not.toContain('Basic')
  })

  test('that are wrong are in the audit log as a login, whatever the call is', async () => {
    await server.app.inject({ url: '/api/v1/overview', headers: { authorization: basic('vic', 'no') } })
    await purge({ authorization: basic('flooder') })
    expect(broker.audit.map(({ user, action, outcome, by }) => [user, action, outcome, by])).toEqual([
      ['vic', 'session.login', 'refused', 'none'],
      ['flooder', 'session.login', 'refused', 'none'],
    ])
    expect(JSON.stringify(broker.audit)).not.toContain('flooder-secret')
  })

  test('that a browser sends by itself from a page of others are refused', async () => {
    expect(await purge({ authorization: basic('olga'), origin: 'https://evil.example' })).toMatchObject({
      code: 'CSRF',
    })
    expect(await purge({ authorization: basic('olga') })).toMatchObject({ count: 12 })
  })

  test.each(['Basic', 'Basic !!!', 'Basic bm9jb2xvbg==', 'Digest x', 'Bearer', ''])(
    'written as %j are refused',
    async (authorization) => {
      expect(await purge({ authorization })).toMatchObject({ code: 'NOT_LOGGED_IN', status: 401 })
    },
  )
})
