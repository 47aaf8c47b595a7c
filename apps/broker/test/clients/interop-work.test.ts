/** Queues, subscriptions and transactions that clients of several protocols share: order, groups, once only, kept or not. */
import { RheaTransactions } from '@ternmq/crash'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import rhea from 'rhea'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { amqpAddressOf } from './interop-amqp-peer.ts'
import { destinationOf, freshQueue, freshTopic, type How, type Peer, PEERS, type PeerName } from './interop-peers.ts'
import { TestClient } from './mqtt-js-client.ts'
import { RheaClient } from './rhea-client.ts'
import { RunningBroker } from './running-broker.ts'
import { StompJsClient } from './stomp-js-client.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start('queues.duplicateWindow.count=100')
})

afterAll(() => broker.stop())

/** The same pairs as user properties of MQTT 5, headers of STOMP, and what AMQP has for them. */
function saying(pairs: Record<string, string>): How {
  const { priority, JMSXGroupID: group, ...properties } = pairs
  const amqp10 = {
    application_properties: properties,
    ...(priority !== undefined && { priority: Number(priority) }),
    ...(group !== undefined && { group_id: group }),
  }
  return { mqtt5: { properties: { userProperties: pairs } }, stomp: pairs, amqp10 }
}

async function texts(peer: Peer, count: number): Promise<string[]> {
  return (await peer.take(count)).map(({ body }) => body.toString())
}

const PAIRS = [
  { from: 'MQTT 5', to: 'STOMP of stompjs' },
  { from: 'STOMP of stompit', to: 'MQTT 3.1.1' },
  { from: 'STOMP of stompjs', to: 'MQTT 5' },
  { from: 'AMQP 1.0', to: 'MQTT 5' },
  { from: 'AMQP 1.0', to: 'STOMP of stompjs' },
  { from: 'MQTT 5', to: 'AMQP 1.0' },
  { from: 'STOMP of stompit', to: 'AMQP 1.0' },
] as const satisfies ReadonlyArray<Record<'from' | 'to', PeerName>>

describe.each(PAIRS)('what $from puts into a queue for $to', ({ from, to }) => {
  test('comes by priority, and in its order within one', async () => {
    const queue = freshQueue()
    await using sender = await PEERS[from](broker)
    for (const [priority, text] of ['1a', '9a', '4a', '9b', '1b'].map((text) => [text[0]!, text] as const)) {
      await sender.send(queue, text, saying({ priority }))
    }
    await using receiver = await PEERS[to](broker)
    await receiver.subscribe(queue)
    expect(await texts(receiver, 5)).toEqual(['9a', '9b', '4a', '1a', '1b'])
  })

  test('stays with one consumer, group by group', async () => {
    const queue = freshQueue()
    await using sender = await PEERS[from](broker)
    await using one = await PEERS[to](broker)
    await using two = await PEERS[from](broker)
    await one.subscribe(queue)
    await two.subscribe(queue)
    for (const number of [1, 2, 3, 4, 5]) {
      for (const group of ['a', 'b']) await sender.send(queue, `${group}${number}`, saying({ JMSXGroupID: group }))
    }
    const own = (group: string): string[] => [1, 2, 3, 4, 5].map((number) => `${group}${number}`)
    const shares = [await texts(one, 5), await texts(two, 5)]
    expect(shares.toSorted((first, second) => (first[0]! < second[0]! ? -1 : 1))).toEqual([own('a'), own('b')])
  })

  test('is taken once for each _AMQ_DUPL_ID, whoever sends it again', async () => {
    const queue = freshQueue()
    await using first = await PEERS[from](broker)
    await using again = await PEERS[from === 'MQTT 5' ? 'STOMP of stompit' : 'MQTT 5'](broker)
    await first.send(queue, 'pay', saying({ _AMQ_DUPL_ID: 'payment-1' }))
    await again.send(queue, 'pay again', saying({ _AMQ_DUPL_ID: 'payment-1' }))
    await again.send(queue, 'pay more', saying({ _AMQ_DUPL_ID: 'payment-2' }))
    await using receiver = await PEERS[to](broker)
    await receiver.subscribe(queue)
    expect(await texts(receiver, 2)).toEqual(['pay', 'pay more'])
  })
})

test('a selector of STOMP looks at user properties of MQTT 5', async () => {
  const topic = freshTopic()
  await using consumer = await StompJsClient.connect(broker)
  await consumer.subscribe(destinationOf(topic), { selector: "unit = 'C' AND JMSPriority > 5" })
  await using device = await PEERS['MQTT 5'](broker)
  await device.send(topic, 'no unit', saying({ priority: '9' }))
  await device.send(topic, 'not urgent', saying({ unit: 'C' }))
  await device.send(topic, 'hot', saying({ unit: 'C', priority: '9' }))
  expect(await consumer.takeTexts(1)).toEqual(['hot'])
})

