/** Copies of parts of a packet. The packet's own memory belongs to the transport and is reused after the call. */

/** `bytes[start, end)` in memory of its own. `Buffer.prototype.slice`, unlike that of Uint8Array, would share it. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end))
}
