/** A client that costs next to nothing beside the broker: it looks at no byte, and counts them. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const ANSWER_MS_MAX = 30_000

/** Sends bytes that were made beforehand, and waits until so many have come back. */
export class CountingClient {
  readonly #socket: Socket
  #receivedBytes = 0
  #wantedBytes = Infinity
  #onEnough: (() => void) | undefined = undefined
  #onFailed: ((error: Error) => void) | undefined = undefined

  static async open(port: number): Promise<CountingClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new CountingClient(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#receivedBytes += chunk.length
      if (this.#receivedBytes >= this.#wantedBytes) this.#onEnough?.()
    })
    socket.on('error', (error) => this.#onFailed?.(error))
    socket.on('close', () => this.#onFailed?.(new Error('the broker closed the connection')))
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Resolves once `count` more bytes have come than at the last call. Call it before what makes them come. */
  async receive(count: number): Promise<void> {
    this.#receivedBytes = 0
    this.#wantedBytes = count
    const timer = setTimeout(
      () => this.#onFailed?.(new Error(`no ${count} bytes within ${ANSWER_MS_MAX} ms`)),
      ANSWER_MS_MAX,
    )
    await new Promise<void>((resolve, reject) => {
      this.#onEnough = resolve
      this.#onFailed = reject
    })
    clearTimeout(timer)
    if (this.#receivedBytes > count) throw new Error(`${this.#receivedBytes} bytes came, ${count} were expected`)
  }

  close(): void {
    this.#onFailed = undefined
    this.#socket.destroy()
  }
}
