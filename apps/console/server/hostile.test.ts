/** What nobody should send, and what comes of it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { downloadBody, getQueue, type Problem, publishMessage } from '@ternmq/api'
import { bind } from '@ternmq/management'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ApiServer } from './index.ts'
import { FakeBroker, realClock } from './test/fake-broker.ts'

let broker: FakeBroker
let server: ApiServer
let port: number

beforeEach(async () => {
  broker = new FakeBroker()
  server = await broker.server({ settings: { connectionsMax: 4 } })
  ;({ port } = await server.listen({ host: '127.0.0.1', port: 0 }))
})

afterEach(() => server.close())

const ALL = { authorization: 'Bearer tmq_all' }
const PUBLISH = '/api/v1/vhosts/%2F/publish'

/** Everything that comes back until the connection is closed. */
async function talk(bytes: string, to = port): Promise<string> {
  const socket = connect(to, '127.0.0.1')
  let text = ''
  socket.on('data', (piece) => (text += piece.toString()))
  socket.on('error', () => {}) // a reset is an end like any other
  socket.write(bytes)
  await once(socket, 'close')
  return text
}

const problemIn = (answer: string): Problem => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as Problem

describe('a body', () => {
  test('that is too long is refused before it is read', async () => {
    const payload = { definitions: 'x'.repeat(1_100_000) }
    const answer = await server.app.inject({ method: 'POST', url: '/api/v1/tokens', headers: ALL, payload })
    expect(answer.json<Problem>()).toMatchObject({ code: 'TOO_LARGE', status: 413 })
  })

  test('of a message may be longer, up to 16 MiB', async () => {
    const own = await broker.server({ clock: realClock })
    const send = async (chars: number): Promise<number> => {
      const payload = { address: 'topic://a', body: 'x'.repeat(chars) }
      return (await own.app.inject({ method: 'POST', url: PUBLISH, headers: ALL, payload })).statusCode
    }
    expect(await send(10_000_000)).toBe(200)
    expect(await send(17_000_000)).toBe(413)
    await own.close()
  })

  test('with thousands of fields is refused before anything is made of them, of strangers after a few', async () => {
    const fields = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 1]))
    for (const [url, payload] of [
      ['/api/v1/session', { ...fields(15), password: {} }],
      [PUBLISH, { address: 'topic://a', body: 'x', properties: fields(1_001) }],
      ['/api/v1/vhosts/%2F/take', { address: 'queue://a', ...fields(1_000) }],
    ] as const) {
      const answer = await server.app.inject({ method: 'POST', url, headers: ALL, payload })
      expect(answer.json<Problem>(), url).toMatchObject({ code: 'TOO_LARGE', status: 413, field: 'body' })
      expect(answer.headers.connection).toBe('close')
    }
  })

  test.each(['POST /nope', 'PUT /api/v1/nope', 'POST /api/v1/overview', 'DELETE /'])(
    'of %s, which no call wants, is not read at all',
    async (call) => {
      const answer = await talk(
        `${call} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{`,
      )
      expect(problemIn(answer)).toMatchObject({ code: 'ROUTE_UNKNOWN', status: 404 })
    },
  )

  test('of a stranger is not read at all', async () => {
    const answer = await talk(
      `POST ${PUBLISH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 16000000\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
  })

  test.each([
    ['is no JSON', '{"user":"ann","password":"hunter2"'],
    ['is empty text', '""'],
    ['is a list', '[]'],
    ['is null', 'null'],
  ])('that %s is refused, and not repeated', async (_, payload) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await server.app.inject({ method: 'POST', url: '/api/v1/session', headers, payload })
    expect(answer.json<Problem>()).toMatchObject({ code: 'INVALID', status: 400 })
    expect(answer.body + JSON.stringify(broker.audit)).not.toContain('hunter2')
  })

  test('that is no UTF-8 is refused', async () => {
    const headers = { ...ALL, 'content-type': 'application/json' }
    const payload = Buffer.from([0x22, 0xff, 0x22])
    const answer = await server.app.inject({ method: 'POST', url: PUBLISH, headers, payload })
    expect(answer.json<Problem>()).toMatchObject({ code: 'INVALID', detail: 'the body is not UTF-8' })
  })

  test('of another kind is refused, so that no form of a page can make calls', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
    ]) {
      const headers = { ...ALL, 'content-type': type }
      const answer = await server.app.inject({
        method: 'POST',
        url: PUBLISH,
        headers,
        payload: '{"address":"topic://a","body":"x"}',
      })
      expect(answer.json<Problem>(), type).toMatchObject({ code: 'UNSUPPORTED', status: 415 })
    }
  })

  test.each([
    ['at the top', '{"address":"topic://a","body":"x","__proto__":{"admin":true}}'],
    ['inside', '{"address":"topic://a","body":"x","properties":{"__proto__":"x"}}'],
    ['in another spelling', '{"address":"topic://a","body":"x","\\u005f_proto__":{"admin":true}}'],
  ])('with __proto__ %s is refused, and no prototype is changed', async (_, payload) => {
    const headers = { ...ALL, 'content-type': 'application/json' }
    const answer = await server.app.inject({ method: 'POST', url: PUBLISH, headers, payload })
    expect(answer.json<Problem>()).toMatchObject({ code: 'INVALID', status: 400 })
    expect(({} as { readonly admin?: boolean }).admin).toBeUndefined()
  })

  test('with constructor as a name is a name like any other', async () => {
    const seen: unknown[] = []
    const own = await broker.server({
      handlers: broker.handlers([
        bind(publishMessage, ({ body }) => {
          seen.push(body.properties)
          return { outcome: 'routed' } as const
        }),
      ]),
    })
    const payload = { address: 'topic://a', body: 'x', properties: { constructor: 'x', prototype: 'y' } }
    expect((await own.app.inject({ method: 'POST', url: PUBLISH, headers: ALL, payload })).statusCode).toBe(200)
    expect(seen).toEqual([{ constructor: 'x', prototype: 'y' }])
    await own.close()
  })

  test('nested a million deep is refused and stops nobody', async () => {
    const headers = { ...ALL, 'content-type': 'application/json' }
    const payload = `{"address":${'['.repeat(400_000)}${']'.repeat(400_000)},"body":"x"}`
    const answer = await server.app.inject({ method: 'POST', url: PUBLISH, headers, payload })
    expect(answer.json<Problem>()).toMatchObject({ code: 'TOO_LARGE', field: 'body' })
    expect((await server.app.inject('/api/v1/openapi.json')).statusCode).toBe(200)
  })
})

test('a query with __proto__ is an unknown field, and changes no prototype', async () => {
  const answer = await server.app.inject({ url: '/api/v1/events?__proto__[x]=1&__proto__=2', headers: ALL })
  expect(answer.json<Problem>()).toMatchObject({ code: 'INVALID', status: 400 })
  expect(({} as { readonly x?: string }).x).toBeUndefined()
})

test('a parameter that comes twice is refused', async () => {
  const answer = await server.app.inject({ url: '/api/v1/events?limit=1&limit=2', headers: ALL })
  expect(answer.json<Problem>()).toMatchObject({ code: 'INVALID', field: 'limit', value: 'a list of 2' })
})

describe('names with script in them', () => {
  const name = '<script>alert(1)</script>"\u2028'

  test('come back as JSON that no browser takes for a page', async () => {
    const answer = await server.app.inject({
      url: `/api/v1/vhosts/%2F/queues/${encodeURIComponent(name)}?${encodeURIComponent(name)}=1`,
      headers: ALL,
    })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
    expect(answer.headers['ternmq-api']).toBe('1')
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
    expect(answer.json<Problem>().field).toBe(name)
  })

  test('in a path are not repeated where nothing is', async () => {
    const answer = await server.app.inject(`/api/v1/${encodeURIComponent(name)}`)
    expect(answer.statusCode).toBe(404)
    expect(answer.body).not.toContain('script')
  })

  test('reach the handler as they are', async () => {
    const seen: string[] = []
    const handlers = broker.handlers([
      bind(getQueue, ({ params }) => {
        seen.push(params.queue)
        throw new Error('enough')
      }),
    ])
    const own = await broker.server({ handlers })
    await own.app.inject({ url: `/api/v1/vhosts/%2F/queues/${encodeURIComponent(name)}`, headers: ALL })
    await own.app.inject({ url: '/api/v1/vhosts/%2F/queues/..%2F..%2Fusers%3Fx', headers: ALL })
    expect(seen).toEqual([name, '../../users?x'])
    await own.close()
  })
})

test('a failure of ours tells its number and nothing else; the log has the rest', async () => {
  const handlers = broker.handlers([
    bind(getQueue, () => {
      throw new Error('the password of the disk is hunter2')
    }),
  ])
  const own = await broker.server({ handlers })
  const answer = await own.app.inject({ url: '/api/v1/vhosts/%2F/queues/orders', headers: ALL })
  expect(answer.json<Problem>()).toMatchObject({ code: 'BROKEN', status: 500 })
  expect(answer.body).not.toContain('hunter2')
  expect(broker.failures).toMatchObject([
    { action: 'queues.get', error: new Error('the password of the disk is hunter2') },
  ])
  expect(answer.json<Problem>().detail).toContain(broker.failures[0]!.id)
  await own.close()
})

describe('a connection', () => {
  test('with headers that are too long is answered 431 and closed', async () => {
    const answer = await talk(`GET /health/live HTTP/1.1\r\nhost: x\r\nx-bomb: ${'a'.repeat(40_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 431 .*\r\n[^]*\r\nternmq-api: 1\r\n/)
    expect(problemIn(answer)).toMatchObject({ code: 'TOO_LARGE', status: 431 })
  })

  test('with an address that is too long is answered 431 and closed', async () => {
    expect(await talk(`GET /${'a'.repeat(40_000)} HTTP/1.1\r\nhost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
  })

  test('that is no HTTP is answered 400 and closed', async () => {
    const answer = await talk('\x10\x2a\x00\x04MQTT\x05\x02\x00\x3c')
    expect(problemIn(answer)).toMatchObject({ code: 'INVALID', status: 400 })
  })

  test.each([
    ['headers', 'GET /health/live HTTP/1.1\r\nhost: x\r\nx-slow: '],
    [
      'body',
      `POST ${PUBLISH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer tmq_all\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"addr`,
    ],
  ])('whose %s never end is answered 408 and closed', async (_, bytes) => {
    // Others have more time: a machine may be slow.
    const hasty = await broker.server({ settings: { headersTimeoutMs: 50, requestTimeoutMs: 200 } })
    const at = await hasty.listen({ host: '127.0.0.1', port: 0 })
    expect(await talk(bytes, at.port)).toMatch(/^HTTP\/1\.1 408 /)
    await hasty.close()
  })

  test('that smuggles a second length is answered 400 and closed', async () => {
    const answer = await talk(
      `POST ${PUBLISH} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('whose answer nobody reads is cut', async () => {
    const { promise: isCut, resolve: cut } = Promise.withResolvers<void>()
    const download = bind(downloadBody, ({ signal }) => {
      signal.addEventListener('abort', () => cut())
      return new Uint8Array(32 * 1_048_576) // more than the buffers of both ends take
    })
    const own = await broker.server({ handlers: broker.handlers([download]), settings: { silenceMs: 50 } })
    const at = await own.listen({ host: '127.0.0.1', port: 0 })
    const socket = connect(at.port, '127.0.0.1').pause()
    const path = '/api/v1/vhosts/%2F/queues/q/messages/4-1/body'
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer tmq_all\r\n\r\n`)
    await expect(isCut).resolves.toBeUndefined()
    socket.destroy()
    await own.close()
  })

  test('of whoever says nothing, or only begins, shuts the port for nobody', async () => {
    const sockets: Socket[] = []
    for (const bytes of [
      '',
      'POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    ]) {
      for (let n = 0; n < 8; n++) {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {}) // it is cut
        await once(socket, 'connect')
        socket.write(bytes)
        sockets.push(socket)
      }
    }
    expect(await talk('GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
    for (const socket of sockets) socket.destroy()
  })

  test('beyond the limit is closed, and those of callers who have logged in and have a call under way go on', async () => {
    const sockets: Socket[] = []
    for (let n = 0; n < 4; n++) {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write('GET /api/v1/stream?watch=overview HTTP/1.1\r\nhost: x\r\nauthorization: Bearer tmq_all\r\n\r\n')
      await once(socket, 'data')
      sockets.push(socket)
    }
    const one = connect(port, '127.0.0.1')
    one.on('error', () => {})
    await once(one, 'close')
    broker.sinks[0]!.send('still', {})
    let text = ''
    sockets[0]!.setEncoding('utf8').on('data', (piece: string) => (text += piece)) // however it is cut
    await expect.poll(() => text).toContain('event: still')
    for (const socket of sockets) socket.destroy()
  })
})

test('no header lets a page of others read an answer', async () => {
  const headers = { ...ALL, origin: 'https://evil.example' }
  const answer = await server.app.inject({ url: '/api/v1/overview', headers })
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  expect(answer.headers).toMatchObject({
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  })
  const preflight = await server.app.inject({ method: 'OPTIONS', url: '/api/v1/overview', headers })
  expect(preflight.statusCode).toBe(404)
})
