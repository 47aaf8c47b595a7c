/**
 * Random output through a real kernel, checked byte for byte at the far end while the reader stops and starts: memory that is
 * reused before libuv, OpenSSL or the kernel is done with it shows as wrong bytes.
 */
import type { Socket } from 'node:net'

import { type Accepted, turn } from './socket-rig.ts'

/** The stream repeats this block; a prime length, so that no slab boundary ever lines up with it. */
const BLOCK_BYTES = 65_521
/** Twice the block and the largest piece: any stretch of the stream is one slice of it. */
const stretch: Buffer = Buffer.alloc(BLOCK_BYTES * 8)
let seed = 12_345
for (let i = 0; i < stretch.length; i++) stretch[i] = i < BLOCK_BYTES ? next(256) : (stretch[i - BLOCK_BYTES] as number)

const PIECE_MAX = BLOCK_BYTES * 6

function next(limit: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((seed / 2 ** 32) * limit)
}

/** The stream's bytes from `offset`; `byteCount` at most `PIECE_MAX`. */
function expected(offset: number, byteCount: number): Buffer {
  const from = offset % BLOCK_BYTES
  return stretch.subarray(from, from + byteCount)
}

/** Checks everything that comes; returns when `totalBytes` have, and fails at the first wrong byte. */
export class StreamChecker {
  readBytes = 0
  readonly #totalBytes: number
  readonly done: Promise<void>
  #resolve!: () => void
  #reject!: (error: Error) => void

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  check(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += PIECE_MAX) {
      const part = chunk.subarray(at, at + PIECE_MAX)
      if (!part.equals(expected(this.readBytes, part.length))) {
        this.#reject(new Error(`wrong bytes between ${this.readBytes} and ${this.readBytes + part.length}`))
        return
      }
      this.readBytes += part.length
    }
    if (this.readBytes >= this.#totalBytes) this.#resolve()
  }
}

/** Writes `totalBytes` in pieces of every kind, many to a turn, waiting only where an adapter would. */
export async function writeRandomPieces(accepted: Accepted, totalBytes: number): Promise<void> {
  const { transport } = accepted
  let written = 0
  while (written < totalBytes && accepted.closedWith.length === 0) {
    for (let count = next(40); count > 0 && transport.writable && written < totalBytes; count--) {
      const kind = next(20)
      const wanted = kind < 12 ? 1 + next(300) : kind < 18 ? 1 + next(20_000) : 1 + next(PIECE_MAX)
      const byteCount = Math.min(wanted, totalBytes - written)
      const piece = expected(written, byteCount)
      if (next(3) === 0) transport.writeShared(piece)
      else if (next(2) === 0) transport.write(piece)
      else {
        const at = transport.reserve(byteCount)
        transport.slab.set(piece, at)
      }
      written += byteCount
    }
    const calls = accepted.writableCalls
    if (transport.writable) await turn()
    else await accepted.until(() => accepted.writableCalls > calls || accepted.closedWith.length > 0)
  }
}

/** Stops `stream` after random stretches and lets it run again some turns later. */
export function readInFits(stream: { pause(): void; resume(): void }, checker: StreamChecker): (chunk: Buffer) => void {
  let untilPause = next(4_000_000)
  return (chunk) => {
    checker.check(chunk)
    untilPause -= chunk.length
    if (untilPause > 0) return
    untilPause = next(4_000_000)
    stream.pause()
    void turns(next(300)).then(() => stream.resume()) // cannot fail
  }
}

/** Returns how many bytes came and were right. */
export async function pumpRandomPieces(accepted: Accepted, peer: Socket, totalBytes: number): Promise<number> {
  const checker = new StreamChecker(totalBytes)
  peer.on('data', readInFits(peer, checker))
  await writeRandomPieces(accepted, totalBytes)
  await checker.done
  while (accepted.transport.pendingBytes > 0) await turn()
  return checker.readBytes
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}
