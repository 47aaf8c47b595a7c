/** Queues, subscriptions and transactions that clients of several protocols share: order, groups, once only, kept or not. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { destinationOf, freshQueue, freshTopic, type How, type Peer, PEERS, type PeerName } from './interop-peers.ts'
import { TestClient } from './mqtt-js-client.ts'
import { RunningBroker } from './running-broker.ts'
import { StompJsClient } from './stomp-js-client.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start('queues.duplicateWindow.count=100')
})

afterAll(() => broker.stop())

/** The same pairs as user properties of MQTT 5 and headers of STOMP. */
function saying(pairs: Record<string, string>): How {
  return { mqtt5: { properties: { userProperties: pairs } }, stomp: pairs }
}

async function texts(peer: Peer, count: number): Promise<string[]> {
  return (await peer.take(count)).map(({ body }) => body.toString())
}

const PAIRS = [
  { from: 'MQTT 5', to: 'STOMP of stompjs' },
  { from: 'STOMP of stompit', to: 'MQTT 3.1.1' },
  { from: 'STOMP of stompjs', to: 'MQTT 5' },
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

test('members of a shared subscription of MQTT share what STOMP sends', async () => {
  const topic = freshTopic()
  await using one = await TestClient.connect(broker)
  await using two = await TestClient.connect(broker, { protocolVersion: 4 })
  for (const member of [one, two]) await member.mqtt.subscribeAsync(`$share/group/${topic}`, { qos: 1 })
  await using sender = await StompJsClient.connect(broker)
  const sent = Array.from({ length: 10 }, (_, index) => `job ${index}`)
  for (const text of sent) await sender.send(destinationOf(topic), text)
  const got = [...(await one.takeTexts(5)), ...(await two.takeTexts(5))]
  expect(got.toSorted()).toEqual(sent)
})

test('the will of an MQTT client that is gone reaches STOMP', async () => {
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
  await lamp.drop()
  const [message] = await watcher.take(1)
  expect([message!.body, message!.headers['from'], message!.headers['persistent']]).toEqual(['offline', 'lamp', 'true'])
})

test('after a kill, sessions of MQTT have what STOMP sent, durable subscriptions of STOMP what MQTT sent', async () => {
  await using own = await RunningBroker.start()
  const [topic, queue] = [freshTopic(), freshQueue()]
  const session = { clientId: 'desk', clean: false, properties: { sessionExpiryInterval: 600 } }
  const connectHeaders = { 'client-id': 'page' }
  const named = { id: 'news', 'activemq.subscriptionName': 'news' }
  {
    await using mqtt = await TestClient.connect(own, session)
    await mqtt.mqtt.subscribeAsync(topic, { qos: 1 })
    await mqtt.end()
    await using page = await StompJsClient.connect(own, { connectHeaders })
    await page.subscribe(destinationOf(topic), named)
    await page.end()
  }
  {
    await using device = await PEERS['MQTT 5'](own)
    await using sender = await PEERS['STOMP of stompit'](own)
    const mark = saying({ mark: randomUUID() })
    for (const address of [topic, queue]) {
      await sender.send(address, 'STOMP, not kept', mark)
      await sender.send(address, 'STOMP', { stomp: { ...mark.stomp, persistent: 'true' } })
      await device.send(address, 'MQTT', mark)
    }
    await device.send(queue, 'MQTT, not kept', { mqtt5: { qos: 0 } })
    await device.send(queue, 'last', mark)
  }
  await own.kill()
  await own.startAgain()
  await using mqtt = await TestClient.connect(own, session)
  expect(await mqtt.takeTexts(2)).toEqual(['STOMP', 'MQTT'])
  await using page = await StompJsClient.connect(own, { connectHeaders })
  await page.subscribe(destinationOf(topic), named)
  expect(await page.takeTexts(2)).toEqual(['STOMP', 'MQTT'])
  await using worker = await PEERS['MQTT 3.1.1'](own)
  await worker.subscribe(queue)
  expect(await texts(worker, 3)).toEqual(['STOMP', 'MQTT', 'last'])
})
