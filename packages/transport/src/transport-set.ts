/** The open transports of a listener, so that it can close them all. */
import type { Transport } from '@ternmq/core'

export class TransportSet<T extends Transport = Transport> {
  readonly #transports = new Set<T>()
  #isEmpty: (() => void) | undefined = undefined
  #whenEmpty: Promise<void> | undefined = undefined

  add(transport: T): void {
    this.#transports.add(transport)
  }

  delete(transport: T): void {
    this.#transports.delete(transport)
    if (this.#transports.size === 0) this.#isEmpty?.()
  }

  get size(): number {
    return this.#transports.size
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#transports.values()
  }

  /** Returns when the last one said that it is gone. Call it only once nothing is added any more. */
  destroyAll(reason: string): Promise<void> {
    for (const transport of this.#transports) transport.destroy(reason)
    if (this.#transports.size === 0) return Promise.resolve()
    this.#whenEmpty ??= new Promise((resolve) => {
      this.#isEmpty = resolve
    })
    return this.#whenEmpty
  }
}
