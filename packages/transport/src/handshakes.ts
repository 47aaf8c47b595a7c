/** Sockets that are admitted and not ready yet: TLS handshakes and WebSocket upgrades, each with a time limit. */
import type { Cancel, Clock } from '@ternmq/core'

/** What is given up when its time is over. */
interface Unfinished {
  destroy(): void
}

interface Waiting<D> {
  readonly details: D
  readonly cancel: Cancel
}

/** `D` is whatever the owner wants back about a socket. */
export class Handshakes<T extends Unfinished, D> {
  readonly #clock: Clock
  #limitMs: number
  readonly #onTimeout: (details: D, limitMs: number) => void
  readonly #waitingBySocket = new Map<T, Waiting<D>>()

  /** `onTimeout` is called before the socket is destroyed. */
  constructor(clock: Clock, limitMs: number, onTimeout: (details: D, limitMs: number) => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#onTimeout = onTimeout
  }

  /** For those that begin from now on. */
  set limitMs(limitMs: number) {
    this.#limitMs = limitMs
  }

  begin(socket: T, details: D): void {
    const limitMs = this.#limitMs
    const cancel = this.#clock.after(limitMs, () => {
      this.#waitingBySocket.delete(socket)
      this.#onTimeout(details, limitMs)
      socket.destroy()
    })
    this.#waitingBySocket.set(socket, { details, cancel })
  }

  /** Finished, well or not: what `begin` was given. Undefined when the socket does not wait any more. */
  finish(socket: T): D | undefined {
    const waiting = this.#waitingBySocket.get(socket)
    if (waiting === undefined) return undefined
    waiting.cancel()
    this.#waitingBySocket.delete(socket)
    return waiting.details
  }

  /** Gives all of them up without a word. */
  destroyAll(): void {
    const sockets = [...this.#waitingBySocket.keys()]
    for (const socket of sockets) {
      this.finish(socket)
      socket.destroy()
    }
  }
}
