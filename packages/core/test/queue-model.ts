/**
 * What a queue with a name may do, in plain words: one array of entries, and for each thing that happens a rule that says whether it
 * was right. Who of several consumers gets a message is the queue's choice; that it was the next one for that consumer is not.
 */

export interface ModelMessage {
  readonly id: string
  readonly priority: number
  /** What selectors look at. */
  readonly kind: 'x' | 'y'
  /** Unix ms; 0 for ever. */
  readonly expiresAtMs: number
}

interface ModelEntry extends ModelMessage {
  readonly place: number
  holder: string | undefined
  failedCount: number
  /** undefined: a restart may have marked it, since somebody could have had it before. */
  redelivered: boolean | undefined
  /** While it waited, or when it came, there was a consumer. */
  wasInReach: boolean
}

interface ModelConsumer {
  /** Takes only those; undefined: all. */
  readonly kind: 'x' | 'y' | undefined
  credit: number
}

export interface ModelLimits {
  readonly messagesMax: number
  readonly whenFull: 'reject' | 'drop-oldest'
  readonly deliveriesMax: number
}

export class QueueModel {
  readonly #limits: ModelLimits
  /** In the order of delivery. */
  #entries: ModelEntry[] = []
  readonly #consumers = new Map<string, ModelConsumer>()
  #place = 0
  isPaused = false
  /** Dead-lettered, in order. */
  readonly dead: string[] = []

  constructor(limits: ModelLimits) {
    this.#limits = limits
  }

  get waitingIds(): string[] {
    return this.#waiting.map(({ id }) => id)
  }

  get heldCount(): number {
    return this.#entries.length - this.#waiting.length
  }

  get #waiting(): ModelEntry[] {
    return this.#entries.filter(({ holder }) => holder === undefined)
  }

  /** What the publisher must hear. */
  published(message: ModelMessage, nowMs: number): 'routed' | 'refused' {
    this.expire(nowMs)
    const isFull = (): boolean => this.#waiting.length >= this.#limits.messagesMax
    if (isFull() && this.#limits.whenFull === 'reject') return 'refused'
    // What was given back may have made it too full.
    while (isFull()) this.#remove(this.#waiting.toSorted((a, b) => a.priority - b.priority || a.place - b.place)[0]!)
    const isInReach = this.#consumers.size > 0
    const entry = { holder: undefined, failedCount: 0, redelivered: false, wasInReach: isInReach }
    this.#entries.push({ ...message, ...entry, place: ++this.#place })
    this.#entries.sort((a, b) => b.priority - a.priority || a.place - b.place)
    return 'routed'
  }

  attached(name: string, kind: 'x' | 'y' | undefined): void {
    this.#consumers.set(name, { kind, credit: 0 })
    for (const entry of this.#entries) entry.wasInReach = true
  }

  granted(name: string, credit: number): void {
    this.#consumers.get(name)!.credit += credit
  }

  /** Throws when it must not have been handed over so. */
  delivered(name: string, id: string, failedCount: number, redelivered: boolean, nowMs: number): void {
    this.expire(nowMs)
    const consumer = this.#consumers.get(name)
    const entry = this.#entries.find((each) => each.id === id)
    if (consumer === undefined) throw new Error(`${id} went to ${name}, who is not there`)
    if (this.isPaused) throw new Error(`${id} went to ${name} though the queue is paused`)
    if (entry === undefined) throw new Error(`${id} went to ${name} and is not in the queue`)
    if (entry.holder !== undefined) throw new Error(`${id} went to ${name}, and ${entry.holder} has it`)
    if (consumer.credit-- <= 0) throw new Error(`${id} went to ${name}, who has no credit`)
    const next = this.#waiting.find((each) => wants(consumer, each))
    if (next !== entry) throw new Error(`${id} went to ${name}, whose next one is ${next?.id ?? 'none'}`)
    if (failedCount !== entry.failedCount || redelivered !== (entry.redelivered ?? redelivered)) {
      throw new Error(`${id} went with ${failedCount} failures, redelivered ${redelivered}; not ${entry.failedCount}, ${entry.redelivered}`)
    }
    entry.holder = name
  }

  settled(id: string, outcome: 'accepted' | 'rejected' | 'released' | 'modified'): void {
    const entry = this.#entries.find((each) => each.id === id)!
    entry.holder = undefined
    entry.redelivered = true
    if (outcome === 'accepted') return this.#remove(entry)
    if (outcome === 'modified') entry.failedCount++
    const isSpent = outcome === 'modified' && entry.failedCount >= this.#limits.deliveriesMax
    if (outcome !== 'rejected' && !isSpent) return
    this.#remove(entry)
    this.dead.push(id)
  }

  /** What it held waits again, with a failure more. */
  cancelled(name: string): void {
    this.#consumers.delete(name)
    for (const { id } of this.#entries.filter(({ holder }) => holder === name).reverse()) this.settled(id, 'modified')
  }

  expire(nowMs: number): void {
    for (const entry of this.#waiting) if (entry.expiresAtMs !== 0 && entry.expiresAtMs <= nowMs) this.#remove(entry)
  }

  /** Consumers are gone; what they had may come again, marked. */
  restarted(): void {
    this.#consumers.clear()
    for (const entry of this.#entries) {
      if (entry.holder !== undefined) entry.redelivered = true
      else if (entry.wasInReach && entry.redelivered === false) entry.redelivered = undefined
      entry.holder = undefined
    }
  }

  /** When all is quiet: somebody who could have the next message and has not got it. */
  idleConsumer(): string | undefined {
    if (this.isPaused) return undefined
    for (const [name, consumer] of this.#consumers) {
      const next = this.#waiting.find((entry) => wants(consumer, entry))
      if (consumer.credit > 0 && next !== undefined) return `${name} could have ${next.id}`
    }
    return undefined
  }

  #remove(entry: ModelEntry): void {
    this.#entries = this.#entries.filter((each) => each !== entry)
  }
}

function wants(consumer: ModelConsumer, entry: ModelEntry): boolean {
  return consumer.kind === undefined || consumer.kind === entry.kind
}
