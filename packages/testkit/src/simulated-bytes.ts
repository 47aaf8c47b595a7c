/** Contents of one simulated file: blocks that exist only where something was written, zeros between them. */

/** Bytes of a block: what a file system gives out at a time, so allocated blocks are what a file costs. */
export const BLOCK_BYTES = 4096

export class SparseBytes {
  readonly #blocks = new Map<number, Uint8Array>()
  #size = 0

  /** Bytes up to the end. */
  get size(): number {
    return this.#size
  }

  /** Bytes of the blocks that were written; holes cost nothing. */
  get allocatedBytes(): number {
    return this.#blocks.size * BLOCK_BYTES
  }

  /** Blocks that a write of `byteCount` at `position` would have to allocate, in bytes. */
  missingBytes(position: number, byteCount: number): number {
    let missing = 0
    const end = Math.ceil((position + byteCount) / BLOCK_BYTES)
    for (let block = Math.floor(position / BLOCK_BYTES); block < end; block++)
      if (!this.#blocks.has(block)) missing += BLOCK_BYTES
    return missing
  }

  write(position: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const at = position + done
      const index = Math.floor(at / BLOCK_BYTES)
      const offset = at - index * BLOCK_BYTES
      const byteCount = Math.min(bytes.length - done, BLOCK_BYTES - offset)
      let block = this.#blocks.get(index)
      if (block === undefined) this.#blocks.set(index, (block = new Uint8Array(BLOCK_BYTES)))
      block.set(bytes.subarray(done, done + byteCount), offset)
      done += byteCount
    }
    if (bytes.length > 0) this.#size = Math.max(this.#size, position + bytes.length)
  }

  /** Fills `target` from `position` on; returns the count of bytes that are before the end. */
  read(position: number, target: Uint8Array): number {
    const byteCount = Math.max(0, Math.min(target.length, this.#size - position))
    for (let done = 0; done < byteCount;) {
      const at = position + done
      const index = Math.floor(at / BLOCK_BYTES)
      const offset = at - index * BLOCK_BYTES
      const piece = Math.min(byteCount - done, BLOCK_BYTES - offset)
      const block = this.#blocks.get(index)
      if (block === undefined) target.fill(0, done, done + piece)
      else target.set(block.subarray(offset, offset + piece), done)
      done += piece
    }
    return byteCount
  }

  /** Cuts, or extends with a hole. */
  truncate(size: number): void {
    if (size < this.#size) {
      const keep = Math.ceil(size / BLOCK_BYTES)
      for (const index of this.#blocks.keys()) if (index >= keep) this.#blocks.delete(index)
      const rest = size % BLOCK_BYTES
      if (rest > 0) this.#blocks.get(keep - 1)?.fill(0, rest)
    }
    this.#size = size
  }

  clone(): SparseBytes {
    const copy = new SparseBytes()
    for (const [index, block] of this.#blocks) copy.#blocks.set(index, block.slice())
    copy.#size = this.#size
    return copy
  }

  /** All of it, holes as zeros. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#size)
    this.read(0, bytes)
    return bytes
  }
}
