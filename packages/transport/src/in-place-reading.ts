/** Plain TCP sockets that all read into one buffer. */
import { Socket } from 'node:net'

/** One read takes at most this much. */
const READ_BYTES = 64 * 1024

/**
 * Every TCP socket reads into this one buffer, and the adapter copies what must stay. Reading into fresh buffers, as net does
 * by itself, costs twice the CPU at full 64 KiB reads and more than twice the process's memory.
 */
const readBuffer: Uint8Array = Buffer.allocUnsafeSlow(READ_BYTES)

/** Who hears what a socket has read; `isLast` when no more waits in the kernel. */
export type ReadInPlace = (socket: Socket, chunk: Uint8Array, isLast: boolean) => void

export interface ReadingInPlace {
  readonly buffer: Uint8Array
  readonly callback: (this: Socket, byteCount: number) => boolean
}

/** For sockets of one kind. The chunk is good during the call, and may be changed. */
export function readingInPlace(receive: ReadInPlace): ReadingInPlace {
  return {
    buffer: readBuffer,
    callback(byteCount) {
      receive(this, readBuffer.subarray(0, byteCount), byteCount < READ_BYTES)
      return true
    },
  }
}

/**
 * Moves the connection of an accepted socket to one that reads in place: net offers that for outgoing sockets only, so the
 * handle changes hands. Nothing that was read may still be in `accepted`. test/system/tcp.test.ts fails if a Node version stops allowing it.
 */
export function adopt(accepted: Socket, onread: ReadingInPlace): Socket {
  const owner = accepted as unknown as { _handle: unknown }
  const handle = owner._handle
  owner._handle = null
  accepted.destroy() // without a handle: it only leaves the server's count
  return new Socket({ handle, onread, allowHalfOpen: true } as ConstructorParameters<typeof Socket>[0])
}
