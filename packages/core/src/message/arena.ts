/**
 * Memory for messages that wait. Small ones share blocks, so that keeping one costs no buffer object of its own;
 * a block lives as long as its longest waiter, so blocks are small and large messages get their own.
 */

/** At worst one waiting message keeps this much alive. */
const BLOCK_BYTES = 16_384
/** From here on a message gets a buffer of its own. */
const OWN_BUFFER_BYTES_MIN = 4_096
/** Up to here a loop beats the call into `TypedArray.set` (measured: about 20 ns at 32 bytes against 45). */
const LOOP_BYTES_MAX = 48

let block = new Uint8Array(BLOCK_BYTES)
let used = 0

/** Where the last `keep` put its bytes. Read both at once after the call; this saves an object per message. */
export const kept: { bytes: Uint8Array; start: number } = { bytes: block, start: 0 }

/** Copies `bytes[start, end)` into lasting memory and reports the place in `kept`. */
export function keep(bytes: Uint8Array, start: number, end: number): void {
  const size = end - start
  if (size >= OWN_BUFFER_BYTES_MIN) {
    // Not `slice`: what the network hands out is a Buffer, whose `slice` is a view of the read buffer.
    kept.bytes = new Uint8Array(size)
    kept.bytes.set(bytes.subarray(start, end))
    kept.start = 0
    return
  }
  if (used + size > BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES)
    used = 0
  }
  kept.bytes = block
  kept.start = used
  copyBytes(bytes, start, end, block, used)
  used += size
}

/** A read is at most 64 KiB, so what one read brings lies in one or two of these. */
const RUN_BLOCK_BYTES = 65_536

let runBlock = new Uint8Array(0)
let runUsed = 0

/**
 * As `keep`, for messages that many connections get at once: one that follows another lies right behind it, so that a connection
 * that gets both sends one piece of memory.
 */
export function keepInRun(bytes: Uint8Array, start: number, end: number): void {
  const size = end - start
  if (runUsed + size > runBlock.length) {
    runBlock = new Uint8Array(Math.max(size, RUN_BLOCK_BYTES))
    runUsed = 0
  }
  kept.bytes = runBlock
  kept.start = runUsed
  copyBytes(bytes, start, end, runBlock, runUsed)
  runUsed += size
}

/** Copies `source[start, end)` to `target` at `at`. Hot path: chooses the cheaper way by size. */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  if (end - start <= LOOP_BYTES_MAX) {
    for (let index = start; index < end; index++) target[at++] = source[index]!
  } else {
    target.set(source.subarray(start, end), at)
  }
}
