/** The `receipt` of a frame. */
import { HeaderId } from './codec/header-ids.ts'
import type { FrameHeaders } from './codec/headers.ts'

/** As RECEIPT writes it; undefined when the client wants none. Hot path. */
export function receiptOf(headers: FrameHeaders): Uint8Array | undefined {
  const index = headers.find(HeaderId.receipt)
  return index < 0 ? undefined : headers.encodedValueAt(index)
}
