import { ALL_BELOW, allowAll, DEFAULT_CORE_LIMITS, Message, VirtualHost } from '@ternmq/core'
import { MovableClock, virtualEnv } from '@ternmq/testkit'
import { beforeEach, expect, test } from 'vitest'

import { SysTopics } from './sys-topics.ts'

let env = virtualEnv()
let vhost = newHost()
let accepted = 0
let topics = newTopics()

beforeEach(() => {
  env = virtualEnv()
  vhost = newHost()
  accepted = 0
  topics = newTopics()
})

function newHost(): VirtualHost {
  return new VirtualHost({ env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
}

function newTopics(): SysTopics {
  return new SysTopics({ vhost, version: '1.2.3', connectionsAccepted: () => accepted })
}

function messageOf(name: string): Message | undefined {
  return vhost.retained.get(['$SYS', 'broker', ...name.split('/')])
}

function textOf(name: string): string | undefined {
  const message = messageOf(name)
  return message && Buffer.from(message.body).toString()
}

function publish(topic: string, text: string): void {
  const bytes = Buffer.from(text)
  const codec = { id: 'none', decode: () => ({ properties: [] }), encode: () => new Uint8Array(0) }
  const fields = {
    topic,
    codec,
    bytes,
    start: 0,
    headerStart: 0,
    bodyStart: 0,
    end: bytes.length,
    assurance: 0 as const,
  }
  const message = new Message({ ...fields, durable: false, retain: true, expiresAtMs: 0, publisher: undefined })
  vhost.publish(vhost.router.routeOf(topic), message, vhost.traffic)
}

test('the numbers are there as soon as the broker is, as retained messages', () => {
  topics.use(10)
  expect(textOf('version')).toBe('TernMQ version 1.2.3')
  expect(textOf('uptime')).toBe('0 seconds')
  expect(textOf('clients/connected')).toBe('0')
})

test("what clients publish is counted, the broker's own messages are not", () => {
  topics.use(10)
  publish('a', 'four')
  publish('b', '12345')
  env.clock.advance(10_000)
  expect(vhost.counters).toMatchObject({ messagesIn: 2, bytesIn: 9, unmatched: 2 })
  expect(textOf('messages/received')).toBe('2')
  expect(textOf('publish/bytes/received')).toBe('9')
  expect(textOf('uptime')).toBe('10 seconds')
  env.clock.advance(10_000)
  expect(textOf('messages/received')).toBe('2')
})

test('a topic is published again only when its text has changed', () => {
  topics.use(10)
  const version = messageOf('version')
  const uptime = messageOf('uptime')
  env.clock.advance(10_000)
  expect(messageOf('version')).toBe(version)
  expect(messageOf('uptime')).not.toBe(uptime)
})

test('load is a decaying average per minute', () => {
  topics.use(60)
  for (let index = 0; index < 120; index++) publish('a', 'x')
  accepted = 60
  env.clock.advance(60_000)
  expect(textOf('load/publish/received/1min')).toBe((120 * (1 - Math.exp(-1))).toFixed(2))
  expect(textOf('load/connections/5min')).toBe((60 * (1 - Math.exp(-1 / 5))).toFixed(2))
  env.clock.advance(60_000)
  expect(textOf('load/publish/received/1min')).toBe((120 * (1 - Math.exp(-1)) * Math.exp(-1)).toFixed(2))
})

test('sessions and retained messages are counted by name', () => {
  const owner = { onEvicted: () => {} }
  const principal = { name: 'alice', anonymous: false }
  const request = { principal, cleanStart: true, expiryMs: 1_000, creditMax: 1, will: undefined, owner }
  vhost.sessions.open({ ...request, clientId: 'a' })
  const opened = vhost.sessions.open({ ...request, clientId: 'b' })
  if (opened.ok) opened.value.session.disconnect()
  topics.use(10)
  expect(textOf('clients/total')).toBe('2')
  expect(textOf('clients/connected')).toBe('1')
  expect(textOf('clients/disconnected')).toBe('1')
  expect(textOf('clients/maximum')).toBe('1')
})

test('an interval of 0 publishes nothing, and closing leaves no timer', () => {
  topics.use(0)
  env.clock.advance(60_000)
  expect(vhost.retained.count).toBe(0)
  topics.use(1)
  topics.use(5)
  expect(env.clock.timerCount).toBe(1)
  topics.close()
  expect(env.clock.timerCount).toBe(0)
})

test('in minutes that a test skips, the topics are published when something has happened and before they are looked at, and say the same as if they had been published all the time', async () => {
  const texts = async (skips: boolean): Promise<Map<string, string>> => {
    const clock = new MovableClock()
    const host = new VirtualHost({ env: { clock, random: env.random }, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
    let published = 0
    const { publish: give } = host
    host.publish = (...given) => {
      published++
      return give.apply(host, given)
    }
    const own = new SysTopics({ vhost: host, version: '1', connectionsAccepted: () => 7 })
    if (!skips) Object.defineProperty(clock, 'every', { value: undefined })
    own.use(10)
    host.countersBy.mqtt.messagesOut = 5_000
    await clock.advance('3m')
    host.countersBy.mqtt.messagesOut = 9_000
    await clock.advance('7m')
    if (skips) expect(published).toBeLessThan(200)
    own.close()
    expect(clock.timerCount).toBe(0)
    const all = host.retained.matching(['$SYS', 'broker', ALL_BELOW], clock.wallMs())
    return new Map(all.map(({ topic, body }) => [topic, Buffer.from(body).toString()]))
  }
  expect(await texts(true)).toEqual(await texts(false))
})
