/** What became of every message of a run, as far as its clients can know: nothing accepted is lost, nothing settled comes again. */
import { assert } from '@ternmq/testkit/fuzzer'

/** Who has a delivery that it has not settled. */
export interface Holder {
  /** It is what it seems: it has not gone, and reads what it is told. */
  readonly isCertain: boolean
  /** What it reads now may have been sent long ago. */
  readonly isLate: boolean
}

/** Takes what no queue could deliver. */
export const DEAD_LETTERS = 'DLQ'

/** A pattern that all queues match. */
export const ALL_QUEUES = '>'

export class Parcel {
  readonly id: number
  /** The queue that it was sent to. */
  readonly home: string
  readonly isDurable: boolean
  /** All of its body. */
  readonly text: string
  /** in: the broker has answered for it. out: it said no, or it was part of what did not happen. */
  state: 'unknown' | 'in' | 'out' = 'unknown'
  /** A receiver has settled it for good; maybe: it has said so, and it is not certain that it was heard. */
  taken: 'no' | 'maybe' | 'yes' = 'no'
  /** It was settled by being sent, in this round of reading. */
  wasJustTaken = false
  /** It may be gone by itself: expired, pushed out, deleted with its queue. */
  mayGo = false
  /** It may be among the dead letters. */
  mayMove = false
  readonly holders: Set<Holder> = new Set()

  constructor(id: number, home: string, text: string, isDurable: boolean) {
    this.id = id
    this.home = home
    this.text = text
    this.isDurable = isDurable
  }

  get name(): string {
    return `message ${this.id} of queue ${this.home}`
  }

  /** It did not happen: nobody may get it. */
  refuse(): void {
    assert(this.state !== 'in', `${this.name} was accepted, and refused then`)
    this.state = 'out'
  }

  /** A receiver wants nothing more of it, or will have been heard to say so. */
  take(how: 'maybe' | 'yes'): void {
    if (this.taken !== 'yes') this.taken = how
  }
}

export interface Letter {
  readonly text: string
  readonly parcel: Parcel | undefined
}

export class Ledger {
  readonly #parcels = new Map<number, Parcel>()
  readonly #lossyQueues: readonly string[]
  /** Held by somebody since the last look. */
  readonly #handed = new Set<Parcel>()
  #lastId = 0
  deliveredCount = 0

  /** `lossyQueues`: queues that let messages go. */
  constructor(lossyQueues: readonly string[]) {
    this.#lossyQueues = lossyQueues
  }

  /** A message is about to be sent, with `fill` bytes of body beside what says which it is; `home` undefined for one that nobody follows. */
  send(home: string | undefined, fill: number, isDurable: boolean): Letter {
    const id = ++this.#lastId
    const text = `M|${id}|${checksum(String(id))}|${'x'.repeat(fill)}`
    if (home === undefined) return { text, parcel: undefined }
    const parcel = new Parcel(id, home, text, isDurable)
    parcel.mayGo = this.#lossyQueues.includes(home)
    this.#parcels.set(id, parcel)
    return { text, parcel }
  }

  /** It may have been changed on its way: nobody follows it any more. */
  forget({ id }: Parcel): void {
    this.#parcels.delete(id)
  }

  /** A message came from a queue to be consumed, or the start of it. Undefined for one that nobody follows. */
  deliver(payload: Buffer, queue: string, holder: Holder): Parcel | undefined {
    const parcel = this.#find(payload)
    if (parcel === undefined) return undefined
    this.#checkPlace(parcel, queue)
    this.deliveredCount++
    // What several have read in one round may have come in any order.
    if (!holder.isLate && !parcel.wasJustTaken) {
      this.#checkOpen(parcel)
      parcel.taken = 'no' // what settled it before was not heard
    }
    parcel.holders.add(holder)
    this.#handed.add(parcel)
    return parcel
  }

  /** Somebody got it who has not kept the rules: what becomes of it now is open. */
  lend(payload: Buffer): void {
    const parcel = this.#find(payload)
    if (parcel === undefined) return
    parcel.take('maybe')
    parcel.mayMove = true
    parcel.mayGo = true
  }

  #find(payload: Buffer): Parcel | undefined {
    const [, id, sum] = /M\|(\d+)\|(\w+)\|/.exec(payload.toString('latin1')) ?? []
    return id === undefined || sum !== checksum(id) ? undefined : this.#parcels.get(Number(id))
  }

  #checkPlace(parcel: Parcel, queue: string): void {
    assert(
      queue === parcel.home || queue === ALL_QUEUES || (queue === DEAD_LETTERS && parcel.mayMove),
      `${parcel.name} came from queue ${queue}`,
    )
    assert(parcel.state !== 'out', `${parcel.name} was refused, and came`)
    parcel.state = 'in'
  }

  #checkOpen(parcel: Parcel): void {
    assert(parcel.taken !== 'yes', `${parcel.name} was settled for good, and came again`)
  }

  /** Everybody has read all there was: nothing is with two who have not settled it. */
  check(): void {
    for (const parcel of this.#handed) {
      const count = [...parcel.holders].filter(({ isCertain }) => isCertain).length
      assert(count <= 1, `${parcel.name} is with ${count} receivers at a time`)
      parcel.wasJustTaken = false
    }
    this.#handed.clear()
  }

  /** All messages that are or may be in a queue may go: it was deleted, or somebody did not read what was settled by being sent. */
  loosen(isMeant: (parcel: Parcel) => boolean): void {
    for (const parcel of this.#parcels.values()) if (isMeant(parcel)) parcel.mayGo = true
  }

  /** The queues hold these messages when all have gone: forgets everything. */
  close(left: ReadonlyMap<string, readonly Buffer[]>): void {
    const found = new Set<number>()
    for (const [queue, payloads] of left) {
      for (const payload of payloads) {
        const parcel = this.#find(payload)
        if (parcel === undefined) continue
        this.#checkPlace(parcel, queue)
        this.#checkOpen(parcel)
        assert(!found.has(parcel.id), `${parcel.name} is there twice`)
        found.add(parcel.id)
      }
    }
    for (const parcel of this.#parcels.values()) {
      const mustBe = parcel.state === 'in' && parcel.taken === 'no' && !parcel.mayGo
      assert(
        !mustBe || found.has(parcel.id),
        `${parcel.name} was accepted, nobody has settled it, and it is in no queue`,
      )
    }
    this.#parcels.clear()
    this.#handed.clear()
  }
}

/** FNV-1a. */
function checksum(text: string): string {
  let hash = 0x811c_9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193)
  return (hash >>> 0).toString(16)
}
