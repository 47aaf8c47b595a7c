/** What MQTT 5 adds, with MQTT.js over every listener. */
import { randomUUID } from 'node:crypto'
import type { IDisconnectPacket } from 'mqtt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type ClientOptions, TestClient } from './mqtt-js-client.ts'
import { LISTENERS, RunningBroker } from './running-broker.ts'

const NO_MATCHING_SUBSCRIBERS = 0x10
const SESSION_TAKEN_OVER = 0x8e
const PACKET_TOO_LARGE = 0x95
const QUOTA_EXCEEDED = 0x97

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start(
    'mqtt.maxSubscriptionsPerSession=5',
    'mqtt.keepAliveMaxSeconds=30',
    'mqtt.maxPacketBytes=100000',
  )
})

afterAll(() => broker.stop())

/** Nobody else's. */
function freshTopic(): string {
  return `test/${randomUUID()}`
}

describe.each(LISTENERS)('%s', (listener) => {
  const connect = (options: ClientOptions = {}): Promise<TestClient> =>
    TestClient.connect(broker, { listener, protocolVersion: 5, ...options })

  test('the properties of a message arrive as they were sent, repeated ones in their order', async () => {
    const topic = freshTopic()
    const properties = {
      payloadFormatIndicator: true,
      contentType: 'application/json; charset=utf-8',
      responseTopic: 'answers/1',
      correlationData: Buffer.from([0, 1, 254, 255]),
      userProperties: { unit: '°C', path: ['first', 'second', 'first'] },
    }
    await using client = await connect()
    await client.mqtt.subscribeAsync(topic, { qos: 2 })
    await client.mqtt.publishAsync(topic, '{}', { qos: 2, properties })
    const [message] = await client.take(1)
    expect({ ...message?.properties, userProperties: { ...message?.properties?.userProperties } }).toEqual(properties)
  })

  test('a message tells the identifiers of all subscriptions that match', async () => {
    const topic = freshTopic()
    await using client = await connect()
    await client.mqtt.subscribeAsync(`${topic}/+`, { qos: 1, properties: { subscriptionIdentifier: 7 } })
    await client.mqtt.subscribeAsync(`${topic}/#`, { qos: 1, properties: { subscriptionIdentifier: 268_435_455 } })
    await client.mqtt.publishAsync(`${topic}/a`, 'x', { qos: 1 })
    const [message] = await client.take(1)
    const identifiers = [message?.properties?.subscriptionIdentifier].flat()
    expect(identifiers.toSorted((a = 0, b = 0) => a - b)).toEqual([7, 268_435_455])
  })

  test('no-local, retain-as-published and retain handling do what they say', async () => {
    const topic = freshTopic()
    await using self = await connect()
    await using other = await connect()
    await self.mqtt.publishAsync(topic, 'kept', { qos: 1, retain: true })
    await self.mqtt.subscribeAsync(topic, { qos: 1, nl: true, rap: true, rh: 2 }) // 2: nothing that is retained
    await self.mqtt.publishAsync(topic, 'my own', { qos: 1 })
    await other.mqtt.publishAsync(topic, "somebody else's", { qos: 1, retain: true })
    expect(await self.take(1)).toMatchObject([{ payload: Buffer.from("somebody else's"), retain: true }])
    await self.mqtt.subscribeAsync(topic, { qos: 1, rh: 1 }) // 1: only for a new subscription
    await other.mqtt.publishAsync(topic, 'end', { qos: 1 })
    expect(await self.takeTexts(1)).toEqual(['end'])
  })

  test('topic aliases are understood, and used towards clients that take them', async () => {
    const topic = freshTopic()
    await using subscriber = await connect({ properties: { topicAliasMaximum: 5 } })
    await using publisher = await connect({ autoAssignTopicAlias: true })
    expect(publisher.connacks[0]?.properties?.topicAliasMaximum).toBeGreaterThan(0)
    await subscriber.mqtt.subscribeAsync(topic, { qos: 1 })
    const arrived: string[] = []
    subscriber.mqtt.on('message', (name) => arrived.push(name)) // what MQTT.js made of the alias
    const sent: string[] = []
    publisher.mqtt.on('packetsend', (packet) => packet.cmd === 'publish' && sent.push(packet.topic))
    for (const text of ['1', '2', '3']) await publisher.mqtt.publishAsync(topic, text, { qos: 1 })
    await subscriber.take(3)
    expect(sent).toEqual([topic, '', ''])
    expect(arrived).toEqual([topic, topic, topic])
    expect(subscriber.messages.map((packet) => packet.topic)).toEqual([topic, '', '']) // what was on the wire
  })

  test('CONNACK tells limits and an assigned client id', async () => {
    await using client = await connect({ clientId: '', keepalive: 3_600 })
    const { assignedClientIdentifier, ...properties } = client.connacks[0]?.properties ?? {}
    expect(assignedClientIdentifier).toMatch(/./)
    expect(properties).toMatchObject({ serverKeepAlive: 30, maximumPacketSize: 100_000, topicAliasMaximum: 32 })
  })

  test('acknowledgements carry reason codes', async () => {
    await using client = await connect()
    const codes: unknown[] = []
    client.mqtt.on('packetreceive', (packet) => packet.cmd === 'puback' && codes.push(packet.reasonCode))
    await client.mqtt.publishAsync(freshTopic(), 'x', { qos: 1 })
    expect(codes).toEqual([NO_MATCHING_SUBSCRIBERS])

    await client.mqtt.subscribeAsync(Array.from({ length: 5 }, freshTopic), { qos: 1 })
    const reasonString: unknown = expect.stringContaining('5 (mqtt.maxSubscriptionsPerSession)')
    await expect(client.mqtt.subscribeAsync(freshTopic(), { qos: 1 })).rejects.toMatchObject({
      packet: { granted: [QUOTA_EXCEEDED], properties: { reasonString } },
    })
    expect(client.mqtt.connected).toBe(true)
  })

  test('a client that is put out is told why', async () => {
    const reasons: IDisconnectPacket[] = []
    const clientId = `twin-${randomUUID().slice(0, 8)}`
    await using first = await connect({ clientId })
    first.mqtt.on('disconnect', (packet) => reasons.push(packet))
    await using second = await connect({ clientId })
    await first.until('end', () => !first.mqtt.connected)
    expect(reasons).toMatchObject([{ reasonCode: SESSION_TAKEN_OVER }])

    second.mqtt.on('disconnect', (packet) => reasons.push(packet))
    second.mqtt.publish(freshTopic(), Buffer.alloc(100_000), { qos: 0 })
    await second.until('end', () => !second.mqtt.connected)
    expect(reasons).toMatchObject([{}, { reasonCode: PACKET_TOO_LARGE }])
  })

  test('a client that takes three messages at once gets all fifty', async () => {
    const topic = freshTopic()
    await using subscriber = await connect({ properties: { receiveMaximum: 3 } })
    await subscriber.mqtt.subscribeAsync(topic, { qos: 2 })
    await using publisher = await connect()
    const texts = Array.from({ length: 50 }, (_, index) => String(index))
    await Promise.all(texts.map((text) => publisher.mqtt.publishAsync(topic, text, { qos: 2 })))
    expect(await subscriber.takeTexts(50)).toEqual(texts)
  })
})

