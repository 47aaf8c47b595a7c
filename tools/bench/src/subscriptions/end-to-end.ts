/** The benchmark over TCP: two broker processes take turns; their CPU is read from /proc. */
import { BrokerProcess } from '@ternmq/lab'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { connectPacket, subscribePacket } from '../wire.ts'
import { batchOf, FILTERS_PER_PACKET, filtersBySession, type Load, type Pair, type Sizes } from './plan.ts'
import { cpuNsOf } from './process-cpu.ts'

const MESSAGES_PER_BATCH = 1_000
const ANSWER_MS_MAX = 30_000

class Client {
  readonly #socket: Socket
  #receivedBytes = 0
  #wantedBytes = Infinity
  #onEnough: (() => void) | undefined = undefined
  #onFailed: ((error: Error) => void) | undefined = undefined

  static async open(port: number): Promise<Client> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Client(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#receivedBytes += chunk.length
      if (this.#receivedBytes >= this.#wantedBytes) this.#onEnough?.()
    })
    socket.on('error', (error) => this.#onFailed?.(error))
    socket.on('close', () => this.#onFailed?.(new Error('the broker closed the connection')))
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Resolves once `count` more bytes have come than at the last call. Call it before what makes them come. */
  async receive(count: number): Promise<void> {
    this.#receivedBytes = 0
    this.#wantedBytes = count
    const timer = setTimeout(
      () => this.#onFailed?.(new Error(`no ${count} bytes within ${ANSWER_MS_MAX} ms`)),
      ANSWER_MS_MAX,
    )
    await new Promise<void>((resolve, reject) => {
      this.#onEnough = resolve
      this.#onFailed = reject
    })
    clearTimeout(timer)
    if (this.#receivedBytes > count) throw new Error(`${this.#receivedBytes} bytes came, ${count} were expected`)
  }

  close(): void {
    this.#onFailed = undefined
    this.#socket.destroy()
  }
}

class Bench implements AsyncDisposable {
  readonly #broker: BrokerProcess
  readonly #clients: Client[] = []
  #publisher!: Client

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

  async #open(clientId: string): Promise<Client> {
    const client = await Client.open(this.#broker.port())
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
