/** node codec.bench.ts: what a frame costs in and out, per frame. Goal: a SEND with 16 bytes in at most 0.4 µs. */
import type { Output } from '@ternmq/core'
import { bench, do_not_optimize, run, summary } from 'mitata'

import { encodeLines, messageHead, writeMessage, writeReceipt } from './encode.ts'
import { type FrameSink, FrameSplitter } from './frame-splitter.ts'
import { HeaderId } from './header-ids.ts'
import { type FrameHeaders, headerMask } from './headers.ts'
import { DEFAULT_FRAME_LIMITS } from './limits.ts'

/** Frames in one read. */
const FRAMES = 256

class CountingSink implements FrameSink {
  readonly limits = DEFAULT_FRAME_LIMITS
  readonly version = 12
  count = 0

  onFrame(headers: FrameHeaders, _bytes: Uint8Array, bodyStart: number, bodyEnd: number): boolean {
    this.count += headers.count + bodyEnd - bodyStart
    return true
  }
}

/** As a handler does for a SEND that it has not seen: where to, with which headers, and whether to tell when it is done. */
class ReadingSink extends CountingSink {
  override onFrame(headers: FrameHeaders, bytes: Uint8Array, bodyStart: number, bodyEnd: number): boolean {
    const memo = (headers.memo ??= { to: headers.get(HeaderId.destination), lines: headers.canonicalLines(HOP) })
    const receipt = headers.find(HeaderId.receipt)
    if (receipt >= 0) do_not_optimize(headers.encodedValueAt(receipt))
    do_not_optimize(memo)
    return super.onFrame(headers, bytes, bodyStart, bodyEnd)
  }
}

const HOP = headerMask([HeaderId.destination, HeaderId.receipt, HeaderId.transaction, HeaderId.contentLength])

function stream(frame: (index: number) => string): Uint8Array {
  return Buffer.from(Array.from({ length: FRAMES }, (_, index) => frame(index)).join(''))
}

const body16 = 'x'.repeat(16)
const body1024 = 'x'.repeat(1024)
const short = stream(() => `SEND\ndestination:/queue/a\ncontent-length:16\n\n${body16}\0`)
const withoutLength = stream(() => `SEND\ndestination:/queue/a\n\n${body16}\0\n`)
const receipts = stream((n) => `SEND\ndestination:/queue/a\nreceipt:message-${n}\ncontent-length:16\n\n${body16}\0`)
const long = stream((n) => `SEND\ndestination:/queue/a\nreceipt:message-${n}\ncontent-length:1024\n\n${body1024}\0`)
const manyHeaders = stream(
  (n) =>
    `SEND\ndestination:/topic/prices.eu.${n}\npersistent:true\ncontent-type:application/json;charset=utf-8\n` +
    `correlation-id:c${n}\nsource:exchange\\c7\nregion:north\ncontent-length:16\n\n${body16}\0`,
)
const acks = stream((n) => `ACK\nid:${n}\n\n\0`)

function read(name: string, bytes: Uint8Array, sink: CountingSink): void {
  const splitter = new FrameSplitter()
  const size = Math.round(bytes.length / FRAMES)
  bench(`${name}, ${size} B each, ${FRAMES} frames`, () => splitter.read(bytes, sink))
}

summary(() => {
  read('split: SEND of 16 B, the same headers', short, new CountingSink())
  read('split: SEND of 16 B, without content-length', withoutLength, new CountingSink())
  read('split: SEND of 16 B, a receipt in each', receipts, new CountingSink())
  read('split: SEND of 1 KiB, a receipt in each', long, new CountingSink())
  read('split: SEND of 16 B, 7 headers that change', manyHeaders, new CountingSink())
  read('split: ACK', acks, new CountingSink())
})
summary(() => {
  read('read: SEND of 16 B, the same headers', short, new ReadingSink())
  read('read: SEND of 16 B, a receipt in each', receipts, new ReadingSink())
  read('read: SEND of 16 B, 7 headers that change', manyHeaders, new ReadingSink())
})

const slab = Buffer.alloc(65_536)
const out: Output = {
  slab,
  pendingBytes: 0,
  writable: true,
  reserve: () => 0,
  write: () => undefined,
  writeShared: () => undefined,
}
const fields = { destination: '/queue/a', subscription: '0', idPrefix: 's1-0-', hasAck: true }
const head = messageHead(fields, 12)
const lines = encodeLines([['content-type', 'text/plain']], 12)
const bodyBytes = Buffer.from(body1024)
let tag = 0
summary(() => {
  bench('write MESSAGE of 16 B', () => writeMessage(out, head, tag++, lines, 0, lines.length, bodyBytes, 0, 16))
  bench('write MESSAGE of 1 KiB', () => writeMessage(out, head, tag++, lines, 0, lines.length, bodyBytes, 0, 1024))
  bench('write RECEIPT', () => writeReceipt(out, bodyBytes.subarray(0, 11)))
})

await run()