test('a message that waits expires, and one that does not tells how long it still has', async () => {
  const topic = freshTopic()
  const staying: ClientOptions = {
    clientId: `stay-${randomUUID().slice(0, 8)}`,
    clean: false,
    properties: { sessionExpiryInterval: 60 },
  }
  await using first = await TestClient.connect(broker, staying)
  await first.mqtt.subscribeAsync(topic, { qos: 1 })
  await first.end()
  await using publisher = await TestClient.connect(broker)
  await publisher.mqtt.publishAsync(topic, 'short', { qos: 1, properties: { messageExpiryInterval: 1 } })
  await publisher.mqtt.publishAsync(topic, 'long', { qos: 1, properties: { messageExpiryInterval: 100 } })
  // A will with a delay is the broker's own clock: it comes when the first message is too old.
  await publisher.mqtt.subscribeAsync(`${topic}/later`, { qos: 1 })
  const will = { topic: `${topic}/later`, payload: Buffer.from('now'), qos: 1, retain: false } as const
  await using clock = await TestClient.connect(broker, {
    will: { ...will, properties: { willDelayInterval: 2 } },
    properties: { sessionExpiryInterval: 60 },
  })
  await clock.drop()
  await publisher.take(1)

  await using again = await TestClient.connect(broker, staying)
  const [message, ...more] = await again.take(1)
  expect([message?.payload.toString(), more]).toEqual(['long', []])
  const remaining = message?.properties?.messageExpiryInterval ?? 0
  expect(remaining).toBeGreaterThan(60)
  expect(remaining).toBeLessThan(100)
})
