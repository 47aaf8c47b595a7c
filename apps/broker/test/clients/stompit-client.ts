/** stompit as tests use it: connected when it is handed out, every frame with a receipt, messages in a row with their bodies read. */
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import * as stompit from 'stompit'

import { PATIENCE_MS } from '../patience.ts'
import type { RunningBroker } from './running-broker.ts'
import { sendAtOnce } from './send-at-once.ts'

export type Headers = Readonly<Record<string, string>>

/** As stompit hands it out; what acknowledges it is given it back. */
type Frame = stompit.Client.Message & { readonly headers: Headers }

export interface StompitMessage {
  readonly frame: Frame
  readonly headers: Headers
  readonly body: Buffer
}

export type ConnectOptions = stompit.connect.ConnectOptions

/** Where and how, for stompit's own `connect` and `ConnectFailover`. */
export function connectOptions(
  broker: RunningBroker,
  listener: 'stomp' | 'stomps',
  headers: Headers = {},
): ConnectOptions {
  const place = { host: 'localhost', port: broker.port(listener), connectHeaders: headers }
  return listener === 'stomp' ? place : { ...place, ssl: true, ca: readFileSync(broker.caFile) }
}

export class StompitClient implements AsyncDisposable {
  readonly client: stompit.Client
  /** All that came in, oldest first. */
  readonly messages: StompitMessage[] = []
  #taken = 0
  /** Why the connection is over. */
  #error: Error | undefined = undefined
  readonly #watchers = new Set<() => void>()

  /** Rejects when the broker refuses. */
  static connect(
    broker: RunningBroker,
    listener: 'stomp' | 'stomps' = 'stomp',
    headers: Headers = {},
    options: Partial<ConnectOptions> = {},
  ): Promise<StompitClient> {
    return new Promise((resolve, reject) => {
      const how = { ...connectOptions(broker, listener, headers), ...options } as ConnectOptions
      stompit.connect(how, (error, client) => {
        if (error === null) resolve(new StompitClient(client))
        else reject(error)
      })
    })
  }

  private constructor(client: stompit.Client) {
    this.client = client
    sendAtOnce(client.getTransportSocket())
    client.setMaxListeners(0) // stompit adds one for each frame that waits for its receipt
    client.on('error', (error: Error) => {
      this.#error = error
      this.#changed()
    })
  }

  /** Headers of CONNECTED. */
  get connected(): Headers {
    return (this.client as unknown as { readonly headers: Headers }).headers
  }

  /** Resolves once the broker has it. */
  async subscribe(headers: Headers): Promise<ReturnType<stompit.Client['subscribe']>> {
    const subscription = this.client.subscribe({ ...headers }, (error, frame) => {
      if (error === null) void this.#take(frame as Frame)
    })
    await this.sync()
    return subscription
  }

  /** Resolves when the broker has done all that was asked of it before. A SUBSCRIBE of stompit takes no receipt. */
  async sync(): Promise<void> {
    const transaction = 'sync'
    await new Promise<void>((resolve, reject) => {
      this.client.sendFrame('BEGIN', { transaction }, this.#receiptOptions(resolve, reject)).end()
    })
    this.client.sendFrame('ABORT', { transaction }).end()
  }

  /** A body of text goes out without `content-length`, bytes with it. */
  send(headers: Headers, body: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const all = { ...headers, ...(typeof body !== 'string' && { 'content-length': String(body.length) }) }
      this.client.send(all, this.#receiptOptions(resolve, reject)).end(body)
    })
  }

  ack(message: StompitMessage, headers: Headers = {}): Promise<void> {
    return new Promise((resolve, reject) =>
      this.client.ack(message.frame, headers, this.#receiptOptions(resolve, reject)),
    )
  }

  nack(message: StompitMessage, headers: Headers = {}): Promise<void> {
    return new Promise((resolve, reject) =>
      this.client.nack(message.frame, headers, this.#receiptOptions(resolve, reject)),
    )
  }

  /** The next `count` messages. Rejects when they do not come, or when there are more of them already. */
  async take(count: number): Promise<StompitMessage[]> {
    const from = this.#taken
    await this.until(`${count} messages`, () => this.messages.length >= from + count)
    this.#taken = this.messages.length
    return this.messages.slice(from)
  }

  async takeTexts(count: number): Promise<string[]> {
    return (await this.take(count)).map(({ body }) => body.toString())
  }

  until(what: string, isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        finish()
      }
      const look = (): void => {
        const error = this.#error
        if (isSo()) done(resolve)
        else if (error !== undefined) done(() => reject(error))
      }
      const timer = setTimeout(() => {
        const seen = this.messages.map(
          ({ headers, body }) => `${headers['destination']} ${body.toString().slice(0, 80)}`,
        )
        done(() => reject(new Error(`no ${what} within ${PATIENCE_MS} ms; there were:\n${seen.join('\n')}`)))
      }, PATIENCE_MS)
      this.#watchers.add(look)
      look()
    })
  }

  /** What the ERROR said that ended the connection. */
  async refusal(): Promise<string> {
    await this.until('ERROR', () => this.#error !== undefined)
    return this.#error!.message
  }

  /** DISCONNECT; resolves with its receipt. */
  end(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.client.disconnect((error) => (error === null ? resolve() : reject(error)))
    })
  }

  /** Gone without a word, as when the power fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.client.getTransportSocket().destroy()
  }

  async #take(frame: Frame): Promise<void> {
    const body = await buffer(frame)
    this.messages.push({ frame, headers: frame.headers, body })
    this.#changed()
  }

  #receiptOptions(resolve: () => void, reject: (error: Error) => void): stompit.Client.SendOptions {
    return { onReceipt: resolve, onError: reject }
  }

  #changed(): void {
    for (const look of this.#watchers) look()
  }
}
