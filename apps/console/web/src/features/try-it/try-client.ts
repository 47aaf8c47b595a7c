/** What the page Try it needs of a client, whatever it speaks. Each protocol's own client comes with its script when it is chosen. */
import type { Scope } from '@ternmq/api'

export interface TryMessage {
  /** As the protocol writes it. */
  readonly address: string
  readonly body: Uint8Array
  /** What else came along: `QoS 1, retained`, headers. */
  readonly details: ReadonlyArray<readonly [name: string, value: string]>
}

export interface TryOptions {
  /** `ws://localhost:8083`; HTTP does not need it. */
  readonly url: string
  readonly user: string
  readonly password: string
  readonly clientId: string
  readonly onMessage: (message: TryMessage) => void
  /** The broker has taken a subscription back; the connection stays. */
  readonly onUnsubscribed: (address: string, reason: string) => void
  /** Called once, when it has ended by any side after it had begun. */
  readonly onClosed: (reason: string) => void
}

export interface TryClient {
  /** Resolves when the broker has taken the subscription; rejects with its reason. */
  subscribe(address: string): Promise<void>
  /** Resolves when the broker has taken the message as it promises; rejects with its reason. */
  publish(address: string, body: string): Promise<void>
  close(): void
}

export interface TryProtocol {
  readonly key: 'mqtt' | 'stomp' | 'amqp' | 'http'
  readonly label: string
  readonly address: string
  /** How addresses are written in it. */
  readonly hint: string
  /** Of the API, which it goes through; the others log in at a listener. */
  readonly needs?: Scope
  readonly connect: (options: TryOptions) => Promise<TryClient>
}

export const TRY_PROTOCOLS: readonly TryProtocol[] = [
  {
    key: 'mqtt',
    label: 'MQTT 5',
    address: 'try/hello',
    hint: 'try/hello is a topic, $queue/try.hello a queue; + and # in subscriptions',
    connect: async (options) => (await import('./mqtt-client.ts')).connectMqtt(options),
  },
  {
    key: 'stomp',
    label: 'STOMP 1.2',
    address: '/topic/try.hello',
    hint: '/topic/try.hello is a topic, /queue/try.hello a queue; * and > in subscriptions',
    connect: async (options) => (await import('./stomp-client.ts')).connectStomp(options),
  },
  {
    key: 'amqp',
    label: 'AMQP 1.0',
    address: 'topic://try.hello',
    hint: 'topic://try.hello is a topic, queue://try.hello a queue',
    connect: async (options) => (await import('./amqp-client.ts')).connectAmqp(options),
  },
  {
    key: 'http',
    label: 'HTTP',
    address: 'topic://try.hello',
    hint: 'topic://try.hello is a topic, queue://try.hello a queue',
    needs: 'messages',
    connect: async (options) => (await import('./http-client.ts')).connectHttp(options),
  },
]
