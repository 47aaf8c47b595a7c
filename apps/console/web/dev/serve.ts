/**
 * Serves the built pages with made-up data, under the content security policy of the real server:
 * `node dev/serve.ts [PORT]`, then the printed address; user and password of the login page: any, and `tern`.
 */
import { API_ROOT } from '@ternmq/api'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answer, moved, operations } from './mock-api.ts'
import { Refusal } from './mock-tools.ts'
import { queues } from './made-up.ts'
import { makeEvent, overviewSample } from './mock-clients.ts'

export const DIST: string = fileURLToPath(new URL('../dist', import.meta.url))
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self' ws: wss:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
}
const BODY_BYTES_MAX = 1_048_576

/** `base`: path that the console is at, with `/` at both ends. */
export function makeServer(base = '/'): Server {
  return createServer((request, response) => {
    void respond(request, response, base).catch((error: unknown) => {
      const problem =
        error instanceof Refusal
          ? error.problem
          : { code: 'BROKEN', status: 500, title: 'The made-up broker failed', detail: String(error) }
      response.writeHead(problem.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem))
    })
  })
}

async function respond(request: IncomingMessage, response: ServerResponse, base: string): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const path = url.pathname.startsWith(base) ? `/${url.pathname.slice(base.length)}` : url.pathname
  if (!path.startsWith(`${API_ROOT}/`)) return servePage(response, path, base)
  const call = path.slice(API_ROOT.length)
  if (call === '/stream') return stream(response, url.searchParams.get('watch') ?? '')
  const text = await bodyOf(request)
  const given = answer(
    request.method ?? 'GET',
    call,
    Object.fromEntries(url.searchParams),
    text === '' ? undefined : JSON.parse(text),
  )
  if (given.status === 204) response.writeHead(204).end()
  else response.writeHead(given.status, { 'content-type': 'application/json' }).end(JSON.stringify(given.body))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > BODY_BYTES_MAX)
      throw new Refusal({ code: 'TOO_LARGE', status: 413, title: 'The call is too large', detail: 'Send less.' })
  }
  return text
}

/** The page itself for every address that is no file: the router in it knows them. */
async function servePage(response: ServerResponse, path: string, base: string): Promise<void> {
  const name = normalize(path).replace(/^[/.]+/, '')
  const file = extname(name) in TYPES ? await readFile(join(DIST, name)).catch(() => undefined) : undefined
  const headers = { 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' }
  if (file !== undefined) {
    response.writeHead(200, { ...headers, 'content-type': TYPES[extname(name)] }).end(file)
    return
  }
  const html = await readFile(join(DIST, 'index.html'), 'utf8')
  response
    .writeHead(200, { ...headers, 'content-type': TYPES['.html'] })
    .end(html.replace('<base href="/"', `<base href="${base}"`))
}

function stream(response: ServerResponse, watch: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  let id = 600
  const tick = (): void => {
    const atMs = Date.now()
    for (const one of watch.split(',')) {
      const [kind, name] = one.split(':') as [string, string?]
      const [event, data] = eventOf(kind, decodeURIComponent(name ?? ''), ++id, atMs)
      response.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`)
    }
  }
  tick()
  const timer = setInterval(tick, 1_000)
  response.on('close', () => clearInterval(timer))
}

function eventOf(kind: string, name: string, id: number, atMs: number): readonly [event: string, data: unknown] {
  switch (kind) {
    case 'overview':
      return ['overview', overviewSample(atMs)]
    case 'queue':
      return ['queue', queueSample(name, atMs)]
    case 'connection':
      return ['connection', connectionSample(name, atMs)]
    case 'events':
      return ['event', makeEvent(id, atMs)]
    case 'operations':
      return ['operation', operations[0]]
    default:
      return ['gone', { watch: kind }]
  }
}

function queueSample(queue: string, atMs: number): object {
  const readyCount = moved(queues.find(({ name }) => name === queue)?.readyCount ?? 0)
  return {
    queue,
    atMs,
    readyCount,
    inflightCount: 40,
    delayedCount: 0,
    consumerCount: 4,
    inPerSecond: 210 + 30 * Math.sin(atMs / 9_000),
    outPerSecond: 205 + 30 * Math.sin(atMs / 8_000),
  }
}

function connectionSample(connection: string, atMs: number): object {
  const wave = 1 + 0.4 * Math.sin(atMs / 9_000)
  return {
    connection,
    atMs,
    bytesInPerSecond: 9_000 * wave,
    bytesOutPerSecond: 12_000 * wave,
    messagesInPerSecond: 40 * wave,
    messagesOutPerSecond: 55 * wave,
    pendingBytes: 0,
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = makeServer()
  server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
    const address = server.address()
    process.stdout.write(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : ''}/\n`)
  })
}
