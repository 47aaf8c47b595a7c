import { changeConfig, listAudit, putUser } from '@ternmq/api'
import { type BrokerConfig, type BrokerConfigInput, loadConfig, sections, settings } from '@ternmq/config'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { runBroker } from './broker.ts'
import { overSocket } from './cli/connection.ts'
import type { LoadWith } from './configuration/configuration.ts'
import { type EmbeddedBroker, startBroker } from './embed.ts'
import { type Log, openProcessLog } from './reports/log.ts'

const io = { stderr: process.stderr, started: { command: 'ternmq', options: '', sets: '' } }

function loadOf(values: BrokerConfigInput): LoadWith {
  return (overrides) => loadConfig({ values, overrides })
}

/** A configuration that no file or flag could give. */
function exactly(config: BrokerConfig): LoadWith {
  return () => ({ ok: true, config, sources: new Map(), warnings: [] })
}

function configOf(values: BrokerConfigInput): BrokerConfig {
  const loaded = loadConfig({ values })
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
  return loaded.config
}

/** A broker without files, stopped after the test. */
async function startInMemory(config: BrokerConfigInput = {}, log?: Log): Promise<EmbeddedBroker> {
  const broker = await startBroker({ config, log })
  onTestFinished(() => broker.stop())
  return broker
}

function portOf(broker: Pick<EmbeddedBroker, 'listeners'>): number {
  return broker.listeners.mqtt?.port ?? 0
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}) // some are cut off
  onTestFinished(() => void socket.destroy())
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve)
  })
  return socket
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
    socket.resume()
  })
}

/** CONNECT of MQTT 3.1.1, clean session, with this client id. */
function connectPacket(clientId: string): Buffer {
  const id = Buffer.from(clientId)
  const head = [0x10, 12 + id.length, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 0, 0, id.length]
  return Buffer.concat([Buffer.from(head), id])
}

async function login(
  broker: Pick<EmbeddedBroker, 'listeners'>,
  clientId: string,
  port = portOf(broker),
): Promise<Socket> {
  const socket = await open(port)
  socket.write(connectPacket(clientId))
  const connack = await new Promise<Buffer>((resolve) => {
    socket.once('data', resolve)
  })
  expect([...connack]).toEqual([0x20, 2, 0, 0])
  return socket
}

test('a program may have several brokers, which know nothing of one another', async () => {
  const [one, other] = await Promise.all([startInMemory(), startInMemory()])
  await login(one, 'a')
  expect(one.vhost.sessions.count).toBe(1)
  expect(other.vhost.sessions.count).toBe(0)
})

test('a broker ends with the block that uses it, and stopping it again harms nobody', async () => {
  let outside: EmbeddedBroker
  {
    await using broker = await startBroker()
    outside = broker
    const socket = await login(broker, 'a')
    socket.resume()
  }
  await outside.stop()
  const refused = connect(portOf(outside), '127.0.0.1')
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
    refused.once('error', resolve)
  })
  expect(error.code).toBe('ECONNREFUSED')
})

test('what happens to clients is in its events and its log', async () => {
  const lines: string[] = []
  const note = (_: object, text: string): void => void lines.push(text)
  const broker = await startInMemory({}, { debug: note, info: note, warn: note, error: note, fatal: note })
  await login(broker, 'a')
  const second = await open(portOf(broker))
  second.write(Uint8Array.of(0xc0, 0)) // PINGREQ before CONNECT
  await closed(second)
  const [, refused] = broker.events.recent()
  expect(broker.events.recent().map(({ kind }) => kind)).toEqual(['connected', 'refused'])
  expect(refused?.clause).not.toBe('')
  expect(lines).toContain(refused?.text)
})

