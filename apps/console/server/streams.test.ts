/** Streams over real sockets. */
import { IncomingMessage, request, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { type Problem, watchStream } from '@ternmq/api'
import { ApiClient } from '@ternmq/api/client'
import { httpTransport } from '@ternmq/api/client-http'
import { ApiError, bindStream, type EventSink } from '@ternmq/management'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Identity } from './identity.ts'
import type { ApiServer } from './index.ts'
import { STREAM_HEARTBEAT_MS, STREAMS_PER_USER_MAX, STREAMS_WITHOUT_ROLE_MAX } from './limits.ts'
import { Streams } from './streams.ts'
import { FakeBroker } from './test/fake-broker.ts'

let broker: FakeBroker
let server: ApiServer
let port: number
const open: IncomingMessage[] = []

beforeEach(async () => {
  broker = new FakeBroker()
  server = await broker.server()
  ;({ port } = await server.listen({ host: '127.0.0.1', port: 0 }))
})

afterEach(async () => {
  for (const response of open.splice(0)) response.destroy()
  await server.close()
})

interface Stream {
  readonly response: IncomingMessage
  readonly text: () => string
  readonly ended: Promise<void>
}

function watch(headers: Readonly<Record<string, string>> = { authorization: 'Bearer tmq_read' }): Promise<Stream> {
  return new Promise((resolve, reject) => {
    request({ port, path: '/api/v1/stream?watch=overview', headers, agent: false }, (response) => {
      open.push(response)
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => (text += piece))
      const ended = new Promise<void>((done) => response.once('close', done))
      resolve({ response, text: () => text, ended })
    })
      .on('error', reject)
      .end()
  })
}

test('a stream sends events with their kind and number, as they come', async () => {
  const stream = await watch()
  expect(stream.response.headers['content-type']).toBe('text/event-stream')
  expect(stream.response.headers['cache-control']).toBe('no-store')
  const sink = broker.sinks[0]!
  sink.send('overview', { text: 'a\nb' })
  sink.send('event', { n: 1 }, 7)
  await expect
    .poll(stream.text)
    .toBe(':\n\nevent: overview\ndata: {"text":"a\\nb"}\n\nevent: event\nid: 7\ndata: {"n":1}\n\n')
})

test('a heartbeat comes every 15 s, as long as the caller would still be let in', async () => {
  const stream = await watch()
  broker.clock.advance(STREAM_HEARTBEAT_MS)
  await expect.poll(() => stream.text()).toBe(':\n\n:\n\n')
  broker.tokens.delete('tmq_read')
  broker.clock.advance(STREAM_HEARTBEAT_MS)
  await stream.ended
  expect(broker.stoppedCount).toBe(1)
  expect(server.streamCount).toBe(0)
})

test('a stream of a token ends when its user has another role', async () => {
  const stream = await watch()
  broker.putUser('ann', {})
  await stream.ended
  expect(server.streamCount).toBe(0)
})

test('a stream of a token ends the moment that it is taken back, and gets nothing more', async () => {
  const stream = await watch()
  broker.takeBack('tmq_read')
  broker.sinks[0]!.send('overview', { text: 'secret' })
  await stream.ended
  expect([stream.text(), broker.stoppedCount]).toEqual([':\n\n', 1])
})

test('a stream of a token ends the moment that it expires', async () => {
  broker.tokens.set('tmq_short', { user: 'ann', scopes: ['read'], expiresAtMs: broker.clock.wallMs() + 1_000 })
  const stream = await watch({ authorization: 'Bearer tmq_short' })
  await expect.poll(() => stream.text()).toBe(':\n\n')
  broker.clock.advance(999)
  broker.sinks[0]!.send('overview', 1)
  broker.clock.advance(1)
  broker.sinks[0]!.send('overview', 2)
  await stream.ended
  expect(stream.text()).toBe(':\n\nevent: overview\ndata: 1\n\n')
})

test('the handler hears when the caller goes, once', async () => {
  const stream = await watch()
  stream.response.destroy()
  await expect.poll(() => broker.stoppedCount).toBe(1)
  broker.sinks[0]!.send('overview', {})
  broker.sinks[0]!.end()
  expect(broker.stoppedCount).toBe(1)
  expect(server.streamCount).toBe(0)
})

