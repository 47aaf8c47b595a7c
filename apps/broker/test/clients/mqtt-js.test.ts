/** MQTT.js over every listener and in every version. What only MQTT 5 has is in mqtt-js-5.test.ts. */
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type ClientOptions, TestClient, VERSIONS } from './mqtt-js-client.ts'
import { LISTENERS, RunningBroker } from './running-broker.ts'

const MATRIX = LISTENERS.flatMap((listener) => VERSIONS.map((protocolVersion) => ({ listener, protocolVersion })))
const QOS = [0, 1, 2] as const

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
})

afterAll(() => broker.stop())

/** Nobody else's. */
function freshTopic(): string {
  return `test/${randomUUID()}`
}

describe.each(MATRIX)('$listener, version $protocolVersion', ({ listener, protocolVersion }) => {
  const connect = (options: ClientOptions = {}): Promise<TestClient> =>
    TestClient.connect(broker, { listener, protocolVersion, ...options })

  /** Options of a client that has a session when it is not connected. */
  const staying = (clientId: string): ClientOptions => ({
    clientId,
    clean: false,
    ...(protocolVersion === 5 && { properties: { sessionExpiryInterval: 60 } }),
  })

  test('messages arrive once, in order, with the QoS they were sent with', async () => {
    const topic = freshTopic()
    await using subscriber = await connect()
    await using publisher = await connect()
    expect(await subscriber.mqtt.subscribeAsync(topic, { qos: 2 })).toMatchObject([{ topic, qos: 2 }])

    const numbers = Array.from({ length: 30 }, (_, index) => index)
    await Promise.all(numbers.map((n) => publisher.mqtt.publishAsync(topic, String(n), { qos: QOS[n % 3] ?? 0 })))
    const received = await subscriber.take(30)
    for (const qos of QOS) {
      const texts = received.filter((message) => message.qos === qos).map(({ payload }) => payload.toString())
      expect(texts).toEqual(numbers.filter((n) => n % 3 === qos).map(String)) // order holds within a QoS
    }
    expect(received.some(({ dup, retain }) => dup || retain)).toBe(false)
  })

  test('a subscription of a lower QoS lowers what arrives', async () => {
    const topic = freshTopic()
    await using subscriber = await connect()
    await using publisher = await connect()
    await subscriber.mqtt.subscribeAsync({ [`${topic}/0`]: { qos: 0 }, [`${topic}/1`]: { qos: 1 } })
    await publisher.mqtt.publishAsync(`${topic}/0`, 'x', { qos: 2 })
    expect(await subscriber.take(1)).toMatchObject([{ qos: 0 }])
    await publisher.mqtt.publishAsync(`${topic}/1`, 'x', { qos: 2 })
    expect(await subscriber.take(1)).toMatchObject([{ qos: 1 }])
  })

  test.each([0, 1, 65_536, 1_000_000])('a body of %i bytes arrives as it was', async (size) => {
    const topic = freshTopic()
    const body = randomBytes(size)
    await using client = await connect()
    await client.mqtt.subscribeAsync(topic, { qos: 1 })
    await client.mqtt.publishAsync(topic, body, { qos: 1 })
    const [message] = await client.take(1)
    expect(body.equals(message?.payload as Buffer)).toBe(true)
  })

  test('a retained message waits for whoever subscribes, with wildcards too, until it is cleared', async () => {
    const topic = freshTopic()
    await using publisher = await connect()
    await publisher.mqtt.publishAsync(`${topic}/a/b`, 'kept', { qos: 1, retain: true })

    await using subscriber = await connect()
    await subscriber.mqtt.subscribeAsync(`${topic}/+/#`, { qos: 1 })
    expect(await subscriber.take(1)).toMatchObject([{ topic: `${topic}/a/b`, retain: true, qos: 1 }])
    await publisher.mqtt.publishAsync(`${topic}/a/b`, 'newer', { qos: 1, retain: true })
    expect(await subscriber.take(1)).toMatchObject([{ retain: false }]) // a change, not what was there

    await publisher.mqtt.publishAsync(`${topic}/a/b`, '', { qos: 1, retain: true })
    await subscriber.take(1)
    await using late = await connect()
    await late.mqtt.subscribeAsync(`${topic}/#`, { qos: 1 })
    await publisher.mqtt.publishAsync(`${topic}/end`, 'end', { qos: 1 })
    expect(await late.takeTexts(1)).toEqual(['end'])
  })

  test('the will of a client that is gone is published, of one that says goodbye it is not', async () => {
    const topic = freshTopic()
    const will = (payload: string): ClientOptions => ({
      will: { topic, payload: Buffer.from(payload), qos: 1, retain: false },
    })
    await using watcher = await connect()
    await watcher.mqtt.subscribeAsync(topic, { qos: 1 })
    await using polite = await connect(will('not this'))
    await using sudden = await connect(will('gone'))
    await polite.end()
    await sudden.drop()
    expect(await watcher.takeTexts(1)).toEqual(['gone'])
  })

  test('a session that stays collects what comes while its client is away', async () => {
    const topic = freshTopic()
    const clientId = `stay-${randomUUID().slice(0, 8)}`
    await using first = await connect(staying(clientId))
    expect(first.connacks).toMatchObject([{ sessionPresent: false }])
    await first.mqtt.subscribeAsync(topic, { qos: 2 })
    await first.end()

    await using publisher = await connect()
    const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`)
    for (const [index, text] of texts.entries()) {
      await publisher.mqtt.publishAsync(topic, text, { qos: index < 10 ? 1 : 2 })
    }
    await using again = await connect(staying(clientId))
    // MQTT 3.1 has no session present flag: its CONNACK has a reserved byte there.
    expect(again.connacks).toMatchObject([{ sessionPresent: protocolVersion !== 3 }])
    expect((await again.takeTexts(20)).toSorted()).toEqual(texts.toSorted())
    await again.end()

    await using clean = await connect({ clientId })
    expect(clean.connacks).toMatchObject([{ sessionPresent: false }])
    await publisher.mqtt.publishAsync(topic, 'nobody subscribes any more', { qos: 1 })
    await clean.mqtt.subscribeAsync(topic, { qos: 1 })
    await publisher.mqtt.publishAsync(topic, 'end', { qos: 1 })
    expect(await clean.takeTexts(1)).toEqual(['end'])
  })

  test('members of a shared subscription get every message once between them', async () => {
    const topic = freshTopic()
    await using one = await connect()
    await using two = await connect()
    await using publisher = await connect()
    for (const member of [one, two]) await member.mqtt.subscribeAsync(`$share/group/${topic}`, { qos: 1 })
    const texts = Array.from({ length: 40 }, (_, index) => String(index))
    await Promise.all(texts.map((text) => publisher.mqtt.publishAsync(topic, text, { qos: 1 })))
    await one.until('a fair share', () => one.messages.length >= 20)
    await two.until('a fair share', () => two.messages.length >= 20)
    const received = [...one.messages, ...two.messages].map(({ payload }) => payload.toString())
    expect(received.toSorted()).toEqual(texts.toSorted())
  })

  test('nothing comes after UNSUBSCRIBE', async () => {
    const topic = freshTopic()
    await using client = await connect()
    await client.mqtt.subscribeAsync([`${topic}/a`, `${topic}/end`], { qos: 1 })
    await client.mqtt.unsubscribeAsync(`${topic}/a`)
    await client.mqtt.publishAsync(`${topic}/a`, 'x', { qos: 1 })
    await client.mqtt.publishAsync(`${topic}/end`, 'end', { qos: 1 })
    expect(await client.takeTexts(1)).toEqual(['end'])
  })

  test('a second connection with the same client id ends the first', async () => {
    const clientId = `twin-${randomUUID().slice(0, 8)}`
    await using first = await connect({ clientId })
    await using second = await connect({ clientId })
    await first.until('end', () => !first.mqtt.connected)
    await second.mqtt.publishAsync(freshTopic(), 'x', { qos: 1 })
    expect(second.mqtt.connected).toBe(true)
  })
})
