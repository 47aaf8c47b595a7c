/** rhea as publisher and as consumer: durable messages, unsettled until their outcome is known. */
import rhea from 'rhea'
import type { Connection, Delivery, EventContext, Message, Receiver, Sender } from 'rhea'

import type { LoadClient, LoadPublisher } from './client.ts'
import { bodyOf, type Load } from './load.ts'

const RECONNECT_MS = 20
const BACK_MS_MAX = 60_000
const CREDIT = 200

export interface RheaOptions {
  readonly port: number
  readonly clientId: string
}

/** The connection, and when it is there. rhea connects again by itself, with all its sessions and links. */
export abstract class RheaClient implements LoadClient {
  readonly clientId: string
  protected readonly connection: Connection
  protected load: Load | undefined = undefined
  /** Links are attached, and who sends has credit. */
  protected isReady = false
  #error: string | undefined = undefined
  #close: string | undefined = undefined

  constructor({ port, clientId }: RheaOptions) {
    this.clientId = clientId
    const container = rhea.create_container({ id: clientId })
    this.connection = container.connect({ host: '127.0.0.1', port, reconnect: RECONNECT_MS })
    this.connection.on('connection_error', ({ connection }: EventContext) => (this.#close ??= textOf(connection.error)))
    this.connection.on('error', (error: Error) => (this.#error ??= error.message))
    this.connection.on('disconnected', () => {
      forgetInput(this.connection)
      this.isReady = false
      this.onGone()
    })
  }

  /** Also after an attempt that was refused. */
  protected abstract onGone(): void
  abstract pause(isPaused: boolean): void

  get fault(): string | undefined {
    const what = this.#error ?? this.#close
    return what === undefined ? undefined : `${this.clientId}: ${what}`
  }

  protected fail(what: string): void {
    this.#error ??= what
  }

  forgiveEnd(): void {
    this.#close = undefined
  }

  use(load: Load): void {
    this.load = load
  }

  /** Of the connection that has ended, or of an attempt to connect, which is refused. What came has been handed out before. */
  async gone(): Promise<void> {
    await this.#once('disconnected')
  }

  async back(): Promise<void> {
    while (!this.isReady) await this.#once('ready')
  }

  /** Frames are handled in order: the answer to this one comes after what was sent before it. */
  async flush(): Promise<void> {
    const link = this.connection.open_sender('queue://crash.nothing')
    await new Promise((resolve) => link.once('sender_open', resolve))
    link.close()
  }

  protected ready(): void {
    this.isReady = true
    this.connection.emit('ready')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const internals = this.connection as unknown as {
      set_reconnect(reconnect: boolean): void
      readonly socket?: { destroy(error: Error): void }
    }
    this.connection.removeAllListeners('disconnected')
    this.connection.on('disconnected', () => {})
    internals.set_reconnect(false)
    internals.socket?.destroy(new Error('the run is over'))
  }

  #once(event: 'ready' | 'disconnected'): Promise<void> {
    return new Promise((resolve, reject) => {
      const happened = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.connection.removeListener(event, happened)
        reject(new Error(`${this.clientId}: no '${event}' within ${BACK_MS_MAX} ms (${this.fault ?? 'and no error'})`))
      }, BACK_MS_MAX)
      this.connection.once(event, happened)
    })
  }
}

/** rhea would take what a new connection brings for the rest of the frame in which the last one broke off. */
function forgetInput(connection: Connection): void {
  Object.assign(connection, { frame_size: undefined, chunks: null, previous_input: null })
}

/** As the AMQP container says why it ended something. */
function textOf(error: unknown): string {
  const { condition = 'no condition', description = '' } = (error ?? {}) as { condition?: string; description?: string }
  return `${condition}: ${description}`
}

export function messageOf(id: string): Message {
  const body: unknown = rhea.message.data_section(bodyOf(id))
  return { durable: true, body }
}

export function contentOf(message: Message): Buffer {
  return (message.body as { readonly content: Buffer }).content
}

/** Not the first attempt to hand it to anybody. */
export function isRepeated({ first_acquirer: isFirst, delivery_count: failedCount = 0 }: Message): boolean {
  return isFirst !== true || failedCount > 0
}

export interface RheaPublisherOptions extends RheaOptions {
  readonly address: string
  /** Queues of the history that get a copy. */
  readonly queues: readonly string[]
  /** Messages without an outcome. */
  readonly window: number
}

/** What has no outcome when the connection is lost is sent again, in its order. */
export class RheaPublisher extends RheaClient implements LoadPublisher {
  readonly #options: RheaPublisherOptions
  readonly #link: Sender
  readonly #inflight = new Map<string, () => void>()
  readonly #ids = new Map<Delivery, string>()
  #isPaused = true
  #number = 0

