import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { Problem } from '@ternmq/api'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ApiServer } from './index.ts'
import { FakeBroker } from './test/fake-broker.ts'

const HTML = '<!doctype html><head><base href="/" /><script type="module" src="./assets/index-Ab12.js"></script></head>'
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(2_000))})`

let root: string
let folder: string
let server: ApiServer

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'ternmq-pages-'))
  writeFileSync(join(root, 'secret.txt'), 'TOP SECRET')
  folder = join(root, 'dist')
  mkdirSync(join(folder, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'index.html'), HTML)
  writeFileSync(join(folder, 'tern.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  writeFileSync(join(folder, 'assets', 'index-Ab12.js'), SCRIPT)
  writeFileSync(join(folder, 'assets', 'notes.md'), 'not a kind that is served')
  symlinkSync(join(root, 'secret.txt'), join(folder, 'assets', 'link.txt'))
})

afterAll(() => rmSync(root, { recursive: true }))

beforeEach(async () => {
  server = await new FakeBroker().server({ pagesDir: folder })
})

afterEach(() => server.close())

describe('the page', () => {
  test.each([
    '/',
    '/index.html',
    '/queues',
    '/queues/a%2Fb?tab=messages',
    '/connections/client.js',
    '/queues/orders.html',
  ])('is given at %s, and never kept', async (url) => {
    const answer = await server.app.inject(url)
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toBe(HTML)
    expect(answer.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  })

  test('may run our scripts only, and be in no frame', async () => {
    const { headers } = await server.app.inject('/')
    const policy = String(headers['content-security-policy'])
    expect(policy).not.toContain('unsafe')
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "connect-src 'self' ws: wss:",
    ]) {
      expect(policy).toContain(part)
    }
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    })
  })

  test('knows the path that a proxy puts before it', async () => {
    const below = await new FakeBroker().server({ pagesDir: folder, settings: { basePath: '/ternmq' } })
    expect((await below.app.inject('/ternmq/queues')).body).toContain('<base href="/ternmq/" />')
    expect((await below.app.inject('/ternmq/tern.svg')).headers['content-type']).toBe('image/svg+xml')
    expect((await below.app.inject('/ternmq/api/v1/health/live')).statusCode).toBe(200)
    const redirect = await below.app.inject('/ternmq')
    expect([redirect.statusCode, redirect.headers.location]).toEqual([308, '/ternmq/'])
    expect((await below.app.inject('/ternmq?tab=x')).headers.location).toBe('/ternmq/?tab=x')
    expect((await below.app.inject('/queues')).statusCode).toBe(404)
    await below.close()
  })

  test('that is not there says what to do: whoever has the package installs it again', async () => {
    const without = await new FakeBroker().server({ pagesDir: join(root, 'nowhere', 'dist') })
    const answer = await without.app.inject('/')
    expect(answer.statusCode).toBe(503)
    expect(answer.body).toContain('install it again')
    expect(answer.body).not.toContain('build.ts')
    await without.close()
  })

  test('that is not built in a clone names the command that builds it, which is there', async () => {
    const clone = join(import.meta.dirname, '..', '..', '..')
    const without = await new FakeBroker().server({ pagesDir: join(clone, 'apps', 'console', 'web', 'not-there') })
    const answer = await without.app.inject('/')
    expect(answer.statusCode).toBe(503)
    const [, command = ''] = /<code>node ([^<]+)<\/code>/.exec(answer.body) ?? []
    expect(command.split(' ').map((file) => existsSync(join(clone, file)))).toEqual([true, true])
    await without.close()
  })

  test('is looked for anew when it has been built anew', async () => {
    expect((await server.app.inject('/')).body).toBe(HTML)
    writeFileSync(join(folder, 'index.html'), `${HTML}<p>new`)
    utimesSync(join(folder, 'index.html'), 1, 1)
    expect((await server.app.inject('/')).body).toBe(`${HTML}<p>new`)
    writeFileSync(join(folder, 'index.html'), HTML)
  })
})

describe('a file', () => {
  test('whose name changes with it is kept for ever', async () => {
    const answer = await server.app.inject('/assets/index-Ab12.js')
    expect(answer.body).toBe(SCRIPT)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    })
  })

  test('of another name is asked for again, and comes again only when it has changed', async () => {
    const first = await server.app.inject('/tern.svg')
    expect(first.headers['cache-control']).toBe('no-cache')
    const again = await server.app.inject({
      url: '/tern.svg',
      headers: { 'if-none-match': String(first.headers.etag) },
    })
    expect([again.statusCode, again.body]).toEqual([304, ''])
  })

  test('comes compressed to who can read it', async () => {
    const url = '/assets/index-Ab12.js'
    const br = await server.app.inject({ url, headers: { 'accept-encoding': 'gzip, deflate, br' } })
    expect(br.headers).toMatchObject({ 'content-encoding': 'br', vary: 'accept-encoding' })
    expect(brotliDecompressSync(br.rawPayload).toString()).toBe(SCRIPT)
    const gz = await server.app.inject({ url, headers: { 'accept-encoding': 'gzip;q=0.5' } })
    expect(gunzipSync(gz.rawPayload).toString()).toBe(SCRIPT)
  })

  test.each(['/assets/gone-Cd34.js', '/favicon.ico', '/assets/notes.md', '/assets/link.txt'])(
    'that is missing is no page: %s',
    async (url) => {
      const answer = await server.app.inject(url)
      expect(answer.statusCode).toBe(404)
      expect(answer.body).not.toContain('SECRET')
    },
  )

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/..%5csecret.txt',
    '/assets/..%255c..%255csecret.txt',
    '//etc/passwd',
    '/%00/etc/passwd',
    '/assets/index-Ab12.js%00.html',
  ])('outside of the folder cannot be reached: %s', async (url) => {
    const answer = await server.app.inject(url)
    expect(answer.body).not.toContain('SECRET')
    expect(answer.body).not.toContain('root:')
    expect([200, 404]).toContain(answer.statusCode)
    if (answer.statusCode === 200) expect(answer.body).toBe(HTML)
  })
})

test.each(['/api/v1/nothing', '/api', '/metrics', '/health/nothing'])('%s is no page', async (url) => {
  const answer = await server.app.inject(url)
  expect(answer.json<Problem>()).toMatchObject({ code: 'ROUTE_UNKNOWN', status: 404 })
})

test('a path that is not percent-encoded right is refused', async () => {
  const answer = await server.app.inject('/api/v1/vhosts/%2F/queues/%zz')
  expect(answer.json<Problem>()).toMatchObject({ code: 'INVALID', status: 400 })
})
