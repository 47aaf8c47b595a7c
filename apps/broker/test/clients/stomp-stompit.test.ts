/** stompit, the STOMP client of many services on Node, over TCP and TLS: alone, and with its channels that come back by themselves. */
import { randomUUID } from 'node:crypto'
import * as stompit from 'stompit'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { RunningBroker } from './running-broker.ts'
import { connectOptions, StompitClient } from './stompit-client.ts'

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

describe.each(['stomp', 'stomps'] as const)('over %s', (listener) => {
  test.each(['1.0', '1.1', '1.2'])('version %s: text, bytes and headers come back', async (version) => {
    await using client = await StompitClient.connect(broker, listener, { 'accept-version': version })
    expect(client.connected['version'] ?? '1.0').toBe(version)
    const destination = fresh('topic')
    await client.subscribe({ destination })
    await client.send({ destination, unit: '°C', path: version === '1.0' ? 'a' : 'a:b\\c' }, 'grüße')
    const bytes = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, index) => index % 256))
    await client.send({ destination }, bytes)
    const [text, binary] = await client.take(2)
    expect(text!.body.toString()).toBe('grüße')
    expect(text!.headers).toMatchObject({ destination, unit: '°C', path: version === '1.0' ? 'a' : 'a:b\\c' })
    expect(binary!.body.equals(bytes)).toBe(true)
    expect(Number(binary!.headers['content-length'])).toBe(bytes.length)
    await client.end()
  })

  test('heart-beats go both ways while nobody says anything', async () => {
    // By itself stompit gives up a server that is 100 ms late, as one on a busy machine may be.
    const patient = { heartbeatDelayMargin: 30_000 }
    await using client = await StompitClient.connect(broker, listener, { 'heart-beat': '1000,1000' }, patient)
    expect(client.connected['heart-beat']).toBe('1000,1000')
    let count = 0
    const socket = client.client.getTransportSocket()
    await new Promise<void>((resolve, reject) => {
      socket.on('data', (bytes: Buffer) => bytes.toString() === '\n' && ++count === 3 && resolve())
      client.client.once('error', reject)
    })
    await client.end()
  })

  test.each(['1.1', '1.2'])(
    'version %s: ack:client settles up to the message, ack:client-individual one',
    async (version) => {
      const connect = { 'accept-version': version }
      for (const [ack, left] of [
        ['client', ['c']],
        ['client-individual', ['a', 'c']],
      ] as const) {
        const destination = fresh('queue')
        {
          await using first = await StompitClient.connect(broker, listener, connect)
          await first.subscribe({ destination, ack })
          for (const text of ['a', 'b', 'c']) await first.send({ destination }, text)
          await first.ack((await first.take(3))[1]!)
        }
        await using second = await StompitClient.connect(broker, listener, connect)
        await second.subscribe({ destination })
        expect(await second.takeTexts(left.length)).toEqual(left)
      }
    },
  )

  test('NACK puts the message into the dead-letter queue with its headers', async () => {
    const destination = fresh('queue')
    const mark = randomUUID()
    await using client = await StompitClient.connect(broker, listener)
    const subscription = await client.subscribe({ destination, ack: 'client-individual' })
    await client.send({ destination, mark, persistent: 'true' }, 'poison')
    await client.nack((await client.take(1))[0]!)
    subscription.unsubscribe()
    await client.subscribe({ destination: '/queue/DLQ', selector: `mark = '${mark}'` })
    const [dead] = await client.take(1)
    expect(dead!.body.toString()).toBe('poison')
    expect(dead!.headers).toMatchObject({ mark, persistent: 'true' })
  })

  test('a transaction of two queues counts with its COMMIT, or not at all', async () => {
    const [one, two] = [fresh('queue'), fresh('queue')]
    await using client = await StompitClient.connect(broker, listener)
    await using watcher = await StompitClient.connect(broker, listener)
    for (const destination of [one, two]) await watcher.subscribe({ destination })

    const aborted = client.client.begin()
    aborted.send({ destination: one }).end('not this')
    aborted.abort()
    const committed = client.client.begin()
    committed.send({ destination: one }).end('first')
    committed.send({ destination: two }).end('second')
    await client.sync()
    expect(watcher.messages).toEqual([])
    committed.commit()
    expect(await watcher.takeTexts(2)).toEqual(['first', 'second'])
  })

  test('a durable subscription collects what is sent while its client is away', async () => {
    const destination = fresh('topic')
    const connect = { 'client-id': `desk-${randomUUID()}` }
    const subscribe = { destination, 'activemq.subscriptionName': 'news' }
    {
      await using first = await StompitClient.connect(broker, listener, connect)
      await first.subscribe(subscribe)
      await first.end()
    }
    await using sender = await StompitClient.connect(broker, listener)
    await sender.send({ destination, persistent: 'true' }, 'while away')
    await using back = await StompitClient.connect(broker, listener, connect)
    await back.subscribe(subscribe)
    expect(await back.takeTexts(1)).toEqual(['while away'])
  })

  test('what is wrong is told in an ERROR that says what to do', async () => {
    await using client = await StompitClient.connect(broker, listener)
    client.client.sendFrame('SUBSCRIBE', { id: 'x', destination: '/queue/a', ack: 'maybe' }).end()
    expect(await client.refusal()).toMatch(/ack: "maybe" is none of auto, client and client-individual/)
    await expect(StompitClient.connect(broker, listener, { login: 'ada', passcode: 'wrong' })).rejects.toThrow(
      /CONNECT/,
    )
    await using ada = await StompitClient.connect(broker, listener, { login: 'ada', passcode: 'correct horse' })
    await ada.end()
  })

  test('a channel that lost its connection sends and receives again', async () => {
    const destination = fresh('queue')
    const failover = new stompit.ConnectFailover([connectOptions(broker, listener)], { initialReconnectDelay: 10 })
    const connections: stompit.Client[] = []
    const { connect } = failover
    failover.connect = (callback) =>
      connect.call(failover, (error, client, ...rest) => {
        connections.push(client)
        callback(error, client, ...rest)
      })
    const channel = new stompit.Channel(failover, { alwaysConnected: true })
    onTestFinished(() => channel.close(new Error('the test is over')))
    const texts: string[] = []
    const received = (text: string): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => void (texts.includes(text) ? resolve() : setImmediate(look))
        look()
      })
    channel.subscribe({ destination, ack: 'client-individual' }, (error, message) => {
      if (error !== null) return
      message.readString('utf8', (_failed, text) => {
        texts.push(text ?? '')
        channel.ack(message)
      })
    })
    const send = (text: string): Promise<void> =>
      new Promise((resolve, reject) => {
        channel.send({ destination, persistent: 'true' }, text, (error) => (error === null ? resolve() : reject(error)))
      })
    await send('before')
    await received('before')
    connections[0]!.getTransportSocket().destroy(new Error('power failure'))
    await send('after')
    await received('after')
    expect(connections).toHaveLength(2)
  })
})
