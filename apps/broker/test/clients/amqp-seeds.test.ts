/**
 * What articles about message brokers say of AMQP, with AMQP 1.0: topics and frames of MQTT and STOMP that reach it, queues as job queues,
 * acknowledgement, durability, transactions, exchanges. Their programs for Amazon MQ talk with AMQP clients.
 */
import { RheaTransactions } from '@ternmq/crash'
import { once } from 'node:events'
import rhea from 'rhea'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { amqpAddressOf } from './interop-amqp-peer.ts'
import { freshQueue } from './interop-peers.ts'
import { TestClient } from './mqtt-js-client.ts'
import { bodyOf, RheaClient } from './rhea-client.ts'
import { RunningBroker } from './running-broker.ts'
import { WebstompClient } from './webstomp-client.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
})

afterAll(() => broker.stop())

test("Amazon MQ's publisher.js and subscriber.js, MQTT 3 over TLS with a password, and AMQP over TLS hear each other", async () => {
  await broker.addUser('blackie', 'at least twelve')
  // Their options, but for host and port.
  const options = {
    listener: 'mqtts',
    username: 'blackie',
    password: 'at least twelve',
    keepalive: 60,
    protocolId: 'MQIsdp',
    protocolVersion: 3,
    clean: true,
    encoding: 'utf8',
  } as const
  await using subscriber = await TestClient.connect(broker, options)
  await subscriber.mqtt.subscribeAsync('presence', { qos: 1 })
  const more = { username: 'blackie', password: 'at least twelve' }
  await using amqp = await RheaClient.connect(broker, { listener: 'amqps', more })
  const inbox = await amqp.receiver('topic://presence')
  await using publisher = await TestClient.connect(broker, options)
  await publisher.mqtt.subscribeAsync('presence')
  await publisher.mqtt.publishAsync('presence', 'Hello mqtt with timeInMs:1515600266000', { qos: 1 })
  expect((await inbox.takeBodies(1)).map(String)).toEqual(['Hello mqtt with timeInMs:1515600266000'])
  await (await amqp.sender('topic://presence')).send({ body: 'Hello from AMQP' })
  for (const client of [subscriber, publisher]) {
    expect(await client.takeTexts(2)).toEqual(['Hello mqtt with timeInMs:1515600266000', 'Hello from AMQP'])
  }
})

test('the frame SEND destination:/broker/roomId/1 reaches who receives from topic://broker.roomId.1', async () => {
  const enter = '{"type":"ENTER","content":"o7jD64gNifq-wq-C13Q5CRisJx5E"}'
  await using client = await RheaClient.connect(broker)
  const room = await client.receiver('topic://broker.roomId.1')
  await using page = await WebstompClient.connect(broker, 'ws')
  await page.next('CONNECTED')
  page.send('SEND', { destination: '/broker/roomId/1', 'content-length': '57' }, enter)
  expect((await room.takeBodies(1)).map(String)).toEqual([enter])
  await page.receipted('SUBSCRIBE', { id: '0', destination: '/broker/roomId/1' })
  await (await client.sender('topic://broker.roomId.1')).send({ body: enter })
  const { headers, body } = await page.next('MESSAGE')
  expect([headers['destination'], body]).toEqual(['/broker/roomId/1', enter])
})

describe('topics and patterns as their authors write them for MQTT', () => {
  const ROOMS = ['Sensor/Temperature/Room1', 'Sensor/Temperature/Room2', 'Sensor/Humidity/Room1']
  const CASES: readonly (readonly [
    filter: string,
    addresses: readonly string[],
    topics: readonly string[],
    all: readonly string[],
  ])[] = [
    [
      'Sensor/+/Room1',
      ['topic://Sensor.*.Room1', '/exchanges/amq.topic/Sensor.*.Room1'],
      [ROOMS[0]!, ROOMS[2]!],
      ROOMS,
    ],
    ['Sensor/#', ['topic://Sensor.>', '/exchanges/amq.topic/Sensor.#'], ROOMS, ROOMS],
    [
      '/japan/tokyo/+/cpu',
      ['topic://.japan.tokyo.*.cpu'],
      ['/japan/tokyo/device1/cpu'],
      ['/japan/tokyo/device1/cpu', 'japan/tokyo/device1/cpu'],
    ],
    [
      '/japan/tokyo/device1/#',
      ['topic://.japan.tokyo.device1.>'],
      ['/japan/tokyo/device1/cpu'],
      ['/japan/tokyo/device1/cpu', '/japan/tokyo/device2/cpu'],
    ],
    [
      'computer/+/gpu',
      ['topic://computer.*.gpu'],
      ['computer/part/gpu'],
      ['computer/part/gpu', 'computer/part/cpu/intel'],
    ],
    [
      'computer/part/#',
      ['topic://computer.part.>'],
      ['computer/part/gpu', 'computer/part/cpu/intel'],
      ['computer/part/gpu', 'computer/part/cpu/intel'],
    ],
  ]

  test.each(CASES)('%s', async (filter, addresses, topics, all) => {
    await using device = await TestClient.connect(broker, { protocolVersion: 4 })
    await device.mqtt.subscribeAsync(filter, { qos: 1 })
    await using client = await RheaClient.connect(broker)
    const inboxes = await Promise.all(addresses.map((address) => client.receiver(address)))
    const relay = await client.sender({ target: {} })
    for (const topic of all) {
      await device.mqtt.publishAsync(topic, 'MQTT', { qos: 1 })
      expect(await relay.send({ to: amqpAddressOf(topic), body: 'AMQP' })).toMatchObject({ kind: 'accepted' })
    }
    const expected = topics.flatMap((topic) => [`${topic} MQTT`, `${topic} AMQP`])
    const heard = await device.take(expected.length)
    expect(heard.map(({ topic, payload }) => `${topic} ${payload.toString()}`)).toEqual(expected)
    for (const inbox of inboxes) {
      const got = await inbox.take(expected.length)
      // A pattern says nothing of the topic: `to` does.
      expect(got.map(({ message }) => `${message.to} ${String(bodyOf(message))}`)).toEqual(
        topics.flatMap((topic) => [`${amqpAddressOf(topic)} MQTT`, `${amqpAddressOf(topic)} AMQP`]),
      )
    }
  })
})

