/**
 * Input of one connection that cannot be handed on yet, in memory of its own: the beginning of a packet or frame whose end has not come,
 * and what came while an earlier one is being worked on. Every protocol's splitter has one; what it limits is the splitter's business.
 */

/** Most beginnings of packets are shorter. */
const BYTES_MIN = 128

export class HeldInput {
  /** `bytes[0, length)` is held; undefined while nothing is. */
  bytes: Uint8Array | undefined = undefined
  length = 0
  /** Memory that is being read again. */
  #resumed: Uint8Array | undefined = undefined

  /** Memory that it takes, whatever of it is in use. */
  get memoryBytes(): number {
    return this.bytes === undefined ? 0 : this.bytes.buffer.byteLength
  }

  /** Adds `chunk[start, end)`. Memory grows with what has come, never with what was announced; `sizeMax` is the most that will be needed. */
  append(chunk: Uint8Array, start: number, end: number, sizeMax: number): void {
    const needed = this.length + end - start
    const before = this.bytes
    if (before === undefined || needed > before.length) {
      const size = Math.max(needed, BYTES_MIN, Math.min(sizeMax, (before?.length ?? 0) * 2))
      const larger = new Uint8Array(size)
      if (before !== undefined) larger.set(before.subarray(0, this.length))
      this.bytes = larger
    }
    this.bytes!.set(chunk.subarray(start, end), this.length)
    this.length = needed
  }

  /** As `append`, of all from `at` on. With `isWaiting` nothing of it is looked at before `resume`. */
  hold(chunk: Uint8Array, at: number, isWaiting: boolean, sizeMax: number): void {
    if (!isWaiting || this.#resumed === undefined) return this.append(chunk, at, chunk.length, sizeMax)
    // Held again: what is left stays where it is. To move it for every packet would cost the square of what a client sends ahead.
    this.bytes = this.#resumed.subarray(at)
    this.length = chunk.length - at
  }

  /** Gives out all of it, to be read again until `endResume`; undefined when there is nothing. */
  beginResume(): Uint8Array | undefined {
    const memory = this.bytes
    if (memory === undefined) return undefined
    const held = memory.subarray(0, this.length)
    this.clear()
    this.#resumed = memory
    return held
  }

  endResume(): void {
    this.#resumed = undefined
  }

  /** Gives out its memory, of which the first `length` bytes were held, and holds nothing any more. */
  take(): Uint8Array {
    const bytes = this.bytes!
    this.clear()
    return bytes
  }

  clear(): void {
    this.bytes = undefined
    this.length = 0
  }
}