test('a port that is busy leaves nothing behind: neither listener nor lock', async () => {
  const busy = createServer()
  onTestFinished(() => void busy.close())
  await new Promise<void>((resolve) => {
    busy.listen(0, '127.0.0.1', resolve)
  })
  const address = busy.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const dataDir = join(folder, 'data')
  const listeners = { ws: { port } }
  await expect(startBroker({ dataDir, config: { listeners } })).rejects.toMatchObject({ code: 'LISTENER_PORT_IN_USE' })
  await using broker = await startBroker({ dataDir })
  expect(portOf(broker)).toBeGreaterThan(0)
})

test('limits that change while it runs hold for the next connection, all listeners together', async () => {
  const broker = await startInMemory()
  await login(broker, 'a')
  await broker.reload({ limits: { maxConnections: 1 } })
  await closed(await open(portOf(broker)))
  expect(broker.events.recent().at(-1)).toMatchObject({
    kind: 'limit',
    text: 'connection refused: limits.maxConnections is 1, and as many are open',
  })
  await broker.reload({})
  await login(broker, 'b')
})

test('a configuration that cannot be leaves everything as it was', async () => {
  const broker = await startInMemory()
  await expect(broker.reload({ mqtt: { maxQos: 3 } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await login(broker, 'a')
})

test('rules that cannot be are refused before anything else of a configuration counts', async () => {
  const off = { enabled: false }
  const listeners = { mqtt: { port: 0 }, mqtts: off, stomp: off, stomps: off, amqp: off, amqps: off, ws: off, wss: off }
  const store = { engine: 'memory' as const }
  const rules = [{ user: '*', allow: ['read' as const], deny: [], topics: ['#'] }]
  await using broker = await runBroker(loadOf({ listeners, store, console: off }), { hasDataDir: false })
  const closed = configOf({
    listeners: { ...listeners, mqtt: { authentication: { anonymous: false } } },
    store,
    auth: { rules },
  })
  const wrong = { ...closed, auth: { ...closed.auth, rules: [{ ...rules[0]!, topics: ['a#'] }] } }
  await expect(broker.reload(exactly(wrong))).rejects.toMatchObject({ code: 'AUTH_RULES_INVALID' })
  await login(broker, 'a')
})

test('a broker without files cannot make certificates, and says what to set', async () => {
  await expect(startBroker({ config: { listeners: { mqtts: { enabled: true } } } })).rejects.toThrow(
    'listeners.mqtts.tls.cert and .key are not set, and a broker without data directory cannot make its own',
  )
})

test('a broker without files may have the port for all protocols, without encryption; what changes holds for the next connection', async () => {
  const any = { enabled: true, encryption: 'none' as const }
  const broker = await startInMemory({ listeners: { any } })
  await login(broker, 'a', broker.listeners.any?.port)
  await broker.reload({ listeners: { any: { ...any, maxConnections: 1 } } })
  const refused = await open(broker.listeners.any?.port ?? 0)
  await closed(refused)
  expect(broker.events.recent().at(-1)?.text).toContain('listeners.any.maxConnections is 1')
  await broker.reload({ listeners: { any }, mqtt: { maxClientIdBytes: 23 } })
  const tooLong = await open(broker.listeners.any?.port ?? 0)
  tooLong.write(connectPacket('x'.repeat(24)))
  await closed(tooLong)
  expect(broker.events.recent().at(-1)).toMatchObject({ source: 'mqtt', listener: 'any', kind: 'refused' })
})

/** Notes which settings are read. */
function watched(section: object, key: string, read: Set<string>): object {
  return new Proxy(section, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof name !== 'string') return value
      const partKey = key === '' ? name : `${key}.${name}`
      if (sections.has(partKey)) return watched(value as object, partKey, read)
      read.add(partKey)
      return value
    },
  })
}

