/** @stomp/stompjs, the client that most web pages have, over every listener that speaks STOMP. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { RunningBroker, STOMP_LISTENERS } from './running-broker.ts'
import { StompJsClient } from './stomp-js-client.ts'
import { openSocket } from './stomp-sockets.ts'

const VERSIONS = ['1.0', '1.1', '1.2'] as const

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start('stomp.heartBeatMs=1000')
  await broker.addUser('ada', 'correct horse')
})

afterAll(() => broker.stop())

/** Nobody else's. */
function fresh(kind: 'queue' | 'topic'): string {
  return `/${kind}/test.${randomUUID()}`
}

describe.each(STOMP_LISTENERS)('over %s', (listener) => {
  test.each(VERSIONS)('version %s is agreed on, and a message comes back', async (version) => {
    await using client = await StompJsClient.connect(broker, { listener, version })
    expect(client.connected[0]!.headers).toMatchObject({ server: expect.stringMatching(/^TernMQ\/\d/) as string })
    expect(client.version).toBe(version)
    const topic = fresh('topic')
    const id = await client.subscribe(topic)
    await client.send(topic, 'grüße, Wörld\n2nd line', { unit: '°C' })
    const [message] = await client.take(1)
    expect(message!.headers).toMatchObject({ destination: topic, subscription: id, unit: '°C' })
    expect(message!.body).toBe('grüße, Wörld\n2nd line')
    await client.end()
    expect(client.errors).toEqual([])
  })

  test('bytes of every value, and bodies larger than a WebSocket frame of the client, arrive unchanged', async () => {
    await using client = await StompJsClient.connect(broker, { listener, splitLargeFrames: true })
    const topic = fresh('topic')
    await client.subscribe(topic)
    for (const size of [0, 256, 300_000]) {
      const body = Uint8Array.from({ length: size }, (_, index) => index % 256)
      await client.send(topic, body)
      const [message] = await client.take(1)
      expect(Buffer.from(message!.binaryBody).equals(body)).toBe(true)
      expect(message!.headers['content-length']).toBe(String(size))
    }
    const text = 'ö€😀'.repeat(50_000)
    await client.send(topic, text)
    expect(await client.takeTexts(1)).toEqual([text])
  })

  test('heart-beats go both ways while nobody says anything', async () => {
    await using client = await StompJsClient.connect(broker, {
      listener,
      heartbeatIncoming: 1_000,
      heartbeatOutgoing: 1_000,
      heartbeatToleranceMultiplier: 30, // a busy machine may be late
    })
    expect(client.connected[0]!.headers['heart-beat']).toBe('1000,1000')
    // Three in a row: longer than either side would wait for one.
    await new Promise<void>((resolve, reject) => {
      let count = 0
      client.stomp.onHeartbeatReceived = () => ++count === 3 && resolve()
      client.stomp.onWebSocketClose = () => reject(new Error('the connection is lost'))
    })
    const queue = fresh('queue')
    await client.subscribe(queue)
    await client.send(queue, 'still here')
    expect(await client.takeTexts(1)).toEqual(['still here'])
  })

  test('ack:client-individual settles one, what is left comes again to the next consumer, marked', async () => {
    const queue = fresh('queue')
    {
      await using first = await StompJsClient.connect(broker, { listener })
      await first.subscribe(queue, { ack: 'client-individual' })
      for (const text of ['a', 'b', 'c']) await first.send(queue, text)
      const [, b] = await first.take(3)
      await first.ack(b!)
    }
    await using second = await StompJsClient.connect(broker, { listener })
    await second.subscribe(queue, { ack: 'client-individual' })
    const left = await second.take(2)
    expect(left.map(({ body, headers }) => [body, headers['redelivered']])).toEqual([
      ['a', 'true'],
      ['c', 'true'],
    ])
  })

  test('ack:client settles all up to the message', async () => {
    const queue = fresh('queue')
    {
      await using first = await StompJsClient.connect(broker, { listener })
      await first.subscribe(queue, { ack: 'client' })
      for (const text of ['a', 'b', 'c']) await first.send(queue, text)
      await first.ack((await first.take(3))[1]!)
    }
    await using second = await StompJsClient.connect(broker, { listener })
    await second.subscribe(queue)
    expect(await second.takeTexts(1)).toEqual(['c'])
  })

  test('a message that is refused with NACK is found in the dead-letter queue', async () => {
    const queue = fresh('queue')
    await using client = await StompJsClient.connect(broker, { listener })
    const id = await client.subscribe(queue, { ack: 'client-individual' })
    const mark = randomUUID()
    await client.send(queue, 'poison', { persistent: 'true', mark })
    await client.nack((await client.take(1))[0]!)
    await client.unsubscribe(id)
    // Others' dead letters may be there, too.
    await client.subscribe('/queue/DLQ', { ack: 'client-individual', selector: `mark = '${mark}'` })
    const [dead] = await client.take(1)
    expect(dead!.body).toBe('poison')
    expect(dead!.headers).toMatchObject({ mark, dlqDeliveryFailureCause: expect.any(String) as string })
    await client.ack(dead!)
  })

  test('NACK with requeue:true gives the message to the next consumer', async () => {
    const queue = fresh('queue')
    await using one = await StompJsClient.connect(broker, { listener })
    await one.subscribe(queue, { ack: 'client-individual', 'activemq.prefetchSize': '1' })
    await one.send(queue, 'yours')
    const [message] = await one.take(1)
    await using two = await StompJsClient.connect(broker, { listener })
    await two.subscribe(queue, { ack: 'client-individual', 'activemq.priority': '10' })
    await one.nack(message!, { requeue: 'true' })
    const [again] = await two.take(1)
    expect([again!.body, again!.headers['redelivered']]).toEqual(['yours', 'true'])
    await two.ack(again!)
  })

  test('what a transaction sent and settled counts with its COMMIT, or not at all', async () => {
    const [work, results] = [fresh('queue'), fresh('queue')]
    await using client = await StompJsClient.connect(broker, { listener })
    await using watcher = await StompJsClient.connect(broker, { listener })
    await watcher.subscribe(results)
    await client.subscribe(work, { ack: 'client-individual' })
    await client.send(work, 'job')
    const [job] = await client.take(1)

    const aborted = client.stomp.begin()
    await client.ack(job!, { transaction: aborted.id })
    await client.send(results, 'not this', { transaction: aborted.id })
    aborted.abort()
    const committed = client.stomp.begin()
    await client.ack(job!, { transaction: committed.id })
    await client.send(results, 'first', { transaction: committed.id })
    await client.send(results, 'second', { transaction: committed.id })
    expect(watcher.messages).toEqual([])
    committed.commit()
    expect(await watcher.takeTexts(2)).toEqual(['first', 'second'])

    await client.drop()
    await watcher.subscribe(work)
    await watcher.send(work, 'end')
    expect(await watcher.takeTexts(1)).toEqual(['end']) // the job is done
  })

  test('a durable subscription collects what is sent while its client is away', async () => {
    const topic = fresh('topic')
    const connectHeaders = { 'client-id': `desk-${randomUUID()}` }
    const named = { id: 'news', 'activemq.subscriptionName': 'news' }
    {
      await using first = await StompJsClient.connect(broker, { listener, connectHeaders })
      await first.subscribe(topic, named)
      await first.end()
    }
    await using sender = await StompJsClient.connect(broker, { listener })
    for (const text of ['one', 'two']) await sender.send(topic, text, { persistent: 'true' })
    {
      await using back = await StompJsClient.connect(broker, { listener, connectHeaders })
      await back.subscribe(topic, named)
      expect(await back.takeTexts(2)).toEqual(['one', 'two'])
      await back.unsubscribe('news', { 'activemq.subscriptionName': 'news' })
      await back.end()
    }
    await sender.send(topic, 'for nobody', { persistent: 'true' })
    await using last = await StompJsClient.connect(broker, { listener, connectHeaders })
    await last.subscribe(topic, named)
    await sender.send(topic, 'three', { persistent: 'true' })
    expect(await last.takeTexts(1)).toEqual(['three'])
    await last.unsubscribe('news', { 'activemq.subscriptionName': 'news' })
  })

  test('what is wrong is told in an ERROR that says what to do, and the connection closes', async () => {
    await using client = await StompJsClient.connect(broker, { listener })
    const text = await client.refused(() => client.stomp.commit('no-such'))
    expect(text).toMatch(/^COMMIT: .*no-such.*BEGIN/)
    await expect(
      StompJsClient.connect(broker, { listener, connectHeaders: { login: 'ada', passcode: 'wrong' } }),
    ).rejects.toThrow(/ada|password|user/i)
    await using ada = await StompJsClient.connect(broker, {
      listener,
      connectHeaders: { login: 'ada', passcode: 'correct horse' },
    })
    expect(ada.connected).toHaveLength(1)
  })

  test('a client that lost its connection comes back by itself and goes on', async () => {
    const queue = fresh('queue')
    await using client = await StompJsClient.connect(broker, { listener, reconnectDelay: 20 })
    await client.subscribe(queue, { ack: 'client-individual' }, true)
    await client.drop()
    await client.until('second CONNECTED', () => client.connected.length === 2)
    await client.send(queue, 'after')
    expect(await client.takeTexts(1)).toEqual(['after'])
  })
})

test.each(['ws', 'wss'] as const)('over %s with binary frames only, and without a sub-protocol', async (listener) => {
  await using client = await StompJsClient.connect(broker, {
    listener,
    forceBinaryWSFrames: true,
    webSocketFactory: () => openSocket(broker, listener, []),
  })
  const topic = fresh('topic')
  await client.subscribe(topic)
  await client.send(topic, 'grüße')
  expect(await client.takeTexts(1)).toEqual(['grüße'])
})
