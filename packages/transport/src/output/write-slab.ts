/**
 * Output of one connection: gathers a turn's packets in slabs and hands them over in one write. TCP, TLS, WebSocket and the
 * test pipe differ only in `send`.
 *
 * A slab's life: taken from the pool at the first `reserve` of a turn, filled, handed to the kernel at the end of the turn, and
 * given back when the kernel has taken every byte. At most one write is under way per connection: while a slow peer has not
 * taken it, later turns gather behind it, so a thousand small turns cost their bytes, not a slab each.
 */
import type { Output } from '@ternmq/core'

import { LOW_WATER_BYTES, type Outbox, type TurnOutput } from './outbox.ts'
import { SLAB_CLASS_MAX, slabClassFor } from './slab-pool.ts'

/**
 * A shared range shorter than this is copied unless its neighbours make it longer: a piece of a writev costs 0.3 us, as much as
 * copying 2 KiB that 50 connections pull through the cache.
 */
export const SHARE_MIN_BYTES: number = 2 * 1024

/**
 * Behind a write that the peer does not take, a range is shared only when it is at least this part of its memory: it keeps all
 * of it alive for as long as the peer pleases.
 */
const PINNED_PART_MIN: number = 1 / 8

const NO_BYTES: Uint8Array = Buffer.alloc(0)
/** Where output of a closed connection goes. Nobody reads it. */
let sink: Uint8Array = NO_BYTES

export abstract class SlabOutput implements Output, TurnOutput {
  slab: Uint8Array = NO_BYTES
  /** Handed over by now, whether it was taken or not. */
  bytesOut = 0
  protected readonly outbox: Outbox
  /** In `slab`: first byte that no piece holds yet, next free byte, end of the room. All 0 while no slab is ours. */
  #from = 0
  #at = 0
  #limit = 0
  #sizeClass = 0
  /** The shared range that is still growing, instead of the slab: then `#limit` is 0 and the slab's own is `#slabLimit`. */
  #shared: Uint8Array | undefined = undefined
  #sharedFrom = 0
  #sharedTo = 0
  #slabLimit = 0
  /** Finished pieces of this turn, in order, before `slab[from, at)`; their sum; and the full slabs they lie in. */
  #pieces: Uint8Array[] | undefined = undefined
  #pieceBytes = 0
  #fullSlabs: Uint8Array[] | undefined = undefined
  /** Handed over and not taken yet, and the slabs the kernel still reads. */
  #sentBytes = 0
  #sentSlabs: Uint8Array[] | undefined = undefined
  /** What the outbox knows of our unsent bytes. */
  #countedBytes = 0
  #isInOutbox = false
  #isEnding = false
  #isStopped = false
  #owesWritable = false

  constructor(outbox: Outbox) {
    this.outbox = outbox
  }

  /** Hands `pieces` over, in order. Returns true when every byte has been taken already; otherwise `sent` follows. */
  protected abstract send(pieces: readonly Uint8Array[]): boolean
  /** As `send` for one piece, the usual case. */
  protected abstract sendOne(piece: Uint8Array): boolean
  /** After `endOutput`, once all output was handed over: closes the sending side. */
  protected abstract finish(): void
  /** The peer takes deliveries again. */
  protected abstract becameWritable(): void
  /** The peer does not read, and `gatheredBytes` wait behind an earlier write: destroys the connection. */
  protected abstract overflowed(gatheredBytes: number): void

  /** Hot path. */
  reserve(byteCount: number): number {
    const at = this.#at
    const end = at + byteCount
    if (end > this.#limit) return this.#reserveInNext(byteCount)
    this.#at = end
    return at
  }

  write(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length)
    this.slab.set(bytes, at)
  }