test('every setting is used: nothing in the configuration is without effect', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  await using maker = await startBroker({ dataDir: folder, config: { listeners: { mqtts: { enabled: true } } } })
  await maker.stop()
  const tls = {
    cert: join(folder, 'certificates', 'server.pem'),
    key: join(folder, 'certificates', 'server-key.pem'),
    ca: join(folder, 'certificates', 'ca.pem'),
    clientCertificate: 'request' as const,
    identity: 'cn' as const,
  }
  const listeners = {
    mqtt: { port: 0 },
    mqtts: { port: 0, tls },
    stomp: { port: 0 },
    stomps: { port: 0, tls },
    amqp: { port: 0 },
    amqps: { port: 0, tls },
    ws: { port: 0 },
    wss: { port: 0, tls },
    any: { enabled: true, port: 0, tls },
  }
  const read = new Set<string>()
  const config = watched(
    structuredClone(
      configOf({
        dataDir: folder,
        listeners,
        console: { port: 0, tls: { enabled: true, cert: tls.cert, key: tls.key } },
        tracing: { enabled: true },
      }),
    ),
    '',
    read,
  ) as BrokerConfig
  openProcessLog(config.log)
  await using broker = await runBroker(exactly(config))
  expect(Object.keys(broker.listeners)).toEqual([
    'mqtt',
    'mqtts',
    'stomp',
    'stomps',
    'amqp',
    'amqps',
    'ws',
    'wss',
    'any',
  ])
  const connection = overSocket(config, io)
  onTestFinished(() => connection.close())
  await connection.client.call(putUser, { params: { name: 'device' }, body: {} })
  expect(broker.users.list().map(({ name }) => name)).toEqual(['admin', 'device'])
  expect([...settings.keys()].filter((key) => !read.has(key))).toEqual([])
})

test('a reload is in the audit log with the settings that changed, or with why it was not done', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ternmq-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const names = ['mqtt', 'mqtts', 'stomp', 'stomps', 'amqp', 'amqps', 'ws', 'wss']
  const listeners = Object.fromEntries(names.map((name) => [name, { enabled: false, port: 0 }]))
  const values = { dataDir, listeners, console: { enabled: false, port: 0 } }
  await using broker = await runBroker(loadOf(values))
  await broker.reload(loadOf({ ...values, mqtt: { maxQos: 1 }, store: { segmentBytes: 8 * 1024 * 1024 } }))
  await expect(broker.reload(loadOf({ ...values, mqtt: { maxQos: 7 } }))).rejects.toThrow('mqtt.maxQos is 7')
  const connection = overSocket(configOf(values), io)
  onTestFinished(() => connection.close())
  const { items } = await connection.client.call(listAudit, { query: { action: 'config.reload' } })
  expect(items.map(({ outcome, detail }) => [outcome, detail])).toEqual([
    ['failed', expect.stringContaining('mqtt.maxQos is 7; allowed is')],
    ['done', 'count now: mqtt.maxQos; count after the next start: store.segmentBytes'],
  ])
})

test('a setting of the admin API that keeps the broker from starting can be left out, and mended', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ternmq-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  onTestFinished(() => void other.close())
  const { port } = other.address() as AddressInfo
  const values: BrokerConfigInput = {
    dataDir,
    listeners: Object.fromEntries(
      ['mqtt', 'mqtts', 'stomp', 'stomps', 'amqp', 'amqps', 'ws', 'wss'].map((name) => [
        name,
        { enabled: false, port: 0 },
      ]),
    ),
    console: { enabled: false, port: 0 },
  }
  const change = async (set: Readonly<Record<string, unknown>>, withoutApiSettings: boolean): Promise<void> => {
    await using broker = await runBroker(loadOf(values), { withoutApiSettings })
    expect(broker.console).toBeUndefined()
    const connection = overSocket(configOf(values), io)
    await connection.client.call(changeConfig, { body: { changes: set } })
    connection.close()
  }
  await change({ 'console.enabled': true, 'console.port': port }, false)
  await expect(runBroker(loadOf(values))).rejects.toMatchObject({ code: 'CONSOLE_PORT_FAILED' })
  await change({ 'console.port': null }, true)
  await using mended = await runBroker(loadOf(values))
  expect(mended.console).toBeDefined()
})