test.each(['MQTT 5', 'STOMP of stompit'] as const)('a selector of AMQP looks at what %s says', async (from) => {
  const queue = freshQueue()
  await using consumer = await RheaClient.connect(broker)
  const filter = rhea.filter.selector("unit = 'C' AND JMSPriority > 5 AND JMSXGroupID = 'g'")
  const inbox = await consumer.receiver({ source: { address: amqpAddressOf(queue), filter } })
  await using device = await PEERS[from](broker)
  await device.send(queue, 'no unit', saying({ priority: '9', JMSXGroupID: 'g' }))
  await device.send(queue, 'not urgent', saying({ unit: 'C', JMSXGroupID: 'g' }))
  await device.send(queue, 'hot', saying({ unit: 'C', priority: '9', JMSXGroupID: 'g' }))
  expect((await inbox.takeBodies(1)).map(String)).toEqual(['hot'])
})

test('a selector of STOMP compares numbers and truth values of AMQP as what they are', async () => {
  const topic = freshTopic()
  await using consumer = await StompJsClient.connect(broker)
  await consumer.subscribe(destinationOf(topic), { selector: 'level > 5 AND hot = TRUE' })
  await using device = await PEERS['AMQP 1.0'](broker)
  for (const [level, hot] of [
    [7, false],
    [5, true],
    [10, true],
  ] as const) {
    await device.send(topic, `${level} ${hot}`, { amqp10: { application_properties: { level, hot } } })
  }
  expect(await consumer.takeTexts(1)).toEqual(['10 true'])
})

test('what a STOMP transaction sends reaches MQTT with its COMMIT, and not at all after ABORT', async () => {
  const topics = [freshTopic(), freshTopic()]
  await using watcher = await TestClient.connect(broker)
  await watcher.mqtt.subscribeAsync(topics, { qos: 1 })
  await using sender = await StompJsClient.connect(broker)
  for (const end of ['abort', 'commit'] as const) {
    const transaction = sender.stomp.begin()
    for (const topic of topics) await sender.send(destinationOf(topic), end, { transaction: transaction.id })
    expect(watcher.messages).toEqual([])
    transaction[end]()
  }
  expect(await watcher.takeTexts(2)).toEqual(['commit', 'commit'])
})

test('what an AMQP transaction sends and accepts counts for MQTT and STOMP with its discharge, and not at all when it fails', async () => {
  const [topic, queue] = [freshTopic(), freshQueue()]
  await using watcher = await TestClient.connect(broker)
  await watcher.mqtt.subscribeAsync(topic, { qos: 1 })
  await using page = await StompJsClient.connect(broker)
  await page.subscribe(destinationOf(topic))
  await using client = await RheaClient.connect(broker)
  const jobs = await client.receiver(amqpAddressOf(queue), { autoaccept: false, credit_window: 1 })
  await page.send(destinationOf(queue), 'job')
  const [job] = await jobs.take(1)
  const transactions = await RheaTransactions.begin(client.connection)
  const results = transactions.openSender({ target: { address: amqpAddressOf(topic) } })
  await once(results, 'sendable')
  for (const fails of [true, false]) {
    const transaction = await transactions.declare()
    transactions.send(results, { body: fails ? 'rollback' : 'commit' }, transaction)
    await once(results, 'accepted')
    if (!fails) transactions.accept(job!.delivery, transaction)
    expect([watcher.messages, page.messages]).toEqual([[], []])
    await transactions.discharge(transaction, fails)
  }
  expect(await watcher.takeTexts(1)).toEqual(['commit'])
  expect(await page.takeTexts(1)).toEqual(['commit'])
  await jobs.close()
  await page.send(destinationOf(queue), 'next')
  await using worker = await PEERS['MQTT 5'](broker)
  await worker.subscribe(queue)
  expect(await texts(worker, 1)).toEqual(['next'])
})

test.each(['STOMP of stompjs', 'AMQP 1.0'] as const)(
  'members of a shared subscription of MQTT share what %s sends',
  async (from) => {
    const topic = freshTopic()
    await using one = await TestClient.connect(broker)
    await using two = await TestClient.connect(broker, { protocolVersion: 4 })
    for (const member of [one, two]) await member.mqtt.subscribeAsync(`$share/group/${topic}`, { qos: 1 })
    await using sender = await PEERS[from](broker)
    const sent = Array.from({ length: 10 }, (_, index) => `job ${index}`)
    for (const text of sent) await sender.send(topic, text)
    const got = [...(await one.takeTexts(5)), ...(await two.takeTexts(5))]
    expect(got.toSorted()).toEqual(sent)
  },
)

