/**
 * Brokers that end while STOMP clients are at work. What a RECEIPT has confirmed of a persistent message is there when the broker is
 * back, what has none is still in the hands of its client: nothing is lost between them.
 */
import { randomUUID } from 'node:crypto'
import * as stompit from 'stompit'
import { expect, test } from 'vitest'

import { RunningBroker, STOMP_LISTENERS, type StompListenerName } from './running-broker.ts'
import { StompJsClient } from './stomp-js-client.ts'
import { connectOptions, StompitClient } from './stompit-client.ts'

/** Between attempts to connect again, in ms. */
const RECONNECT_MS = 50
const PERSISTENT = { persistent: 'true' }

/** Sends numbers one after another, each until it has a RECEIPT: again after a reconnect. */
class Counter {
  readonly client: StompJsClient
  readonly queue: string
  readonly confirmed = new Set<number>()
  #next = 0
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(client: StompJsClient, queue: string) {
    this.client = client
    this.queue = queue
  }

  start(): void {
    this.#timer = setInterval(() => this.#send(this.#next++), 1)
  }

  /** Resolves when all have their RECEIPT. */
  async finish(): Promise<number> {
    clearInterval(this.#timer)
    for (let number = 0; number < this.#next; number++) if (!this.confirmed.has(number)) this.#send(number)
    await this.client.until('receipts', () => this.confirmed.size === this.#next)
    return this.#next
  }

  #send(number: number): void {
    const { stomp } = this.client
    if (!stomp.connected) return
    const receipt = `${number} ${this.client.connected.length}`
    stomp.watchForReceipt(receipt, () => {
      this.confirmed.add(number)
      this.client.look()
    })
    stomp.publish({ destination: this.queue, body: String(number), headers: { ...PERSISTENT, receipt } })
  }
}

async function open(broker: RunningBroker, listener: StompListenerName): Promise<Counter & AsyncDisposable> {
  const queue = `/queue/${listener}`
  const client = await StompJsClient.connect(broker, { listener, reconnectDelay: RECONNECT_MS })
  const counter = new Counter(client, queue)
  return Object.assign(counter, { [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() })
}

test('clients of a broker that was killed come back over every listener, and no confirmed message is lost', async () => {
  await using broker = await RunningBroker.start()
  const consumers: StompJsClient[] = []
  const counters: Counter[] = []
  await using stack = new AsyncDisposableStack()
  for (const listener of STOMP_LISTENERS) {
    const counter = stack.use(await open(broker, listener))
    counters.push(counter)
    const consumer = stack.use(await StompJsClient.connect(broker, { listener, reconnectDelay: RECONNECT_MS }))
    await consumer.subscribe(counter.queue, { ack: 'client-individual' }, true)
    consumer.onMessage = (message) => message.ack()
    consumers.push(consumer)
  }
  for (const counter of counters) counter.start()
  for (const consumer of consumers) await consumer.until('traffic', () => consumer.messages.length > 50)
  await broker.kill()
  for (const consumer of consumers) await consumer.until('end', () => consumer.closedCount > 0)
  await broker.startAgain()
  for (const { client } of counters) await client.until('second CONNECTED', () => client.connected.length === 2)
  for (const consumer of consumers) {
    const before = consumer.messages.length
    await consumer.until('traffic', () => consumer.messages.length > before + 50)
  }
  for (const [index, counter] of counters.entries()) {
    const count = await counter.finish()
    const consumer = consumers[index]!
    const numbers = (): Set<number> => new Set(consumer.messages.map(({ body }) => Number(body)))
    await consumer.until('all messages', () => consumer.messages.length >= count && numbers().size === count)
    expect([...numbers()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, number) => number))
  }
})

test('what is in a queue and in a durable subscription is there after a kill, but for what was not persistent', async () => {
  await using broker = await RunningBroker.start()
  const connectHeaders = { 'client-id': 'desk' }
  const named = { id: 'news', 'activemq.subscriptionName': 'news' }
  {
    await using desk = await StompJsClient.connect(broker, { connectHeaders })
    await desk.subscribe('/topic/news', named)
    await desk.end()
    await using sender = await StompitClient.connect(broker)
    for (const destination of ['/topic/news', '/queue/work']) {
      await sender.send({ destination, ...PERSISTENT, unit: '°C' }, 'kept')
      await sender.send({ destination, ...PERSISTENT }, Buffer.from([0, 255]))
      await sender.send({ destination }, 'not kept')
    }
  }
  await broker.kill()
  await broker.startAgain()
  await using desk = await StompJsClient.connect(broker, { connectHeaders })
  await desk.subscribe('/topic/news', named)
  await using worker = await StompJsClient.connect(broker)
  await worker.subscribe('/queue/work')
  for (const client of [desk, worker]) {
    const [text, bytes] = await client.take(2)
    expect([text!.body, text!.headers['unit'], text!.headers['persistent']]).toEqual(['kept', '°C', 'true'])
    expect([...bytes!.binaryBody]).toEqual([0, 255])
  }
  // The next ones are new: nothing else came before them.
  await desk.send('/topic/news', 'new')
  await worker.send('/queue/work', 'new')
  for (const client of [desk, worker]) expect(await client.takeTexts(1)).toEqual(['new'])
})

test('a transaction that was not committed when the broker was killed has not happened', async () => {
  await using broker = await RunningBroker.start()
  {
    await using client = await StompJsClient.connect(broker)
    await client.send('/queue/work', 'job', PERSISTENT)
    await client.subscribe('/queue/work', { ack: 'client-individual' })
    const [job] = await client.take(1)
    const { id: transaction } = client.stomp.begin()
    await client.ack(job!, { transaction })
    await client.send('/queue/results', 'result', { ...PERSISTENT, transaction })
    await broker.kill()
  }
  await broker.startAgain()
  await using client = await StompJsClient.connect(broker)
  await client.subscribe('/queue/results')
  await client.subscribe('/queue/work', { ack: 'client-individual' })
  const [job] = await client.take(1)
  expect(job!.body).toBe('job')
  const transaction = client.stomp.begin()
  await client.ack(job!, { transaction: transaction.id })
  await client.send('/queue/results', 'result', { ...PERSISTENT, transaction: transaction.id })
  transaction.commit()
  expect(await client.takeTexts(1)).toEqual(['result'])
})

test("stompit's channels send again what was not confirmed when the broker was killed", async () => {
  await using broker = await RunningBroker.start()
  const failover = new stompit.ConnectFailover([connectOptions(broker, 'stomp')], {
    initialReconnectDelay: RECONNECT_MS,
    useExponentialBackOff: false,
  })
  const channel = new stompit.Channel(failover, { alwaysConnected: true })
  const sent: Promise<void>[] = []
  const confirmed: string[] = []
  let look = (): void => {}
  const untilConfirmed = (count: number): Promise<void> =>
    new Promise((resolve) => {
      look = () => void (confirmed.length >= count && resolve())
      look()
    })
  const send = (): void => {
    const text = String(sent.length)
    const settled = new Promise<void>((resolve, reject) => {
      channel.send({ destination: '/queue/work', ...PERSISTENT }, text, (error) => {
        confirmed.push(text)
        look()
        if (error === null) resolve()
        else reject(error)
      })
    })
    sent.push(settled)
  }
  // Messages keep flowing; the broker dies while some are under way.
  const timer = setInterval(send, 1)
  try {
    await untilConfirmed(50)
    await broker.kill()
    await broker.startAgain()
    await untilConfirmed(confirmed.length + 50)
    clearInterval(timer)
    await Promise.all(sent)
  } finally {
    clearInterval(timer)
    channel.close(new Error('the test is over'))
  }
  await using consumer = await StompitClient.connect(broker)
  await consumer.subscribe({ destination: '/queue/work' })
  const numbers = (): Set<string> => new Set(consumer.messages.map(({ body }) => body.toString()))
  await consumer.until('all messages', () => consumer.messages.length >= sent.length && numbers().size === sent.length)
  expect([...numbers()].toSorted()).toEqual(confirmed.toSorted())
})

test('clients of a broker that is stopped are told so over every listener', async () => {
  const broker = await RunningBroker.start()
  const clients = await Promise.all(STOMP_LISTENERS.map((listener) => StompJsClient.connect(broker, { listener })))
  await Promise.all(clients.map((client) => client.subscribe(`/topic/${randomUUID()}`)))
  await broker.stop()
  for (const client of clients) {
    await client.until('end', () => client.closedCount > 0, true)
    expect(client.errors.map(({ headers }) => headers['message'])).toEqual([
      expect.stringContaining('the broker is stopping'),
    ])
    await client[Symbol.asyncDispose]()
  }
})
