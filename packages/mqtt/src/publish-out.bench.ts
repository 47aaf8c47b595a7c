/**
 * node publish-out.bench.ts: what a PUBLISH towards a client costs when its packet can be repeated, and when it is put together, and how
 * fast a client drains a queue whose messages come from the log. The transport takes everything and counts.
 */
import { allowAll, DEFAULT_CORE_LIMITS, Delivery, Events, Message, VirtualHost } from '@ternmq/core'
import { MemoryEngine } from '@ternmq/store'
import { type VirtualEnv, virtualEnv } from '@ternmq/testkit'
import { bench, run } from 'mitata'
import { MqttAdapter } from './adapter.ts'
import type { MqttConnection } from './connection.ts'
import { mqtt3Headers, mqtt5Headers } from './headers.ts'
import { writePublish } from './publish-out.ts'
import { DEFAULT_MQTT_SETTINGS } from './settings.ts'

const BODY_BYTES = 200
const BACKLOG = 200_000
const SLAB_BYTES = 65_536
/** A PUBACK without a reason. */
const ACK_BYTES = 4

/** Takes all output and counts its packets. */
class Sink {
  readonly id = 1
  readonly peer = { listener: 'mqtt', address: '', port: 0 }
  readonly openedAtMs = 0
  readonly bytesIn = 0
  readonly bytesOut = 0
  slab = new Uint8Array(SLAB_BYTES)
  #at = 0
  packetCount = 0
  readonly pendingBytes = 0
  readonly writable = true

  reserve(byteCount: number): number {
    this.packetCount++
    if (this.#at + byteCount > this.slab.length) this.#at = 0
    const at = this.#at
    this.#at += byteCount
    return at
  }
  write(bytes: Uint8Array): void {
    this.slab.set(bytes, this.reserve(bytes.length))
  }
  writeShared(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.slab.set(bytes.subarray(start, end), this.reserve(end - start))
  }
  pauseReading(): void {}
  resumeReading(): void {}
  end(): void {}
  destroy(): void {}
}

interface Broker {
  readonly env: VirtualEnv
  readonly vhost: VirtualHost
  readonly adapter: MqttAdapter
}

async function start(): Promise<Broker> {
  const env = virtualEnv()
  const vhost = new VirtualHost({ env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
  await vhost.openLog(new MemoryEngine(env, { maxBytes: 2 ** 31 }), [mqtt3Headers, mqtt5Headers])
  const login = { begin: () => ({ kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined }) as const }
  const events = new Events(env.clock, 10)
  return { env, vhost, adapter: new MqttAdapter({ vhost, login, settings: DEFAULT_MQTT_SETTINGS, events }) }
}

/** A connected client that speaks `version`, with a clean session. */
function connect({ env, adapter }: Broker, sink: Sink, version: 4 | 5): MqttConnection {
  const connection = adapter.accept(sink) as MqttConnection
  const properties = version === 5 ? [0] : []
  const body = [0, 4, 0x4d, 0x51, 0x54, 0x54, version, 2, 0, 0, ...properties, 0, 1, 0x63]
  connection.onBytes(Uint8Array.from([0x10, body.length, ...body]))
  env.clock.settle()
  return connection
}

/** As it came in a packet, or as the log gives it back. */
function messageOf(topic: string, isFramed: boolean): Message {
  const name = Buffer.from(topic)
  const size = 2 + name.length + 2 + 1 + BODY_BYTES
  const bytes = Buffer.concat([
    Uint8Array.of(0x32, (size & 0x7f) | 0x80, size >> 7, 0, name.length),
    name,
    Uint8Array.of(0, 7, 0),
    Buffer.alloc(BODY_BYTES, 'x'),
  ])
  const bodyStart = bytes.length - BODY_BYTES
  return new Message({
    topic,
    codec: mqtt5Headers,
    bytes: new Uint8Array(bytes),
    start: isFramed ? 0 : bodyStart,
    headerStart: bodyStart,
    bodyStart,
    end: bytes.length,
    assurance: 1,
    durable: true,
    retain: false,
    expiresAtMs: 0,
    publisher: undefined,
  })
}

async function benchPackets(): Promise<void> {
  const broker = await start()
  const client = connect(broker, new Sink(), 5)
  client.session.consume({ queue: 'orders', assuranceMax: 1, data: { queue: true } })
  const named = broker.vhost.destinations.find('orders')!
  const [consumer] = named.queue.consumers
  const topics = { data: [{ retainAsPublished: false }], assuranceMax: 1, memo: undefined } as const
  const queues = { data: [{ queue: true }], assuranceMax: 1, memo: undefined } as const
  const cases = [
    ['topic, the packet that came', messageOf('plant/line/1', true), topics],
    ['topic, from the log', messageOf('plant/line/1', false), topics],
    ['queue, the packet that came', messageOf('$queue/orders', true), queues],
    ['queue, another name', messageOf('plant/line/1', true), queues],
    ['queue, from the log', messageOf('$queue/orders', false), queues],
  ] as const
  for (const [title, message, match] of cases) {
    const delivery = new Delivery(message, { ...match }, 1, false)
    delivery.consumer = consumer
    bench(title, () => {
      writePublish(client, delivery)
      client.outbound.remove(delivery)
    })
  }
}

/** Messages per second from a queue of `BACKLOG` messages that are in the log only. */
async function drain(version: 4 | 5, qos: 0 | 1): Promise<number> {
  const broker = await start()
  const { env } = broker
  const producer = connect(broker, new Sink(), 4).producer
  const target = producer.target('$queue/q')
  for (let sent = 0; sent < BACKLOG; sent++) {
    producer.publish(target, messageOf('$queue/q', true), 0)
    if (sent % 1_000 === 0) env.clock.settle()
  }
  env.clock.settle()
  const sink = new Sink()
  const client = connect(broker, sink, version)
  sink.packetCount = 0
  const startedAt = performance.now()
  client.session.consume({ queue: 'q', assuranceMax: qos, data: { queue: true } })
  let acknowledged = 0
  while (sink.packetCount < BACKLOG) {
    await new Promise((resolve) => setImmediate(resolve))
    env.clock.settle()
    if (qos === 0) continue
    const open = client.outbound.inOrder()
    const acks = new Uint8Array(open.length * ACK_BYTES)
    for (const [index, delivery] of open.entries()) {
      acks.set([0x40, 2, delivery.protocolState >> 8, delivery.protocolState & 0xff], index * ACK_BYTES)
    }
    acknowledged += open.length
    if (open.length > 0) client.onBytes(acks)
  }
  const seconds = (performance.now() - startedAt) / 1000
  if (qos === 1 && acknowledged + client.outbound.count < BACKLOG) throw new Error('some were not acknowledged')
  return BACKLOG / seconds
}

await benchPackets()
await run()
await drain(5, 1) // warms up
for (const version of [4, 5] as const) {
  for (const qos of [0, 1] as const) {
    const rates: number[] = []
    for (let round = 0; round < 3; round++) rates.push(await drain(version, qos))
    const [, median = 0] = rates.toSorted((one, other) => one - other)
    process.stdout.write(`drain of ${BACKLOG} x ${BODY_BYTES} B, MQTT ${version}, QoS ${qos}: ${Math.round(median / 1000)}k msg/s\n`)
  }
}
