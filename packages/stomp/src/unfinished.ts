/**
 * What a client has asked for and has no outcome yet: publishes that wait for the log or for room, commits, receipts that wait until
 * the log has what their frames did. `DISCONNECT` waits for all of it. [STOMP12-DISCONNECT-a]
 */
import type { PublishResult } from '@ternmq/core'
import { writeReceipt } from './codec/encode.ts'
import type { FrameHeaders } from './codec/headers.ts'
import type { StompConnection } from './connection.ts'
import { receiptOf } from './receipts.ts'

/** Receipts that wait for the log; then no more frames are taken before it has caught up. */
const CONFIRMS_MAX = 4_096

export class Unfinished {
  readonly #client: StompConnection
  /** Number of the last publish. */
  #publishTag = 0
  /** Of all kinds; of publishes the core has a limit. */
  #count = 0
  /** By the number of the publish that they wait for. */
  readonly #receipts = new Map<number, Uint8Array>()
  /** Receipts that wait for the log alone. */
  #confirmCount = 0
  #whenDone: (() => void) | undefined = undefined

  constructor(client: StompConnection) {
    this.#client = client
  }

  /** The number of the next publish. Hot path. */
  nextPublish(): number {
    return ++this.#publishTag
  }

  /** A publish that has its outcome, or will have it: `onSettled` with the number that `nextPublish` gave. Hot path. */
  onPublished(tag: number, result: PublishResult, receipt: Uint8Array | undefined): void {
    if (result === 'pending') {
      this.#count++
      if (receipt !== undefined) this.#receipts.set(tag, receipt)
      return
    }
    this.#answer(result, receipt)
  }

  /** A publish that was pending has its outcome. Hot path of durable messages. */
  onSettled(tag: number, result: Exclude<PublishResult, 'pending'>): void {
    this.#count--
    const receipt = this.#receipts.get(tag)
    if (receipt !== undefined) this.#receipts.delete(tag)
    if (this.#client.isClosed) return
    this.#answer(result, receipt)
    this.#checkDone()
  }

  /** Something that ends later has begun. Call what this returns when it has. */
  begin(): () => void {
    this.#count++
    return () => {
      this.#count--
      if (!this.#client.isClosed) this.#checkDone()
    }
  }

  /** The frame's receipt, once all that it did is in the log. [STOMP12-RECEIPT-b] */
  confirm(headers: FrameHeaders): void {
    const receipt = receiptOf(headers)
    if (receipt !== undefined) this.confirmLater(receipt)
  }

  confirmLater(receipt: Uint8Array): void {
    const client = this.#client
    const { log } = client.adapter.vhost
    if (log.settledSoFar() === undefined) return writeReceipt(client.transport, receipt)
    const finished = this.begin()
    this.#confirmCount++
    log.afterBatches(() => {
      this.#confirmCount--
      if (!client.isClosed) writeReceipt(client.transport, receipt)
      finished()
    })
    if (this.#confirmCount < CONFIRMS_MAX || client.isBusy) return
    client.waitFor(new Promise((resolve) => log.afterBatches(resolve)))
  }

  /** Runs `then` once nothing that the client sent before is unfinished. */
  whenDone(then: () => void): void {
    this.#whenDone = then
    this.#checkDone()
  }

  #answer(result: Exclude<PublishResult, 'pending'>, receipt: Uint8Array | undefined): void {
    const client = this.#client
    if (result === 'refused') client.refuseFor(client.producer.refusal!, 'SEND', receipt)
    else if (receipt !== undefined) writeReceipt(client.transport, receipt)
  }

  #checkDone(): void {
    if (this.#count > 0) return
    const done = this.#whenDone
    this.#whenDone = undefined
    done?.()
  }
}
