/** The benchmark over TCP: two broker processes take turns; their CPU is read from /proc. */
import { BrokerProcess } from '@ternmq/lab'

import { CountingClient } from '../counting-client.ts'
import { connectPacket, subscribePacket } from '../wire.ts'
import { batchOf, FILTERS_PER_PACKET, filtersBySession, type Load, type Pair, type Sizes } from './plan.ts'
import { cpuNsOf } from './process-cpu.ts'

const MESSAGES_PER_BATCH = 1_000

class Bench implements AsyncDisposable {
  readonly #broker: BrokerProcess
  readonly #clients: CountingClient[] = []
  #publisher!: CountingClient

  static async start(subscriptions: number): Promise<Bench> {
    const bench = new Bench(await BrokerProcess.start())
    try {
      for (const [index, filters] of filtersBySession(subscriptions).entries())
        await bench.#subscribe(`s${index}`, filters)
      bench.#publisher = await bench.#open('publisher')
      return bench
    } catch (error) {
      await bench[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(broker: BrokerProcess) {
    this.#broker = broker
  }

  /** Broker CPU per message in ns. */
  async round(batch: Buffer, roundMs: number): Promise<number> {
    const [subscriber] = this.#clients
    const cpuBefore = cpuNsOf(this.#broker.pid)
    const startMs = performance.now()
    let messages = 0
    for (; performance.now() - startMs < roundMs; messages += MESSAGES_PER_BATCH) {
      // QoS 0 without retain: what is delivered has the bytes of what was sent.
      const received = subscriber!.receive(batch.length)
      this.#publisher.send(batch)
      await received
    }
    return (cpuNsOf(this.#broker.pid) - cpuBefore) / messages
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.#broker.stop()
  }

  async #subscribe(clientId: string, filters: readonly string[]): Promise<void> {
    const client = await this.#open(clientId)
    for (let at = 0; at < filters.length; at += FILTERS_PER_PACKET) {
      const some = filters.slice(at, at + FILTERS_PER_PACKET)
      const bodySize = 2 + some.length
      const answered = client.receive(1 + (bodySize < 128 ? 1 : 2) + bodySize)
      client.send(subscribePacket(4, 1, some, 0))
      await answered
    }
  }

  async #open(clientId: string): Promise<CountingClient> {
    const client = await CountingClient.open(this.#broker.port())
    this.#clients.push(client)
    const accepted = client.receive(4)
    client.send(connectPacket(4, clientId))
    await accepted
    return client
  }
}

export async function measureEndToEnd(
  loads: readonly Load[],
  sizes: Sizes,
  pairs: number,
  roundMs: number,
): Promise<Map<Load, Pair[]>> {
  await using few = await Bench.start(sizes.few)
  await using many = await Bench.start(sizes.many)
  const results = new Map<Load, Pair[]>()
  for (const load of loads) {
    const batch = batchOf(load, MESSAGES_PER_BATCH)
    await few.round(batch, roundMs)
    await many.round(batch, roundMs)
    const measured: Pair[] = []
    for (let count = 0; count < pairs; count++)
      measured.push({ few: await few.round(batch, roundMs), many: await many.round(batch, roundMs) })
    results.set(load, measured)
  }
  return results
}
