import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import {
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem } from '@ternmq/api'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { LARGE_BODY_BYTES_MAX, REMOTE_CALLS_MAX } from '../limits.ts'
import { realClock } from '../test/fake-broker.ts'
import { type ProxySettings, RemoteConsole } from './console.ts'

const HTML =
  '<base href="/" /><meta name="ternmq-version" content="" /><meta name="ternmq-broker" content="" /><p>pages</p>'

let pagesDir: string

beforeAll(() => {
  pagesDir = mkdtempSync(join(tmpdir(), 'ternmq-remote-'))
  writeFileSync(join(pagesDir, 'index.html'), HTML)
})

afterAll(() => rmSync(pagesDir, { recursive: true }))

interface Scene {
  readonly port: number
  readonly losses: Array<string | undefined>
  look(): Promise<void>
  /** Of the broker. */
  stop(): Promise<void>
  /** The next call that the broker gets. */
  next(): Promise<IncomingMessage>
  call(path: string, options?: RequestOptions & { readonly body?: string }): Promise<Answer>
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** A console alone before something that answers as the test says. */
async function scene(answer: RequestListener, path = '', settings: Partial<ProxySettings> = {}): Promise<Scene> {
  const broker = createServer(answer)
  broker.listen(0, '127.0.0.1')
  await once(broker, 'listening')
  onTestFinished(() => {
    broker.closeAllConnections()
    broker.close()
  })
  const url = `http://127.0.0.1:${(broker.address() as AddressInfo).port}${path}`
  const losses: Array<string | undefined> = []
  const server = new RemoteConsole({
    broker: { url },
    pagesDir,
    version: '1.2.3',
    settings,
    clock: realClock,
    lossText: (error) => `lost: ${error.message}`,
    onLoss: (text) => void losses.push(text),
    onFailure: (error) => {
      throw error
    },
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close())
  return {
    port,
    losses,
    look: () => server.look(),
    stop: () => new Promise((resolve) => broker.close(() => resolve())),
    next: async () => ((await once(broker, 'request')) as [IncomingMessage])[0],
    call: (target, options) => callAt(port, target, options),
  }
}

async function callAt(
  port: number,
  path: string,
  { body, ...options }: RequestOptions & { readonly body?: string } = {},
): Promise<Answer> {
  const call = request({ host: '127.0.0.1', port, path, agent: false, ...options })
  call.end(body)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  return { status: response.statusCode ?? 0, headers: response.headers, text }
}

function problemOf({ text }: Answer): Problem {
  return JSON.parse(text) as Problem
}

describe('a call', () => {
  test('goes on with its path, query and body, below the path of the broker, and its answer comes back', async () => {
    const { call, next } = await scene((incoming, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'x-powered-by': 'x' })
      incoming.pipe(response)
    }, '/ternmq/')
    const target = '/api/v1/vhosts/%2F/queues/a%2Fb?q=%20x'
    const headers = { 'content-type': 'application/json' }
    const seen = next()
    const answer = await call(target, { method: 'PUT', body: '{"a":1}', headers })
    expect(await seen).toMatchObject({ method: 'PUT', url: `/ternmq${target}` })
    expect(answer).toMatchObject({ status: 201, text: '{"a":1}' })
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-frame-options': 'DENY' })
    expect(answer.headers).not.toHaveProperty('x-powered-by')
  })

  test('is asked of the broker by the broker’s own name', async () => {
    const { call, next } = await scene((_, response) => void response.end())
    const seen = next()
    await call('/api/v1/session', { headers: { host: 'localhost:8161' } })
    const { headers, socket } = await seen
    expect(headers).toMatchObject({ host: `127.0.0.1:${socket.localPort}`, 'x-forwarded-for': '127.0.0.1' })
  })

  test('of DELETE with a body without a length keeps its end', async () => {
    const bodies: string[] = []
    const { port } = await scene((incoming, response) => {
      let body = ''
      incoming.setEncoding('utf8').on('data', (text: string) => (body += text))
      incoming.on('end', () => {
        bodies.push(`${incoming.method} ${body}`)
        response.end('done')
      })
    })
    const call = request({ host: '127.0.0.1', port, path: '/api/v1/x', method: 'DELETE', agent: false })
    call.setHeader('transfer-encoding', 'chunked')
    call.write('GET /api/v1/smuggled HTTP/1.1\r\n\r\n')
    call.end()
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    expect(bodies).toEqual(['DELETE GET /api/v1/smuggled HTTP/1.1\r\n\r\n'])
  })

  test('that asks for another protocol is an ordinary one', async () => {
    const { call, next } = await scene((_, response) => void response.end('plain'))
    const seen = next()
    const headers = { connection: 'Upgrade', upgrade: 'websocket' }
    expect(await call('/api/v1/stream', { headers })).toMatchObject({ status: 200, text: 'plain' })
    expect((await seen).headers).not.toHaveProperty('upgrade')
  })

  test('with a body that no call has is refused before it is read', async () => {
    const { call } = await scene((_, response) => void response.end())
    const headers = { 'content-length': String(LARGE_BODY_BYTES_MAX + 1) }
    expect(await call('/api/v1/x', { method: 'POST', headers })).toMatchObject({ status: 413 })
  })

  test('beyond those that may be under way is told to come again', async () => {
    let count = 0
    const all = Promise.withResolvers<undefined>()
    const { port, call } = await scene(() => {
      if (++count === REMOTE_CALLS_MAX) all.resolve(undefined)
    })
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write('GET /api/v1/x HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(REMOTE_CALLS_MAX))
    await all.promise
    const answer = await call('/api/v1/overview')
    expect(problemOf(answer)).toMatchObject({ code: 'BUSY', status: 503 })
    expect(answer.headers).toMatchObject({ 'retry-after': '1' })
  })
})

describe('a stream', () => {
  test('comes as it is made, from its head on, and ends at the broker when the caller goes', async () => {
    const begun = Promise.withResolvers<ServerResponse>()
    const { port } = await scene((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      begun.resolve(response)
    })
    const call = request({ host: '127.0.0.1', port, path: '/api/v1/stream', agent: false }).end()
    call.on('error', () => {}) // it is given up below
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    const atBroker = await begun.promise
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      atBroker.write(text)
      const [chunk] = (await once(response, 'data')) as [Buffer]
      expect(chunk.toString()).toBe(text)
    }
    const gone = once(atBroker, 'close')
    call.destroy()
    await gone
  })

  test('that breaks off at the broker breaks off here, and does not end', async () => {
    const { port } = await scene((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n', () => response.destroy())
    })
    const call = request({ host: '127.0.0.1', port, path: '/api/v1/stream', agent: false }).end()
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    response.resume()
    await expect(once(response, 'end')).rejects.toThrow('aborted')
  })
})