  constructor(options: RheaPublisherOptions) {
    super(options)
    this.#options = options
    this.#link = this.connection.open_sender(options.address)
    this.#link.on('sendable', () => this.#onSendable())
    this.#link.on('accepted', ({ delivery }: EventContext) => this.#onAccepted(delivery!))
    for (const outcome of ['rejected', 'released', 'sender_error'])
      this.#link.on(outcome, () => this.fail(`${outcome}: ${textOf(this.#link.error)}`))
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#fill()
  }

  /** One message, whatever `pause` says. */
  publish(): Promise<void> {
    const { load } = this
    if (load === undefined) throw new Error(`${this.clientId} publishes before use()`)
    const id = `${this.clientId}-${++this.#number}`
    load.sent({ id, producer: this.clientId, qos: 1, queues: this.#options.queues })
    return new Promise((resolve) => {
      this.#inflight.set(id, resolve)
      if (this.isReady) this.#send(id)
    })
  }

  protected onGone(): void {
    this.#ids.clear()
  }

  #onSendable(): void {
    if (this.isReady) return
    for (const id of this.#inflight.keys()) this.#send(id)
    this.ready()
    this.#fill()
  }

  #send(id: string): void {
    this.#ids.set(this.#link.send(messageOf(id)), id)
  }

  #onAccepted(delivery: Delivery): void {
    const id = this.#ids.get(delivery)
    if (id === undefined) return
    this.#ids.delete(delivery)
    const done = this.#inflight.get(id)
    this.#inflight.delete(id)
    this.load?.confirmed(id)
    done?.()
    this.#fill()
  }

  #fill(): void {
    while (!this.#isPaused && this.isReady && this.#inflight.size < this.#options.window) void this.publish() // confirmed to the load
  }
}

export interface RheaConsumerOptions extends RheaOptions {
  readonly address: string
  /** Of the history. */
  readonly queue: string
  /** A durable subscription of this name. */
  readonly subscription?: string
  /** The broker says when the outcome is in its log, and only then is it settled. */
  readonly settlesSecond?: boolean
}

export class RheaConsumer extends RheaClient {
  #connection = 0

  constructor(options: RheaConsumerOptions) {
    super(options)
    const link = openReceiver(this.connection, options)
    /** With its load: the broker may say that it is settled when the next round has begun. */
    const taken = new WeakMap<Delivery, { readonly load: Load; readonly id: string }>()
    link.on('receiver_open', () => this.ready())
    link.on('receiver_error', () => this.fail(textOf(link.error)))
    link.on('message', ({ message, delivery }: EventContext) => {
      const load = this.load!
      const id = load.takenMarked(options.queue, contentOf(message!), this.#name, isRepeated(message!))
      taken.set(delivery!, { load, id })
      delivery!.accept()
    })
    link.on('settled', ({ delivery }: EventContext) => {
      const { load, id } = taken.get(delivery!) ?? {}
      if (options.settlesSecond === true && id !== undefined) load?.settledForGood(options.queue, id)
    })
  }

  get #name(): string {
    return `${this.clientId}#${this.#connection}`
  }

  pause(): void {
    // Takes what comes.
  }

  protected onGone(): void {
    this.load?.history.consumerGone(this.#name)
    this.#connection++
  }
}

export function openReceiver(
  connection: Connection,
  {
    address,
    subscription,
    settlesSecond = false,
  }: Pick<RheaConsumerOptions, 'address' | 'subscription' | 'settlesSecond'>,
): Receiver {
  const kept = subscription === undefined ? {} : ({ durable: 2, expiry_policy: 'never' } as const)
  return connection.open_receiver({
    ...(subscription !== undefined && { name: subscription }),
    source: { address, ...kept },
    autoaccept: false,
    credit_window: CREDIT,
    rcv_settle_mode: settlesSecond ? 1 : 0,
  })
}
