import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  getMe,
  getReady,
  type Me,
  type Overview,
  planDefinitions,
  type Problem,
  publishMessage,
  purgeQueue,
} from '@ternmq/api'
import { ApiClient, ApiUnreachable } from '@ternmq/api/client'
import { httpTransport } from '@ternmq/api/client-http'
import { bind } from '@ternmq/management'
import { developmentCertificates } from '@ternmq/transport'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ApiServer } from './index.ts'
import { CLOSE_GRACE_MS } from './limits.ts'
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

test('a call with very long lists comes and goes in pieces, with turns of others between', async () => {
  const queues = Array.from({ length: 2_500 }, (_, index) => ({ name: `q${index}` }))
  const steps = queues.map(({ name }) => ({
    change: 'create' as const,
    kind: 'queue' as const,
    name,
    detail: [],
    messagesAtRisk: 0,
  }))
  let wanted: unknown
  const handlers = broker.handlers([
    bind(planDefinitions, ({ body }) => {
      wanted = body
      return { id: 'p', steps, warnings: [], unchangedCount: 0 }
    }),
  ])
  let turnCount = 0
  const clock = { ...realClock, after: (delayMs: number, f: () => void) => (turnCount++, realClock.after(delayMs, f)) }
  const own = await broker.server({ handlers, clock })
  const headers = { authorization: 'Bearer tmq_all' }
  const payload = { definitions: { version: 1, queues } }
  const answer = await own.app.inject({ method: 'POST', url: '/api/v1/vhosts/%2F/definitions/plan', headers, payload })
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  expect([wanted, answer.json()]).toEqual([payload, { id: 'p', steps, warnings: [], unchangedCount: 0 }])
  // Two further pieces of the body and the turns around it; three of the answer, and what is around them.
  expect(turnCount).toBeGreaterThanOrEqual(4 + 3)
  await own.close()
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

describe('over a socket', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ternmq-api-'))
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  test('whoever may open it is an administrator, and only its owner may', async () => {
    const path = join(folder, 'admin.sock')
    await server.listenSocket(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const transport = httpTransport({ socketPath: path })
    const client = new ApiClient({ transport: transport.send })
    expect(await client.call(getMe)).toMatchObject({ user: '$socket', role: 'administrator', by: 'socket' })
    expect(await client.call(purgeQueue, { params: { vhost: '/', queue: 'orders' } })).toEqual({
      count: 12,
      bytes: 3_072,
    })
    expect(broker.audit).toMatchObject([{ user: '$socket', action: 'queues.purge', by: 'socket', address: '' }])
    transport.close()
    await server.close()
    expect(existsSync(path)).toBe(false)
  })

  test('the path that a proxy adds is not asked for, and harmless', async () => {
    const below = await broker.server({ settings: { basePath: '/ternmq' } })
    const path = join(folder, 'admin.sock')
    await below.listenSocket(path)
    const transport = httpTransport({ socketPath: path })
    expect(await new ApiClient({ transport: transport.send }).call(getMe)).toMatchObject({ user: '$socket' })
    for (const url of ['/api/v1/openapi.json', '/health/live', '/ternmq/api/v1/session']) {
      const { status } = await transport.send({ method: 'GET', path: url, headers: {} })
      expect.soft([url, status]).toEqual([url, 200])
    }
    transport.close()
    await below.close()
  })

  test('what a process that was killed has left is replaced', async () => {
    const path = join(folder, 'admin.sock')
    writeFileSync(path, '')
    await server.listenSocket(path)
    expect(statSync(path).isSocket()).toBe(true)
  })

  test('nobody else becomes one: a port is no socket', async () => {
    await server.listenSocket(join(folder, 'admin.sock'))
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
    const transport = httpTransport({ url: `http://127.0.0.1:${port}` })
    await expect(new ApiClient({ transport: transport.send }).call(getMe)).rejects.toMatchObject({
      problem: { code: 'NOT_LOGGED_IN' },
    })
    transport.close()
  })
})

describe('metrics', () => {
  const metrics = (): string => 'ternmq_up 1\n'

  test('need a login with read', async () => {
    const own = await broker.server({ metrics })
    expect((await own.app.inject('/metrics')).statusCode).toBe(401)
    const answer = await own.app.inject({ url: '/metrics', headers: { authorization: 'Bearer tmq_read' } })
    expect([answer.body, answer.headers['content-type']]).toEqual([
      'ternmq_up 1\n',
      'text/plain; version=0.0.4; charset=utf-8',
    ])
    expect(
      (await own.app.inject({ url: '/metrics', headers: { authorization: 'Bearer tmq_messages' } })).statusCode,
    ).toBe(403)
    await own.close()
  })

  test('need none from this machine when the configuration says so, unless it asks for another', async () => {
    const own = await broker.server({ metrics, settings: { metricsOpenOnLoopback: true } })
    expect((await own.app.inject('/metrics')).body).toBe('ternmq_up 1\n')
    expect((await own.app.inject({ url: '/metrics', headers: { 'x-forwarded-for': '203.0.113.9' } })).statusCode).toBe(
      401,
    )
    expect((await own.app.inject({ url: '/metrics', remoteAddress: '203.0.113.9' })).statusCode).toBe(401)
    // Of a page elsewhere whose name leads to this machine.
    expect((await own.app.inject({ url: '/metrics', headers: { host: 'evil.example:8161' } })).statusCode).toBe(401)
    expect((await own.app.inject({ url: '/metrics', headers: { host: '[::1]:8161' } })).statusCode).toBe(200)
    await own.close()
  })
})

test('health needs no login, and is 503 when the broker is not well', async () => {
  for (const url of ['/health/live', '/api/v1/health/live', '/health/ready', '/api/v1/health/ready']) {
    expect((await server.app.inject(url)).statusCode, url).toBe(200)
  }
  expect(await server.app.inject({ method: 'HEAD', url: '/health/live' })).toMatchObject({ statusCode: 200, body: '' })
  const failing = { status: 'failing', checks: [{ name: 'store', ok: false, text: 'the disk is full' }] } as const
  const own = await broker.server({ handlers: broker.handlers([bind(getReady, () => failing)]) })
  const answer = await own.app.inject('/health/ready')
  expect([answer.statusCode, answer.json<unknown>()]).toEqual([503, failing])
  await own.close()
})

test('the trace that a call belongs to is told to what answers it', async () => {
  const traces: unknown[] = []
  const publish = bind(publishMessage, ({ trace }) => {
    traces.push(trace)
    return { outcome: 'routed' as const }
  })
  const own = await broker.server({ handlers: broker.handlers([publish]) })
  const headers = { authorization: 'Bearer tmq_all' }
  for (const more of [{}, { traceparent: '00-a-b-01' }, { traceparent: '00-a-b-01', tracestate: 'v=1' }]) {
    const payload = { address: 'queue://q', body: 'x' }
    const call = { url: '/api/v1/vhosts/%2F/publish', headers: { ...headers, ...more }, payload }
    expect((await own.app.inject({ method: 'POST', ...call })).statusCode).toBe(200)
  }
  expect(traces).toEqual([
    undefined,
    { traceparent: '00-a-b-01', tracestate: undefined },
    { traceparent: '00-a-b-01', tracestate: 'v=1' },
  ])
  await own.close()
})

describe('closing', () => {
  test('lets calls under way answer, and tells those that wait', async () => {
    const wait = Promise.withResolvers<void>()
    const handlers = broker.handlers([
      bind(purgeQueue, async ({ signal }) => {
        signal.addEventListener('abort', () => wait.resolve())
        await wait.promise
        return { count: 1, bytes: 1 }
      }),
    ])
    const own = await broker.server({ handlers, clock: realClock })
    const { port } = await own.listen({ host: '127.0.0.1', port: 0 })
    const transport = httpTransport({ url: `http://127.0.0.1:${port}` })
    const purged = new ApiClient({ transport: transport.send, token: 'tmq_all' }).call(purgeQueue, {
      params: { vhost: '/', queue: 'q' },
    })
    await expect.poll(() => own.callCount).toBe(1)
    await own.close()
    expect(await purged).toEqual({ count: 1, bytes: 1 })
    transport.close()
  })

  test('cuts calls that do not end within a second', async () => {
    const handlers = broker.handlers([bind(purgeQueue, () => new Promise(() => {}))])
    const own = await broker.server({ handlers })
    const { port } = await own.listen({ host: '127.0.0.1', port: 0 })
    const transport = httpTransport({ url: `http://127.0.0.1:${port}` })
    const purged = new ApiClient({ transport: transport.send, token: 'tmq_all' }).call(purgeQueue, {
      params: { vhost: '/', queue: 'q' },
    })
    await expect.poll(() => own.callCount).toBe(1)
    const closed = own.close()
    broker.clock.advance(CLOSE_GRACE_MS)
    await expect(purged).rejects.toThrow(ApiUnreachable)
    await closed
    transport.close()
  })

  test('of a caller aborts what was done for him', async () => {
    const aborted = Promise.withResolvers<void>()
    const handlers = broker.handlers([
      bind(purgeQueue, ({ signal }) => new Promise(() => signal.addEventListener('abort', () => aborted.resolve()))),
    ])
    const own = await broker.server({ handlers })
    const { port } = await own.listen({ host: '127.0.0.1', port: 0 })
    const transport = httpTransport({ url: `http://127.0.0.1:${port}` })
    const leave = new AbortController()
    const input = { params: { vhost: '/', queue: 'q' }, signal: leave.signal }
    const purged = new ApiClient({ transport: transport.send, token: 'tmq_all' }).call(purgeQueue, input)
    await expect.poll(() => own.callCount).toBe(1)
    leave.abort()
    await expect(purged).rejects.toThrow('aborted')
    await aborted.promise
    expect(own.callCount).toBe(0)
    transport.close()
    await own.close()
  })
})

test('connections that have logged in and rest keep no port from others', async () => {
  const own = await broker.server({ settings: { connectionsMax: 3 } })
  const { port } = await own.listen({ host: '127.0.0.1', port: 0 })
  const clients = Array.from({ length: 8 }, () => {
    const transport = httpTransport({ url: `http://127.0.0.1:${port}` })
    return { transport, client: new ApiClient({ transport: transport.send, token: 'tmq_read' }) }
  })
  for (const { client } of clients) expect(await client.call(getMe)).toMatchObject({ user: 'ann' })
  for (const { transport } of clients) transport.close()
  await own.close()
})

test('with a certificate it speaks TLS, and its cookies are for TLS only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-api-'))
  const { certFile, keyFile, caFile } = await developmentCertificates({ folder, names: [], nowMs: Date.now() })
  const wait = Promise.withResolvers<void>()
  const own = await broker.server({
    handlers: broker.handlers([bind(purgeQueue, () => wait.promise.then(() => ({ count: 1, bytes: 1 })))]),
    tls: { cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion: 'TLSv1.3' },
    settings: { connectionsPerAddressMax: 1 },
  })
  const { port } = await own.listen({ host: '127.0.0.1', port: 0 })
  const transport = httpTransport({ url: `https://localhost:${port}`, ca: readFileSync(caFile) })
  const client = new ApiClient({ transport: transport.send, token: 'tmq_all' })
  expect(await client.call(getMe)).toMatchObject({ user: 'ann' })
  const purged = client.call(purgeQueue, { params: { vhost: '/', queue: 'q' } })
  await expect.poll(() => own.callCount).toBe(1)
  const beyond = connect(port, '127.0.0.1') // where that connection has the only place, and a call under way
  await once(beyond.resume(), 'close')
  wait.resolve()
  expect(await purged).toEqual({ count: 1, bytes: 1 })
  const answer = await own.app.inject({
    method: 'POST',
    url: '/api/v1/session',
    payload: { user: 'ann', password: 'ann-secret' },
  })
  expect(String(answer.headers['set-cookie'])).toMatch(/^__Host-ternmq=.*; Secure$/)
  expect(answer.headers['strict-transport-security']).toBe('max-age=31536000')
  transport.close()
  await own.close()
  rmSync(folder, { recursive: true })
})

test('the address of a caller is what a proxy says, if the configuration trusts the proxy', async () => {
  const own = await broker.server({ settings: { trustedProxies: ['10.0.0.1'] } })
  const payload = { user: 'ann', password: 'wrong' }
  const headers = { 'x-forwarded-for': '203.0.113.9' }
  for (const remoteAddress of ['10.0.0.1', '10.0.0.2']) {
    await own.app.inject({ method: 'POST', url: '/api/v1/session', payload, headers, remoteAddress })
  }
  expect(broker.audit.map(({ address }) => address)).toEqual(['203.0.113.9', '10.0.0.2'])
  await own.close()
})

test('settings that cannot be are refused', async () => {
  await expect(broker.server({ settings: { basePath: 'ternmq/' } })).rejects.toThrow(RangeError)
  await expect(broker.server({ settings: { basePath: '/a"><script>' } })).rejects.toThrow(
    'is not empty and not like /ternmq',
  )
})
