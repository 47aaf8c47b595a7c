import { FileUserStore } from '@ternmq/auth'
import type { Pattern } from '@ternmq/core'
import { MovableClock } from '@ternmq/testkit'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'

import { type BrokerOptions, type EmbeddedBroker, startBroker } from './embed.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

async function start(options?: BrokerOptions): Promise<EmbeddedBroker> {
  const broker = await startBroker(options)
  onTestFinished(() => broker.stop())
  return broker
}

interface Client {
  readonly mqtt: MqttClient
  /** The next message that came, or will come. */
  readonly next: () => Promise<string>
}

async function client(broker: EmbeddedBroker, options: IClientOptions = {}): Promise<Client> {
  const { host, port } = broker.listeners.mqtt!
  const defaults: IClientOptions = { reconnectPeriod: 0, protocolVersion: 5, keepalive: 0 }
  const mqtt = connect(`mqtt://${host}:${port}`, { ...defaults, ...options })
  onTestFinished(() => mqtt.endAsync(true))
  const messages: string[] = []
  mqtt.on('message', (topic, payload) => messages.push(`${topic} ${payload.toString()}`))
  const next = async (): Promise<string> => {
    if (messages.length === 0) await new Promise((resolve) => mqtt.once('message', resolve))
    return messages.shift()!
  }
  await new Promise((resolve) => mqtt.once('connect', resolve))
  return { mqtt, next }
}

describe('without any option', () => {
  test('a broker listens on this machine, on ports of its own, and writes no file', async () => {
    const cwd = process.cwd()
    const before = readdirSync(cwd)
    const [one, other] = await Promise.all([start(), start()])
    const ports = [one, other].flatMap(({ listeners }) => Object.values(listeners).map(({ port }) => port))
    expect(Object.keys(one.listeners)).toEqual(['mqtt', 'stomp', 'amqp', 'ws'])
    expect(Object.values(one.listeners).map(({ host }) => host)).toEqual(Array.from({ length: 4 }, () => '127.0.0.1'))
    expect(new Set(ports).size).toBe(8)
    expect(readdirSync(cwd)).toEqual(before)
  })

  test('it takes a message and hands it on', async () => {
    const broker = await start()
    const receiver = await client(broker)
    await receiver.mqtt.subscribeAsync('a/#', { qos: 1 })
    const publisher = await client(broker)
    await publisher.mqtt.publishAsync('a/b', 'text', { qos: 1 })
    expect(await receiver.next()).toBe('a/b text')
  })
})

test('types know which listeners are open: all by default, and not those that the options close or may close', async () => {
  await using plain = await startBroker()
  expectTypeOf(plain.listeners.mqtt.port).toBeNumber()
  expectTypeOf(plain.listeners.any).toBeNullable()
  await using given = await startBroker({ config: { mqtt: { maxQos: 1 }, listeners: { ws: { enabled: false } } } })
  expectTypeOf(given.listeners.stomp.port).toBeNumber()
  expectTypeOf(given.listeners.ws).toBeNullable()
  const options: BrokerOptions = {}
  await using unknown = await startBroker(options)
  expectTypeOf(unknown.listeners.mqtt).toBeNullable()
  expect(Object.keys(given.listeners)).toEqual(['mqtt', 'stomp', 'amqp'])
})

describe('options', () => {
  test('any part of the configuration may be given, the rest stays as it is', async () => {
    const broker = await start({ config: { mqtt: { maxQos: 0 }, listeners: { ws: { enabled: false } } } })
    expect(Object.keys(broker.listeners)).toEqual(['mqtt', 'stomp', 'amqp'])
    const { mqtt } = await client(broker)
    const [granted] = await mqtt.subscribeAsync('a', { qos: 2 })
    expect(granted?.qos).toBe(0)
  })

  test('mistakes in them are all told at once', async () => {
    const config = { mqtt: { maxQos: 3 }, log: { level: 'loud' as 'info' } }
    await expect(startBroker({ config })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^options: mqtt\.maxQos is 3.*\noptions: log\.level is "loud"/) as unknown,
    })
  })

  test('warnings about them go to the log', async () => {
    const warnings: string[] = []
    const nothing = (): void => {}
    const warn = (_: object, text: string): unknown => warnings.push(text)
    const log = { debug: nothing, info: nothing, warn, error: nothing, fatal: nothing }
    await start({ config: { limits: { maxMessageBytes: 1_024 } }, log })
    expect(warnings[0]).toContain('limits.maxMessageBytes is 1024')
  })

  test('a data directory is used where one is given, and users are found in it again', async () => {
    const dataDir = join(newFolder(), 'data')
    const broker = await start({ dataDir, engine: 'memory' })
    expect(existsSync(join(dataDir, 'lock'))).toBe(true)
    await expect(startBroker({ dataDir })).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' })
    await broker.stop()
    await start({ config: { dataDir }, engine: 'memory' })
  })

  test('a journal without a place for it is refused, and the text says what to do', async () => {
    await expect(startBroker({ engine: 'journal' })).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message:
        'store.engine is "journal" and there is no data directory; give dataDir, or set store.engine to "memory"',
    })
  })
})

