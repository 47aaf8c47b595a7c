import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  ApiClient,
  ApiProblem,
  type ApiTransport,
  ApiUnreachable,
  fetchTransport,
  NotTheApi,
  type TransportRequest,
} from './client.ts'
import {
  downloadBody,
  getLive,
  getMe,
  getQueue,
  listQueues,
  logout,
  purgeQueue,
  STREAM_SILENCE_MAX_MS,
  watchStream,
} from './index.ts'

/** Answers one after the other, and what was asked. */
function answering(
  ...answers: ReadonlyArray<{ readonly status?: number; readonly body?: string; readonly breaks?: boolean } | Error>
): {
  readonly transport: ApiTransport
  readonly asked: TransportRequest[]
} {
  const asked: TransportRequest[] = []
  const transport: ApiTransport = (request) => {
    const answer = answers[asked.length]
    asked.push(request)
    if (answer === undefined) return new Promise(() => {})
    if (answer instanceof Error) return Promise.reject(answer)
    return Promise.resolve({ status: answer.status ?? 200, body: bodyOf(answer.body ?? '', answer.breaks === true) })
  }
  return { transport, asked }
}

async function* bodyOf(text: string, breaks: boolean): AsyncGenerator<Uint8Array, void, void> {
  await Promise.resolve()
  yield new TextEncoder().encode(text)
  if (breaks) throw new Error('socket hang up')
}

/** Rejects when the caller gives up. */
function cutBy(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))
}

