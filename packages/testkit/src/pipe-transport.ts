/**
 * A transport without a kernel: two ends, bytes cross at the turns of a virtual clock. Output gathers in slabs as on a real
 * socket, and what the far end has not read stays a reference into them, so that memory reused too early shows as wrong bytes.
 */
import type { AcceptTransport, Cancel, Connection, PeerInfo, Transport } from '@ternmq/core'
import { CLOSE_FLUSH_MS, nextTransportId, type Outbox, SlabOutput } from '@ternmq/transport'

import type { VirtualClock } from './virtual-clock.ts'

/** Bytes that cross before the far end reads them, unless a test says otherwise. */
const KERNEL_BYTES = 64 * 1024

export interface PipeOptions {
  readonly clock: VirtualClock
  readonly outbox: Outbox
  /** What the server's end knows of its peer; by default listener 'mqtt' and no address. */
  readonly peer?: PeerInfo
  /** Room for bytes that one end has sent and the other has not read. Beyond it the sender holds them. */
  readonly kernelBytes?: number
}

export class PipeTransport extends SlabOutput implements Transport {
  readonly id: number = nextTransportId()
  readonly peer: PeerInfo
  readonly openedAtMs: number
  bytesIn = 0
  readonly #clock: VirtualClock
  readonly #kernelBytes: number
  #far!: PipeTransport
  #connection: Connection | undefined = undefined
  /** Arrived and not read. */
  #inbox: Uint8Array[] = []
  #inboxBytes = 0
  /** Handed over, and no room at the far end: still the sender's memory. */
  #held: Uint8Array[] = []
  #isPaused = false
  #isReadScheduled = false
  #isFinished = false
  #hasFin = false
  #isClosed = false
  #reason = ''
  #cancelCloseTimer: Cancel | undefined = undefined

  constructor(options: PipeOptions, peer: PeerInfo) {
    super(options.outbox)
    this.peer = peer
    this.openedAtMs = options.clock.wallMs()
    this.#clock = options.clock
    this.#kernelBytes = options.kernelBytes ?? KERNEL_BYTES
  }

  /** Two ends of one pipe. */
  static pair(options: PipeOptions): [server: PipeTransport, client: PipeTransport] {
    const server = new PipeTransport(options, options.peer ?? { listener: 'mqtt', address: '', port: 0 })
    const client = new PipeTransport(options, { listener: '', address: '', port: 0 })
    server.#far = client
    client.#far = server
    return [server, client]
  }

  /** Who reads at this end. What arrived before waits for it. */
  attach(connection: Connection): void {
    this.#connection = connection
    this.#scheduleRead()
  }

  pauseReading(): void {
    this.#isPaused = true
  }

  resumeReading(): void {
    this.#isPaused = false
    this.#scheduleRead()
  }

  end(reason: string): void {
    if (this.#reason !== '') return
    this.#reason = reason
    this.resumeReading()
    this.endOutput()
  }

  destroy(reason: string): void {
    if (this.#isClosed) return
    if (this.#reason === '') this.#reason = reason
    this.#close()
    this.#far.#reset()
  }

  protected sendOne(piece: Uint8Array): boolean {
    return this.send([piece])
  }

  protected send(pieces: readonly Uint8Array[]): boolean {
    this.#held.push(...pieces)
    return this.#push()
  }

  protected finish(): void {
    this.#isFinished = true
    this.#cancelCloseTimer = this.#clock.after(CLOSE_FLUSH_MS, () => {
      this.#close()
      this.#far.#reset()
    })
    this.#far.#scheduleRead()
    this.#closeWhenDone()
  }

  protected becameWritable(): void {
    this.#connection?.onWritable()
  }

  protected overflowed(gatheredBytes: number): void {
    this.destroy(`peer does not read: ${gatheredBytes} bytes wait behind a write it has not taken`)
  }

  /** Moves held bytes as far as there is room. True when none is left. */
  #push(): boolean {
    const far = this.#far
    while (this.#held.length > 0) {
      const piece = this.#held[0] as Uint8Array
      const room = this.#kernelBytes - far.#inboxBytes
      if (room <= 0) return false
      const part = new Uint8Array(piece.subarray(0, room)) // a copy; Buffer.slice would be none
      far.#inbox.push(part)
      far.#inboxBytes += part.length
      if (part.length === piece.length) this.#held.shift()
      else this.#held[0] = piece.subarray(part.length)
      far.#scheduleRead()
    }
    return true
  }

  /** The far end has room for everything that was held. */
  #taken(): void {
    this.sent()
    this.#closeWhenDone()
  }

  #scheduleRead(): void {
    if (this.#isReadScheduled || this.#isClosed) return
    this.#isReadScheduled = true
    this.#clock.input(() => this.#read())
  }

  #read(): void {
    this.#isReadScheduled = false
    while (this.#connection !== undefined && !this.#isPaused && !this.#isClosed) {
      const chunk = this.#inbox.shift()
      if (chunk === undefined) break
      this.#inboxBytes -= chunk.length
      this.bytesIn += chunk.length
      if (this.#reason === '') handOver(this.#connection, chunk)
    }
    const far = this.#far
    if (far.#held.length > 0 && far.#push()) far.#taken()
    if (far.#isFinished && far.#held.length === 0 && this.#inbox.length === 0) this.#farFinished()
  }

  /** The far end sent everything and its FIN. */
  #farFinished(): void {
    if (this.#hasFin || this.#isClosed) return
    this.#hasFin = true
    this.end('closed by peer')
    this.#closeWhenDone()
  }

  /** As TCP: gone once both directions have ended. */
  #closeWhenDone(): void {
    if (this.#isFinished && this.#hasFin && this.#held.length === 0) this.#close()
  }

  #reset(): void {
    if (this.#isClosed) return
    if (this.#reason === '') this.#reason = 'connection reset by peer (ECONNRESET)'
    this.#close()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelCloseTimer?.()
    this.#held = []
    this.#inbox = []
    this.#inboxBytes = 0
    this.stopOutput()
    this.forgetSent()
    this.#clock.input(() => this.#connection?.onClosed(this.#reason))
  }
}

/** All reads of a process may come in the same memory, as from a socket that reads in place. */
let readBuffer = Buffer.alloc(KERNEL_BYTES)

/** A Buffer, because sockets give one, and its `slice` is a view. Who keeps a view of it sees other bytes at once. */
function handOver(connection: Connection, chunk: Uint8Array): void {
  if (chunk.length > readBuffer.length) readBuffer = Buffer.alloc(chunk.length)
  readBuffer.set(chunk)
  const given = readBuffer.subarray(0, chunk.length)
  connection.onBytes(given)
  given.fill(0xdd)
}

/** Connects to an adapter as a listener would. Returns the client's end; `attach` something that reads. */
export function connectPipe(options: PipeOptions, acceptTransport: AcceptTransport): PipeTransport {
  const [server, client] = PipeTransport.pair(options)
  server.attach(acceptTransport(server))
  return client
}
