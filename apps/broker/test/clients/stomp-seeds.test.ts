/**
 * Topics as people write them in articles about MQTT and STOMP: that a frame and a topic which look alike meet, leading slashes, and
 * wildcards. A STOMP destination without a known prefix is a topic written as in MQTT, after one '/' that belongs to STOMP: so
 * `/broker/roomId/1` is MQTT's `broker/roomId/1`, and MQTT's `/japan/tokyo` is `//japan/tokyo`, or `/topic/.japan.tokyo`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestClient } from './mqtt-js-client.ts'
import { RunningBroker } from './running-broker.ts'
import { StompJsClient } from './stomp-js-client.ts'
import { WebstompClient } from './webstomp-client.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
})

afterAll(() => broker.stop())

const ENTER = '{"type":"ENTER","content":"o7jD64gNifq-wq-C13Q5CRisJx5E"}'

test('the frame SEND destination:/broker/roomId/1 reaches who subscribed to broker/roomId/1 with MQTT', async () => {
  await using room = await TestClient.connect(broker)
  await room.mqtt.subscribeAsync('broker/roomId/1', { qos: 1 })
  await using page = await WebstompClient.connect(broker, 'ws')
  await page.next('CONNECTED')
  page.send('SEND', { destination: '/broker/roomId/1', 'content-length': '57' }, ENTER)
  const [message] = await room.take(1)
  expect([message!.topic, message!.payload.toString()]).toEqual(['broker/roomId/1', ENTER])
})

test('who subscribed to /broker/roomId/1 with STOMP gets what MQTT publishes to broker/roomId/1, under its own name', async () => {
  await using page = await WebstompClient.connect(broker, 'ws')
  await page.receipted('SUBSCRIBE', { id: '0', destination: '/broker/roomId/1' })
  await using device = await TestClient.connect(broker, { protocolVersion: 4 })
  await device.mqtt.publishAsync('broker/roomId/1', ENTER, { qos: 1 })
  const { headers, body } = await page.next('MESSAGE')
  expect([headers['destination'], body]).toEqual(['/broker/roomId/1', ENTER])
  // With the slash it is another topic of MQTT.
  await device.mqtt.publishAsync('/broker/roomId/1', 'elsewhere', { qos: 1 })
  await device.mqtt.publishAsync('broker/roomId/1', 'here', { qos: 1 })
  expect((await page.next('MESSAGE')).body).toBe('here')
})

describe.each([
  ['/japan/tokyo/device1/cpu', '/japan/tokyo/+/cpu', '/japan/tokyo/device1/#'],
  ['/computer/part/cpu', '/computer/+/cpu', '/computer/part/#'],
])('%s', (topic, anyDevice, allBelow) => {
  const dotted = (mqtt: string): string =>
    `/topic/${mqtt.replaceAll('/', '.').replaceAll('+', '*').replaceAll('#', '>')}`

  test('is one topic, by each of its names', async () => {
    await using device = await TestClient.connect(broker, { protocolVersion: 3 })
    await device.mqtt.subscribeAsync(topic, { qos: 1 })
    await using page = await StompJsClient.connect(broker)
    await page.subscribe(`/${topic}`)
    await page.subscribe(dotted(topic))
    await device.mqtt.publishAsync(topic, 'from MQTT', { qos: 1 })
    expect((await page.take(2)).map(({ headers }) => String(headers['destination'])).toSorted()).toEqual(
      [`/${topic}`, dotted(topic)].toSorted(),
    )
    await device.take(1)
    for (const destination of [`/${topic}`, dotted(topic)]) {
      await page.send(destination, 'from STOMP')
      const [message] = await device.take(1)
      expect([message!.topic, message!.payload.toString()]).toEqual([topic, 'from STOMP'])
    }
  })

  test('with one slash in STOMP it is the topic without one in MQTT', async () => {
    await using device = await TestClient.connect(broker)
    await device.mqtt.subscribeAsync([topic, topic.slice(1)], { qos: 1 })
    await using page = await StompJsClient.connect(broker)
    await page.send(topic, 'x')
    expect((await device.take(1)).map((message) => message.topic)).toEqual([topic.slice(1)])
  })

  test('is matched by the wildcards of both protocols, and by none that has no slash before it', async () => {
    const shorter = [anyDevice.slice(1), allBelow.slice(1)]
    await using device = await TestClient.connect(broker)
    await device.mqtt.subscribeAsync([...shorter, allBelow], { qos: 1 })
    await using page = await StompJsClient.connect(broker)
    for (const pattern of [`/${anyDevice}`, dotted(anyDevice), `/${allBelow}`, dotted(allBelow)]) {
      await page.subscribe(pattern, { id: pattern })
    }
    for (const pattern of shorter) await page.subscribe(`/${pattern}`, { id: pattern })
    await device.mqtt.publishAsync(topic, 'x', { qos: 1 })
    const matched = (await page.take(4)).map(({ headers }) => String(headers['subscription']))
    expect(matched.toSorted()).toEqual(
      [`/${anyDevice}`, dotted(anyDevice), `/${allBelow}`, dotted(allBelow)].toSorted(),
    )
    expect(await device.take(1)).toHaveLength(1)
  })
})

describe('Sensor/…', () => {
  const ROOMS = ['Sensor/Temperature/Room1', 'Sensor/Temperature/Room2', 'Sensor/Humidity/Room1']
  const EXPECTED = { 'Sensor/+/Room1': [ROOMS[0], ROOMS[2]], 'Sensor/#': ROOMS }

  test.each(Object.entries(EXPECTED))(
    '%s gets what its author says, from MQTT and from STOMP',
    async (filter, topics) => {
      await using mqtt = await TestClient.connect(broker)
      await mqtt.mqtt.subscribeAsync(filter, { qos: 1 })
      await using stomp = await StompJsClient.connect(broker)
      // As in MQTT, with the slash that STOMP's destinations begin with, and in STOMP's own way.
      const spellings = [
        filter,
        `/${filter}`,
        `/topic/${filter.replaceAll('/', '.').replace('+', '*').replace('#', '>')}`,
      ]
      for (const destination of spellings) await stomp.subscribe(destination, { id: destination })
      await using device = await TestClient.connect(broker, { protocolVersion: 4 })
      await using page = await StompJsClient.connect(broker)
      for (const topic of ROOMS) await device.mqtt.publishAsync(topic, 'MQTT', { qos: 1 })
      for (const topic of ROOMS) await page.send(`/${topic}`, 'STOMP')
      const all = [...topics.map((topic) => `${topic} MQTT`), ...topics.map((topic) => `${topic} STOMP`)]
      const got = await mqtt.take(all.length)
      expect(got.map(({ topic, payload }) => `${topic} ${payload.toString()}`)).toEqual(all)
      const messages = await stomp.take(all.length * spellings.length)
      for (const destination of spellings) {
        const own = messages.filter(({ headers }) => headers['subscription'] === destination)
        // A pattern says nothing of the topic: STOMP's own spelling of it does.
        expect(own.map(({ headers, body }) => `${headers['destination']} ${body}`)).toEqual(
          all.map((text) => `/topic/${text.replaceAll('/', '.')}`),
        )
      }
    },
  )
})

test('* in computer/part/* is an ordinary character in MQTT: it gets the topic of that name alone, and the log says what to write', async () => {
  await using device = await TestClient.connect(broker)
  await device.mqtt.subscribeAsync('computer/part/*', { qos: 1 })
  await using page = await StompJsClient.connect(broker)
  await page.subscribe('/topic/computer.part.*') // STOMP's wildcard
  for (const part of ['cpu', '*']) await device.mqtt.publishAsync(`computer/part/${part}`, part, { qos: 1 })
  expect((await device.take(1)).map(({ topic }) => topic)).toEqual(['computer/part/*'])
  expect(await page.takeTexts(2)).toEqual(['cpu', '*'])
  await broker.untilLogged("'*' is an ordinary character")
})
