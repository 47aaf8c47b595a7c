/** The `receipt` of a frame, and those that wait for the outcome of a publish. */
import { HeaderId } from './codec/header-ids.ts'
import type { FrameHeaders } from './codec/headers.ts'

/** As RECEIPT writes it; undefined when the client wants none. */
export function receiptOf(headers: FrameHeaders): Uint8Array | undefined {
  const index = headers.find(HeaderId.receipt)
  return index < 0 ? undefined : headers.encodedValueAt(index)
}

/** Before each value: its tag and its length, 32 bits each. */
const ENTRY_BYTES = 8
const BYTES_MIN = 256
/** More is given back when nothing waits. */
const BYTES_KEPT_MAX = 4 * 1024
const NO_BYTES = new Uint8Array(0)

/**
 * Receipts of publishes, which get their outcomes in the order in which they were sent. One behind the other in one piece of
 * memory: a client with a window of a hundred has a hundred of them all the time.
 */
export class WaitingReceipts {
  /** Where the last `take` found the value; good until the next call. */
  bytes: Uint8Array = NO_BYTES
  start = 0
  end = 0
  /** First entry, and where the next goes. */
  #head = 0
  #tail = 0

  /** The frame's receipt waits for publish `tag`, which is higher than all before, if it has one. Hot path of durable messages. */
  add(tag: number, headers: FrameHeaders): void {
    const index = headers.find(HeaderId.receipt)
    if (index < 0) return
    const plainBytes = headers.encodedBytesAsIs(index)
    const value = plainBytes < 0 ? headers.encodedValueAt(index) : undefined
    const size = value?.length ?? plainBytes
    if (this.#tail === 0 && this.bytes.length > BYTES_KEPT_MAX) this.bytes = NO_BYTES
    if (this.#tail + ENTRY_BYTES + size > this.bytes.length) this.#makeRoom(ENTRY_BYTES + size)
    const { bytes } = this
    put(bytes, this.#tail, tag)
    put(bytes, this.#tail + 4, size)
    if (value === undefined) headers.copyValue(index, bytes, this.#tail + ENTRY_BYTES)
    else bytes.set(value, this.#tail + ENTRY_BYTES)
    this.#tail += ENTRY_BYTES + size
  }

  /** Takes out the receipt of publish `tag`: it is `bytes[start, end)`. False when it has none. Hot path of durable messages. */
  take(tag: number): boolean {
    const { bytes } = this
    if (this.#head === this.#tail || read(bytes, this.#head) !== tag >>> 0) return false
    this.start = this.#head + ENTRY_BYTES
    this.end = this.start + read(bytes, this.#head + 4)
    this.#head = this.end
    if (this.#head === this.#tail) {
      this.#head = 0
      this.#tail = 0
    }
    return true
  }

  #makeRoom(byteCount: number): void {
    const before = this.bytes
    const used = this.#tail - this.#head
    const needed = used + byteCount
    // Half empty at least: so much has been added since the last move that it has paid for this one.
    const bytes = needed * 2 <= before.length ? before : new Uint8Array(Math.max(BYTES_MIN, needed * 2))
    bytes.set(before.subarray(this.#head, this.#tail))
    this.bytes = bytes
    this.#head = 0
    this.#tail = used
  }
}

function put(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

function read(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}
