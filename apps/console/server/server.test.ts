import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Me, Overview, Problem } from '@ternmq/api'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ApiServer } from './index.ts'
import { FakeBroker, realClock } from './test/fake-broker.ts'

let broker: FakeBroker
let server: ApiServer

beforeEach(async () => {
  broker = new FakeBroker()
  server = await broker.server()
})

afterEach(() => server.close())

describe('a call', () => {
  test('without a login is answered 401 with what to do', async () => {
    const answer = await server.app.inject('/api/v1/overview')
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="TernMQ"')
    expect(answer.json<Problem>()).toMatchObject({ code: 'NOT_LOGGED_IN', status: 401 })
  })

  test('with a token of the right scope gets the answer', async () => {
    const answer = await server.app.inject({ url: '/api/v1/overview', headers: { authorization: 'Bearer tmq_read' } })
    expect(answer.statusCode).toBe(200)
    expect(answer.json<Overview>().node.version).toBe('0.1.0')
  })

  test('with a token of another scope is answered 403 with the scope it needs', async () => {
    const answer = await server.app.inject({
      url: '/api/v1/overview',
      headers: { authorization: 'Bearer tmq_messages' },
    })
    expect(answer.json<Problem>()).toMatchObject({ code: 'NOT_ALLOWED', status: 403 })
    expect(answer.json<Problem>().detail).toContain("the scope 'read'; user 'ann' has messages here")
  })

  test('to an unknown path is answered 404', async () => {
    const answer = await server.app.inject('/api/v1/nothing')
    expect(answer.json<Problem>()).toMatchObject({ code: 'ROUTE_UNKNOWN', status: 404 })
  })
})

test('a login sets a cookie that makes calls', async () => {
  const login = await server.app.inject({
    method: 'POST',
    url: '/api/v1/session',
    payload: { user: 'vic', password: 'vic-secret' },
  })
  expect(login.statusCode).toBe(200)
  const cookie = String(login.headers['set-cookie'])
  expect(cookie).toMatch(/^ternmq=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
  const me = await server.app.inject({ url: '/api/v1/session', headers: { cookie: cookie.split(';')[0]! } })
  expect(me.json<Me>()).toMatchObject({ user: 'vic', role: 'viewer', scopes: ['read'], by: 'cookie' })
})

test('whoever may open the socket is an administrator, and only its owner may', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-api-'))
  const path = join(folder, 'admin.sock')
  const local = await broker.server({ clock: realClock })
  try {
    await local.listenSocket(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await get(path, '/api/v1/session')).toMatchObject({ user: '$socket', role: 'administrator', by: 'socket' })
  } finally {
    await local.close()
    expect(existsSync(path)).toBe(false)
    rmSync(folder, { recursive: true })
  }
})

function get(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => (text += piece))
      response.on('end', () => resolve(JSON.parse(text)))
    })
      .on('error', reject)
      .end()
  })
}
