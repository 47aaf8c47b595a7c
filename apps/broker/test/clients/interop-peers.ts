/** Real clients of every protocol behind one face: what a test sends with one it looks at with another. Addresses are in core form. */
import { randomUUID } from 'node:crypto'
import type { IClientPublishOptions, IPublishPacket } from 'mqtt'

import { AmqpPeer, type Sections } from './interop-amqp-peer.ts'
import { TestClient } from './mqtt-js-client.ts'
import type { RunningBroker } from './running-broker.ts'
import { StompJsClient } from './stomp-js-client.ts'
import { type Headers, StompitClient } from './stompit-client.ts'

export type Protocol = 'mqtt3' | 'mqtt5' | 'stomp' | 'amqp10'

/** What is sent beside the body, in the words of each protocol; a protocol that has none for it is left out. */
export interface How {
  readonly mqtt3?: IClientPublishOptions
  readonly mqtt5?: IClientPublishOptions
  readonly stomp?: Headers
  readonly amqp10?: Sections
}

/**
 * What a receiver sees of a message: headers of STOMP; of MQTT QoS, RETAIN, properties and, under `user`, user properties; of AMQP sections
 * and fields by the names that rhea has for them, and the kind of body.
 */
export interface Seen {
  readonly body: Buffer
  readonly fields: Readonly<Record<string, unknown>>
}

export interface Peer extends AsyncDisposable {
  readonly protocol: Protocol
  /** Resolves once the broker has it. `keeps`: what is retained comes too. */
  subscribe(address: string, options?: { readonly keeps?: boolean; readonly headers?: Headers }): Promise<void>
  /** Resolves when the broker has confirmed it, where the protocol has a word for that. Text and bytes are told apart where they can be. */
  send(address: string, body: string | Buffer, how?: How): Promise<void>
  take(count: number): Promise<Seen[]>
}

export const PEERS = {
  'MQTT 3.1.1': (broker: RunningBroker): Promise<Peer> => MqttPeer.connect(broker, 4),
  'MQTT 5': (broker: RunningBroker): Promise<Peer> => MqttPeer.connect(broker, 5),
  'STOMP of stompjs': (broker: RunningBroker): Promise<Peer> => StompJsPeer.connect(broker),
  'STOMP of stompit': (broker: RunningBroker): Promise<Peer> => StompitPeer.connect(broker),
  'AMQP 1.0': (broker: RunningBroker): Promise<Peer> => AmqpPeer.connect(broker),
} as const
export type PeerName = keyof typeof PEERS
export const PEER_NAMES = Object.keys(PEERS) as readonly PeerName[]

/** Nobody else's topic. */
export function freshTopic(): string {
  return `interop/${randomUUID()}/x`
}

export function freshQueue(): string {
  return `$queue/interop.${randomUUID()}`
}

/** As STOMP writes an address: a dot separates levels, so one within a level is written as a slash. */
export function destinationOf(address: string): string {
  if (address.startsWith('$queue/')) return `/queue/${address.slice('$queue/'.length)}`
  const levels = address.split('/').map((level) => level.replaceAll('.', '/'))
  return `/topic/${levels.join('.')}`
}

class MqttPeer implements Peer {
  readonly protocol: Protocol
  readonly #client: TestClient

  static async connect(broker: RunningBroker, protocolVersion: 4 | 5): Promise<Peer> {
    return new MqttPeer(
      await TestClient.connect(broker, { protocolVersion }),
      protocolVersion === 5 ? 'mqtt5' : 'mqtt3',
    )
  }

  private constructor(client: TestClient, protocol: Protocol) {
    this.#client = client
    this.protocol = protocol
  }

  async subscribe(address: string): Promise<void> {
    await this.#client.mqtt.subscribeAsync(address, { qos: 1 })
  }

  async send(address: string, body: string | Buffer, how: How = {}): Promise<void> {
    const { properties, ...options } = how[this.protocol === 'mqtt5' ? 'mqtt5' : 'mqtt3'] ?? {}
    const kind = typeof body === 'string' ? { payloadFormatIndicator: true } : {}
    const all = this.protocol === 'mqtt5' ? { properties: { ...kind, ...properties } } : {}
    await this.#client.mqtt.publishAsync(address, body, { qos: 1, ...options, ...all })
  }

  async take(count: number): Promise<Seen[]> {
    return (await this.#client.take(count)).map((packet) => ({
      body: Buffer.from(packet.payload),
      fields: fieldsOf(packet),
    }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]()
  }
}

function fieldsOf({ qos, retain, topic, properties = {} }: IPublishPacket): Seen['fields'] {
  const { userProperties = {}, correlationData, ...rest } = properties
  return {
    topic,
    qos,
    retain,
    ...rest,
    ...(correlationData !== undefined && { correlationData: correlationData.toString('latin1') }),
    user: { ...userProperties },
  }
}

class StompJsPeer implements Peer {
  readonly protocol = 'stomp'
  readonly #client: StompJsClient

  static async connect(broker: RunningBroker): Promise<Peer> {
    return new StompJsPeer(await StompJsClient.connect(broker))
  }

  private constructor(client: StompJsClient) {
    this.#client = client
  }

  async subscribe(
    address: string,
    options: { readonly keeps?: boolean; readonly headers?: Headers } = {},
  ): Promise<void> {
    await this.#client.subscribe(destinationOf(address), { ...subscribeHeaders(options) })
  }

  send(address: string, body: string | Buffer, how: How = {}): Promise<void> {
    return this.#client.send(destinationOf(address), body, { ...how.stomp })
  }

  async take(count: number): Promise<Seen[]> {
    return (await this.#client.take(count)).map(({ headers, binaryBody }) => ({
      body: Buffer.from(binaryBody),
      fields: { ...headers },
    }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]()
  }
}

class StompitPeer implements Peer {
  readonly protocol = 'stomp'
  readonly #client: StompitClient

  static async connect(broker: RunningBroker): Promise<Peer> {
    return new StompitPeer(await StompitClient.connect(broker))
  }

  private constructor(client: StompitClient) {
    this.#client = client
  }

  async subscribe(
    address: string,
    options: { readonly keeps?: boolean; readonly headers?: Headers } = {},
  ): Promise<void> {
    await this.#client.subscribe({ destination: destinationOf(address), ...subscribeHeaders(options) })
  }

  send(address: string, body: string | Buffer, how: How = {}): Promise<void> {
    return this.#client.send({ destination: destinationOf(address), ...how.stomp }, body)
  }

  async take(count: number): Promise<Seen[]> {
    return (await this.#client.take(count)).map(({ headers, body }) => ({ body, fields: { ...headers } }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]()
  }
}

function subscribeHeaders({
  keeps = false,
  headers = {},
}: {
  readonly keeps?: boolean
  readonly headers?: Headers
}): Headers {
  return { ...headers, ...(keeps && { 'activemq.retroactive': 'true' }) }
}
