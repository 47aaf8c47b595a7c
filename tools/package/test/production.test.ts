/** The image, the unit and the configurations of examples/production, as far as they can be run without a container and without systemd. */
import { INSTALL_MS_MAX, needs } from '@ternmq/broker/test/debian'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'

import { imageSteps, type ImageSteps } from './image-steps.ts'
import { FREE_PORTS, InstalledPackage, MAKE_MS_MAX, ROOT, type StartedBroker } from './installed.ts'

const PROXY_START_MS_MAX = 60_000
/** Loopback, too, and nobody else's: a port that is free there stays free until the proxy takes it. */
const PROXY_HOST = '127.0.0.2'
const LOOK_EVERY_MS = 50
const PRODUCTION = join(ROOT, 'examples', 'production')

let installed: InstalledPackage

beforeAll(async () => {
  installed = await InstalledPackage.make()
}, MAKE_MS_MAX)

afterAll(() => installed?.[Symbol.dispose]())

function example(name: string): string {
  return readFileSync(join(PRODUCTION, name), 'utf8')
}

const CONFIGURATIONS = readdirSync(PRODUCTION).filter((name) => name.endsWith('.yaml'))

describe('the image', () => {
  const image: ImageSteps = imageSteps(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))
  /** Of the image, in the folder of the test. */
  const inFolder = (text: string): string => text.replaceAll('/var/lib/ternmq', join(installed.folder, 'state'))
  let broker: StartedBroker

  beforeAll(async () => {
    const env = Object.fromEntries(Object.entries(image.env).map(([name, value]) => [name, inFolder(value)]))
    mkdirSync(join(installed.folder, 'state'), { mode: 0o700 })
    // `start` itself is what the installed package is started with.
    const own = image.command
      .slice(1)
      .map((arg) => (arg === '/etc/ternmq/ternmq.yaml' ? join(PRODUCTION, 'container.yaml') : arg))
    broker = await installed.start([join(installed.folder, 'node_modules', '.bin', ...image.entryPoint)], {
      args: [...own, ...FREE_PORTS],
      env,
    })
  })

  afterAll(() => broker?.kill())

  test('it is installed from the package that `npm run package` makes, by the command that these tests install it with', () => {
    expect(image.run.find((command) => command.includes('run -s package'))).toBe('npm run -s package -- /package')
    expect(image.run.find((command) => command.includes('install --omit'))).toMatch(
      /^npm install .* \/package\/\*\.tgz$/,
    )
  })

  test('it runs `ternmq start`', () => {
    expect([image.entryPoint, image.command[0]]).toEqual([['ternmq'], 'start'])
  })

  test('what is copied into it is there', () => {
    expect(image.copiedFiles.length).toBeGreaterThan(0)
    for (const path of image.copiedFiles) expect(existsSync(join(ROOT, path)), path).toBe(true)
  })

  test('the user has a number and is not root, and owns what is written to', () => {
    expect(image.user).toBe('10001:10001')
    const made = image.run.find((command) => command.includes('useradd')) ?? ''
    expect(made).toContain('--uid 10001')
    expect(made).toContain(`install --directory --owner=10001 --group=10001 --mode=0700 ${image.volume}`)
    expect(image.env['TERNMQ_DATA_DIR']).toBe(image.volume)
  })

  test('it starts, all of its state is in the volume, and the health check is content', () => {
    const files = readdirSync(join(installed.folder, 'state'))
    expect(files).toEqual(expect.arrayContaining(['journal', 'users.json', 'certificates']))
    const [program = '', ...args] = image.healthCheck
    const env = { ...installed.env, TERNMQ_DATA_DIR: join(installed.folder, 'state') }
    expect(spawnSync(program, args, { env }).status).toBe(0)
    const elsewhere = { ...env, TERNMQ_DATA_DIR: installed.folder }
    expect(spawnSync(program, args, { env: elsewhere }).status).toBe(1)
  })

  // Its certificate stands in for the one that an operator puts beside the configuration.
  test.each(CONFIGURATIONS)('config check finds nothing wrong with %s', (name) => {
    const folder = join(installed.folder, 'checked')
    const made = join(installed.folder, 'state', 'certificates')
    mkdirSync(join(folder, 'tls'), { recursive: true })
    copyFileSync(join(made, 'server.pem'), join(folder, 'tls', 'server.pem'))
    copyFileSync(join(made, 'server-key.pem'), join(folder, 'tls', 'server.key'))
    const file = join(folder, name)
    copyFileSync(join(PRODUCTION, name), file)
    const ran = installed.run('npx', ['ternmq', 'config', 'check', '--config', file, '--data-dir', folder])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(ran.stdout).toContain(`${file} is good: `)
  })

  test('its ports are those of the listeners and of the console', () => {
    const { stdout } = installed.run('npx', [
      'ternmq',
      'config',
      'print',
      '--config',
      join(PRODUCTION, 'container.yaml'),
    ])
    const { listeners, console } = parse(stdout) as {
      readonly listeners: Readonly<Record<string, { readonly enabled: boolean; readonly port: number }>>
      readonly console: { readonly port: number }
    }
    const open = Object.values(listeners).filter(({ enabled }) => enabled)
    expect(image.ports.toSorted()).toEqual([...open, console].map(({ port }) => String(port)).toSorted())
  })

  test('SIGTERM ends it with 0', async () => {
    expect(await broker.stop()).toBe(0)
  })

  test('compose.yaml publishes ports that it has, on this machine only, and keeps its volume', () => {
    const { services } = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8')) as {
      readonly services: { readonly broker: { readonly ports: readonly string[]; readonly volumes: readonly string[] } }
    }
    const published = services.broker.ports.map((port) => /^127\.0\.0\.1:(\d+):\1$/.exec(port)?.[1])
    expect(new Set(published)).toEqual(new Set(image.ports))
    expect(services.broker.volumes).toEqual([`data:${image.volume}`])
  })
})

