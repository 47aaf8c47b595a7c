/**
 * Memory for reads whose bytes nobody keeps: a long backlog is read in one or two buffers that are used again and again. As garbage
 * they would be collected late, being few objects for many bytes.
 */

/** The most that is read in one go, but for a single record that is larger. */
export const READ_BUFFER_BYTES: number = 1024 * 1024

/** Reads at the same time that have such a buffer; further ones have memory of just their size. */
const BUFFERS_MAX = 2

export class ReadBuffers {
  readonly #idle: ArrayBuffer[] = []
  readonly #lent = new Set<ArrayBuffer>()

  /** `bytes` of memory with anything in it, the caller's until `giveBack`. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > READ_BUFFER_BYTES || this.#lent.size === BUFFERS_MAX) return new Uint8Array(bytes)
    const buffer = this.#idle.pop() ?? new ArrayBuffer(READ_BUFFER_BYTES)
    this.#lent.add(buffer)
    return new Uint8Array(buffer, 0, bytes)
  }

  /** What `take` gave. Nobody may hold a view of it, nor may a read into it be under way. */
  giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (this.#lent.delete(buffer)) this.#idle.push(buffer)
  }
}
