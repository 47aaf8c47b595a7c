/**
 * Brokers that end while clients are at work. What a broker has acknowledged it knows again when it starts again, and what it has not
 * is still in the hands of its clients: nothing is lost between them.
 */
import { expect, test } from 'vitest'

import { TestClient } from './mqtt-js-client.ts'
import { LISTENERS, RunningBroker } from './running-broker.ts'

const SERVER_SHUTTING_DOWN = 0x8b
/** Between attempts to connect again, in ms. */
const RECONNECT_MS = 50

test('clients of a broker that was killed come back to their sessions, and nothing that was acknowledged is lost', async () => {
  await using broker = await RunningBroker.start()
  const staying = { clean: false, properties: { sessionExpiryInterval: 600 }, reconnectPeriod: RECONNECT_MS }
  await using subscriber = await TestClient.connect(broker, { ...staying, clientId: 'subscriber' })
  await using publisher = await TestClient.connect(broker, { ...staying, clientId: 'publisher' })
  await subscriber.mqtt.subscribeAsync('traffic', { qos: 1 })
  await publisher.mqtt.publishAsync('last', 'known', { qos: 1, retain: true })

  // Messages keep flowing until the end of the test; the broker dies while some are under way.
  const acknowledgements: Promise<unknown>[] = []
  const timer = setInterval(() => {
    acknowledgements.push(publisher.mqtt.publishAsync('traffic', String(acknowledgements.length), { qos: 1 }))
  }, 1)
  try {
    await subscriber.until('traffic', () => subscriber.messages.length > 100)
    await broker.kill()
    await subscriber.until('end', () => !subscriber.mqtt.connected)
    await broker.startAgain()
    await subscriber.until('second CONNACK', () => subscriber.connacks.length === 2)
    await publisher.until('second CONNACK', () => publisher.connacks.length === 2)
    const before = subscriber.messages.length
    await subscriber.until('traffic', () => subscriber.messages.length > before + 100)
  } finally {
    clearInterval(timer)
  }
  for (const { connacks } of [subscriber, publisher]) {
    expect(connacks.map(({ sessionPresent }) => sessionPresent)).toEqual([false, true])
  }
  // What the publisher had in its hands when the broker died, it sent again.
  await Promise.all(acknowledgements)
  await publisher.mqtt.publishAsync('traffic', 'end', { qos: 1 })
  await subscriber.until('the last', () => subscriber.messages.at(-1)?.payload.toString() === 'end')

  // Some came twice: sent again because their acknowledgement was lost. All came, and for the first time in their order.
  const numbers = subscriber.messages.slice(0, -1).map(({ payload }) => Number(payload.toString()))
  expect([...new Set(numbers)]).toEqual(acknowledgements.map((_, index) => index))

  await using late = await TestClient.connect(broker)
  await late.mqtt.subscribeAsync(['last', 'now'], { qos: 1 })
  await late.mqtt.publishAsync('now', 'x', { qos: 1 })
  expect((await late.take(2)).map(({ topic, payload }) => `${topic} ${payload.toString()}`)).toEqual([
    'last known',
    'now x',
  ])
})

test('clients of a broker that is stopped are told so over every listener', async () => {
  const broker = await RunningBroker.start()
  const reasons: (number | undefined)[] = []
  const clients = await Promise.all(LISTENERS.map((listener) => TestClient.connect(broker, { listener })))
  for (const { mqtt } of clients) mqtt.on('disconnect', ({ reasonCode }) => reasons.push(reasonCode))
  await broker.stop()
  for (const client of clients) await client.until('end', () => !client.mqtt.connected)
  expect(reasons).toEqual(clients.map(() => SERVER_SHUTTING_DOWN))
  for (const client of clients) await client[Symbol.asyncDispose]()
})