describe('with a data directory', () => {
  const kept = { clientId: 'a', clean: false, properties: { sessionExpiryInterval: 3_600 } }

  test('a session, what waits for it and what is retained are there after a new start', async () => {
    const dataDir = join(newFolder(), 'data')
    const first = await start({ dataDir })
    const leaving = await client(first, kept)
    await leaving.mqtt.subscribeAsync('a', { qos: 1 })
    await leaving.mqtt.endAsync()
    const publisher = await client(first)
    await publisher.mqtt.publishAsync('a', 'waits', { qos: 1 })
    await publisher.mqtt.publishAsync('b', 'stays', { qos: 1, retain: true })
    await first.stop()

    const second = await start({ dataDir })
    const returning = await client(second, kept)
    expect(await returning.next()).toBe('a waits')
    await returning.mqtt.subscribeAsync('b')
    expect(await returning.next()).toBe('b stays')
  })

  test('the memory engine leaves no journal', async () => {
    const dataDir = join(newFolder(), 'data')
    const broker = await start({ dataDir, engine: 'memory' })
    await broker.stop()
    expect(existsSync(join(dataDir, 'journal'))).toBe(false)
  })

  test('of a user who was removed and made again while no broker ran, the new one finds nothing that was kept', async () => {
    const dataDir = join(newFolder(), 'data')
    const first = await start({ dataDir })
    const ann = { name: 'ann', groups: [], createdAtMs: 1, changedAtMs: 1 }
    await first.users.change([ann, { ...ann, name: 'bob' }], [])
    const pattern: Pattern = { vhost: '/', kind: 'topic', levels: ['a'] }
    for (const name of ['ann', 'bob']) {
      const subject = { principal: { name, anonymous: false }, clientId: name }
      first.vhost.subscriptions.open({ clientId: name, name: 'news', pattern, shared: false }, subject)
    }
    await first.stop()
    const users = await FileUserStore.open(join(dataDir, 'users.json'))
    await users.remove('ann')
    await users.put(ann)
    const second = await start({ dataDir })
    const owners = (): unknown[] =>
      Array.from(second.vhost.destinations.all(), ({ subscription }) => subscription?.user)
    while (second.users.removedNames.length > 0) await new Promise(setImmediate)
    expect(owners()).toEqual(['bob'])
    await second.users.remove('bob')
    while (second.users.removedNames.length > 0) await new Promise(setImmediate)
    expect(owners()).toEqual([])
  })

  test('files of somebody else in the place of the journal stop the start, and stay as they are', async () => {
    const dataDir = newFolder()
    mkdirSync(join(dataDir, 'journal'))
    writeFileSync(join(dataDir, 'journal', 'thesis.txt'), 'chapter 1')
    await expect(startBroker({ dataDir })).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringMatching(
        /^cannot use the journal in .*journal: .*thesis\.txt.*another directory/,
      ) as unknown,
    })
    expect(readdirSync(join(dataDir, 'journal'))).toEqual(['thesis.txt'])
    expect(readFileSync(join(dataDir, 'journal', 'thesis.txt'), 'utf8')).toBe('chapter 1')
  })
})

describe('the end', () => {
  test('`ended` resolves when the broker has stopped', async () => {
    const broker = await start()
    let hasEnded = false
    const ended = broker.ended.then(() => (hasEnded = true))
    await new Promise(setImmediate)
    expect(hasEnded).toBe(false)
    await broker.stop()
    await ended
    expect(hasEnded).toBe(true)
  })
})

describe('time that a test moves', () => {
  test('ends a session, and with it what waited, without waiting for it', async () => {
    const clock = new MovableClock()
    const broker = await start({ clock })
    const properties = { sessionExpiryInterval: 1_800 }
    const leaving = await client(broker, { clientId: 'a', clean: false, properties })
    await leaving.mqtt.subscribeAsync('a', { qos: 1 })
    await leaving.mqtt.endAsync()
    expect(broker.vhost.sessions.count).toBe(1)
    await clock.advance('29m')
    expect(broker.vhost.sessions.count).toBe(1)
    await clock.advance('2m')
    expect(broker.vhost.sessions.count).toBe(0)
  })

  test('sends a will whose delay has passed', async () => {
    const clock = new MovableClock()
    const broker = await start({ clock })
    const watcher = await client(broker)
    await watcher.mqtt.subscribeAsync('wills', { qos: 1 })
    const will = {
      topic: 'wills',
      payload: Buffer.from('gone'),
      qos: 1 as const,
      properties: { willDelayInterval: 600 },
    }
    const leaving = await client(broker, { will, properties: { sessionExpiryInterval: 3_600 } })
    leaving.mqtt.stream.destroy()
    while (broker.vhost.sessions.connectedCount > 1) await new Promise(setImmediate)
    await clock.advance('10m')
    expect(await watcher.next()).toBe('wills gone')
  })

  test('lets a message expire that nobody took', async () => {
    const clock = new MovableClock()
    const broker = await start({ clock })
    const options = { clientId: 'a', clean: false, properties: { sessionExpiryInterval: 86_400 } }
    const leaving = await client(broker, options)
    await leaving.mqtt.subscribeAsync('a', { qos: 1 })
    await leaving.mqtt.endAsync()
    const publisher = await client(broker)
    await publisher.mqtt.publishAsync('a', 'short', { qos: 1, properties: { messageExpiryInterval: 1_800 } })
    await publisher.mqtt.publishAsync('a', 'long', { qos: 1, properties: { messageExpiryInterval: 7_200 } })
    await clock.advance('31m')
    const returning = await client(broker, options)
    expect(await returning.next()).toBe('a long')
  })
})
