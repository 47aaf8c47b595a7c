/** Clients that cost little beside the broker: they walk over what comes and answer what must be answered. */
import type { Connection } from '@ternmq/core'
import type { PipeTransport } from '@ternmq/testkit'

import { bodyStart, publishPacket, type PublishShape, remainingLength } from '../wire.ts'

const PUBLISH = 3
const PUBREC = 5
const PUBREL = 6

/** The rest of a packet whose end has not come is kept for the next read. */
abstract class Walker implements Connection {
  protected readonly pipe: PipeTransport
  #rest: Uint8Array = new Uint8Array(0)
  closedBecause: string | undefined = undefined

  constructor(pipe: PipeTransport) {
    this.pipe = pipe
    pipe.attach(this)
  }

  onBytes(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at + 5 <= bytes.length || at + 2 + (bytes[at + 1] ?? 0) <= bytes.length) {
      const body = bodyStart(bytes, at)
      const end = body + remainingLength(bytes, at)
      if (end > bytes.length) break
      this.onPacket(bytes, at, body)
      at = end
    }
    this.#rest = at === bytes.length ? new Uint8Array(0) : Uint8Array.from(bytes.subarray(at))
  }

  onWritable(): void {}

  onClosed(reason: string): void {
    this.closedBecause = reason
  }

  protected abstract onPacket(bytes: Uint8Array, start: number, body: number): void

  protected answer(first: number, bytes: Uint8Array, idAt: number): void {
    const at = this.pipe.reserve(4)
    const { slab } = this.pipe
    slab[at] = first
    slab[at + 1] = 2
    slab[at + 2] = bytes[idAt]!
    slab[at + 3] = bytes[idAt + 1]!
  }
}

export class Subscriber extends Walker {
  messages = 0
  bytes = 0

  protected override onPacket(bytes: Uint8Array, start: number, body: number): void {
    const first = bytes[start]!
    if (first >> 4 === PUBLISH) {
      this.messages++
      this.bytes += remainingLength(bytes, start)
      const qos = (first >> 1) & 3
      if (qos === 0) return
      const idAt = body + 2 + ((bytes[body]! << 8) | bytes[body + 1]!)
      this.answer(qos === 1 ? 0x40 : 0x50, bytes, idAt)
    } else if (first >> 4 === PUBREL) {
      this.answer(0x70, bytes, body)
    }
  }
}

export class Publisher extends Walker {
  readonly #batch: Buffer
  readonly messagesPerBatch: number

  /** `batchBytes` is about what one read of a socket brings. */
  constructor(pipe: PipeTransport, shape: PublishShape, batchBytes: number, messagesMax: number) {
    super(pipe)
    const one = publishPacket(shape, 1)
    this.messagesPerBatch = Math.min(messagesMax, Math.max(1, Math.floor(batchBytes / one.length)))
    this.#batch = Buffer.concat(
      Array.from({ length: this.messagesPerBatch }, (_, index) => publishPacket(shape, index + 1)),
    )
  }

  sendBatch(): void {
    this.pipe.writeShared(this.#batch)
  }

  protected override onPacket(bytes: Uint8Array, start: number, body: number): void {
    if (bytes[start]! >> 4 === PUBREC) this.answer(0x62, bytes, body)
  }
}
