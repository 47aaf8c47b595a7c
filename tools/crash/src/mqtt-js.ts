/** MQTT.js as publisher and as consumer, both with sessions that the broker keeps. */
import { setImmediate as turn } from 'node:timers/promises'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'

import type { LoadClient } from './client.ts'
import { bodyOf, type Load, type QoS } from './load.ts'

const RECONNECT_MS = 20
const BACK_MS_MAX = 60_000
/** Turns of the loop after the end of a connection in which MQTT.js hands on what it has parsed. */
const TURNS_AFTER_END = 3

const OF_DEAD_BROKERS: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

/** In a PUBCOMP for a PUBREL that is sent again: the broker has finished with the message before it died. [MQTT5 §3.7.2.1] */
const PACKET_ID_NOT_FOUND = 0x92

export interface ClientOptions {
  readonly port: number
  readonly clientId: string
  readonly version: 4 | 5
}

/** The connection, and when it is there. */
abstract class KeptClient implements LoadClient {
  readonly clientId: string
  protected readonly mqtt: MqttClient
  protected load: Load | undefined = undefined
  /** The client has its CONNACK and has sent again what it had to. */
  protected isReady = false
  #error: string | undefined = undefined
  #disconnect: string | undefined = undefined

  constructor({ port, clientId, version }: ClientOptions) {
    this.clientId = clientId
    const kept: IClientOptions = version === 5 ? { properties: { sessionExpiryInterval: 3_600 } } : {}
    this.mqtt = mqtt.connect({
      host: '127.0.0.1',
      port,
      clientId,
      protocolVersion: version,
      clean: false,
      reconnectPeriod: RECONNECT_MS,
      resubscribe: false,
      ...kept,
    })
    this.mqtt.on('error', (error) => {
      if (!OF_DEAD_BROKERS.has((error as NodeJS.ErrnoException).code ?? '')) this.#error ??= error.message
    })
    this.mqtt.on('disconnect', ({ reasonCode }) => (this.#disconnect ??= `DISCONNECT with ${reasonCode}`))
    let connects = 0
    this.mqtt.on('connect', ({ sessionPresent }) => {
      if (connects++ > 0 && !sessionPresent) this.#error ??= 'its session is gone'
      this.isReady = true
      this.onReady()
    })
    this.mqtt.on('close', () => {
      this.isReady = false
      this.onGone()
    })
  }

  protected abstract onReady(): void
  /** Also after an attempt that was refused. */
  protected abstract onGone(): void
  abstract pause(isPaused: boolean): void

  get fault(): string | undefined {
    const what = this.#error ?? this.#disconnect
    return what === undefined ? undefined : `${this.clientId}: ${what}`
  }

  forgiveEnd(): void {
    this.#disconnect = undefined
  }

  use(load: Load): void {
    this.load = load
  }

  /** 'close' comes of the connection that has ended, or of the next one, which is refused: behind it there is nothing. */
  async gone(): Promise<void> {
    await this.#once('close')
    for (let count = 0; count < TURNS_AFTER_END; count++) await turn()
  }

  async back(): Promise<void> {
    if (this.isReady) return
    await this.#once('connect')
  }

  /** Packets are handled in order: the answer to this one comes after what was sent before it. */
  async flush(): Promise<void> {
    await this.mqtt.unsubscribeAsync('crash/nothing')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.mqtt.removeAllListeners('message')
    await this.mqtt.endAsync(true)
  }

  #once(event: 'connect' | 'close'): Promise<void> {
    return new Promise((resolve, reject) => {
      const happened = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.mqtt.off(event, happened)
        reject(new Error(`${this.clientId}: no '${event}' within ${BACK_MS_MAX} ms (${this.fault ?? 'and no error'})`))
      }, BACK_MS_MAX)
      this.mqtt.once(event, happened)
    })
  }
}

export interface PublisherOptions extends ClientOptions {
  readonly topic: string
  readonly qos: QoS
  /** Queues of the history that get a copy. */
  readonly queues: readonly string[]
  /** Messages without an answer. */
  readonly window: number
}

export class Publisher extends KeptClient {
  readonly #options: PublisherOptions
  #isPaused = true
  #inflight = 0
  #number = 0

  constructor(options: PublisherOptions) {
    super(options)
    this.#options = options
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#fill()
  }

  /** One message, whatever `pause` says; rejects when it is refused. */
  async publish(): Promise<void> {
    const { topic, qos, queues } = this.#options
    const { load } = this
    if (load === undefined) throw new Error(`${this.clientId} publishes before use()`)
    const id = `${this.clientId}-${++this.#number}`
    this.#inflight++
    load.sent({ id, producer: this.clientId, qos, queues })
    try {
      await this.mqtt.publishAsync(topic, bodyOf(id), { qos })
    } catch (error) {
      if ((error as { code?: unknown }).code !== PACKET_ID_NOT_FOUND) throw error
    }
    this.#inflight--
    load.confirmed(id)
    this.#fill()
  }

  protected onReady(): void {
    this.#fill()
  }

  protected onGone(): void {
    // MQTT.js keeps what has no answer and sends it again by itself.
  }

  #fill(): void {
    while (!this.#isPaused && this.isReady && this.#inflight < this.#options.window) {
      void this.publish().catch((error: Error) => {
        this.mqtt.emit('error', error)
      })
    }
  }
}

export interface ConsumerOptions extends ClientOptions {
  readonly filter: string
  readonly qos: QoS
  /** Of the history. */
  readonly queue: string
}

export class Consumer extends KeptClient {
  readonly #options: ConsumerOptions
  #connection = 0
  #isSubscribed = false

  constructor(options: ConsumerOptions) {
    super(options)
    this.#options = options
    this.mqtt.on('message', (_topic, body, { qos, dup }) => {
      if (qos === 0) this.mqtt.emit('error', new Error('a message came with QoS 0'))
      else this.load?.taken(options.queue, body, this.#name, qos, dup)
    })
  }

  get #name(): string {
    return `${this.clientId}#${this.#connection}`
  }

  pause(): void {
    // Takes what comes.
  }

  /** The first time it subscribes; later its session must know. */
  override async back(): Promise<void> {
    await super.back()
    if (this.#isSubscribed) return
    const [granted] = await this.mqtt.subscribeAsync(this.#options.filter, { qos: this.#options.qos })
    if (granted?.qos !== this.#options.qos)
      throw new Error(`${this.clientId} is granted QoS ${granted?.qos} for ${this.#options.filter}`)
    this.#isSubscribed = true
  }

  protected onReady(): void {
    // The session goes on by itself.
  }

  protected onGone(): void {
    this.load?.history.consumerGone(this.#name)
    this.#connection++
  }
}
