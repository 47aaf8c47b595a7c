/**
 * A transport over one WebSocket: the same slabs as TCP, each turn's output as one binary frame (a large turn: a few, in one
 * write), or as one text frame for a peer that sends those. Frame borders mean nothing to the adapter. [MQTT5-6.0.0-2]
 * [MQTT311-6.0.0-2]
 *
 * `ws` shakes hands, writes frames and closes; bytes that come go to `InboundFrames` first.
 */
import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'

import type { Cancel, Clock, Connection, PeerInfo, ServedProtocol, TimerWheel, WheelEntry } from '@ternmq/core'
import {
  CLOSE_FLUSH_MS,
  closeReason,
  nextTransportId,
  type Outbox,
  type ReadingInPlace,
  readingInPlace,
  SlabOutput,
  TURN_READ_BYTES_MAX,
  type UndecidedTransport,
} from '@ternmq/transport'
import type { WebSocket } from 'ws'

import { type CloseCause, closeFrameText, CODE_ABNORMAL, CODE_BY_CAUSE } from './close-codes.ts'
import { InboundFrames, type InboundFramesHost } from './inbound-frames.ts'
import { OutputProgress } from './output-progress.ts'

const TRANSPORT: unique symbol = Symbol('transport')

/** Of `ws`. */
type OnData = (this: Socket, bytes: Uint8Array) => void

type Carrier = WebSocket & { [TRANSPORT]?: WebSocketTransport }
type CarrierSocket = Socket & { [TRANSPORT]?: WebSocketTransport }

/** Pings without any answer, or other sign of life, after which a peer counts as gone. */
const MISSED_PINGS_MAX = 2

const BINARY = { binary: true } as const
const TEXT = { binary: false } as const

/** What the transports of one listener share. */
export interface WebSocketOwner {
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly pingMs: number
  readonly key: string
  /** Of connections from now on. */
  readonly maxMessageBytes: number
  transportClosed(transport: WebSocketTransport): void
}

export class WebSocketTransport extends SlabOutput implements UndecidedTransport, WheelEntry, InboundFramesHost {
  readonly id: number = nextTransportId()
  readonly peer: PeerInfo
  readonly openedAtMs: number
  bytesIn = 0
  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1
  readonly #socket: CarrierSocket
  readonly #ws: Carrier
  readonly #owner: WebSocketOwner
  /** Undefined while nobody knows what is spoken. */
  #takesText: boolean | undefined = undefined
  /** A text frame came: the peer may be one that reads nothing else, so text goes out as text. */
  #sawText = false
  #connection: Connection | undefined = undefined
  /** '' until the first reason to close. */
  #reason = ''
  #cause: CloseCause = 'done'
  #isPaused = false
  /** Read without a break. */
  #readBytes = 0
  #openWrites = 0
  #missedPings = 0
  readonly #progress: OutputProgress
  readonly #onWritten = (): void => this.#written()
  readonly #frames: InboundFrames
  /** How `ws` hears of bytes. */
  readonly #wsOnData: OnData
  /** No frame is read any more, not even the peer's close. */
  #isDeaf = false
  /** The last ping, if its answer waits until the peer reads. */
  #unansweredPing: Buffer | undefined = undefined
  /** The peer's close frame, until all that was written before it has been handed over. */
  #closeFrame: Uint8Array | undefined = undefined
  #cancelCloseTimer: Cancel | undefined = undefined

