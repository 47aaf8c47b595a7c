/**
 * Whether a peer takes what it is sent. An answer to a ping comes after all that was sent before the ping, and a large message over a slow
 * line may take longer than any answer: that it goes on is a sign of life.
 */
import type { Socket } from 'node:net'

export class OutputProgress {
  readonly #socket: Socket
  /** At the last look. */
  #takenBytes = 0
  #queuedBytes = 0
  #hasWaited = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * True when output waited for the peer at the last call and less of it does now. What the kernel takes at once says nothing: it also
   * takes it for a peer that is gone.
   */
  look(): boolean {
    const socket = this.#socket
    const takenBytes = socket.bytesWritten - socket.writableLength
    const queuedBytes = queuedBytesOf(socket)
    const hasAdvanced = this.#hasWaited && (takenBytes > this.#takenBytes || queuedBytes < this.#queuedBytes)
    this.#takenBytes = takenBytes
    this.#queuedBytes = queuedBytes
    this.#hasWaited = socket.writableLength > 0
    return hasAdvanced
  }
}

interface Handle {
  readonly writeQueueSize?: number
  /** What carries it: with TLS the socket's handle counts a write as one, too. */
  readonly _parent?: Handle
}

/** What the kernel has not taken of the write under way. The socket itself counts a write when all of it has gone; `net` looks here, too. */
function queuedBytesOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle: Handle | null }
  return (handle?._parent ?? handle)?.writeQueueSize ?? 0
}