  /** Hot path of a fan-out: a range that follows the last one costs two comparisons and no copy. */
  writeShared(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    if (bytes === this.#shared && start === this.#sharedTo) {
      this.#sharedTo = end
      return
    }
    const isFirst = this.#gatheredBytes === 0
    const isLong = end - start >= SHARE_MIN_BYTES || this.#sharedTo - this.#sharedFrom >= SHARE_MIN_BYTES
    const pinsTooMuch = this.#sentBytes > 0 && end - start < bytes.length * PINNED_PART_MIN
    if ((!isFirst && !isLong) || pinsTooMuch) {
      const at = this.reserve(end - start)
      this.slab.set(bytes.subarray(start, end), at)
      return
    }
    if (this.#isStopped || this.#isEnding) return
    if (this.#shared === undefined) {
      this.#closePiece()
      this.#slabLimit = this.#limit
      this.#limit = 0
    } else {
      this.#addPiece(this.#shared.subarray(this.#sharedFrom, this.#sharedTo))
    }
    this.#shared = bytes
    this.#sharedFrom = start
    this.#sharedTo = end
    this.#enterOutbox()
  }

  get pendingBytes(): number {
    return this.#gatheredBytes + this.#sentBytes
  }

  /** Not once it ends: what is delivered from then on would go nowhere, as settled as if it had been sent. */
  get writable(): boolean {
    if (this.#isEnding || this.#isStopped) return false
    if (this.pendingBytes <= this.outbox.highWaterBytes) return true
    this.#owesWritable = true
    return false
  }

  flushTurn(): void {
    this.#isInOutbox = false
    if (this.#sentBytes === 0 || this.#isEnding) this.#handOver()
    else if (this.#gatheredBytes > this.outbox.stuckBytesMax) this.overflowed(this.#gatheredBytes)
    this.#count()
    if (this.#isEnding && !this.#isStopped) {
      this.stopOutput()
      this.finish()
    }
    this.#tellWritable()
  }

  /** Everything written until now leaves at the end of the turn, then `finish` is called. Later output goes nowhere. */
  protected endOutput(): void {
    if (this.#isEnding || this.#isStopped) return
    this.#closeShared()
    this.#closePiece()
    if (this.#limit > 0) (this.#fullSlabs ??= []).push(this.slab)
    this.#dropSlab()
    this.#isEnding = true
    this.#enterOutbox()
  }

  /** The pipe is gone: what was gathered is dropped, later output goes nowhere. */
  protected stopOutput(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#closeShared()
    this.#giveBack(this.#fullSlabs)
    if (this.#limit > 0) this.outbox.slabs.give(this.slab)
    this.#dropSlab()
    this.#pieces = undefined
    this.#pieceBytes = 0
    this.#fullSlabs = undefined
    this.#count()
  }

  /** Every byte ever handed over has been taken. */
  protected sent(): void {
    this.#giveBack(this.#sentSlabs)
    this.#sentSlabs = undefined
    this.#sentBytes = 0
    this.#count()
    if (this.#gatheredBytes > 0) this.#enterOutbox()
    this.#tellWritable()
  }

  /** The pipe is gone for good. Slabs under way are left to the collector: the kernel may still hold them. */
  protected forgetSent(): void {
    this.#sentSlabs = undefined
    this.#sentBytes = 0
    this.#count()
  }

  get #gatheredBytes(): number {
    return this.#pieceBytes + this.#at - this.#from + this.#sharedTo - this.#sharedFrom
  }

  /** The slab is full, or there is none. */
  #reserveInNext(byteCount: number): number {
    if (this.#isStopped || this.#isEnding) return this.#reserveNowhere(byteCount)
    if (this.#shared !== undefined) return this.#reserveAfterShared(byteCount)
    if (this.#limit > 0) {
      this.#closePiece()
      ;(this.#fullSlabs ??= []).push(this.slab)
      if (this.#sizeClass < SLAB_CLASS_MAX) this.#sizeClass++
    }
    const slab = this.outbox.slabs.take(Math.max(this.#sizeClass, slabClassFor(byteCount)), byteCount)
    this.slab = slab
    this.#from = 0
    this.#at = byteCount
    this.#limit = slab.length
    this.#enterOutbox()
    return 0
  }

  /** A shared range that stayed short is cheaper copied than as a piece of its own. */
  #reserveAfterShared(byteCount: number): number {
    const bytes = this.#shared!
    const from = this.#sharedFrom
    const to = this.#sharedTo
    if (to - from >= SHARE_MIN_BYTES) {
      this.#closeShared()
      return this.reserve(byteCount)
    }
    this.#sharedFrom = this.#sharedTo
    this.#closeShared()
    const at = this.reserve(to - from)
    this.slab.set(bytes.subarray(from, to), at)
    return this.reserve(byteCount)
  }

  /** The growing range becomes a piece; the slab takes output again. */
  #closeShared(): void {
    const bytes = this.#shared
    if (bytes === undefined) return
    this.#limit = this.#slabLimit
    if (this.#sharedTo > this.#sharedFrom) this.#addPiece(bytes.subarray(this.#sharedFrom, this.#sharedTo))
    this.#shared = undefined
    this.#sharedFrom = 0
    this.#sharedTo = 0
  }

  /** A closed connection still takes output, so that no caller needs to ask. */
  #reserveNowhere(byteCount: number): number {
    if (sink.length < byteCount) sink = Buffer.allocUnsafeSlow(byteCount)
    this.slab = sink
    return 0
  }

  #closePiece(): void {
    if (this.#at === this.#from) return
    const piece = this.slab.subarray(this.#from, this.#at)
    this.#from = this.#at
    this.#addPiece(piece)
  }

  #addPiece(piece: Uint8Array): void {
    ;(this.#pieces ??= []).push(piece)
    this.#pieceBytes += piece.length
  }

  #handOver(): void {
    const byteCount = this.#gatheredBytes
    if (byteCount === 0) return
    this.bytesOut += byteCount
    let isTaken: boolean
    this.#closeShared()
    if (this.#pieces?.length === 1 && this.#at === this.#from) {
      isTaken = this.sendOne(this.#pieces[0]!)
    } else if (this.#pieces === undefined) {
      isTaken = this.sendOne(this.slab.subarray(this.#from, this.#at))
    } else {
      this.#closePiece()
      isTaken = this.send(this.#pieces)
    }
    const slabs = this.#fullSlabs
    if (isTaken) {
      if (this.#limit > 0) this.outbox.slabs.give(this.slab)
      this.#giveBack(slabs)
    } else {
      this.#sentBytes += byteCount
      const sentSlabs = (this.#sentSlabs ??= [])
      if (slabs !== undefined) sentSlabs.push(...slabs)
      if (this.#limit > 0) sentSlabs.push(this.slab)
    }
    this.#pieces = undefined
    this.#pieceBytes = 0
    this.#fullSlabs = undefined
    this.#dropSlab()
    // The next turn starts with what this one needed, one class down at most: a single burst is forgotten soon.
    this.#sizeClass = Math.max(slabClassFor(byteCount), this.#sizeClass - 1)
  }

  #dropSlab(): void {
    this.slab = NO_BYTES
    this.#from = 0
    this.#at = 0
    this.#limit = 0
  }

  #giveBack(slabs: Uint8Array[] | undefined): void {
    if (slabs === undefined) return
    for (const slab of slabs) this.outbox.slabs.give(slab)
  }

  #enterOutbox(): void {
    if (this.#isInOutbox) return
    this.#isInOutbox = true
    this.outbox.add(this)
  }

  #count(): void {
    const unsentBytes = this.#sentBytes + this.#gatheredBytes
    if (unsentBytes === this.#countedBytes) return
    this.outbox.countUnsent(unsentBytes - this.#countedBytes)
    this.#countedBytes = unsentBytes
  }

  #tellWritable(): void {
    if (!this.#owesWritable || this.#isStopped || this.pendingBytes > LOW_WATER_BYTES) return
    this.#owesWritable = false
    this.becameWritable()
  }
}
