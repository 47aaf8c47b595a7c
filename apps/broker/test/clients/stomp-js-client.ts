/** @stomp/stompjs as tests use it: connected when it is handed out, every frame with a receipt, messages in a row. */
import { Client, type IFrame, type IMessage, type StompConfig, type StompHeaders, Versions } from '@stomp/stompjs'
import { randomUUID } from 'node:crypto'

import { PATIENCE_MS } from '../patience.ts'
import type { RunningBroker, StompListenerName } from './running-broker.ts'
import { openSocket } from './stomp-sockets.ts'

export interface StompOptions extends StompConfig {
  readonly listener?: StompListenerName
  /** '1.2'; all three are offered when left out. */
  readonly version?: string
}

export class StompJsClient implements AsyncDisposable {
  readonly stomp: Client
  /** All that came in, oldest first. */
  readonly messages: IMessage[] = []
  /** CONNECTED: one, and one for each reconnect. */
  readonly connected: IFrame[] = []
  /** ERROR frames. */
  readonly errors: IFrame[] = []
  /** Called with each message, after it is in `messages`. */
  onMessage: ((message: IMessage) => void) | undefined = undefined
  #closedCount = 0
  #taken = 0
  readonly #watchers = new Set<() => void>()
  /** Subscribed to again after a reconnect. */
  readonly #wanted: (() => void)[] = []

  /** Rejects when the broker refuses. */
  static async connect(broker: RunningBroker, options: StompOptions = {}): Promise<StompJsClient> {
    const { listener = 'ws', version, ...config } = options
    const made = new StompJsClient({
      webSocketFactory: () => openSocket(broker, listener),
      ...(version !== undefined && { stompVersions: new Versions([version]) }),
      reconnectDelay: 0,
      // Gone at once, not only after the closing handshake.
      discardWebsocketOnCommFailure: true,
      ...config,
    })
    made.stomp.activate()
    try {
      await made.until('CONNECTED', () => made.connected.length > 0)
      return made
    } catch (error) {
      await made[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(config: StompConfig) {
    this.stomp = new Client(config)
    this.stomp.onConnect = (frame: IFrame) => {
      this.connected.push(frame)
      for (const subscribe of this.#wanted) subscribe()
      this.look()
    }
    this.stomp.onStompError = (frame) => {
      this.errors.push(frame)
      this.look()
    }
    this.stomp.onWebSocketClose = () => {
      this.#closedCount++
      this.look()
    }
  }

  get version(): string | undefined {
    return this.stomp.connectedVersion
  }

  /** Connections that are over. */
  get closedCount(): number {
    return this.#closedCount
  }

  /** Resolves with the id once the broker has it. `again` subscribes after each reconnect, too. */
  async subscribe(destination: string, headers: StompHeaders = {}, again = false): Promise<string> {
    const id = headers['id'] ?? randomUUID().slice(0, 8)
    const subscribe = (more: StompHeaders): void => {
      const onMessage = (message: IMessage): void => {
        this.messages.push(message)
        this.onMessage?.(message)
        this.look()
      }
      this.stomp.subscribe(destination, onMessage, { ...headers, ...more, id })
    }
    await this.#receipted('SUBSCRIBE', subscribe)
    if (again) this.#wanted.push(() => subscribe({}))
    return id
  }

  unsubscribe(id: string, headers: StompHeaders = {}): Promise<void> {
    return this.#receipted('UNSUBSCRIBE', (more) => this.stomp.unsubscribe(id, { ...headers, ...more }))
  }

  /** Resolves when the broker has said that it has it. A text goes out without `content-length`. */
  send(destination: string, body: string | Uint8Array, headers: StompHeaders = {}): Promise<void> {
    return this.#receipted('SEND', (more) => {
      const content = typeof body === 'string' ? { body, skipContentLengthHeader: true } : { binaryBody: body }
      this.stomp.publish({ destination, headers: { ...headers, ...more }, ...content })
    })
  }

  ack(message: IMessage, headers: StompHeaders = {}): Promise<void> {
    return this.#receipted('ACK', (more) => message.ack({ ...headers, ...more }))
  }

  nack(message: IMessage, headers: StompHeaders = {}): Promise<void> {
    return this.#receipted('NACK', (more) => message.nack({ ...headers, ...more }))
  }

  /** The next `count` messages. Rejects when they do not come, or when there are more of them already. */
  async take(count: number): Promise<IMessage[]> {
    const from = this.#taken
    await this.until(`${count} messages`, () => this.messages.length >= from + count)
    this.#taken = this.messages.length
    return this.messages.slice(from)
  }

  async takeTexts(count: number): Promise<string[]> {
    return (await this.take(count)).map(({ body }) => body)
  }

  /** The ERROR that `act` leads to: its header `message`. The connection is closed then. */
  async refused(act: () => void): Promise<string> {
    const before = this.#closedCount
    act()
    await this.until('ERROR and close', () => this.#closedCount > before, true)
    return this.errors.at(-1)?.headers['message'] ?? ''
  }

  /** Looks again whenever something happens to this client. Rejects at an ERROR unless it is expected, and after a while. */
  until(what: string, isSo: () => boolean, expectsError = false): Promise<void> {
    const errorCount = this.errors.length
    return new Promise((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        finish()
      }
      const look = (): void => {
        if (isSo()) return done(resolve)
        const error = this.errors[errorCount]
        if (error !== undefined && !expectsError) done(() => reject(new Error(error.headers['message'])))
      }
      const timer = setTimeout(() => {
        const seen = this.messages.map(({ headers, body }) => `${headers['destination']} ${body.slice(0, 80)}`)
        done(() => reject(new Error(`no ${what} within ${PATIENCE_MS} ms; there were:\n${seen.join('\n')}`)))
      }, PATIENCE_MS)
      this.#watchers.add(look)
      look()
    })
  }

  /** Whoever waits in `until` looks again. */
  look(): void {
    for (const look of this.#watchers) look()
  }

  /** Gone without a word, as when the power fails. */
  async drop(): Promise<void> {
    const before = this.#closedCount
    this.stomp.webSocket?.terminate?.()
    await this.until('end', () => this.#closedCount > before)
  }

  /** DISCONNECT, and resolves when the connection is closed. */
  end(): Promise<void> {
    return this.stomp.deactivate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stomp.deactivate({ force: true })
  }

  async #receipted(what: string, act: (headers: StompHeaders) => void): Promise<void> {
    const receipt = randomUUID()
    let isThere = false
    this.stomp.watchForReceipt(receipt, () => {
      isThere = true
      this.look()
    })
    act({ receipt })
    await this.until(`RECEIPT of ${what}`, () => isThere)
  }
}