test.each(['MQTT 3.1.1', 'STOMP of stompit'] as const)(
  'links of a shared subscription of AMQP share what %s sends',
  async (from) => {
    const topic = freshTopic()
    await using one = await RheaClient.connect(broker)
    await using two = await RheaClient.connect(broker)
    const source = { address: amqpAddressOf(topic), capabilities: ['shared', 'global'] }
    const inboxes = await Promise.all(
      [one, two].map((client, index) => client.receiver({ name: `group-${topic}|${index}`, source })),
    )
    await using sender = await PEERS[from](broker)
    const sent = Array.from({ length: 10 }, (_, index) => `job ${index}`)
    for (const text of sent) await sender.send(topic, text)
    const got = (await Promise.all(inboxes.map((inbox) => inbox.takeBodies(5)))).flat()
    expect(got.map(String).toSorted()).toEqual(sent)
  },
)

test('the will of an MQTT client that is gone reaches STOMP and AMQP', async () => {
  const topic = freshTopic()
  await using watcher = await StompJsClient.connect(broker)
  await watcher.subscribe(destinationOf(topic))
  const will = {
    topic,
    payload: Buffer.from('offline'),
    qos: 1,
    properties: { userProperties: { from: 'lamp' } },
  } as const
  await using lamp = await TestClient.connect(broker, { will })
  await using page = await RheaClient.connect(broker)
  const inbox = await page.receiver(amqpAddressOf(topic))
  await lamp.drop()
  const [message] = await watcher.take(1)
  expect([message!.body, message!.headers['from'], message!.headers['persistent']]).toEqual(['offline', 'lamp', 'true'])
  const [received] = await inbox.take(1)
  expect(received!.message).toMatchObject({ durable: true, application_properties: { from: 'lamp' } })
})

test('after a kill, subscriptions of each protocol that stay have what the others sent', async () => {
  await using own = await RunningBroker.start()
  const [topic, queue] = [freshTopic(), freshQueue()]
  const session = { clientId: 'desk', clean: false, properties: { sessionExpiryInterval: 600 } }
  const connectHeaders = { 'client-id': 'page' }
  const named = { id: 'news', 'activemq.subscriptionName': 'news' }
  const source = { address: amqpAddressOf(topic), durable: 2, expiry_policy: 'never' } as const
  {
    await using mqtt = await TestClient.connect(own, session)
    await mqtt.mqtt.subscribeAsync(topic, { qos: 1 })
    await mqtt.end()
    await using page = await StompJsClient.connect(own, { connectHeaders })
    await page.subscribe(destinationOf(topic), named)
    await page.end()
    await using link = await RheaClient.connect(own, { containerId: 'ledger' })
    await (await link.receiver({ name: 'news', source })).detach()
    await link.end()
  }
  {
    await using device = await PEERS['MQTT 5'](own)
    await using sender = await PEERS['STOMP of stompit'](own)
    await using clerk = await PEERS['AMQP 1.0'](own)
    const mark = saying({ mark: randomUUID() })
    for (const address of [topic, queue]) {
      await sender.send(address, 'STOMP, not kept', mark)
      await sender.send(address, 'STOMP', { stomp: { ...mark.stomp, persistent: 'true' } })
      await device.send(address, 'MQTT', mark)
      await clerk.send(address, 'AMQP, not kept', mark)
      await clerk.send(address, 'AMQP', { amqp10: { ...mark.amqp10, durable: true } })
    }
    await device.send(queue, 'MQTT, not kept', { mqtt5: { qos: 0 } })
    await device.send(queue, 'last', mark)
  }
  await own.kill()
  await own.startAgain()
  const kept = ['STOMP', 'MQTT', 'AMQP']
  await using mqtt = await TestClient.connect(own, session)
  expect(await mqtt.takeTexts(3)).toEqual(kept)
  await using page = await StompJsClient.connect(own, { connectHeaders })
  await page.subscribe(destinationOf(topic), named)
  expect(await page.takeTexts(3)).toEqual(kept)
  await using link = await RheaClient.connect(own, { containerId: 'ledger' })
  expect((await (await link.receiver({ name: 'news', source })).takeBodies(3)).map(String)).toEqual(kept)
  await using worker = await PEERS['MQTT 3.1.1'](own)
  await worker.subscribe(queue)
  expect(await texts(worker, 4)).toEqual([...kept, 'last'])
})
