/**
 * A peer that speaks bytes: the far end of a pipe in a test's hands. It keeps what comes and says when the connection
 * ended; what the bytes mean is the test's business.
 */
import type { AcceptTransport, Connection, PeerInfo } from '@ternmq/core'
import { Outbox, type OutboxLimits } from '@ternmq/transport'

import { connectPipe, type PipeTransport } from './pipe-transport.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Every raw client of one broker: they share a clock and an outbox, as the connections of a process do. */
export class PipeNetwork {
  readonly clock: VirtualClock
  readonly #outbox: Outbox

  /** `limits`: what clients that do not read may have waiting; those of a broker process when left out. */
  constructor(clock: VirtualClock, limits: Partial<OutboxLimits> = {}) {
    this.clock = clock
    this.#outbox = new Outbox(clock, limits)
  }

  /** Sent by either end and not taken by the other, on all connections. */
  get unsentBytes(): number {
    return this.#outbox.unsentBytes
  }

  /** Connects as a listener would hand over a socket. `kernelBytes`: what the pipe holds for a client that does not read. */
  connect(
    accept: AcceptTransport,
    options: { readonly peer?: PeerInfo; readonly kernelBytes?: number } = {},
  ): RawClient {
    return new RawClient(connectPipe({ ...options, clock: this.clock, outbox: this.#outbox }, accept))
  }
}

export class RawClient implements Connection {
  readonly #pipe: PipeTransport
  #chunks: Uint8Array[] = []
  /** Why the connection ended, in the words of the pipe; undefined while it is open. */
  closedBecause: string | undefined = undefined

  constructor(pipe: PipeTransport) {
    this.#pipe = pipe
    pipe.attach(this)
  }

  get isClosed(): boolean {
    return this.closedBecause !== undefined
  }

  /** Crosses at the next turn, in one chunk with everything else sent before it. */
  sendBytes(bytes: Uint8Array): void {
    this.#pipe.write(bytes)
  }

  /** What came since the last call. */
  takeBytes(): Uint8Array {
    const bytes = Buffer.concat(this.#chunks)
    this.#chunks = []
    return bytes
  }

  /** A client that is stuck: what comes stays in the pipe, then at the sender. */
  stopReading(): void {
    this.#pipe.pauseReading()
  }

  readAgain(): void {
    this.#pipe.resumeReading()
  }

  /** Closes as a program does that just ends: FIN, nothing said. */
  hangUp(): void {
    this.#pipe.end('the test hung up')
  }

  /** The network is gone: nothing more in either direction. */
  vanish(): void {
    this.#pipe.destroy('the test cut the connection')
  }

  onBytes(chunk: Uint8Array): void {
    this.#chunks.push(Uint8Array.from(chunk))
  }

  onWritable(): void {
    // A test sends what it likes; nothing waits for room.
  }

  onClosed(reason: string): void {
    this.closedBecause = reason
  }
}
