/**
 * What a client has asked for and has no outcome yet: publishes that wait for the log or for room, commits, receipts that wait until
 * the log has what their frames did. `DISCONNECT` waits for all of it. [STOMP12-DISCONNECT-a]
 */
import type { PublishResult } from '@ternmq/core'
import { writeReceipt } from './codec/encode.ts'
import type { FrameHeaders } from './codec/headers.ts'
import type { StompConnection } from './connection.ts'
import { receiptOf, WaitingReceipts } from './receipts.ts'

/** Receipts that wait for the log; then no more frames are taken before it has caught up. */
const CONFIRMS_MAX = 4_096

export class Unfinished {
  readonly #client: StompConnection
  /** Number of the last publish. */
  #publishTag = 0
  /** Of all kinds; of publishes the core has a limit. */
  #count = 0
  readonly #receipts = new WaitingReceipts()
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
  onPublished(tag: number, result: PublishResult, headers: FrameHeaders): void {
    if (result === 'pending') {
      this.#count++
      this.#receipts.add(tag, headers)
      return
    }
    const receipt = receiptOf(headers)
    const client = this.#client
    if (result === 'refused') client.refuseFor(client.producer.refusal!, 'SEND', receipt)
    else if (receipt !== undefined) writeReceipt(client.transport, receipt)
  }

  /** A publish that was pending has its outcome; in their order. Hot path of durable messages. */
  onSettled(tag: number, result: Exclude<PublishResult, 'pending'>): void {
    this.#count--
    const hasReceipt = this.#receipts.take(tag)
    const client = this.#client
    if (client.isClosed) return
    const { bytes, start, end } = this.#receipts
    if (result === 'refused') {
      client.refuseFor(client.producer.refusal!, 'SEND', hasReceipt ? bytes.subarray(start, end) : undefined)
    } else if (hasReceipt) writeReceipt(client.transport, bytes, start, end)
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

  #checkDone(): void {
    if (this.#count > 0) return
    const done = this.#whenDone
    this.#whenDone = undefined
    done?.()
  }
}
