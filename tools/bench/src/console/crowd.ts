/** A broker with very much of everything: queues with a message each, connections with a subscription each. */
import { BrokerProcess } from '@ternmq/lab'

import { CountingClient } from '../counting-client.ts'
import { publishToEach } from '../queues/load-client.ts'
import { connectPacket, subscribePacket } from '../wire.ts'

const CONNACK_BYTES = 4
const SUBACK_BYTES = 5
/** Connections that are made at once. */
const OPENING_MAX = 200

export class Crowd implements AsyncDisposable {
  readonly broker: BrokerProcess
  readonly queueCount: number
  readonly connectionCount: number
  readonly #clients: CountingClient[] = []

  static async gather(queueCount: number, connectionCount: number): Promise<Crowd> {
    const broker = await BrokerProcess.start({ config: { limits: { maxConnections: connectionCount + 100 } } })
    const crowd = new Crowd(broker, queueCount, connectionCount)
    try {
      const queues = Array.from({ length: queueCount }, (_, index) => `$queue/bench.${index % 10}.${index}`)
      await publishToEach(broker.port(), queues, 16)
      for (let at = 0; at < connectionCount; at += OPENING_MAX) {
        const count = Math.min(OPENING_MAX, connectionCount - at)
        await Promise.all(Array.from({ length: count }, (_, index) => crowd.#connect(at + index)))
      }
      return crowd
    } catch (error) {
      await crowd[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(broker: BrokerProcess, queueCount: number, connectionCount: number) {
    this.broker = broker
    this.queueCount = queueCount
    this.connectionCount = connectionCount
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.broker.stop()
  }

  async #connect(index: number): Promise<void> {
    const client = await CountingClient.open(this.broker.port())
    this.#clients.push(client)
    const answered = client.receive(CONNACK_BYTES + SUBACK_BYTES)
    client.send(Buffer.concat([connectPacket(4, `bench-${index}`), subscribePacket(4, 1, [`bench/${index}/state`], 0)]))
    await answered
  }
}