describe('a job queue', () => {
  test('keeps what is sent before anybody is there, and its workers get no more than they asked for', async () => {
    await using client = await RheaClient.connect(broker)
    const address = amqpAddressOf(freshQueue())
    await (await client.sender(address)).sendAll(['1', '2', '3', '4'].map((body) => ({ body, durable: true })))
    await using first = await RheaClient.connect(broker)
    await using second = await RheaClient.connect(broker)
    const one = await first.receiver(address, { credit_window: 0, autoaccept: false })
    one.link.add_credit(1)
    expect(await one.takeBodies(1)).toEqual(['1'])
    const two = await second.receiver(address)
    expect(await two.takeBodies(3)).toEqual(['2', '3', '4'])
    // Whoever dies has not done its work: another one gets it. A slow worker is not taken for a dead one.
    first.drop()
    const [again] = await two.take(1)
    expect(again!.message).toMatchObject({ body: '1', delivery_count: 1 })
  })

  test('does not lose a message of which the work failed, in a transaction', async () => {
    await using client = await RheaClient.connect(broker)
    const [jobs, results] = [amqpAddressOf(freshQueue()), amqpAddressOf(freshQueue())]
    await (await client.sender(jobs)).send({ body: 'job', durable: true })
    const inbox = await client.receiver(jobs, { autoaccept: false, credit_window: 1 })
    const transactions = await RheaTransactions.begin(client.connection)
    const outbox = transactions.openSender({ target: { address: results } })
    await once(outbox, 'sendable')
    for (const fails of [true, false]) {
      const [job] = await inbox.take(1)
      const transaction = await transactions.declare()
      transactions.accept(job!.delivery, transaction)
      transactions.send(outbox, { body: fails ? 'half done' : 'done' }, transaction)
      await transactions.discharge(transaction, fails)
    }
    expect(await (await client.receiver(results)).takeBodies(1)).toEqual(['done'])
    expect(await (await client.receiver(jobs, { credit_window: 0 })).drain(1)).toEqual([])
  })

  test('gives messages of higher priority first', async () => {
    await using client = await RheaClient.connect(broker)
    const address = amqpAddressOf(freshQueue())
    await (await client.sender(address)).sendAll([1, 9, 4].map((priority) => ({ body: priority, priority })))
    expect(await (await client.receiver(address)).takeBodies(3)).toEqual([9, 4, 1])
  })

  test('has after a restart what was durable, and not the rest', async () => {
    await using own = await RunningBroker.start()
    const address = amqpAddressOf(freshQueue())
    {
      await using client = await RheaClient.connect(own)
      await (await client.sender(address)).sendAll([true, false].map((durable) => ({ body: String(durable), durable })))
    }
    await own.kill()
    await own.startAgain()
    await using client = await RheaClient.connect(own)
    expect(await (await client.receiver(address, { credit_window: 0 })).drain(10)).toEqual(['true'])
  })
})

describe('exchanges', () => {
  test('but the one of all topics belong to AMQP 0-9-1, and the refusal says so', async () => {
    await using client = await RheaClient.connect(broker)
    for (const address of ['/exchanges/amq.direct/error', '/exchanges/amq.fanout', '/exchanges/logs/error']) {
      await expect(client.sender(address)).rejects.toThrow(
        /^amqp:not-implemented: exchange .* cannot be sent to: exchanges belong to AMQP 0-9-1/,
      )
    }
    const inbox = await client.receiver('/exchanges/amq.topic/error.#')
    await (await client.sender('/exchanges/amq.topic/error.disk')).send({ body: 'full' })
    expect(await inbox.takeBodies(1)).toEqual(['full'])
  })

  test('a headers exchange is a selector here', async () => {
    await using client = await RheaClient.connect(broker)
    const filter = rhea.filter.selector("format = 'pdf' AND type = 'report'")
    const inbox = await client.receiver({ source: { address: 'topic://documents', filter } })
    const outbox = await client.sender('topic://documents')
    for (const format of ['zip', 'pdf'])
      await outbox.send({ body: format, application_properties: { format, type: 'report' } })
    expect(await inbox.takeBodies(1)).toEqual(['pdf'])
  })
})
