/** Plain TCP sockets that all read into one buffer. */
import { Socket } from 'node:net'

import { transportOf } from './socket-transport.ts'

/** One read takes at most this much. */
const READ_BYTES = 64 * 1024

/**
 * Every TCP socket reads into this one buffer, and the adapter copies what must stay. Reading into fresh buffers, as net does
 * by itself, costs twice the CPU at full 64 KiB reads and more than twice the process's memory.
 */
const readBuffer: Uint8Array = Buffer.allocUnsafeSlow(READ_BYTES)

const readInPlace = {
  buffer: readBuffer,
  callback(this: Socket, byteCount: number): boolean {
    transportOf(this)?.receive(readBuffer.subarray(0, byteCount), byteCount < READ_BYTES)
    return true
  },
}

/**
 * Moves the connection of an accepted socket to one that reads in place: net offers that for outgoing sockets only, so the
 * handle changes hands. Nothing that was read may still be in `accepted`. test/system/tcp.test.ts fails if a Node version stops allowing it.
 */
export function adopt(accepted: Socket): Socket {
  const owner = accepted as unknown as { _handle: unknown }
  const handle = owner._handle
  owner._handle = null
  accepted.destroy() // without a handle: it only leaves the server's count
  return new Socket({ handle, onread: readInPlace, allowHalfOpen: true } as ConstructorParameters<typeof Socket>[0])
}