describe('the systemd unit', () => {
  beforeEach((context) => needs(context, 'systemd'), INSTALL_MS_MAX)

  test('systemd has nothing to say about it', () => {
    const unit = join(installed.folder, 'ternmq.service')
    const command = join(installed.folder, 'node_modules', '.bin', 'ternmq')
    writeFileSync(unit, example('ternmq.service').replace('ExecStart=ternmq', `ExecStart=${command}`))
    const ran = installed.run('systemd-analyze', ['verify', '--man=no', unit])
    expect(ran).toEqual({ code: 0, stdout: '', stderr: '' })
  })
})

/** Each reads its example, with addresses and certificate of the test in it. */
const PROXIES = [
  {
    name: 'nginx',
    debian: 'nginx-light' as const,
    program: '/usr/sbin/nginx',
    args: (file: string, folder: string) => ['-p', folder, '-e', 'stderr', '-c', file],
    configuration: ({ port, upstream, cert, key, folder }: ProxyFacts) =>
      [
        `daemon off; pid ${folder}/nginx.pid; error_log stderr; events {}`,
        `http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/nginx-${kind};`).join(' ')}`,
        example('nginx.conf')
          .replace('listen 443 ssl', `listen ${PROXY_HOST}:${port} ssl`)
          .replace('/etc/nginx/tls/ops.pem', cert)
          .replace('/etc/nginx/tls/ops.key', key)
          .replace('127.0.0.1:8161', upstream),
        '}',
      ].join('\n'),
  },
  {
    name: 'caddy',
    debian: 'caddy' as const,
    program: '/usr/bin/caddy',
    args: (file: string) => ['run', '--adapter', 'caddyfile', '--config', file],
    configuration: ({ port, upstream, cert, key }: ProxyFacts) =>
      [
        `{\n admin off\n auto_https off\n}`,
        example('caddy.conf')
          .replace('ops.example.com {', `https://ops.example.com:${port} {\n bind ${PROXY_HOST}\n tls ${cert} ${key}`)
          .replace('127.0.0.1:8161', upstream),
      ].join('\n'),
  },
] as const

interface ProxyFacts {
  readonly port: number
  /** host:port of the console. */
  readonly upstream: string
  readonly cert: string
  readonly key: string
  readonly folder: string
}

