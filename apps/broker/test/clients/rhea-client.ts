/** rhea as tests use it: connected and attached when it is handed out, every message with its outcome, what came in in a row. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import rhea from 'rhea'
import type {
  AmqpError,
  Connection,
  ConnectionOptions,
  Delivery,
  EventContext,
  Message,
  Receiver,
  ReceiverOptions,
  Sender,
  SenderOptions,
} from 'rhea'
import { WebSocket } from 'ws'

import { PATIENCE_MS } from '../patience.ts'
import type { AmqpListenerName, RunningBroker } from './running-broker.ts'

export interface RheaOptions {
  readonly listener?: AmqpListenerName
  readonly containerId?: string
  /** More of rhea's own options. */
  readonly more?: Partial<ConnectionOptions> & Readonly<Record<string, unknown>>
}

export interface Outcome {
  readonly kind: 'accepted' | 'rejected' | 'released' | 'modified'
  readonly error: AmqpError | undefined
}

/** The broker's `open`. */
export interface Opened {
  readonly container_id: string
  readonly offered_capabilities: readonly string[]
  readonly properties: Readonly<Record<string, unknown>>
}

/** What rhea's types leave out. */
interface Internals {
  readonly remote: { readonly open?: Opened }
  readonly socket: Socket
  set_reconnect(reconnect: boolean): void
}

export interface Received {
  readonly message: Message
  readonly delivery: Delivery
}

export class RheaClient implements AsyncDisposable {
  readonly connection: Connection
  /** How often it has been connected. */
  openCount = 0
  #error: Error | AmqpError | undefined = undefined
  #isClosed = false
  readonly #watch = new Watch()
  #webSocket: WebSocket | undefined = undefined

