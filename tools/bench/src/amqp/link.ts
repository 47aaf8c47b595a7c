/** An AMQP connection with one link, or one without a handshake, that sends or counts messages. It costs next to nothing beside the broker. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import {
  ATTACH,
  attachFrame,
  beginFrame,
  creditFrame,
  openFrame,
  PROTOCOL_HEADER,
  type Room,
  TransferCounter,
} from './frames.ts'

/** To whom: a broker's address, or something that passes bytes on and knows no handshake. */
export interface Place {
  readonly port: number
  readonly address: string | undefined
}

const READ_BYTES = 256 * 1024
const ANSWER_MS_MAX = 10_000
/** Granted at a time, and again when half of it is used. */
const CREDIT = 100_000

export class Link {
  readonly #socket: Socket
  readonly #role: 'sender' | 'receiver'
  #isAttached = false
  #answered: () => void = () => {}
  /** Of a sender: transfers and deliveries that the broker has taken or takes, from the first on. */
  #transfersMax = 0
  #deliveriesMax = 0
  /** Of a receiver. */
  #received = 0
  #grantedUntil = 0
  /** Hears of messages that came, by their number. */
  onMessages: (count: number) => void = () => {}
  /** The broker takes more than before. */
  onRoom: () => void = () => {}
  onFailed: (error: Error) => void = () => {}

  /** Attached; a sender has room. */
  static async open(role: 'sender' | 'receiver', { port, address }: Place): Promise<Link> {
    const holder: { link: Link | undefined } = { link: undefined }
    const counter = new TransferCounter(READ_BYTES, (code, room) => holder.link?.onFrame(code, room))
    const callback = (size: number): boolean => {
      const count = counter.count(size)
      if (count > 0) holder.link?.onTransfers(count)
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer: counter.buffer, callback } })
    await once(socket, 'connect')
    const link = new Link(socket, role)
    holder.link = link
    if (address === undefined) link.#transfersMax = link.#deliveriesMax = Infinity
    else await link.#attach(address)
    return link
  }

  private constructor(socket: Socket, role: 'sender' | 'receiver') {
    this.#socket = socket
    this.#role = role
    socket.setNoDelay(true)
    socket.on('error', (error) => this.onFailed(error))
    socket.on('close', () => this.onFailed(new Error('the broker closed the connection')))
  }

  /** Messages that may be sent, all in all. */
  get sentMax(): number {
    return Math.min(this.#transfersMax, this.#deliveriesMax)
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  close(): void {
    this.onFailed = () => {}
    this.#socket.destroy()
  }

  onFrame(code: number, room: Room | undefined): void {
    if (code === ATTACH) this.#isAttached = true
    if (room !== undefined) {
      this.#transfersMax = room.transfers
      this.#deliveriesMax = room.deliveries ?? this.#deliveriesMax
      this.onRoom()
    }
    if (this.#isAttached && (this.#role === 'receiver' || this.sentMax > 0)) this.#answered()
  }

  onTransfers(count: number): void {
    this.#received += count
    if (this.#grantedUntil > 0 && this.#grantedUntil - this.#received < CREDIT / 2) this.#grant()
    this.onMessages(count)
  }

  #grant(): void {
    this.#grantedUntil = this.#received + CREDIT
    this.send(creditFrame(this.#received, CREDIT))
  }

  async #attach(address: string): Promise<void> {
    const role = this.#role
    let timer: NodeJS.Timeout | undefined = undefined
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no ${role} for ${address} within ${ANSWER_MS_MAX} ms`)), ANSWER_MS_MAX)
      this.onFailed = reject
      this.#answered = resolve
      this.send(
        Buffer.concat([
          PROTOCOL_HEADER,
          openFrame(`bench-${role}-${process.pid}`),
          beginFrame(),
          attachFrame(role, address),
        ]),
      )
      if (role === 'receiver') this.#grant()
    }).finally(() => clearTimeout(timer))
  }
}
