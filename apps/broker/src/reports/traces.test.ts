/** Traces as a collector of OpenTelemetry gets them, with real clients of all protocols. */
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { json } from 'node:stream/consumers'
import { connect, type IPublishPacket, type MqttClient } from 'mqtt'
import rhea, { type Connection, type Delivery, type EventContext, type Message } from 'rhea'
import * as stompit from 'stompit'
import { expect, onTestFinished, test } from 'vitest'

import { type EmbeddedBroker, startBroker } from '../embed.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PUBLISHER = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE}-${PUBLISHER}-01`

interface Pair {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number; readonly boolValue?: boolean }
}

/** As OTLP writes it, as far as tests ask. */
interface WrittenSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Pair[]
  readonly events: ReadonlyArray<{ readonly name: string; readonly attributes: readonly Pair[] }>
  readonly status: { readonly code: number; readonly message?: string }
  readonly traceState?: string
}

interface Request {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: readonly Pair[] }
    readonly scopeSpans: ReadonlyArray<{ readonly spans: readonly WrittenSpan[] }>
  }>
}

class Collector {
  readonly headers: string[] = []
  readonly requests: Request[] = []
  endpoint = ''
  readonly #comings = new EventEmitter()

  static async open(): Promise<Collector> {
    const collector = new Collector()
    const server = createServer((request, response) => {
      collector.headers.push(`${request.headers['authorization']}`)
      void json(request).then((body) => {
        collector.requests.push(body as Request)
        collector.#comings.emit('request')
        response.setHeader('content-type', 'application/json').end('{}')
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    collector.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`
    return collector
  }

  get spans(): WrittenSpan[] {
    return this.requests.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    )
  }

  async until(count: number): Promise<WrittenSpan[]> {
    while (this.spans.length < count) await once(this.#comings, 'request')
    return this.spans
  }
}

function values(pairs: readonly Pair[]): Record<string, string | number | boolean | undefined> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.boolValue]),
  )
}

async function start(
  endpoint: string,
  more: { readonly sampleRatio?: number; readonly spansWaitingMax?: number } = {},
): Promise<EmbeddedBroker> {
  const tracing = {
    enabled: true,
    endpoint,
    sampleRatio: 0,
    batchMs: 10,
    headers: ['authorization: Bearer t'],
    serviceName: 'hub',
    ...more,
  }
  const broker = await startBroker({ config: { tracing } })
  onTestFinished(() => broker.stop())
  return broker
}

async function mqtt({ listeners }: EmbeddedBroker, clientId: string): Promise<MqttClient> {
  const { host, port } = listeners.mqtt!
  const client = connect(`mqtt://${host}:${port}`, { clientId, reconnectPeriod: 0, protocolVersion: 5 })
  onTestFinished(() => client.endAsync(true))
  await new Promise((resolve) => client.once('connect', resolve))
  return client
}

async function amqp({ listeners }: EmbeddedBroker, id: string): Promise<Connection> {
  const connection = rhea.create_container({ id }).connect({ ...listeners.amqp!, reconnect: false })
  onTestFinished(() => connection.close())
  await new Promise((resolve) => connection.once('connection_open', resolve))
  return connection
}

/** What stompit's types leave out. */
type StompMessage = stompit.Client.Message & { readonly headers: Readonly<Record<string, string>> }

interface Taken {
  readonly delivery: Delivery
  readonly message: Message
}

/** `next` is the next message to `address`; nothing is settled. */
async function receiving(connection: Connection, address: string): Promise<{ readonly next: Promise<Taken> }> {
  const receiver = connection.open_receiver({ source: { address }, autoaccept: false })
  const next = new Promise<Taken>((resolve) => {
    receiver.once('message', ({ delivery, message }: EventContext) =>
      resolve({ delivery: delivery!, message: message! }),
    )
  })
  await new Promise((resolve) => receiver.once('receiver_open', resolve))
  return { next }
}

function stomp({ listeners }: EmbeddedBroker, clientId: string): Promise<stompit.Client> {
  const connectHeaders = { host: '/', 'client-id': clientId, 'heart-beat': '0,0' }
  return new Promise((resolve, reject) => {
    stompit.connect({ ...listeners.stomp!, connectHeaders }, (error, client) => {
      if (error !== null) return reject(error)
      onTestFinished(() => void client.getTransportSocket().destroy())
      resolve(client)
    })
  })
}

test('one trace goes through three protocols: what is published over MQTT, and taken over STOMP and AMQP', async () => {
  const collector = await Collector.open()
  const broker = await start(collector.endpoint)
  const desk = await stomp(broker, 'desk')
  const settled = new Promise<string>((resolve, reject) => {
    desk.subscribe({ destination: '/topic/plant.1', ack: 'client-individual' }, (error, message) => {
      if (error !== null) return reject(error)
      message.readString('utf8', () => {
        desk.ack(message)
        resolve(`${(message as StompMessage).headers['traceparent']}`)
      })
    })
  })
  const worker = await receiving(await amqp(broker, 'worker'), 'topic://plant.1')
  const rejected = worker.next.then(({ message, delivery }) => {
    delivery.reject({ condition: 'app:broken', description: 'no such plant' })
    return `${message.application_properties!['traceparent']}`
  })
  const pump = await mqtt(broker, 'pump')
  await expect.poll(() => broker.vhost.router.bindingCount).toBe(2)
  const properties = { userProperties: { traceparent: TRACEPARENT, tracestate: 'vendor=1' } }
  await pump.publishAsync('plant/1', 'hot', { qos: 1, properties })
  expect([await settled, await rejected]).toEqual([TRACEPARENT, TRACEPARENT])

  const spans = await collector.until(3)
  const common = {
    'messaging.system': 'ternmq',
    'messaging.destination.name': 'plant/1',
    'ternmq.destination.kind': 'topic',
    'messaging.message.body.size': 3,
  }
  const seen = spans.map(({ attributes, ...span }) => ({ ...span, attributes: values(attributes) }))
  const process = (protocol: string): unknown =>
    seen.find(({ attributes }) => attributes['network.protocol.name'] === protocol)
  expect(seen).toHaveLength(3)
  for (const span of seen) {
    expect(span).toMatchObject({ traceId: TRACE, parentSpanId: PUBLISHER, traceState: 'vendor=1' })
    expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano))
  }
  expect(new Set(seen.map(({ spanId }) => spanId)).size).toBe(3)
  expect(process('mqtt')).toMatchObject({
    name: 'send plant/1',
    kind: 4,
    attributes: {
      ...common,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.client.id': 'pump',
      'ternmq.result': 'routed',
    },
    status: { code: 0 },
  })
  expect(process('stomp')).toMatchObject({
    name: 'process plant/1',
    kind: 5,
    attributes: {
      ...common,
      'messaging.operation.type': 'process',
      'messaging.client.id': 'desk',
      'ternmq.outcome': 'accepted',
    },
    status: { code: 0 },
  })
  expect(process('amqp')).toMatchObject({
    name: 'process plant/1',
    attributes: { ...common, 'messaging.client.id': 'worker', 'ternmq.outcome': 'rejected', 'error.type': 'rejected' },
    status: { code: 2, message: expect.stringContaining('no such plant') as string },
  })
  expect(collector.headers[0]).toBe('Bearer t')
  expect(values(collector.requests[0]!.resourceSpans[0]!.resource.attributes)).toMatchObject({ 'service.name': 'hub' })
})

test('a publish that is refused says why; one whose trace is not recorded makes no span', async () => {
  const collector = await Collector.open()
  const broker = await start(collector.endpoint)
  const pump = await mqtt(broker, 'pump')
  const unsampled = { userProperties: { traceparent: `00-${TRACE}-${PUBLISHER}-00` } }
  await pump.publishAsync('a', 'x', { qos: 1, properties: unsampled })
  await pump.publishAsync('b', 'x', { qos: 1 })
  const properties = { userProperties: { traceparent: TRACEPARENT } }
  await expect(pump.publishAsync('$internal', 'x', { qos: 1, properties })).rejects.toThrow()
  const [span, ...more] = await collector.until(1)
  expect(more).toEqual([])
  expect(span).toMatchObject({ name: 'send $internal', status: { code: 2 } })
  expect(span!.status.message).toMatch(/topics that start with '\$' are the broker's own/)
  expect(values(span!.attributes)).toMatchObject({ 'ternmq.result': 'refused', 'error.type': 'not-authorized' })
})

test('a message without a trace begins one, and is followed to its dead letter and to who takes that', async () => {
  const collector = await Collector.open()
  const broker = await start(collector.endpoint, { sampleRatio: 1 })
  broker.vhost.destinations.define({ name: 'orders', settings: { deadLetter: 'dead' } })
  broker.vhost.destinations.define({ name: 'dead', settings: {} })
  const connection = await amqp(broker, 'worker')
  const worker = await receiving(connection, 'queue://orders')
  const undertaker = await receiving(connection, 'queue://dead')
  const shop = await stomp(broker, 'shop')
  shop.send({ destination: '/queue/orders' }).end('article 7')
  const { delivery } = await worker.next
  delivery.reject({ condition: 'app:broken', description: 'no such article' })
  const dead = await undertaker.next
  dead.delivery.accept()
  const spans = await collector.until(3)
  const [send] = spans.filter(({ name }) => name.startsWith('send'))
  const [first, second] = spans.filter(({ name }) => name.startsWith('process'))
  expect(send).toMatchObject({ name: 'send orders' })
  expect(send!.parentSpanId ?? '').toBe('')
  for (const span of [first, second])
    expect(span).toMatchObject({ name: 'process orders', traceId: send!.traceId, parentSpanId: send!.spanId })
  expect(values(first!.attributes)).toMatchObject({
    'messaging.destination.subscription.name': 'orders',
    'ternmq.outcome': 'rejected',
  })
  expect(values(second!.attributes)).toMatchObject({
    'messaging.destination.subscription.name': 'dead',
    'ternmq.outcome': 'accepted',
  })
  expect(first!.events.map(({ name, attributes }) => [name, values(attributes)])).toEqual([
    [
      'ternmq.dead_lettered',
      {
        'ternmq.dead_letter.queue': 'dead',
        'ternmq.dead_letter.cause': 'rejected',
        'ternmq.dead_letter.reason': expect.stringContaining('no such article') as string,
      },
    ],
  ])
  expect(second!.events).toEqual([])
})

test('a collector that takes nothing costs spans and no message, and the broker stops without it', async () => {
  const silent = createTcpServer(() => {})
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  onTestFinished(() => void silent.close())
  const { port } = silent.address() as AddressInfo
  const broker = await start(`http://127.0.0.1:${port}/`, { sampleRatio: 1, spansWaitingMax: 512 })
  const hub = await mqtt(broker, 'hub')
  await hub.subscribeAsync('a', { qos: 1 })
  const count = 1_500
  const all = new Promise<void>((resolve) => {
    let left = count
    hub.on('message', (_topic: string, _body: Buffer, _packet: IPublishPacket) => void (--left === 0 && resolve()))
  })
  await Promise.all(Array.from({ length: count }, () => hub.publishAsync('a', 'x', { qos: 1 })))
  await all
  const [failure] = broker.events.recent().filter(({ source }) => source === 'tracing')
  expect(failure).toMatchObject({ kind: 'failure' })
  expect(failure!.text).toMatch(
    /^\d+ spans are lost so far, since http:\S+ does not take them: 512 wait for it already .*; messages go on$/,
  )
  await broker.stop()
})