test('a caller who goes before the answer ends the call at the broker', async () => {
  const { port, next } = await scene(() => {})
  const seen = next()
  const call = request({ host: '127.0.0.1', port, path: '/api/v1/take', method: 'POST', agent: false }).end()
  call.on('error', () => {}) // it is given up below
  const gone = once((await seen).socket, 'close')
  call.destroy()
  await expect(gone).resolves.toBeDefined()
})

describe('a broker that is away', () => {
  test('is told with reason, once, until it answers again', async () => {
    let isDown = true
    const { call, losses } = await scene((incoming, response) => {
      if (isDown) incoming.socket.destroy()
      else response.end('{}')
    })
    const lost = await call('/api/v1/overview')
    expect(problemOf(lost)).toMatchObject({ code: 'UNREACHABLE', status: 502, detail: 'lost: socket hang up' })
    expect(lost.headers['content-type']).toBe('application/problem+json')
    await call('/api/v1/overview')
    isDown = false
    expect((await call('/api/v1/overview')).status).toBe(200)
    expect(losses).toEqual(['lost: socket hang up', undefined])
  })

  test('leaves open whether a change was made, if it could be', async () => {
    const { call, stop } = await scene((incoming) => void incoming.socket.destroy())
    const detailOf = async (method: string): Promise<string> => problemOf(await call('/api/v1/x', { method })).detail
    expect(await detailOf('POST')).toBe(
      'lost: socket hang up. Whether the call was done is not known: look before you repeat it',
    )
    expect(await detailOf('GET')).toBe('lost: socket hang up')
    await stop()
    expect(await detailOf('POST')).toMatch(/^lost: connect ECONNREFUSED [\d.:]+$/)
  })

  test.each([
    [{ 'content-type': 'application/json' }, 200, undefined],
    [{ 'content-type': 'application/json; charset=utf-8' }, 503, undefined],
    [{ 'content-type': 'text/html' }, 404, /answers, but not as the console of a broker: see the address/],
    [{ location: 'https://x/' }, 301, /a redirect to https:\/\/x\//],
  ])('is told from what is none, before anybody calls: %j %d', async (headers, status, text) => {
    const { look, losses } = await scene((_, response) => void response.writeHead(status, headers).end())
    await look()
    expect(losses).toEqual(text === undefined ? [] : [expect.stringMatching(text)])
  })

  test('a kept connection that is gone does not fail what only looks', async () => {
    let count = 0
    const { call } = await scene((incoming, response) => {
      // Closed when the next call is on its way already.
      if (++count === 2) incoming.socket.resetAndDestroy()
      else response.end(String(count))
    })
    await call('/api/v1/overview')
    expect(await call('/api/v1/overview')).toMatchObject({ status: 200, text: '3' })
  })

  test('that is another place now is told, and not gone after', async () => {
    const { call } = await scene((_, response) => void response.writeHead(308, { location: 'https://x/' }).end())
    const { code, detail } = problemOf(await call('/api/v1/overview'))
    expect(code).toBe('UNREACHABLE')
    expect(detail).toContain('a redirect to https://x/')
  })
})

test('what is no answer at all is told as such', async () => {
  const { call } = await scene((incoming) => void incoming.socket.end('HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n'))
  const { code, detail } = problemOf(await call('/api/v1/overview'))
  expect(`${code}: ${detail}`).toMatch(/^UNREACHABLE: http:\S+ answers, but not as the console of a broker/)
})

test('a console that leads to itself says so', async () => {
  const { call } = await scene((_, response) => void response.end())
  const headers = { via: '1.1 ternmq-console, 1.1 ternmq-console, 1.1 ternmq-console, 1.1 ternmq-console' }
  expect(problemOf(await call('/api/v1/overview', { headers }))).toMatchObject({ code: 'CONFLICT' })
})

describe('pages', () => {
  test('say which broker they are for, and which version they are', async () => {
    const { call } = await scene((_, response) => void response.end(), '/a%22b&')
    const { text, headers } = await call('/queues')
    expect(text).toMatch(/<meta name="ternmq-version" content="1\.2\.3" \/>/)
    expect(text).toMatch(/<meta name="ternmq-broker" content="http:\/\/127\.0\.0\.1:\d+\/a%22b&amp;" \/>/)
    expect(headers['content-security-policy']).toContain("script-src 'self'")
  })

  test('are there while the broker is not', async () => {
    const { call } = await scene((incoming) => void incoming.socket.destroy())
    expect((await call('/')).text).toContain('<p>pages</p>')
  })

  test('are only looked at', async () => {
    const { call } = await scene((_, response) => void response.end())
    expect((await call('/queues', { method: 'POST' })).status).toBe(404)
    expect(await call('/queues', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
  })
})

test.each(['evil.example', 'evil.example:8161', '192.0.2.1', 'localhost.evil.example', 'localhost@evil.example'])(
  'a name that is not of this machine is refused, for pages and calls: %s',
  async (host) => {
    const { call } = await scene((_, response) => void response.end())
    for (const path of ['/', '/api/v1/session', '/metrics']) {
      expect(problemOf(await call(path, { headers: { host } })), path).toMatchObject({ code: 'CSRF', status: 403 })
    }
  },
)

test.each(['localhost', 'LOCALHOST:1', '127.0.0.1:8161', '127.1.2.3', '[::1]:8161'])(
  'a name of this machine is fine: %s',
  async (host) => {
    const { call } = await scene((_, response) => void response.end())
    expect((await call('/', { headers: { host } })).status).toBe(200)
  },
)

describe('behind a proxy', () => {
  const BEHIND = { basePath: '/ops', origins: ['https://console.example'], trustedProxies: ['127.0.0.1'] }
  const PUBLIC = { host: 'console.example', origin: 'https://console.example', 'x-forwarded-for': '203.0.113.9' }

  test('it has its public name and path, and the broker hears who calls', async () => {
    const { call, next } = await scene(
      (_, response) => void response.setHeader('set-cookie', 'ternmq=abc; Path=/').end('{}'),
      '',
      BEHIND,
    )
    const seen = next()
    const answer = await call('/ops/api/v1/session', { method: 'POST', headers: PUBLIC })
    const { url, headers, socket } = await seen
    expect(url).toBe('/api/v1/session')
    expect(headers).toMatchObject({
      host: `127.0.0.1:${socket.localPort}`,
      origin: `http://127.0.0.1:${socket.localPort}`,
      'x-forwarded-for': '203.0.113.9',
    })
    expect(answer).toMatchObject({ status: 200 })
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^__Host-.*; Secure/)
    expect(await call('/ops/queues', { headers: PUBLIC })).toMatchObject({
      status: 200,
      text: expect.stringContaining('<base href="/ops/" />') as string,
    })
  })

  test('the base path without its slash leads there, and beside it is nothing', async () => {
    const { call } = await scene((_, response) => void response.end(), '', BEHIND)
    const moved = await call('/ops', { headers: PUBLIC })
    expect(moved).toMatchObject({ status: 308, headers: { location: '/ops/' } })
    const withQuery = await call('/ops?tab=x', { headers: PUBLIC })
    expect(withQuery).toMatchObject({ status: 308, headers: { location: '/ops/?tab=x' } })
    for (const path of ['/', '/opsx', '/api/v1/session'])
      expect(problemOf(await call(path, { headers: PUBLIC })).code, path).toBe('ROUTE_UNKNOWN')
  })

  test('other names and origins are refused as ever', async () => {
    const { call, next } = await scene((_, response) => void response.end(), '', BEHIND)
    expect(problemOf(await call('/ops/', { headers: { host: 'evil.example' } })).code).toBe('CSRF')
    const seen = next()
    await call('/ops/api/v1/x', { method: 'POST', headers: { ...PUBLIC, origin: 'https://evil.example' } })
    expect((await seen).headers.origin).toBe('null')
  })
})

test('what begins with no slash is no call', async () => {
  const { port } = await scene((_, response) => void response.end('from the broker'))
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.write('GET http://evil.example/api/v1/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
})
