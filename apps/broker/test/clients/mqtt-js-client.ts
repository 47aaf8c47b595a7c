/** MQTT.js as tests use it: connected when it is handed out, no reconnecting unless asked for, messages in a row. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import mqtt, { type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from 'mqtt'

import { PATIENCE_MS } from '../patience.ts'
import type { ListenerName, RunningBroker } from './running-broker.ts'
import { sendAtOnce } from './send-at-once.ts'

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
  /** The last one. */
  #error: Error | undefined = undefined

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
    client.on('error', (error) => (this.#error = error))
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

  /**
   * Looks again whenever something happens to this client. Rejects when its connection is over and nothing brings it back, and after a
   * while. An error alone is not the end of it: it comes before the close that somebody may wait for, and from each attempt to come back.
   */
  until(what: string, isSo: () => boolean): Promise<void> {
    const events = ['connect', 'message', 'packetreceive'] as const
    return new Promise((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer)
        for (const event of events) this.mqtt.off(event, look)
        this.mqtt.off('close', close)
        finish()
      }
      const look = (): void => {
        if (isSo()) done(resolve)
      }
      const fail = (error: Error): void => done(() => reject(error))
      const close = (): void => {
        if (isSo()) done(resolve)
        else if (this.mqtt.options.reconnectPeriod === 0) fail(this.#error ?? new Error(`closed before ${what}`))
      }
      const timer = setTimeout(() => {
        const seen = this.messages.map(({ topic, payload }) => `${topic} ${payload.toString().slice(0, 80)}`)
        fail(new Error(`no ${what} within ${PATIENCE_MS} ms; there were:\n${seen.join('\n')}`))
      }, PATIENCE_MS)
      for (const event of events) this.mqtt.on(event, look)
      this.mqtt.on('close', close)
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
