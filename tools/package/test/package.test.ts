/** `npm install ternmq` in an empty folder outside the repository, and what people do then. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { InstalledPackage, MAKE_MS_MAX, ROOT, type StartedBroker } from './installed.ts'

/** The packed file; the pages are half of it. */
const PACKED_BYTES_MAX = 1_500_000

/** Sources, source maps and tests look different. */
const EXPECTED = [
  /^(?:LICENSE|README\.md|package\.json|web\/LICENSES\.md)$/,
  /^dist\/[a-z0-9]+(?:-[a-z0-9]+)*(?:\.d\.ts|\.js)$/,
  /^web\/dist\/(?:[\w-]+\.(?:html|svg)|assets\/[\w.-]+\.(?:js|css|svg|woff2))$/,
]

let installed: InstalledPackage

beforeAll(async () => {
  installed = await InstalledPackage.make()
}, MAKE_MS_MAX)

afterAll(() => installed?.[Symbol.dispose]())

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

describe('what is in it', () => {
  test('code, declarations, pages and licences, and nothing of tests or of this machine', () => {
    const folder = join(installed.folder, 'node_modules', 'ternmq')
    const files = filesOf(folder).map((path) => path.slice(folder.length + 1))
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'web/LICENSES.md', 'web/dist/index.html']),
    )
    const isExpected = (path: string): boolean => EXPECTED.some((pattern) => pattern.test(path))
    expect(files.filter((path) => !isExpected(path))).toEqual([])
    for (const path of files) expect(readFileSync(join(folder, path), 'latin1'), path).not.toContain(ROOT)
  })

  test('it is small', () => {
    expect(installed.packed.sizeBytes).toBeLessThan(PACKED_BYTES_MAX)
  })
})

describe('the command', () => {
  test('npx ternmq --help names the commands, version is that of the package', () => {
    const help = installed.run('npx', ['ternmq', '--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toMatch(/^ {2}start /m)
    const { version } = JSON.parse(readFileSync(join(ROOT, 'apps', 'broker', 'package.json'), 'utf8')) as {
      version: string
    }
    expect(installed.run('npx', ['ternmq', 'version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('an old Node is told in one sentence', () => {
    const old = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.1' } })"
    const ran = installed.run('node', [
      '--import',
      `data:text/javascript,${encodeURIComponent(old)}`,
      'node_modules/ternmq/dist/cli.js',
    ])
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toMatch(/^ternmq: this is Node 20\.11\.1, and TernMQ needs 22\.18\.0 or newer.*\n$/)
  })
})

describe('npx ternmq start', () => {
  const PASSWORD = 'correct horse battery'
  let broker: StartedBroker

  beforeAll(async () => {
    broker = await installed.start(['npx', 'ternmq'], { env: { TERNMQ_ADMIN_PASSWORD: PASSWORD } })
  })

  afterAll(() => broker?.kill())

  async function mqtts(): Promise<MqttClient> {
    const ca = readFileSync(join(installed.folder, 'ternmq-data', 'certificates', 'ca.pem'))
    const client = await connectAsync(`mqtts://localhost:${broker.port('mqtts')}`, { ca, reconnectPeriod: 0 }, false)
    onTestFinished(() => client.endAsync(true))
    return client
  }

  test('MQTT over TLS goes through it', async () => {
    const client = await mqtts()
    await client.subscribeAsync('home/#', { qos: 1 })
    const received = new Promise((resolve) => {
      client.once('message', (topic, body) => resolve([topic, body.toString()]))
    })
    await client.publishAsync('home/door', 'open', { qos: 1 })
    expect(await received).toEqual(['home/door', 'open'])
  })

  test('the console has its pages', async () => {
    const page = await fetch(broker.consoleUrl)
    const html = await page.text()
    expect({ status: page.status, type: page.headers.get('content-type') }).toEqual({
      status: 200,
      type: 'text/html; charset=utf-8',
    })
    const [, script = ''] = /src="([^"]+\.js)"/.exec(html) ?? []
    const code = await fetch(new URL(script, broker.consoleUrl))
    expect(code.status).toBe(200)
    expect((await code.text()).length).toBeGreaterThan(10_000)
  })

  test('the API is ready, and knows the administrator', async () => {
    expect((await fetch(new URL('health/ready', broker.consoleUrl))).status).toBe(200)
    const body = JSON.stringify({ user: 'admin', password: PASSWORD })
    const headers = { 'content-type': 'application/json', origin: new URL(broker.consoleUrl).origin }
    const login = await fetch(new URL('api/v1/session', broker.consoleUrl), { method: 'POST', headers, body })
    expect({ status: login.status, body: await login.json() }).toMatchObject({
      status: 200,
      body: { user: 'admin', role: 'administrator' },
    })
    const cookie = login.headers.getSetCookie()[0]!.split(';')[0]!
    const overview = await fetch(new URL('api/v1/overview', broker.consoleUrl), { headers: { cookie } })
    expect(overview.status).toBe(200)
  })

  test('commands find it in its data directory', () => {
    expect(installed.run('npx', ['ternmq', 'status']).stdout).toContain(String(broker.ready?.pid))
  })

  test('SIGTERM stops it, and npx ends with 0', async () => {
    expect(await broker.stop()).toBe(0)
  })
})

describe('in a program', () => {
  /** The programs of the package's page. */
  const programs = [
    ...readFileSync(join(ROOT, 'tools', 'package', 'README.md'), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm),
  ].map(([, code]) => code!)

  test('every program of its page runs, and is right by the declarations', () => {
    expect(programs.length).toBe(2)
    const files = programs.map((code, index) => {
      const file = `program-${index}.ts`
      writeFileSync(join(installed.folder, file), code)
      return file
    })
    for (const file of files) expect(installed.run('node', [file])).toMatchObject({ code: 0, stderr: '' })
    const options = {
      ...{ strict: true, noEmit: true, target: 'es2024', lib: ['es2024', 'esnext.disposable'], module: 'nodenext' },
      ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
      ...{ types: ['node'], typeRoots: [join(ROOT, 'node_modules', '@types')] },
    }
    writeFileSync(join(installed.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }))
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    expect(installed.run('node', [tsc, '-p', '.'], 60_000)).toEqual({ code: 0, stdout: '', stderr: '' })
  })
})
