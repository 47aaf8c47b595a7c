/** MQTT.js as tests use it: connected when it is handed out, no reconnecting unless asked for, messages in a row. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import mqtt, { type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from 'mqtt'

import type { ListenerName, RunningBroker } from './running-broker.ts'
import { sendAtOnce } from './send-at-once.ts'

/** What does not happen within this time does not happen. */
const WAIT_MS_MAX = 10_000

export const VERSIONS = [3, 4, 5] as const
export type Version = (typeof VERSIONS)[number]

export interface ClientOptions extends IClientOptions {
  readonly listener?: ListenerName
  readonly protocolVersion?: Version
}

export class TestClient implements AsyncDisposable {
  readonly mqtt: MqttClient
  /** All that came in, oldest first. */
  readonly messages: IPublishPacket[] = []
  /** Answers to CONNECT: one, and one for each reconnect. */
  readonly connacks: IConnackPacket[] = []
  readonly #taken = { count: 0 }

  /** Rejects when the broker refuses. */
  static async connect(broker: RunningBroker, options: ClientOptions = {}): Promise<TestClient> {
    const { listener = 'mqtt', protocolVersion = 5, ...rest } = options
    const client = mqtt.connect(broker.url(listener), {
      protocolVersion,
      protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
      clientId: `mqttjs-${randomUUID().slice(0, 8)}`,
      reconnectPeriod: 0,
      ca: readFileSync(broker.caFile),
      ...rest,
    })
    const made = new TestClient(client)
    try {
      await made.until('CONNACK', () => made.connacks.length > 0)
      return made
    } catch (error) {
      client.end(true)
      throw error
    }
  }

  private constructor(client: MqttClient) {
    this.mqtt = client
    client.on('connect', (connack) => {
      sendAtOnce(client.stream)
      this.connacks.push(connack)
    })
    client.on('message', (_topic, _payload, packet) => this.messages.push(packet))
  }

  /** The next `count` messages. Rejects when they do not come, or when there are more of them already. */
  async take(count: number): Promise<IPublishPacket[]> {
    const from = this.#taken.count
    await this.until(`${count} messages`, () => this.messages.length >= from + count)
    this.#taken.count = this.messages.length
    return this.messages.slice(from)
  }

  /** Payloads of the next `count` messages as text. */
  async takeTexts(count: number): Promise<string[]> {
    return (await this.take(count)).map(({ payload }) => payload.toString())
  }

  /** Looks again whenever something happens to this client. Rejects at an error of the connection, and after a while. */
  until(what: string, isSo: () => boolean): Promise<void> {
    const events = ['connect', 'message', 'packetreceive', 'close'] as const
    return new Promise((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer)
        for (const event of events) this.mqtt.off(event, look)
        this.mqtt.off('error', fail)
        finish()
      }
      const look = (): void => {
        if (isSo()) done(resolve)
      }
      const fail = (error: Error): void => done(() => reject(error))
      const timer = setTimeout(() => {
        const seen = this.messages.map(({ topic, payload }) => `${topic} ${payload.toString().slice(0, 80)}`)
        fail(new Error(`no ${what} within ${WAIT_MS_MAX} ms; there were:\n${seen.join('\n')}`))
      }, WAIT_MS_MAX)
      for (const event of events) this.mqtt.on(event, look)
      this.mqtt.on('error', fail)
      look()
    })
  }

  /** Gone without a word, as when the power fails. */
  async drop(): Promise<void> {
    this.mqtt.stream.destroy()
    await this.until('end', () => !this.mqtt.connected)
  }

  /** DISCONNECT, and resolves when the connection is closed. */
  end(): Promise<void> {
    return this.mqtt.endAsync()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mqtt.endAsync(true)
  }
}
