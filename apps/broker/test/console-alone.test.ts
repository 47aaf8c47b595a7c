/** `ternmq console`: a process of its own before a broker that is another. */
import { once } from 'node:events'
import { copyFileSync, readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { AuditItem, Me, Problem, QueueItem } from '@ternmq/api'
import { developmentCertificates } from '@ternmq/transport'
import { describe, expect, onTestFinished, test } from 'vitest'

import { Program } from './clients/program.ts'
import { ADMIN_PASSWORD, Operator, runHere } from './commands/operator.ts'
import { CLI, newFolder, occupyPort, until } from './support.ts'

const QUEUES = '/api/v1/vhosts/%2F/queues'
/** Of one user; each stream of somebody who has gone must not count any more. */
const STREAMS_PER_USER_MAX = 16

const AUTHORIZATION = `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}`

interface Alone {
  readonly program: Program
  /** Without a slash at the end. */
  readonly url: string
}

/** Killed after the test. */
async function consoleAlone(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Alone> {
  const program = Program.start(process.execPath, [CLI, 'console', ...args, '--port', '0'], { env })
  onTestFinished(() => program.stop('SIGKILL'))
  const line = await program.untilLine('console at ')
  return { program, url: /console at (\S+) for/.exec(line)?.[1] ?? '' }
}

interface CallOptions {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly ca?: Buffer
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

async function open(url: string, { method = 'GET', body, headers = {}, ca }: CallOptions = {}) {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const call = request(url, { method, headers: { ...type, ...headers }, agent: false, ...(ca && { ca }) })
  call.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  call.on('error', () => {}) // of those that are given up
  return { call, response: response.setEncoding('utf8') }
}

async function ask(url: string, options: CallOptions = {}): Promise<Answer> {
  const { response } = await open(url, options)
  let text = ''
  for await (const chunk of response) text += String(chunk)
  const isJson = response.headers['content-type']?.includes('json') === true
  return { status: response.statusCode ?? 0, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

interface Browser {
  readonly cookie: string
  readonly csrfToken: string
  /** As a page of `url` makes calls. */
  ask(path: string, options?: CallOptions): Promise<Answer>
}

/** A page that has logged in. */
async function browse(url: string, ca?: Buffer): Promise<Browser> {
  const shared = ca === undefined ? {} : { ca }
  const own = { origin: url, 'sec-fetch-site': 'same-origin' }
  const body = { user: 'admin', password: ADMIN_PASSWORD }
  const answer = await ask(`${url}/api/v1/session`, { method: 'POST', body, headers: own, ...shared })
  expect(answer.status).toBe(200)
  const cookie = answer.headers['set-cookie']?.[0] ?? ''
  const { csrfToken = '' } = answer.body as Me
  const headers = { ...own, cookie: cookie.split(';')[0]!, 'x-csrf-token': csrfToken }
  return {
    cookie,
    csrfToken,
    ask: (path, options) => ask(url + path, { ...shared, ...options, headers: { ...headers, ...options?.headers } }),
  }
}

test('who logs in looks and changes as at the broker, and who does not is nobody', async () => {
  // Where a caller comes from is what the console saw: for a broker that trusts it, and never what he says himself.
  const { url: brokerUrl } = await Operator.start({ settings: ['console.trustedProxies=["127.0.0.1"]'] })
  const { url } = await consoleAlone([brokerUrl], { TERNMQ_TOKEN: 'tmq_of-whoever-started-it' })
  expect((await ask(`${brokerUrl}metrics`)).status).toBe(200)
  expect((await ask(`${url}/metrics`)).status).toBe(401)
  expect((await ask(`${url}/api/v1/overview`)).status).toBe(401)
  expect((await ask(`${url}/health/live`)).status).toBe(200)
  const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' }
  await ask(`${url}/api/v1/session`, { method: 'POST', body: { user: 'admin', password: 'wrong' }, headers })

  const browser = await browse(url)
  expect(browser.cookie).toMatch(/^ternmq-\w{12}-ternmq=[\w-]+; Path=\/; HttpOnly; SameSite=Strict$/)
  expect((await browser.ask(`${QUEUES}/a..b%2Fc`, { method: 'PUT', body: {} })).status).toBe(200)
  const { items } = (await browser.ask(`${QUEUES}?q=a..b`)).body as { readonly items: readonly QueueItem[] }
  expect(items.map(({ name }) => name)).toEqual(['a..b/c'])
  expect((await browser.ask(`${QUEUES}/a..b%2Fc`, { method: 'DELETE' })).status).toBe(200)
  const audit = (await browser.ask('/api/v1/audit')).body as { readonly items: readonly AuditItem[] }
  expect(new Set(audit.items.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']))
  expect((await browser.ask('/api/v1/session', { method: 'DELETE' })).status).toBe(204)
  expect((await browser.ask(QUEUES)).status).toBe(401)
})

test('a login at one broker is not shown to another, nor are cookies of others on the machine', async () => {
  const [first, second] = await Promise.all([Operator.start(), Operator.start()])
  const [at, other] = await Promise.all([consoleAlone([first.url]), consoleAlone([second.url])])
  const { cookie } = await browse(at.url)
  const ofBroker = (await browse(first.url.replace(/\/$/, ''))).cookie.split(';')[0]!
  const headers = { cookie: `${cookie.split(';')[0]}; ${ofBroker}` }
  expect((await ask(`${at.url}/api/v1/session`, { headers })).status).toBe(200)
  expect((await ask(`${at.url}/api/v1/session`, { headers: { cookie: ofBroker } })).status).toBe(401)
  expect((await ask(`${other.url}/api/v1/session`, { headers })).status).toBe(401)
})

test('a page of others writes nothing through it, and no path leads out of the API', async () => {
  const { url: brokerUrl } = await Operator.start()
  const { url } = await consoleAlone([brokerUrl])
  const browser = await browse(url)
  const write = async (headers: Readonly<Record<string, string>>): Promise<unknown> => {
    const { status, body } = await browser.ask(`${QUEUES}/forged`, { method: 'PUT', body: {}, headers })
    return `${status} ${(body as Problem).code}`
  }
  expect(await write({ origin: 'https://evil.example' })).toBe('403 CSRF')
  expect(await write({ origin: 'null' })).toBe('403 CSRF')
  expect(await write({ origin: brokerUrl.replace(/\/$/, '') })).toBe('403 CSRF')
  expect(await write({ 'sec-fetch-site': 'cross-site' })).toBe('403 CSRF')
  expect(await write({ 'x-csrf-token': '' })).toBe('403 CSRF')
  expect(await write({ host: 'evil.example', origin: 'http://evil.example' })).toBe('403 CSRF')
  const login = { method: 'POST', body: { user: 'admin', password: ADMIN_PASSWORD } }
  const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  expect((await ask(`${url}/api/v1/session`, { ...login, headers: foreign })).status).toBe(403)
  expect((await browser.ask(QUEUES)).body).toMatchObject({ items: [] })

  const { hostname, port } = new URL(url)
  for (const target of ['/api/v1/../../x', '/api/v1/%2e%2e/x', `${brokerUrl}api/v1/session`, '/api/v2/x']) {
    const socket = connect(Number(port), hostname)
    socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text.split('\r\n', 1)[0], target).toMatch(/^HTTP\/1\.1 40[04] /)
  }
})

test('events come at once, and what a caller has begun ends at the broker when he goes', async () => {
  const { url: brokerUrl } = await Operator.start()
  const { url } = await consoleAlone([brokerUrl])
  const browser = await browse(url)
  const headers = { cookie: browser.cookie.split(';')[0]! }
  const stream = (): ReturnType<typeof open> => open(`${url}/api/v1/stream?watch=overview`, { headers })
  const streams = await Promise.all(Array.from({ length: STREAMS_PER_USER_MAX }, stream))
  let text = ''
  while (!text.includes('event: overview')) text += ((await once(streams[0]!.response, 'data')) as [string])[0]
  const isFull = async (): Promise<boolean> => {
    const { call, response } = await stream()
    call.destroy()
    return response.statusCode === 422
  }
  expect(await isFull()).toBe(true)
  for (const { call } of streams) call.destroy()
  await until('room for a stream', async () => !(await isFull()))

  // Or the next message would be taken for somebody who is not there.
  await browser.ask(`${QUEUES}/orders`, { method: 'PUT', body: {} })
  const take = httpRequest(`${url}/api/v1/vhosts/%2F/take`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: AUTHORIZATION },
    agent: false,
  })
  take.on('error', () => {}) // it is given up
  take.end(JSON.stringify({ address: 'queue://orders', max: 1, waitMs: 20_000 }))
  const consumerCount = async (): Promise<unknown> =>
    ((await browser.ask(`${QUEUES}/orders`)).body as QueueItem).consumerCount
  await until('somebody who waits', async () => (await consumerCount()) === 1)
  take.destroy()
  await until('nobody who waits', async () => (await consumerCount()) === 0)
})

test('a broker that goes is told with what to do, breaks its streams, and is there again after its start', async () => {
  const before = await Operator.start()
  const { url, program } = await consoleAlone([before.url])
  const { cookie } = await browse(url)
  const { response } = await open(`${url}/api/v1/stream?watch=overview`, {
    headers: { cookie: cookie.split(';')[0]! },
  })
  const broken = once(response, 'error') as Promise<[Error]>
  await before.broker.program.stop('SIGKILL')
  expect((await broken)[0].message).toBe('aborted')
  const { status, headers, body } = await ask(`${url}/api/v1/session`)
  expect(status).toBe(502)
  expect(headers['content-type']).toBe('application/problem+json')
  expect(body).toMatchObject({
    code: 'UNREACHABLE',
    detail: expect.stringMatching(/cannot be reached: connect ECONNREFUSED .*; see whether the broker runs/) as string,
  })
  expect((await ask(url)).status).toBe(200)
  await program.untilLine('cannot be reached')
  const { port } = new URL(before.url)
  await Operator.start({ dataDir: before.broker.dataDir, settings: [`console.port=${port}`] })
  expect((await ask(`${url}/health/live`)).status).toBe(200)
  await program.untilLine(/the broker at \S+ answers/)
  await browse(url)
})

describe('TLS', () => {
  test('to the broker wants its authority, and the browser’s cookie is for what it speaks', async () => {
    const operator = await Operator.start({ settings: ['console.tls.enabled=true'] })
    const ca = join(operator.broker.dataDir, 'certificates', 'ca.pem')
    const { url } = await consoleAlone([operator.url, '--ca', ca])
    const browser = await browse(url)
    expect(browser.cookie).toMatch(/^ternmq-\w{12}-__Host-ternmq=[\w-]+; Path=\/; HttpOnly; SameSite=Strict$/)
    const answer = await browser.ask(QUEUES)
    expect(answer.status).toBe(200)
    expect(answer.headers).not.toHaveProperty('strict-transport-security')
    const without = await consoleAlone([operator.url])
    const { status, body } = await ask(`${without.url}/health/live`)
    expect(status).toBe(502)
    expect((body as Problem).detail).toContain('with --ca FILE')
  })

  test('of its own is shown anew when the certificate changes', async () => {
    const operator = await Operator.start()
    const now = Date.now()
    const [used, next] = [
      await developmentCertificates({ folder: newFolder(), names: [], nowMs: now }),
      await developmentCertificates({ folder: newFolder(), names: [], nowMs: now }),
    ]
    const { url } = await consoleAlone([operator.url, '--tls-cert', used.certFile, '--tls-key', used.keyFile])
    const name = url.replace('127.0.0.1', 'localhost')
    const browser = await browse(name, readFileSync(used.caFile))
    expect(browser.cookie).toMatch(/^__Host-ternmq-\w{12}-ternmq=[\w-]+; Path=\/; HttpOnly; SameSite=Strict; Secure$/)
    expect((await browser.ask('/')).headers).toHaveProperty('strict-transport-security')
    const ca = readFileSync(next.caFile)
    copyFileSync(next.keyFile, used.keyFile)
    copyFileSync(next.certFile, used.certFile)
    await until('the new certificate', () =>
      ask(name, { ca }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    )
  })
})

describe('what cannot be is told', () => {
  test.each([
    [['console'], 2, /needs the address of a broker: URL, --url or TERNMQ_URL/],
    [['console', 'ftp://x'], 2, /--url is 'ftp:\/\/x'; it is http/],
    [['console', 'http://a:b@x'], 2, /has a login in it/],
    [['console', 'http://x', '--url', 'http://y'], 2, /given twice/],
    [['console', 'http://x', '--port', '70000'], 2, /--port is 70000/],
    [['console', 'http://x', '--tls-cert', 'a.pem'], 2, /belong together/],
    [['console', 'http://x', '--tls-cert', 'a.pem', '--tls-key', 'b.pem'], 1, /cannot read the certificate a\.pem/],
    [['console', 'http://x', '--ca', 'none.pem'], 1, /cannot read --ca none\.pem/],
  ])('%j', async (args, code, text) => {
    const ended = await runHere(args)
    expect(ended.code).toBe(code)
    expect(ended.stderr.join('\n')).toMatch(text)
  })

  test('a port that is taken', async () => {
    const port = await occupyPort()
    const program = Program.start(process.execPath, [CLI, 'console', 'http://127.0.0.1:1', '--port', String(port)])
    onTestFinished(() => program.stop('SIGKILL'))
    expect((await program.ended()).code).toBe(1)
    expect(program.errors.join('\n')).toContain('the port is in use; choose another with --port')
  })

  test('the broker may be in TERNMQ_URL, and passwords that anybody could read are warned of', async () => {
    const { program } = await consoleAlone(['--host', '0.0.0.0'], { TERNMQ_URL: 'http://127.0.0.1:1/ternmq' })
    expect(program.lines).toEqual([expect.stringContaining('for the broker at http://127.0.0.1:1/ternmq')])
    await program.untilLine('sends the password unencrypted; give --tls-cert and --tls-key')
    await program.untilLine('the broker at http://127.0.0.1:1/ternmq cannot be reached')
    program.signal('SIGTERM')
    expect((await program.ended()).code).toBe(0)
  })
})