async function* hanging(text: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, void> {
  yield new TextEncoder().encode(text)
  await cutBy(signal)
}

const vhost = '/'

describe('a call', () => {
  test('goes to the path of its route, with the token', async () => {
    const { transport, asked } = answering({ body: '{"name":"a/b"}' })
    const client = new ApiClient({ transport, token: 'tmq_x' })
    expect(await client.call(getQueue, { params: { vhost, queue: 'a/b c' } })).toEqual({ name: 'a/b' })
    expect(asked[0]).toMatchObject({
      method: 'GET',
      path: '/api/v1/vhosts/%2F/queues/a%2Fb%20c',
      headers: { authorization: 'Bearer tmq_x' },
    })
  })

  test('writes name and password in UTF-8', async () => {
    const { transport, asked } = answering({ body: '{}' })
    await new ApiClient({ transport, login: { user: 'ann', password: 'pä' } }).call(getMe)
    expect(asked[0]!.headers['authorization']).toBe(`Basic ${Buffer.from('ann:pä').toString('base64')}`)
  })

  test('leaves out of the query what is undefined', async () => {
    const { transport, asked } = answering({ body: '{"items":[]}' })
    await new ApiClient({ transport }).call(listQueues, {
      params: { vhost },
      query: { q: 'a&b', limit: 5, sort: undefined, unhealthy: true },
    })
    expect(asked[0]!.path).toBe('/api/v1/vhosts/%2F/queues?q=a%26b&limit=5&unhealthy=true')
  })

  test('that is refused rejects with the problem', async () => {
    const { transport } = answering({
      status: 404,
      body: '{"code":"QUEUE_UNKNOWN","status":404,"detail":"there is no queue \'x\'"}',
    })
    const refused = new ApiClient({ transport }).call(purgeQueue, { params: { vhost, queue: 'x' } })
    await expect(refused).rejects.toThrow(ApiProblem)
    await expect(refused).rejects.toMatchObject({
      message: "there is no queue 'x'",
      problem: { code: 'QUEUE_UNKNOWN' },
    })
  })

  test('that something else refuses rejects with the status', async () => {
    const { transport } = answering({ status: 502, body: '<html>' })
    await expect(new ApiClient({ transport }).call(getMe)).rejects.toMatchObject({
      problem: { code: 'UNKNOWN', status: 502 },
    })
  })

  test('without an answer rejects with the cause', async () => {
    const cause = new Error('connect ECONNREFUSED')
    await expect(new ApiClient(answering(cause)).call(getMe)).rejects.toThrow(
      new ApiUnreachable('the broker does not answer: connect ECONNREFUSED'),
    )
    await expect(new ApiClient(answering({ body: '{"us', breaks: true })).call(getMe)).rejects.toThrow(ApiUnreachable)
  })

  test.each([
    ['<html>', 'an answer with status 200 that is not JSON'],
    ['null', 'an answer with status 200 that is no object'],
    ['5', 'an answer with status 200 that is no object'],
  ])('that is answered %s rejects with what came', async (body, text) => {
    await expect(new ApiClient(answering({ body })).call(getMe)).rejects.toThrow(new NotTheApi(text))
  })

  test('whose answer has no end is given up', async () => {
    const chunk = new Uint8Array(1_048_576)
    const endless = async function* (): AsyncGenerator<Uint8Array, void, void> {
      for (;;) yield await Promise.resolve(chunk)
    }
    const client = new ApiClient({ transport: () => Promise.resolve({ status: 200, body: endless() }) })
    await expect(client.call(getMe)).rejects.toThrow(new NotTheApi('an answer of more than 268435456 bytes'))
  })

  test.each(['{"detail":5}', '{"code":{}}', '{"others":{}}', '{"others":[null]}', 'null', '"x"', '[]'])(
    'that is refused by %s rejects with texts all the same',
    async (body) => {
      const refused = new ApiClient(answering({ status: 400, body })).call(getMe)
      await expect(refused).rejects.toMatchObject({
        problem: { code: 'UNKNOWN', detail: expect.any(String) as unknown },
      })
    },
  )

  test('gives bytes as bytes, nothing as nothing, and the health of a broker that is not well', async () => {
    const { transport } = answering(
      { body: 'abc' },
      { status: 204 },
      { status: 503, body: '{"status":"failing","checks":[]}' },
    )
    const client = new ApiClient({ transport })
    expect(await client.call(downloadBody, { params: { vhost, queue: 'q', id: '1' } })).toEqual(
      new TextEncoder().encode('abc'),
    )
    expect(await client.call(logout)).toBeUndefined()
    expect(await client.call(getLive)).toEqual({ status: 'failing', checks: [] })
  })

  test('with a parameter that is missing is not made', async () => {
    const { transport, asked } = answering()
    await expect(new ApiClient({ transport }).call(getQueue, { params: { vhost, queue: '' } })).rejects.toThrow(
      RangeError,
    )
    expect(asked).toEqual([])
  })
})

test('a list comes page by page, with the same filter', async () => {
  const { transport, asked } = answering({ body: '{"items":[1],"next":"c1"}' }, { body: '{"items":[2]}' })
  const client = new ApiClient({ transport })
  const items: unknown[] = []
  for await (const page of client.pages(listQueues, { params: { vhost }, query: { q: 'o' } })) items.push(...page.items)
  expect(items).toEqual([1, 2])
  expect(asked.map(({ path }) => path)).toEqual([
    '/api/v1/vhosts/%2F/queues?q=o',
    '/api/v1/vhosts/%2F/queues?q=o&cursor=c1',
  ])
})

test('a list that is none is no answer of the API', async () => {
  const pages = new ApiClient(answering({ body: '{"items":5}' })).pages(listQueues, { params: { vhost } })
  await expect(pages.next()).rejects.toThrow(new NotTheApi('an answer that should be a list and is none'))
})

describe('a stream', () => {
  test('comes back after a loss, from the last event that had a number', async () => {
    const waited: number[] = []
    const { transport, asked } = answering(
      { body: 'event: event\nid: 3\ndata: {}\n\n', breaks: true },
      new Error('connect ECONNREFUSED'),
      { status: 503, body: '{}' },
      { body: 'event: overview\ndata: 1\n\n' },
    )
    const leave = new AbortController()
    const wait = (ms: number): Promise<void> => {
      waited.push(ms)
      return Promise.resolve()
    }
    const client = new ApiClient({ transport, wait })
    const events: string[] = []
    for await (const { event } of client.stream(watchStream, {
      query: { watch: 'events,overview' },
      signal: leave.signal,
    })) {
      events.push(event)
      if (event === 'overview') leave.abort()
    }
    expect(events).toEqual(['event', 'overview'])
    expect(asked.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '3', '3', '3'])
    expect(waited.slice(0, 3)).toEqual([500, 1_000, 2_000])
  })

  test('begins behind the last event that a list had, also when it breaks before anything has come', async () => {
    const { transport, asked } = answering({ body: '', breaks: true }, { body: 'event: event\nid: 8\ndata: {}\n\n' })
    const client = new ApiClient({ transport, wait: () => Promise.resolve() })
    const stream = client.stream(watchStream, { query: { watch: 'events' }, lastId: 7 })
    expect((await stream.next()).value).toEqual({ event: 'event', data: {}, id: 8 })
    expect(asked.map(({ headers }) => headers['last-event-id'])).toEqual(['7', '7'])
    await stream.return()
  })

  test('on which nothing comes is broken, opened again, and told: at once, twice as long later, and when it is back', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const texts = ['data: 1\n\n', '', '', '', '', 'data: 2\n\n']
    let count = 0
    const transport: ApiTransport = ({ signal }) => {
      const text = texts[count++] ?? ''
      return text === '' ? cutBy(signal) : Promise.resolve({ status: 200, body: hanging(text, signal) })
    }
    const told: string[] = []
    const stream = new ApiClient({ transport }).stream(
      watchStream,
      { query: { watch: 'events' } },
      {
        onAway: (reason, awayMs) => told.push(`${awayMs} ${reason}`),
        onBack: (awayMs) => told.push(`back ${awayMs}`),
      },
    )
    expect((await stream.next()).value).toMatchObject({ data: 1 })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual([]) // who takes his time is not waiting for the broker
    const next = stream.next()
    await vi.advanceTimersByTimeAsync(STREAM_SILENCE_MAX_MS - 1)
    expect(told).toEqual([])
    await vi.advanceTimersByTimeAsync(90_000)
    expect((await next).value).toMatchObject({ data: 2 })
    expect(told).toEqual([
      '12000 the broker does not answer: nothing has come for 12 s',
      '37500 the broker does not answer: nothing has come for 12 s',
      'back 75500',
    ])
  })

  test('that the server refuses ends with the problem', async () => {
    const { transport, asked } = answering({ status: 403, body: '{"code":"NOT_ALLOWED","status":403,"detail":"no"}' })
    const stream = new ApiClient({ transport }).stream(watchStream, { query: { watch: 'overview' } })
    await expect(stream.next()).rejects.toMatchObject({ problem: { code: 'NOT_ALLOWED' } })
    expect(asked.length).toBe(1)
  })
})

test('fetch gets the whole address and follows no redirect', async () => {
  const seen: unknown[] = []
  const transport = fetchTransport('http://localhost:8161/', (address, init) => {
    seen.push(address, init?.redirect)
    return Promise.resolve(new Response('{"user":"ann"}'))
  })
  expect(await new ApiClient({ transport }).call(getMe)).toEqual({ user: 'ann' })
  expect(seen).toEqual(['http://localhost:8161/api/v1/session', 'error'])
})