  constructor(ws: WebSocket, socket: Socket, peer: PeerInfo, outbox: Outbox, owner: WebSocketOwner) {
    super(outbox)
    this.peer = peer
    this.openedAtMs = owner.clock.wallMs()
    this.#ws = ws
    this.#socket = socket
    this.#progress = new OutputProgress(socket)
    this.#owner = owner
    this.#ws[TRANSPORT] = this
    this.#socket[TRANSPORT] = this
    ws.on('ping', onPing)
    ws.on('pong', onPong)
    ws.on('error', onError)
    ws.on('close', onClose)
    // Bytes come to us; `ws` listens for them, and for nothing else that would bring them.
    this.#wsOnData = socket.listeners('data')[0] as OnData
    socket.removeListener('data', this.#wsOnData)
    socket.on('data', onData)
    socket.on('drain', onDrain)
    socket.on('end', onEnd)
    socket.on('error', (error) => this.failed(closeReason(error))) // ws tells only that it is closed
    owner.wheel.add(this, owner.pingMs)
    this.#frames = new InboundFrames(this, owner.maxMessageBytes, `listeners.${owner.key}.maxMessageBytes`)
  }

  /** Bytes came in; `isLast` when no more wait in the kernel. They are changed. Hot path. */
  receive(chunk: Uint8Array, isLast: boolean): void {
    this.bytesIn += chunk.length
    this.#frames.read(chunk)
    this.#readBytes = isLast ? 0 : this.#readBytes + chunk.length
    if (this.#readBytes >= TURN_READ_BYTES_MAX) this.#letOthersRun()
  }

  // ── InboundFramesHost ──

  /** Hot path. */
  onPayload(payload: Uint8Array): void {
    this.#missedPings = 0
    if (this.#reason === '') this.#connection?.onBytes(payload)
  }

  onFirstText(): void {
    this.#sawText = true
    if (this.#takesText === false) this.#refuseText()
  }

  onControl(frame: Uint8Array, isClose: boolean): void {
    if (!isClose || this.#ws.readyState !== this.#ws.OPEN) {
      this.#wsOnData.call(this.#socket, frame)
      return
    }
    // `ws` drops all output from here on: what this turn's input deserves is sent first, and nothing more is delivered.
    this.#closeFrame = frame
    this.endOutput()
  }

  onBroken(cause: CloseCause, text: string): void {
    this.#isDeaf = true
    this.end(text, cause)
  }

  /** The adapter's side; must follow before the event loop turns. */
  attach(connection: Connection): void {
    this.#connection = connection
  }

  choose(protocol: ServedProtocol, firstBytes?: Uint8Array): void {
    if (this.#reason !== '') return
    this.#takesText = protocol.takesTextFrames
    this.#connection = protocol.accept(this)
    if (this.#sawText && !this.#takesText) this.#refuseText()
    else if (firstBytes !== undefined) this.#connection.onBytes(firstBytes)
  }

  /** The close frame is the answer. */
  refuse(reason: string): void {
    this.end(reason, 'unsupported-data')
  }

  pauseReading(): void {
    if (this.#reason !== '') return
    this.#isPaused = true
    this.#ws.pause()
  }

  resumeReading(): void {
    if (this.#reason !== '') return
    this.#isPaused = false
    this.#ws.resume()
  }

  end(reason: string, cause: CloseCause = 'done'): void {
    if (this.#reason !== '') return
    this.#reason = reason
    this.#cause = cause
    this.#isPaused = false
    this.#ws.resume() // the peer's close frame has to be seen
    this.endOutput()
  }

  destroy(reason: string): void {
    if (this.#reason === '') this.#reason = reason
    this.stopOutput()
    this.#ws.terminate()
  }

  /** For a listener that closes: tells the peer why if that takes no waiting. */
  abandon(reason: string): void {
    if (this.#reason === '') this.#ws.close(CODE_BY_CAUSE.shutdown, closeFrameText(reason))
    this.destroy(reason)
  }

  /** The wheel's turn: time for a ping, or for giving up. */
  onDue(): void {
    // What it answered is still to be read, or it is still reading what comes before the ping.
    if (this.#progress.look() || this.#isPaused) this.#missedPings = 0
    if (this.#missedPings >= MISSED_PINGS_MAX) {
      this.destroy(`no answer to ${MISSED_PINGS_MAX} pings, one every ${this.#owner.pingMs} ms`)
      return
    }
    this.#missedPings++
    if (this.#reason === '') this.#ws.ping()
    this.#owner.wheel.add(this, this.#owner.pingMs)
  }

  protected sendOne(piece: Uint8Array): boolean {
    this.#openWrites++
    this.bytesOut += frameHeadBytes(piece.length)
    // Text frames are UTF-8: a body of other bytes takes its turn's output with it into a binary one. [RFC 6455 §5.6]
    this.#ws.send(piece, this.#sawText && isUtf8(piece) ? TEXT : BINARY, this.#onWritten)
    return this.#socket.writableLength === 0
  }

  protected send(pieces: readonly Uint8Array[]): boolean {
    if (this.#sawText) return this.sendOne(Buffer.concat(pieces)) // a piece may end within a character
    const socket = this.#socket
    socket.cork()
    for (let i = 0; i < pieces.length - 1; i++) {
      const piece = pieces[i] as Uint8Array
      this.bytesOut += frameHeadBytes(piece.length)
      this.#ws.send(piece, BINARY)
    }
    this.sendOne(pieces[pieces.length - 1] as Uint8Array)
    socket.uncork()
    return socket.writableLength === 0
  }

  protected finish(): void {
    this.#closeWithin()
    if (this.#reason !== '') this.#ws.close(CODE_BY_CAUSE[this.#cause], closeFrameText(this.#reason))
    if (this.#closeFrame !== undefined) this.#wsOnData.call(this.#socket, this.#closeFrame)
    if (this.#isDeaf) this.#socket.end()
  }

  protected becameWritable(): void {
    this.#connection?.onWritable()
  }

  protected overflowed(gatheredBytes: number): void {
    this.destroy(`peer does not read: ${gatheredBytes} bytes wait behind a write it has not taken`)
  }

  #closeWithin(): void {
    this.#cancelCloseTimer ??= this.#owner.clock.after(CLOSE_FLUSH_MS, () => this.#ws.terminate())
  }

  /** Only the last open write means that no slab is in use. */
  #written(): void {
    if (--this.#openWrites === 0 && !this.#socket.destroyed) this.sent()
  }

  #letOthersRun(): void {
    this.#readBytes = 0
    this.#ws.pause()
    this.#owner.clock.flush(() => {
      if (!this.#isPaused) this.#ws.resume()
    })
  }

  /** [MQTT5-6.0.0-1] [MQTT311-6.0.0-1] */
  #refuseText(): void {
    this.#frames.stop()
    this.onBroken('unsupported-data', 'text frame received, this protocol needs binary frames')
  }

  /** A peer that does not read gets the answer to its last ping only, and then. [RFC 6455 §5.5.3] */
  answerPing(payload: Buffer): void {
    if (this.#socket.writableNeedDrain) this.#unansweredPing = payload
    else this.#ws.pong(payload)
  }

  drained(): void {
    const payload = this.#unansweredPing
    this.#unansweredPing = undefined
    if (payload !== undefined) this.#ws.pong(payload)
  }

  answeredPing(): void {
    this.#missedPings = 0
  }

  /** The peer takes nothing any more that `ws` has not got yet, whether it sent a close frame or not. */
  peerEnded(): void {
    this.stopOutput()
    this.#closeWithin()
  }

  /** The network or the peer's framing failed; ws closes by itself and tells the peer. */
  failed(reason: string): void {
    if (this.#reason === '') this.#reason = reason
    this.#frames.stop()
    this.stopOutput()
    this.#closeWithin()
  }

  closed(code: number, text: string): void {
    this.#cancelCloseTimer?.()
    this.#owner.wheel.remove(this)
    this.stopOutput()
    this.forgetSent()
    if (this.#reason === '') this.#reason = peerReason(code, text)
    this.#owner.transportClosed(this)
    this.#connection?.onClosed(this.#reason)
    this.#connection = undefined
  }
}

/** Of a frame from a server: without a mask. [RFC 6455 §5.2] */
function frameHeadBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return 2
  return payloadBytes < 65_536 ? 4 : 10
}

function peerReason(code: number, text: string): string {
  if (code === CODE_ABNORMAL) return 'closed by peer without a close frame'
  return `closed by peer (${code}${text === '' ? '' : `, ${JSON.stringify(text)}`})`
}

/** For sockets that read in place; the HTTP parser takes what comes before there is a transport. */
export const WEBSOCKET_READING: ReadingInPlace = readingInPlace((socket, chunk, isLast) => {
  ;(socket as CarrierSocket)[TRANSPORT]?.receive(chunk, isLast)
})

/** For those that read into buffers of their own (TLS). */
function onData(this: CarrierSocket, chunk: Uint8Array): void {
  this[TRANSPORT]?.receive(chunk, false)
}

function onDrain(this: CarrierSocket): void {
  this[TRANSPORT]?.drained()
}

function onEnd(this: CarrierSocket): void {
  this[TRANSPORT]?.peerEnded()
}

function onPing(this: Carrier, payload: Buffer): void {
  this[TRANSPORT]?.answerPing(payload)
}

function onPong(this: Carrier): void {
  this[TRANSPORT]?.answeredPing()
}

function onError(this: Carrier, error: Error): void {
  this[TRANSPORT]?.failed(`websocket: ${error.message}`)
}

function onClose(this: Carrier, code: number, reason: Buffer): void {
  this[TRANSPORT]?.closed(code, reason.toString())
}
