/**
 * Memory for a turn's output. A connection holds a slab only between its first write of a turn and the moment the kernel has
 * taken the bytes, so an idle connection holds none and a fan-out to 10,000 peers takes the smallest class for each.
 */

/** Bytes per slab, ascending. The first fits a few small packets, the last some thousand. */
export const SLAB_BYTES: readonly number[] = [2 * 1024, 16 * 1024, 128 * 1024]

/** Largest index into `SLAB_BYTES`. */
export const SLAB_CLASS_MAX: number = SLAB_BYTES.length - 1

/**
 * Slabs kept for reuse, per class: 8 MiB, 4 MiB and 4 MiB. More than that comes back only after a burst, and then goes to the
 * garbage collector.
 */
const KEPT_MAX: readonly number[] = [4096, 256, 32]

export class SlabPool {
  readonly #free: Uint8Array[][] = SLAB_BYTES.map(() => [])

  /** A slab of the class, or one of exactly `byteCount` bytes when that is more. Its content is left over from earlier use. */
  take(sizeClass: number, byteCount: number): Uint8Array {
    const bytes = SLAB_BYTES[sizeClass] as number
    if (byteCount > bytes) return Buffer.allocUnsafeSlow(byteCount)
    return this.#free[sizeClass]?.pop() ?? Buffer.allocUnsafeSlow(bytes)
  }

  /** Takes a slab back. The caller must hold no view of it, and neither may the kernel. */
  give(slab: Uint8Array): void {
    const sizeClass = SLAB_BYTES.indexOf(slab.length)
    if (sizeClass < 0) return // made for one large packet
    const free = this.#free[sizeClass] as Uint8Array[]
    if (free.length < (KEPT_MAX[sizeClass] as number)) free.push(slab)
  }

  /** Bytes that wait for reuse. */
  get idleBytes(): number {
    return this.#free.reduce((sum, free, sizeClass) => sum + free.length * (SLAB_BYTES[sizeClass] as number), 0)
  }
}

/** Smallest class that holds `byteCount`, or the largest there is. */
export function slabClassFor(byteCount: number): number {
  for (let sizeClass = 0; sizeClass < SLAB_CLASS_MAX; sizeClass++) {
    if (byteCount <= (SLAB_BYTES[sizeClass] as number)) return sizeClass
  }
  return SLAB_CLASS_MAX
}
