/** For clients that write a frame in pieces, or two in a row: their kernel would keep the second for 40 ms, until the broker's has confirmed the first. */
import { Socket } from 'node:net'

/** Does nothing to what is no socket, such as a WebSocket: those send at once. */
export function sendAtOnce(stream: unknown): void {
  if (stream instanceof Socket) stream.setNoDelay(true)
}
