/** Somebody who speaks another protocol: publishes to queues, and takes from one what comes, as the core sees it. */
import type { Delivery, DeliverySink, Receiver, Session } from '@ternmq/core'
import { assert } from '@ternmq/testkit/fuzzer'
import type { World } from '../harness.ts'
import type { Holder, Ledger, Parcel } from './session-ledger.ts'

const CLIENT_ID = 'elsewhere'
/** Deliveries that it has at a time. */
const CREDIT = 4

interface Had {
  readonly delivery: Delivery
  readonly parcel: Parcel | undefined
}

export class Elsewhere implements DeliverySink, Holder {
  readonly #world: World
  readonly #ledger: Ledger
  #session: Session | undefined = undefined
  #receiver: Receiver | undefined = undefined
  #queue = ''
  /** Not settled yet, and settled since the last look. */
  readonly #held: Had[] = []
  readonly #said: Had[] = []
  // ── Holder ──
  readonly isCertain = true
  readonly isLate = false
  // ── DeliverySink ──
  readonly writable = true

  constructor(world: World, ledger: Ledger) {
    this.#world = world
    this.#ledger = ledger
  }

  publish(queue: string, assurance: 0 | 1): void {
    const { text, parcel } = this.#ledger.send(queue, 0, assurance === 1)
    if (parcel !== undefined && assurance === 0) parcel.mayGo = true
    this.#world.publish(`$queue/${queue}`, text, assurance)
  }

  /** Takes from that queue, and from none before. */
  consume(queue: string): void {
    this.leave()
    this.#queue = queue
    const defaults = {
      principal: { name: CLIENT_ID, anonymous: false },
      cleanStart: true,
      expiryMs: 0,
      creditMax: 0,
      will: undefined,
    }
    const opened = this.#world.vhost.sessions.open({ clientId: CLIENT_ID, owner: { onEvicted: () => {} }, ...defaults })
    assert(opened.ok, 'another protocol gets no session')
    this.#session = opened.value.session
    const wanted = { selector: undefined, assuranceMax: 1, creditMax: CREDIT, data: {}, sink: this } as const
    const received = this.#session.openReceiver({ source: { kind: 'queue', queue }, ...wanted })
    assert(received.ok, `another protocol cannot take from queue ${queue}`)
    this.#receiver = received.value
  }

  /** Its connection is lost. */
  leave(): void {
    for (const { parcel } of this.#held.splice(0)) {
      parcel?.holders.delete(this)
      if (parcel !== undefined) parcel.mayMove = true
    }
    this.#receiver = undefined
    this.#session?.disconnect()
    this.#session = undefined
  }

  deliver(delivery: Delivery): boolean {
    const { message } = delivery
    const payload = Buffer.from(message.bytes.subarray(message.headerStart, message.end))
    const parcel = this.#ledger.deliver(payload, this.#queue, this)
    if (delivery.assurance > 0) this.#held.push({ delivery, parcel })
    else {
      parcel?.take('yes')
      if (parcel !== undefined) parcel.wasJustTaken = true
      parcel?.holders.delete(this)
    }
    return true
  }

  onQueueDeleted(): void {
    for (const { parcel } of this.#held.splice(0)) parcel?.holders.delete(this)
  }

  /** Everything that was said has been heard. */
  settle(): void {
    for (const { parcel } of this.#said.splice(0)) if (parcel?.taken === 'maybe') parcel.take('yes')
  }

  /** Accepts what it has. */
  accept(): void {
    if (this.#receiver === undefined) return
    for (const had of this.#held.splice(0)) {
      had.delivery.consumer!.settle(had.delivery, 'accepted')
      had.parcel?.take('maybe')
      had.parcel?.holders.delete(this)
      this.#said.push(had)
    }
  }
}