describe('the console behind a proxy', () => {
  const PASSWORD = 'correct horse battery'
  let broker: StartedBroker
  let ca: Buffer

  beforeAll(async () => {
    // With its listeners on loopback: the certificates of the example are not here.
    const { console } = parse(example('ternmq.yaml')) as { readonly console: object }
    writeFileSync(join(installed.folder, 'proxied.yaml'), JSON.stringify({ console }))
    const args = ['--config', 'proxied.yaml', '--data-dir', 'proxied', ...FREE_PORTS]
    broker = await installed.start(['node_modules/.bin/ternmq'], { args, env: { TERNMQ_ADMIN_PASSWORD: PASSWORD } })
    ca = readFileSync(join(installed.folder, 'proxied', 'certificates', 'ca.pem'))
  })

  afterAll(() => broker?.kill())

  /** `upstream` is the address of what it stands before. */
  async function startProxy(
    { name, program, args, configuration }: (typeof PROXIES)[number],
    upstream: string,
  ): Promise<number> {
    const { folder } = installed
    const certificates = join(folder, 'proxied', 'certificates')
    const port = await freePort()
    const [cert, key] = [join(certificates, 'server.pem'), join(certificates, 'server-key.pem')]
    const file = join(folder, `${name}.conf`)
    writeFileSync(file, configuration({ port, upstream: new URL(upstream).host, cert, key, folder }))
    const child = spawn(program, args(file, folder), {
      cwd: folder,
      env: { ...installed.env, HOME: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const ended = new Promise((resolve) => child.once('close', resolve))
    onTestFinished(async () => {
      child.kill('SIGTERM')
      await ended
    })
    const endMs = performance.now() + PROXY_START_MS_MAX
    while ((await statusOf(port, '/')) === undefined) {
      if (child.exitCode !== null || performance.now() > endMs) throw new Error(`${name} is not up:\n${said}`)
      await sleep(LOOK_EVERY_MS)
    }
    return port
  }

  async function statusOf(port: number, path: string): Promise<number | undefined> {
    return await call(port, 'GET', path).then(
      ({ status }) => status,
      () => undefined, // not up yet
    )
  }

  /** `ternmq console` before the broker, with what the example tells a broker of the proxy; ended after the test. */
  async function consoleAlone(): Promise<string> {
    const own = ['--base-path', '/ternmq/', '--origins', 'https://ops.example.com', '--trusted-proxies', '127.0.0.1']
    const child = spawn('node_modules/.bin/ternmq', ['console', broker.consoleUrl, '--port', '0', ...own], {
      cwd: installed.folder,
      env: installed.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    onTestFinished(async () => {
      child.kill('SIGTERM')
      await ended
    })
    let said = ''
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      said += String(chunk)
      const [, url] = /console at (\S+) for/.exec(said) ?? []
      if (url !== undefined) return url
    }
    throw new Error(`the console alone is not up: ${said}`)
  }

  function call(
    port: number,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body = '',
  ): Promise<{ readonly status: number; readonly cookie: string; readonly text: string }> {
    return new Promise((resolve, reject) => {
      // The development certificate names localhost; the server block and the site are called otherwise.
      const options = {
        host: PROXY_HOST,
        port,
        path,
        method,
        ca,
        servername: 'ops.example.com',
        checkServerIdentity: () => undefined,
      }
      const sent = request({ ...options, headers: { host: 'ops.example.com', ...headers } }, (answer) => {
        let text = ''
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, cookie: answer.headers['set-cookie']?.[0] ?? '', text }),
        )
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  describe.each(PROXIES)('$name', (proxy) => {
    beforeEach((context) => needs(context, proxy.debian), INSTALL_MS_MAX)

    test.each([
      ['the console', () => Promise.resolve(broker.consoleUrl), /^__Host-ternmq=.*; Secure/],
      ['a console alone', consoleAlone, /^__Host-ternmq-\w{12}-__Host-ternmq=.*; Secure/],
    ] as const)(
      'shows %s below its path, lets its pages log in, and hides the numbers',
      async (_, upstream, cookie) => {
        const port = await startProxy(proxy, await upstream())
        const page = await call(port, 'GET', '/ternmq/')
        expect(page.status).toBe(200)
        expect(page.text).toContain('<base href="/ternmq/" />')
        expect(await statusOf(port, '/')).toBe(404)
        expect(await statusOf(port, '/ternmq/metrics')).toBe(404)

        const logIn = (origin: string): ReturnType<typeof call> => {
          const body = JSON.stringify({ user: 'admin', password: PASSWORD })
          const headers = { origin, 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' }
          return call(port, 'POST', '/ternmq/api/v1/session', headers, body)
        }
        expect((await logIn('https://elsewhere.example.com')).status).toBe(403)
        const login = await logIn('https://ops.example.com')
        expect(login.status).toBe(200)
        expect(login.cookie).toMatch(cookie)
        // It is written behind the answer.
        const audit = (): string => readFileSync(join(installed.folder, 'proxied', 'audit.log'), 'utf8')
        await expect.poll(audit).toMatch(/"session\.login".*"done".*"127\.0\.0\.1"/)
        expect(audit()).not.toContain('203.0.113.9') // what the caller claims
      },
    )
  })

  test('the broker itself shows its numbers on loopback', async () => {
    expect((await fetch(new URL('metrics', broker.consoleUrl))).status).toBe(200)
  })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, PROXY_HOST, () => {
      const { port } = server.address() as { readonly port: number }
      server.close(() => resolve(port))
    })
  })
}
