/** A publisher and a subscriber of a broker in a process of its own, and what that needs of the processor for each message. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BrokerProcess } from '@ternmq/lab'

import { CountingClient } from './counting-client.ts'
import { cpuNsOf } from './subscriptions/process-cpu.ts'
import { connectPacket, publishPacket, subscribePacket } from './wire.ts'

/** As long as a few ticks of whatever watches. */
const ROUND_MS = 3_000
const MESSAGES_PER_BATCH = 1_000
const TOPICS = 10
const CONNACK_BYTES = 4

export class Traffic implements Disposable {
  readonly #pid: number
  readonly #publisher: CountingClient
  readonly #subscriber: CountingClient
  readonly #perSecond: number
  readonly #count: number
  readonly #batch: Buffer

  /** With so many messages per second; as many as the broker takes when left out. */
  static async open(broker: BrokerProcess, perSecond: number = Infinity): Promise<Traffic> {
    const [publisher, subscriber] = [await connected(broker, 'publisher'), await connected(broker, 'subscriber')]
    const answered = subscriber.receive(5)
    subscriber.send(subscribePacket(4, 1, ['bench/+/state'], 0))
    await answered
    return new Traffic(broker.pid, publisher, subscriber, perSecond)
  }

  private constructor(pid: number, publisher: CountingClient, subscriber: CountingClient, perSecond: number) {
    this.#pid = pid
    this.#publisher = publisher
    this.#subscriber = subscriber
    this.#perSecond = perSecond
    this.#count = Math.min(MESSAGES_PER_BATCH, Math.ceil(perSecond / 100))
    const packets = Array.from({ length: this.#count }, (_, index) =>
      publishPacket({ version: 4, qos: 0, topic: `bench/${index % TOPICS}/state`, payloadBytes: 64 }, 0),
    )
    this.#batch = Buffer.concat(packets)
  }

  /** Broker CPU per message in ns. */
  async round(): Promise<number> {
    const cpuBefore = cpuNsOf(this.#pid)
    const startMs = performance.now()
    let messages = 0
    for (; performance.now() - startMs < ROUND_MS; messages += this.#count) {
      const received = this.#subscriber.receive(this.#batch.length)
      this.#publisher.send(this.#batch)
      await received
      const earlyMs = startMs + ((messages + this.#count) / this.#perSecond) * 1_000 - performance.now()
      if (earlyMs > 0) await sleep(earlyMs)
    }
    return (cpuNsOf(this.#pid) - cpuBefore) / messages
  }

  [Symbol.dispose](): void {
    this.#publisher.close()
    this.#subscriber.close()
  }
}

async function connected(broker: BrokerProcess, clientId: string): Promise<CountingClient> {
  const client = await CountingClient.open(broker.port())
  const accepted = client.receive(CONNACK_BYTES)
  client.send(connectPacket(4, clientId))
  await accepted
  return client
}
