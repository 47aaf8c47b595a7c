/** A STOMP connection that counts frames, over TCP or WebSocket. It costs next to nothing beside the broker. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { countNuls, maskedFrame, stompFrame, WebSocketCounter } from './frames.ts'

export type Carrier = 'tcp' | 'websocket'

const READ_BYTES = 256 * 1024
const ANSWER_MS_MAX = 10_000
const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: v12.stomp',
].join('\r\n')

export class Link {
  readonly #socket: Socket
  readonly #carrier: Carrier
  readonly #counter = new WebSocketCounter()
  #isUpgraded: boolean
  #waiting: (() => void) | undefined = undefined
  /** Hears of frames that came, by their number; not of answers. */
  onFrames: (count: number) => void = () => {}
  onFailed: (error: Error) => void = () => {}

  /** Connected, CONNECTED has come. */
  static async open(carrier: Carrier, port: number): Promise<Link> {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    const holder: { link: Link | undefined } = { link: undefined }
    const callback = (size: number): boolean => {
      holder.link?.onBytes(buffer.subarray(0, size))
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer, callback } })
    await once(socket, 'connect')
    const link = new Link(socket, carrier)
    holder.link = link
    if (carrier === 'websocket') await link.#answer(() => socket.write(`${UPGRADE}\r\n\r\n`))
    await link.ask(stompFrame('CONNECT', { 'accept-version': '1.2', host: '/' }))
    return link
  }

  private constructor(socket: Socket, carrier: Carrier) {
    this.#socket = socket
    this.#carrier = carrier
    this.#isUpgraded = carrier === 'tcp'
    socket.setNoDelay(true)
    socket.on('error', (error) => this.onFailed(error))
    socket.on('close', () => this.onFailed(new Error('the broker closed the connection')))
  }

  /** What goes over this carrier for that frame; for `send`, once or many in a row. */
  packed(frame: Buffer): Buffer {
    return this.#carrier === 'tcp' ? frame : maskedFrame(frame)
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Sends a frame and resolves with the next one that comes. */
  ask(frame: Buffer): Promise<void> {
    return this.#answer(() => this.send(this.packed(frame)))
  }

  close(): void {
    this.onFailed = () => {}
    this.#socket.destroy()
  }

  onBytes(bytes: Buffer): void {
    if (!this.#isUpgraded) {
      // The handshake's answer is short and comes in one piece; nothing follows it unasked.
      this.#isUpgraded = bytes.toString('latin1').startsWith('HTTP/1.1 101 ')
      if (!this.#isUpgraded)
        return this.onFailed(new Error(`no WebSocket here: ${bytes.toString('latin1').slice(0, 80)}`))
      return this.#answered()
    }
    const count = this.#carrier === 'tcp' ? countNuls(bytes, 0, bytes.length) : this.#counter.count(bytes)
    if (count === 0) return
    if (this.#waiting !== undefined) this.#answered()
    else this.onFrames(count)
  }

  #answered(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  async #answer(send: () => void): Promise<void> {
    let timer: NodeJS.Timeout | undefined = undefined
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS_MAX} ms`)), ANSWER_MS_MAX)
      this.onFailed = reject
      this.#waiting = resolve
      send()
    }).finally(() => clearTimeout(timer))
  }
}