test('a caller that does not read makes the sink not writable, and reading makes it writable again', async () => {
  const stream = await watch()
  stream.response.pause()
  const sink = broker.sinks[0]!
  const piece = 'x'.repeat(100_000)
  let sent = 0
  while (sink.writable) {
    sink.send('overview', piece)
    if (++sent % 20 === 0) await new Promise(setImmediate)
    expect(sent).toBeLessThan(2_000)
  }
  stream.response.resume()
  await expect.poll(() => sink.writable).toBe(true)
})

test('a caller that never reads is cut', async () => {
  const stream = await watch()
  stream.response.pause()
  const sink = broker.sinks[0]!
  const piece = 'x'.repeat(500_000)
  for (let sent = 0; broker.stoppedCount === 0; sent++) {
    sink.send('overview', piece)
    if (sent % 4 === 0) await new Promise(setImmediate)
    expect(sent).toBeLessThan(200)
  }
  expect(server.streamCount).toBe(0)
})

test('one user has so many streams and no more', async () => {
  for (let n = 0; n < STREAMS_PER_USER_MAX; n++) await watch()
  const refused = await watch()
  await refused.ended
  expect(refused.response.statusCode).toBe(422)
  expect((JSON.parse(refused.text()) as Problem).code).toBe('LIMIT_REACHED')
  open[0]!.destroy()
  await expect.poll(() => server.streamCount).toBe(STREAMS_PER_USER_MAX - 1)
  expect((await watch()).response.statusCode).toBe(200)
})

test('users without a role have a part of the streams, and the rest is there for those who look after the broker', async () => {
  const identity = (user: string, role?: 'viewer'): Identity => ({ user, role }) as Identity
  const streams = new Streams(broker.clock)
  for (let n = 0; n < STREAMS_WITHOUT_ROLE_MAX; n++) {
    const caller = { identity: identity(`device${n}`), signal: new AbortController().signal }
    streams.checkRoom(caller.identity)
    await streams.serve(new ServerResponse(new IncomingMessage(new Socket())), {}, caller, () => () => {})
  }
  expect(() => streams.checkRoom(identity('device'))).toThrow('192 streams of users without a role')
  expect(() => streams.checkRoom(identity('vic', 'viewer'))).not.toThrow()
  streams.endAll()
})

test('a stream that is refused is a problem like any other', async () => {
  const handlers = broker.handlers([
    bindStream(watchStream, () => {
      throw new ApiError('INVALID', 'watch has an unknown name', { field: 'watch' })
    }),
  ])
  const refusing = await broker.server({ handlers })
  const answer = await refusing.app.inject({
    url: '/api/v1/stream?watch=x',
    headers: { authorization: 'Bearer tmq_read' },
  })
  expect(answer.json<Problem>()).toMatchObject({ code: 'INVALID', field: 'watch' })
  expect(refusing.streamCount).toBe(0)
  await refusing.close()
})

describe('a client', () => {
  test('comes back from where it was when its stream breaks', async () => {
    const lastIds: Array<number | undefined> = []
    const sinks: EventSink[] = []
    const handlers = broker.handlers([
      bindStream(watchStream, ({ lastEventId }, sink) => {
        lastIds.push(lastEventId)
        sinks.push(sink)
        sink.send('event', { n: sinks.length }, 40 + sinks.length)
        return () => {}
      }),
    ])
    const own = await broker.server({ handlers })
    const at = await own.listen({ host: '127.0.0.1', port: 0 })
    const transport = httpTransport({ url: `http://127.0.0.1:${at.port}` })
    const client = new ApiClient({ transport: transport.send, token: 'tmq_read', wait: () => Promise.resolve() })
    const leave = new AbortController()
    const seen: unknown[] = []
    for await (const { data } of client.stream(watchStream, { query: { watch: 'events' }, signal: leave.signal })) {
      seen.push(data)
      if (seen.length < 3) sinks.at(-1)!.end()
      else leave.abort()
    }
    expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    expect(lastIds).toEqual([undefined, 41, 42])
    transport.close()
    await own.close()
  })
})

test('streams end when the server closes', async () => {
  const stream = await watch()
  await server.close()
  await stream.ended
  expect(broker.stoppedCount).toBe(1)
  server = await broker.server() // for afterEach
})
