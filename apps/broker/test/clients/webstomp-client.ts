/**
 * A STOMP client as pages have it that were written without a library, and as webstomp-client is inside: a WebSocket, text frames
 * made by joining strings, and a reader that knows nothing but text and splits it at NUL. Bytes are beyond it.
 */
import type { RawData, WebSocket } from 'ws'

import { PATIENCE_MS } from '../patience.ts'
import type { RunningBroker } from './running-broker.ts'
import { openWebSocket } from './stomp-sockets.ts'

export interface TextFrame {
  readonly command: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export class WebstompClient implements AsyncDisposable {
  readonly socket: WebSocket
  /** All but heart-beats, oldest first. */
  readonly frames: TextFrame[] = []
  heartBeatCount = 0
  /** Set when it is over: code of the close frame. */
  closeCode: number | undefined = undefined
  /** A binary frame came, which such a client cannot read. */
  gotBinary = false
  #rest = ''
  #taken = 0
  readonly #watchers = new Set<() => void>()

  /** Resolves with CONNECTED or ERROR as the first frame. */
  static async connect(
    broker: RunningBroker,
    listener: 'ws' | 'wss',
    headers: Readonly<Record<string, string>> = {},
    subprotocols: readonly string[] = ['v10.stomp', 'v11.stomp', 'v12.stomp'],
  ): Promise<WebstompClient> {
    const made = new WebstompClient(openWebSocket(broker, listener, subprotocols))
    await new Promise<void>((resolve, reject) => made.socket.once('open', resolve).once('error', reject))
    made.send('CONNECT', { 'accept-version': '1.2,1.1,1.0', 'heart-beat': '0,0', host: 'localhost', ...headers })
    return made
  }

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: RawData, isBinary: boolean) => this.#read((data as Buffer).toString(), isBinary))
    socket.on('close', (code: number) => {
      this.closeCode = code
      this.#changed()
    })
  }

  /** No length, no escapes: as `join` makes it. */
  send(command: string, headers: Readonly<Record<string, string>> = {}, body = ''): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`)
    this.socket.send(`${command}\n${lines.join('')}\n${body}\0`)
  }

  /** The next frame of this kind; others before it are passed over. */
  async next(command: string): Promise<TextFrame> {
    const find = (): number =>
      this.frames.findIndex((frame, index) => index >= this.#taken && frame.command === command)
    await this.until(command, () => find() >= 0)
    const index = find()
    this.#taken = index + 1
    return this.frames[index]!
  }

  /** Sends with a receipt and waits for it. */
  async receipted(command: string, headers: Readonly<Record<string, string>> = {}, body = ''): Promise<void> {
    const receipt = `r${this.frames.length}-${command}`
    this.send(command, { ...headers, receipt }, body)
    const isThere = ({ command: name, headers: all }: TextFrame): boolean =>
      name === 'RECEIPT' && all['receipt-id'] === receipt
    await this.until(`RECEIPT of ${command}`, () => this.frames.some(isThere))
  }

  until(what: string, isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        finish()
      }
      const look = (): void => {
        if (isSo()) done(resolve)
      }
      const timer = setTimeout(() => {
        done(() =>
          reject(new Error(`no ${what} within ${PATIENCE_MS} ms; there were:\n${JSON.stringify(this.frames)}`)),
        )
      }, PATIENCE_MS)
      this.#watchers.add(look)
      look()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate()
  }

  #read(text: string, isBinary: boolean): void {
    if (isBinary) this.gotBinary = true
    const parts = (this.#rest + text).split('\0')
    this.#rest = parts.pop()!
    for (const part of parts) this.frames.push(parse(part.replace(/^\n+/, '')))
    if (/^\n+$/.test(this.#rest)) {
      this.heartBeatCount += this.#rest.length
      this.#rest = ''
    }
    this.#changed()
  }

  #changed(): void {
    for (const look of this.#watchers) look()
  }
}

function parse(text: string): TextFrame {
  const end = text.indexOf('\n\n')
  const [command = '', ...lines] = text.slice(0, end).split('\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon)] ??= line.slice(colon + 1)
  }
  return { command, headers, body: text.slice(end + 2) }
}