  /** Rejects with what the broker says when it refuses. */
  static async connect(broker: RunningBroker, options: RheaOptions = {}): Promise<RheaClient> {
    const client = new RheaClient(broker, options)
    try {
      await client.until('open', () => client.openCount > 0 && !client.#isRefused)
      return client
    } catch (error) {
      await client[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(
    broker: RunningBroker,
    { listener = 'amqp', containerId = randomUUID(), more = {} }: RheaOptions,
  ) {
    const container = rhea.create_container({ id: containerId })
    container.on('connection_error', (context: EventContext) => this.#fail(context.error ?? context.connection.error))
    container.on('error', (error: Error) => this.#fail(error))
    container.on('connection_open', () => {
      this.openCount++
      this.#watch.look()
    })
    container.on('connection_close', () => this.#close())
    container.on('disconnected', ({ error }: EventContext) => {
      if (error !== undefined && this.openCount === 0) this.#fail(error)
      this.#close()
    })
    const options = { reconnect: false, ...this.#placeOf(broker, listener), ...more }
    this.connection = container.connect(options as unknown as ConnectionOptions)
  }

  #placeOf(broker: RunningBroker, listener: AmqpListenerName): object {
    const ca = readFileSync(broker.caFile)
    if (listener === 'ws' || listener === 'wss') {
      const note = (made: WebSocket): void => void (this.#webSocket = made)
      class Noted extends WebSocket {
        constructor(...args: ConstructorParameters<typeof WebSocket>) {
          super(...args)
          note(this)
        }
      }
      const connect = rhea.websocket_connect(Noted)
      return { connection_details: connect(broker.url(listener), ['amqp'], { ca }) }
    }
    const place = { host: 'localhost', port: broker.port(listener) }
    return listener === 'amqp' ? place : { ...place, transport: 'tls', ca }
  }

  /** A close follows the open at once. */
  get #isRefused(): boolean {
    return this.opened?.properties['amqp:connection-establishment-failed'] === true
  }

  get opened(): Opened | undefined {
    return this.#internals.remote.open
  }

  get #internals(): Internals {
    return this.connection as unknown as Internals
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Rejects when the broker refuses the link. */
  async sender(target: string | SenderOptions, more: SenderOptions = {}): Promise<RheaSender> {
    const link = this.connection.open_sender(
      typeof target === 'string' ? { ...more, target: { address: target } } : target,
    )
    const sender = new RheaSender(this, link)
    await sender.opened()
    return sender
  }

  /** Rejects when the broker refuses the link. */
  async receiver(source: string | ReceiverOptions, more: ReceiverOptions = {}): Promise<RheaReceiver> {
    const options = typeof source === 'string' ? { ...more, source: { address: source } } : source
    const receiver = new RheaReceiver(this, this.connection.open_receiver(options))
    await receiver.opened()
    return receiver
  }

  /** Condition and text of the close that ended the connection. */
  async refusal(): Promise<string> {
    await this.until('error', () => this.#error !== undefined, true)
    return textOf(this.#error)
  }

  /** close, and resolves with the broker's. */
  async end(): Promise<void> {
    this.connection.close()
    await this.until('close', () => this.#isClosed)
  }

  /** Gone without a word, as when the power fails. */
  drop(): void {
    if (this.#webSocket !== undefined) this.#webSocket.terminate()
    else this.#internals.socket.destroy(new Error('power failure'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#internals.set_reconnect(false)
    if (!this.#isClosed) this.drop()
  }

  /** Rejects when the connection ends before it is so. */
  until(what: string, isSo: () => boolean, expectsError = false): Promise<void> {
    return this.#watch.until(what, isSo, () =>
      expectsError || this.#error === undefined ? undefined : new Error(textOf(this.#error)),
    )
  }

  look(): void {
    this.#watch.look()
  }

  #fail(error: Error | AmqpError | undefined): void {
    this.#error ??= error
    this.#watch.look()
  }

  #close(): void {
    this.#isClosed = true
    this.#watch.look()
  }
}

abstract class RheaLink<L extends Sender | Receiver> {
  readonly client: RheaClient
  readonly link: L
  #isOpened = false
  #isClosed = false

  constructor(client: RheaClient, link: L) {
    this.client = client
    this.link = link
    const kind = link.is_sender() ? 'sender' : 'receiver'
    const note = (event: string, change: () => void): void => {
      link.on(`${kind}_${event}`, () => {
        change()
        client.look()
      })
    }
    note('open', () => (this.#isOpened = true))
    note('error', () => {}) // said in `error`
    note('close', () => (this.#isClosed = true))
  }

  /** A refused link is attached first, without its terminus, and detached then. */
  async opened(): Promise<void> {
    const terminus = (): unknown => (this.link.is_sender() ? this.link.target : this.link.source)
    await this.client.until(
      'attach',
      () => this.#isClosed || (this.#isOpened && terminus() !== undefined && terminus() !== null),
    )
    if (this.#isClosed) throw new Error(textOf(this.link.error))
  }

  /** Condition and text of the detach that ended the link. */
  async refusal(): Promise<string> {
    await this.client.until('detach', () => this.#isClosed)
    return textOf(this.link.error)
  }

  async detach(): Promise<void> {
    this.link.detach()
    await this.client.until('detach', () => this.#isClosed)
  }

  async close(): Promise<void> {
    this.link.close()
    await this.client.until('detach', () => this.#isClosed)
  }
}

export class RheaSender extends RheaLink<Sender> {
  readonly #outcomes = new Map<Delivery, Outcome>()

  constructor(client: RheaClient, link: Sender) {
    super(client, link)
    for (const kind of ['accepted', 'rejected', 'released', 'modified'] as const) {
      link.on(kind, ({ delivery }: EventContext) => {
        const error = delivery!.remote_state?.['error'] as AmqpError | undefined
        if (!this.#outcomes.has(delivery!)) this.#outcomes.set(delivery!, { kind, error })
        client.look()
      })
    }
  }

  async send(message: Message): Promise<Outcome> {
    await this.client.until('credit', () => this.link.sendable())
    const delivery = this.link.send(message)
    await this.client.until('outcome', () => this.#outcomes.has(delivery))
    return this.#outcomes.get(delivery)!
  }

  async sendAll(messages: readonly Message[]): Promise<Outcome[]> {
    return Promise.all(messages.map((message) => this.send(message)))
  }
}

export class RheaReceiver extends RheaLink<Receiver> {
  /** All that came in, oldest first. */
  readonly received: Received[] = []
  #taken = 0
  #drainedCount = 0

  constructor(client: RheaClient, link: Receiver) {
    super(client, link)
    link.on('message', ({ message, delivery }: EventContext) => {
      this.received.push({ message: message!, delivery: delivery! })
      client.look()
    })
    link.on('settled', () => client.look())
    link.on('receiver_drained', () => {
      this.#drainedCount++
      client.look()
    })
  }

  /** The next `count` messages. Rejects when they do not come, or when there are more of them already. */
  async take(count: number): Promise<Received[]> {
    const from = this.#taken
    await this.client.until(`${count} messages`, () => this.received.length >= from + count)
    this.#taken = this.received.length
    return this.received.slice(from)
  }

  async takeBodies(count: number): Promise<unknown[]> {
    return (await this.take(count)).map(({ message }) => bodyOf(message))
  }

  /** All that is there now, as far as `credit` allows: it ends when that is used up, or the broker says that there is no more. */
  async drain(credit: number): Promise<unknown[]> {
    const before = this.#drainedCount
    this.link.add_credit(credit)
    this.link.drain_credit()
    await this.client.until('end of drain', () => this.#drainedCount > before || !this.link.has_credit())
    this.link.drain = false
    const bodies = this.received.slice(this.#taken).map(({ message }) => bodyOf(message))
    this.#taken = this.received.length
    return bodies
  }
}

/** Bytes of a data section, or the value. */
export function bodyOf(message: Message): unknown {
  const body: unknown = message.body
  return body !== null && typeof body === 'object' && 'content' in body ? body.content : body
}

export function textOf(error: Error | AmqpError | undefined): string {
  if (error === undefined) return 'closed without an error'
  const { condition = '', description = '' } = error as AmqpError
  return condition === '' ? ((error as Error).message ?? description) : `${condition}: ${description}`
}

/** Waits for conditions that events make true. */
class Watch {
  readonly #looks = new Set<() => void>()

  look(): void {
    for (const look of this.#looks) look()
  }

  until(what: string, isSo: () => boolean, failure: () => Error | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer)
        this.#looks.delete(look)
        finish()
      }
      const look = (): void => {
        if (isSo()) return done(resolve)
        const error = failure()
        if (error !== undefined) done(() => reject(error))
      }
      const timer = setTimeout(() => done(() => reject(new Error(`no ${what} within ${PATIENCE_MS} ms`))), PATIENCE_MS)
      this.#looks.add(look)
      look()
    })
  }
}
