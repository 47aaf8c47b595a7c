/**
 * A transport over one net.Socket or tls.TLSSocket. No closure and no timer per idle connection: the socket carries a
 * reference to its transport, and every socket shares the same five functions.
 */
import type { Socket } from 'node:net'

import type { Cancel, Clock, Connection, PeerInfo, ServedProtocol } from '@ternmq/core'

import { closeReason } from './errors.ts'
import { type ReadingInPlace, readingInPlace } from './in-place-reading.ts'
import { HIGH_WATER_BYTES, type Outbox } from './output/outbox.ts'
import type { UndecidedTransport } from './any/protocol-chooser.ts'
import { SlabOutput } from './output/write-slab.ts'

/** A peer that has not taken our last bytes, or not closed its side, this long after `end` is cut off. */
export const CLOSE_FLUSH_MS = 5_000

/**
 * After this much from one peer, output leaves and others are read. libuv by itself would read 2 MiB: at a flood that takes the
 * subscriber past its mark, so that messages are queued first, and costs 2 to 3 times the CPU each. Half the mark does not.
 */
export const TURN_READ_BYTES_MAX: number = HIGH_WATER_BYTES / 2

const TRANSPORT: unique symbol = Symbol('transport')

/** A socket that a transport uses. */
export type CarrierSocket = Socket & { [TRANSPORT]?: SocketTransport }

/** Who is told when a transport is gone. */
export interface TransportOwner {
  readonly clock: Clock
  transportClosed(transport: SocketTransport): void
}

let lastTransportId = 0

/** Ids of all transports of the process, ascending from 1. */
export function nextTransportId(): number {
  return ++lastTransportId
}

export class SocketTransport extends SlabOutput implements UndecidedTransport {
  readonly id: number = nextTransportId()
  readonly peer: PeerInfo
  readonly openedAtMs: number
  bytesIn = 0
  readonly #socket: CarrierSocket
  readonly #owner: TransportOwner
  #connection: Connection | undefined = undefined
  /** '' until the first reason to close. */
  #reason = ''
  #isPaused = false
  /** Read without a break. */
  #readBytes = 0
  /** Writes whose callback has not come. */
  #openWrites = 0
  #onWritten: (() => void) | undefined = undefined
  #cancelCloseTimer: Cancel | undefined = undefined

  constructor(socket: Socket, peer: PeerInfo, outbox: Outbox, owner: TransportOwner) {
    super(outbox)
    this.peer = peer
    this.openedAtMs = owner.clock.wallMs()
    this.#socket = socket
    this.#owner = owner
    this.#socket[TRANSPORT] = this
    socket.on('end', onEnd)
    socket.on('error', onError)
    socket.on('close', onClose)
  }

  /** The adapter's side; must follow before the event loop turns. */
  attach(connection: Connection): void {
    this.#connection = connection
  }

  choose(protocol: ServedProtocol, firstBytes: Uint8Array): void {
    if (this.#reason !== '') return
    this.#connection = protocol.accept(this)
    this.#connection.onBytes(firstBytes)
  }

  refuse(reason: string, answer: Uint8Array | undefined): void {
    if (answer !== undefined) this.write(answer)
    this.end(reason)
  }

  /** Bytes came in; `isLast` when no more wait in the kernel. Hot path. */
  receive(chunk: Uint8Array, isLast: boolean): void {
    this.bytesIn += chunk.length
    if (this.#reason === '') this.#connection?.onBytes(chunk)
    this.#readBytes = isLast ? 0 : this.#readBytes + chunk.length
    if (this.#readBytes >= TURN_READ_BYTES_MAX) this.#letOthersRun()
  }

  pauseReading(): void {
    if (this.#reason !== '') return
    this.#isPaused = true
    this.#socket.pause()
  }

  resumeReading(): void {
    if (this.#reason !== '') return
    this.#isPaused = false
    this.#socket.resume()
  }

  end(reason: string): void {
    if (this.#reason !== '') return
    this.#reason = reason
    // What still comes in is read and dropped: closing with unread bytes makes the kernel reset the connection, and the
    // peer would lose our last packet.
    this.#isPaused = false
    this.#socket.resume()
    this.endOutput()
  }

  destroy(reason: string): void {
    if (this.#reason === '') this.#reason = reason
    this.stopOutput()
    this.#socket.destroy()
  }

  protected sendOne(piece: Uint8Array): boolean {
    this.#openWrites++
    this.#socket.write(piece, (this.#onWritten ??= () => this.#written()))
    return this.#socket.writableLength === 0
  }

  protected send(pieces: readonly Uint8Array[]): boolean {
    const socket = this.#socket
    socket.cork()
    for (let i = 0; i < pieces.length - 1; i++) socket.write(pieces[i] as Uint8Array)
    this.sendOne(pieces[pieces.length - 1] as Uint8Array)
    socket.uncork()
    return socket.writableLength === 0
  }

  protected finish(): void {
    this.#cancelCloseTimer = this.#owner.clock.after(CLOSE_FLUSH_MS, () => this.#socket.destroy())
    this.#socket.end()
  }

  protected becameWritable(): void {
    this.#connection?.onWritable()
  }

  protected overflowed(gatheredBytes: number): void {
    this.destroy(`peer does not read: ${gatheredBytes} bytes wait behind a write it has not taken`)
  }

  #letOthersRun(): void {
    this.#readBytes = 0
    this.#socket.pause()
    this.#owner.clock.flush(() => {
      if (!this.#isPaused) this.#socket.resume()
    })
  }

  /** The kernel has taken a write. Only the last open one means that no slab is in use. */
  #written(): void {
    if (--this.#openWrites === 0 && !this.#socket.destroyed) this.sent()
  }

  /** The peer sent FIN: what this turn's input deserves is still answered, then we close too. */
  peerEnded(): void {
    this.end('closed by peer')
  }

  failed(error: Error): void {
    if (this.#reason === '') this.#reason = closeReason(error)
  }

  closed(): void {
    this.#cancelCloseTimer?.()
    this.stopOutput()
    this.forgetSent()
    this.#owner.transportClosed(this)
    this.#connection?.onClosed(this.#reason === '' ? 'closed' : this.#reason)
    this.#connection = undefined
  }
}

/** For sockets that read into buffers of their own (TLS). */
export function readChunks(socket: Socket): void {
  socket.on('data', onData)
}

/** For sockets that read in place. */
export const SOCKET_READING: ReadingInPlace = readingInPlace((socket, chunk, isLast) => {
  ;(socket as CarrierSocket)[TRANSPORT]?.receive(chunk, isLast)
})

function onData(this: CarrierSocket, chunk: Uint8Array): void {
  this[TRANSPORT]?.receive(chunk, false)
}

function onEnd(this: CarrierSocket): void {
  this[TRANSPORT]?.peerEnded()
}

function onError(this: CarrierSocket, error: Error): void {
  this[TRANSPORT]?.failed(error)
}

function onClose(this: CarrierSocket): void {
  this[TRANSPORT]?.closed()
}
