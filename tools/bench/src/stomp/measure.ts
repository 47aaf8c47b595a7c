/** What a delivery costs the broker: from an MQTT publisher to fifty STOMP subscribers, and over WebSocket beside TCP. */
import { BrokerProcess } from '@ternmq/lab'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

import { median } from '../loadgen/results.ts'
import { connectPacket, publishPacket } from '../wire.ts'
import { cpuShares, type CpuShares } from './cpu.ts'
import { stompFrame } from './frames.ts'
import { type Carrier, Link } from './link.ts'

export interface Cost {
  readonly deliveriesPerSecond: number
  /** Of the broker, each. */
  readonly cpuUsPerDelivery: number
  readonly shares: CpuShares
}

const SUBSCRIBERS = 50
const FAN_OUT_BYTES = 16
/** Messages that not everybody has, as in case bw of the load generator. */
const FAN_OUT_WINDOW = 200
const QUEUE_BYTES = 1_024
/** As in case fw. */
const QUEUE_WINDOW = 1_000
/** Messages in one write. */
const BATCH = 50
const WARM_MS = 1_500
const STALL_MS_MAX = 5_000

/** MQTT QoS 0 to STOMP, 16 B. */
export async function measureFanOut(rounds: number, ms: number, signal: AbortSignal): Promise<Cost[]> {
  await using broker = await BrokerProcess.start({ listeners: { mqtt: 0, stomp: 0 } })
  const links: Link[] = []
  const publisher = connect({ port: broker.port('mqtt'), host: '127.0.0.1' })
  try {
    for (let count = 0; count < SUBSCRIBERS; count++) {
      links.push(await subscribed('tcp', broker.port('stomp'), '/topic/bench.fan'))
    }
    publisher.setNoDelay(true)
    publisher.write(connectPacket(4, 'bench-publisher'))
    await once(publisher, 'data')
    publisher.resume()
    const shape = { version: 4, topic: 'bench/fan', qos: 0, payloadBytes: FAN_OUT_BYTES } as const
    const packet = publishPacket(shape, 0)
    const load = { pid: broker.pid, publisher, batch: repeated(packet), window: FAN_OUT_WINDOW, links }
    return await measureRounds(load, rounds, ms, signal)
  } finally {
    publisher.destroy()
    for (const link of links) link.close()
  }
}

/** STOMP from one to one through a queue, 1 KiB, over TCP and over WebSocket in turns. */
export async function measureCarriers(
  rounds: number,
  ms: number,
  signal: AbortSignal,
): Promise<Record<Carrier, Cost[]>> {
  await using broker = await BrokerProcess.start({ listeners: { stomp: 0, ws: 0 } })
  const costs: Record<Carrier, Cost[]> = { tcp: [], websocket: [] }
  for (let round = 0; round < rounds; round++) {
    for (const carrier of ['tcp', 'websocket'] as const) {
      const port = broker.port(carrier === 'tcp' ? 'stomp' : 'ws')
      const destination = `/queue/bench.${carrier}`
      const link = await subscribed(carrier, port, destination)
      const publisher = await Link.open(carrier, port)
      try {
        const body = Buffer.alloc(QUEUE_BYTES, 'x')
        const packet = publisher.packed(
          stompFrame('SEND', { destination, 'content-length': String(body.length) }, body),
        )
        const load = { pid: broker.pid, publisher, batch: repeated(packet), window: QUEUE_WINDOW, links: [link] }
        costs[carrier].push(...(await measureRounds(load, 1, ms, signal)))
      } finally {
        link.close()
        publisher.close()
      }
    }
  }
  return costs
}

/** The round with the middle CPU per delivery; of an even number, the lower of the two. */
export function middle(costs: readonly Cost[]): Cost {
  const target = median(costs.map(({ cpuUsPerDelivery }) => cpuUsPerDelivery))!
  return costs
    .filter(({ cpuUsPerDelivery }) => cpuUsPerDelivery <= target)
    .toSorted((a, b) => b.cpuUsPerDelivery - a.cpuUsPerDelivery)[0]!
}

async function subscribed(carrier: Carrier, port: number, destination: string): Promise<Link> {
  const link = await Link.open(carrier, port)
  await link.ask(stompFrame('SUBSCRIBE', { id: '0', destination, ack: 'auto', receipt: 'sub' }))
  return link
}

function repeated(packet: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: BATCH }, () => packet))
}

interface Load {
  readonly pid: number
  readonly publisher: Pick<Socket, 'write'> | Pick<Link, 'send'>
  readonly batch: Buffer
  readonly window: number
  readonly links: readonly Link[]
}

/** Every link gets every message. Throws when nothing arrives any more. */
async function measureRounds(load: Load, rounds: number, ms: number, signal: AbortSignal): Promise<Cost[]> {
  const { publisher, batch, window, links, pid } = load
  let sent = 0
  let delivered = 0
  let isOver = false
  let failure: Error | undefined = undefined
  const publish = (): void => {
    if (isOver) return
    while (sent + BATCH - delivered / links.length <= window) {
      sent += BATCH
      if ('send' in publisher) publisher.send(batch)
      else publisher.write(batch)
    }
  }
  for (const link of links) {
    link.onFailed = (error) => (failure = error)
    link.onFrames = (count) => {
      delivered += count
      publish()
    }
  }
  publish()
  await wait(WARM_MS, undefined, { signal })
  const costs: Cost[] = []
  for (let round = 0; round < rounds; round++) {
    const before = delivered
    const elapsed = cpuShares(pid)
    await wait(ms, undefined, { signal })
    const shares = elapsed()
    const count = delivered - before
    if (failure !== undefined) throw failure as Error
    if (count === 0)
      throw new Error(`nothing arrived for ${ms} ms, ${sent} messages were sent and ${delivered} delivered`)
    const deliveriesPerSecond = count / shares.seconds
    costs.push({ deliveriesPerSecond, cpuUsPerDelivery: (shares.brokerCores / deliveriesPerSecond) * 1e6, shares })
  }
  isOver = true
  const untilMs = performance.now() + STALL_MS_MAX
  while (delivered < sent * links.length && performance.now() < untilMs) await wait(10, undefined, { signal })
  if (delivered !== sent * links.length) {
    throw new Error(`${sent} messages were sent to ${links.length} subscribers and ${delivered} delivered in all`)
  }
  return costs
}
