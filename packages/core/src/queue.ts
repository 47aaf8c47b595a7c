/**
 * An ordered store of entries; each goes to one consumer at a time. Every subscription of every protocol reads from one.
 * Responsible for order, whose turn it is, limits and what becomes of an unsettled entry; credit and unsettled lists are
 * `Consumer`'s, who gets what is the router's.
 */
import type { Consumer } from './consumer.ts'
import type { Counters } from './counters.ts'
import { Delivery, type Match, type Outcome } from './delivery.ts'
import type { Env } from './env.ts'
import { BACKFILL_MESSAGES_MAX, DISPATCH_BATCH_MAX, ENTRY_BYTES } from './limits.ts'
import type { HostLog } from './log/host-log.ts'
import type { Assurance, Message } from './message.ts'
import { Pressure } from './pressure.ts'
import { Ring } from './ring.ts'
import type { Turns, TurnWork } from './turns.ts'

export interface QueueSettings {
  /** Waiting entries; beyond it the newest is not kept. */
  readonly messagesMax: number
  readonly bytesMax: number
}

/** What a queue needs of its virtual host. */
export interface QueueContext {
  readonly turns: Turns
  readonly counters: Counters
  readonly env: Env
  readonly log: HostLog
  /** What waits in all queues together. */
  readonly waiting: WaitingBytes
  /** A queue that wants the producer at hand to pause, until somebody takes note. */
  pressedBy: Queue | undefined
}

/** Retained messages that a new binding asked for: handed over before anything that waits, as fast as the consumer takes them. */
interface Backfill {
  readonly messages: readonly Message[]
  readonly match: Match
  position: number
}

/** One sum over all queues: limits per queue alone would let many of them fill the memory. */
export interface WaitingBytes {
  bytes: number
  readonly bytesMax: number
}

export class Queue implements TurnWork {
  readonly name: string
  readonly settings: QueueSettings
  /** In the log; 0 for a queue that does not outlive the process. */
  number = 0
  /** Messages before this one came when the queue was not in the log: the log does not wait for them. */
  #loggedFromLsn = 0
  readonly #context: QueueContext
  readonly #turns: Turns
  readonly #counters: Counters
  readonly #consumers: Consumer[] = []
  readonly #waiting = new Ring<Delivery>()
  #waitingBytes = 0
  /** Came back and belong behind the head of `#waiting`, which is not empty then; sorted in before the next dispatch. */
  #returned: Delivery[] | undefined = undefined
  #backfills: Backfill[] | undefined = undefined
  /** Where the search for a taker starts: the one after the last that got something. */
  #turnOf = 0
  #isAwake = false
  #isClosed = false
  #sequence = 0
  /** Made when the queue first fills. */
  #pressure: Pressure | undefined = undefined
  /** Unsettled deliveries can come back: their messages must outlive the turn. False for a queue that dies with its one consumer. */
  keepsUnsettled: boolean
  /** Entries not kept because of a limit. */
  droppedCount = 0

  constructor(context: QueueContext, name: string, settings: QueueSettings, keepsUnsettled: boolean) {
    this.#context = context
    this.#turns = context.turns
    this.#counters = context.counters
    this.name = name
    this.settings = settings
    this.keepsUnsettled = keepsUnsettled
  }

  get waitingCount(): number {
    return this.#waiting.length + (this.#returned?.length ?? 0)
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  get consumers(): readonly Consumer[] {
    return this.#consumers
  }

  addConsumer(consumer: Consumer): void {
    this.#consumers.push(consumer)
    this.wake()
  }

  removeConsumer(consumer: Consumer): void {
    const index = this.#consumers.indexOf(consumer)
    if (index >= 0) this.#consumers.splice(index, 1)
  }

  /** `member` takes part in it, and somebody else does who can be reached now. */
  isSharedWith(member: Consumer): boolean {
    return this.#consumers.includes(member) && this.#consumers.some((other) => other !== member && other.isAttached)
  }

  /**
   * Takes a routed message: straight to a consumer when nothing waits before it, else behind what waits. Hot path.
   * False when it was not kept.
   */
  offer(message: Message, match: Match): boolean {
    const assurance = lower(message.assurance, match.assuranceMax)
    if (this.#waiting.length === 0 && this.#backfills === undefined) {
      const consumer = this.#taker(assurance)
      if (consumer !== undefined) {
        this.#handOver(consumer, message, match, assurance, false)
        return true
      }
    }
    return this.#wait(message, match, assurance)
  }

  /**
   * Retained messages for a new binding; they go before all that waits or comes. One binding gets all there are; when that many wait
   * already, the next ones get none and they are counted: a client that repeats '#' must not fill the memory with lists.
   */
  backfill(messages: readonly Message[], match: Match): void {
    if (messages.length === 0) return
    this.#backfills ??= []
    const waiting = this.#backfills.reduce((sum, each) => sum + each.messages.length - each.position, 0)
    if (waiting > 0 && waiting + messages.length > BACKFILL_MESSAGES_MAX) {
      this.#counters.droppedOverLimit += messages.length
      this.droppedCount += messages.length
      return
    }
    this.#backfills.push({ messages, match, position: 0 })
    this.wake()
  }

  /** Dispatches at the end of this turn. */
  wake(): void {
    if (this.#isAwake || (this.#waiting.length === 0 && this.#backfills === undefined)) return
    this.#isAwake = true
    this.#turns.wake(this)
  }

  /** Moves entries to consumers until either side, or the batch, runs out. Hot path. */
  runTurn(nowMs: number): void {
    this.#isAwake = false
    if (this.#returned !== undefined) this.#sortIn(this.#returned)
    let budget = DISPATCH_BATCH_MAX
    if (this.#backfills !== undefined) {
      budget = this.#dispatchBackfills(budget, nowMs)
      if (this.#backfills !== undefined) return this.#yieldIfSpent(budget)
    }
    for (; budget > 0; budget--) {
      const entry = this.#waiting.peek()
      if (entry === undefined) return
      if (isExpired(entry.message, nowMs)) {
        this.#expire(entry)
        continue
      }
      const consumer = this.#taker(entry.assurance)
      if (consumer === undefined) return
      this.#takeFirst(entry)
      this.#hand(consumer, entry)
    }
    this.#yieldIfSpent(budget)
  }

  /** A consumer finished a delivery; only `Consumer.settle` calls this. Hot path. */
  onSettled(delivery: Delivery, outcome: Outcome): void {
    if (outcome === 'accepted') return this.#finish(delivery)
    if (outcome === 'rejected') {
      this.#counters.rejected++
      return this.#finish(delivery)
    }
    if (this.#isClosed) return this.#finish(delivery)
    if (outcome === 'modified') delivery.failedCount++
    this.#putBack(delivery)
  }

  /** A settled delivery that its receiver can never take; only `Consumer.take` calls this. */
  onUndeliverable(): void {
    this.#counters.rejected++
  }

  /** From now on it outlives the process, as `number` of the log. What it has already does not. */
  enterLog(number: number): void {
    this.number = number
    this.#loggedFromLsn = Infinity
    this.#context.log.mark((nextLsn) => {
      this.#loggedFromLsn = nextLsn
    })
  }

  /** Takes back an entry that the log kept over a restart; the older ones first. */
  restore(message: Message, match: Match): void {
    this.#weigh(footprint(message))
    // At least 1: its binding may be at most once by now, but then it was logged before.
    const assurance = match.assuranceMax === 0 ? 1 : lower(message.assurance, match.assuranceMax)
    this.#waiting.push(new Delivery(message, match, assurance, false, ++this.#sequence))
  }

  /** Forgets everything that waits and takes nothing more. Returns the messages of the log among it. */
  close(): Message[] {
    this.#isClosed = true
    if (this.#returned !== undefined) this.#sortIn(this.#returned)
    const logged: Message[] = []
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) {
      if (this.isLogged(entry)) logged.push(entry.message)
    }
    this.#weigh(-this.#waitingBytes)
    this.#backfills = undefined
    this.#pressure?.release()
    return logged
  }

  /** The log says that this queue has the message, and has to hear when it has not any more. */
  isLogged(delivery: Delivery): boolean {
    return this.#isInLog(delivery.message) && delivery.assurance !== 0 && !delivery.retained
  }

  /** A message that the log gave this queue, and that it does not keep. */
  #settleUnkept(message: Message, retained: boolean): void {
    if (this.#isInLog(message) && !retained) this.#context.log.settle(this.number, message)
  }

  #isInLog({ lsn }: Message): boolean {
    return this.number !== 0 && lsn !== 0 && lsn >= this.#loggedFromLsn
  }

  /** Hot path. */
  #finish(delivery: Delivery): void {
    if (this.isLogged(delivery)) this.#context.log.settle(this.number, delivery.message)
  }

  /** The next consumer in turn that can take a delivery of this assurance. Hot path. */
  #taker(assurance: Assurance): Consumer | undefined {
    const consumers = this.#consumers
    const count = consumers.length
    if (count === 1) {
      const only = consumers[0]!
      return only.canTake(assurance) ? only : undefined
    }
    for (let step = 0; step < count; step++) {
      const index = (this.#turnOf + step) % count
      const consumer = consumers[index]!
      if (consumer.canTake(assurance)) {
        this.#turnOf = index + 1
        return consumer
      }
    }
    return undefined
  }

  /** Serves one message that never waited. Only an unsettled one costs an object of its own. Hot path. */
  #handOver(consumer: Consumer, message: Message, match: Match, assurance: Assurance, retained: boolean): void {
    const own = consumer.match
    const effective = own === undefined ? assurance : lower(message.assurance, own.assuranceMax)
    if (effective === 0) {
      if (assurance !== 0) this.#settleUnkept(message, retained)
      const delivery = settledDelivery
      delivery.message = message
      delivery.match = own ?? match
      delivery.retained = retained
      this.#count(message)
      consumer.take(delivery)
      return
    }
    if (this.keepsUnsettled) message.detach()
    this.#count(message)
    consumer.take(new Delivery(message, own ?? match, effective, retained, ++this.#sequence))
  }

  /** Serves an entry that waited. */
  #hand(consumer: Consumer, entry: Delivery): void {
    if (consumer.match !== undefined) {
      if (consumer.match.assuranceMax === 0) this.#finish(entry)
      entry.match = consumer.match
      entry.assurance = lower(entry.message.assurance, consumer.match.assuranceMax)
    }
    this.#count(entry.message)
    consumer.take(entry)
  }

  #count(message: Message): void {
    this.#counters.messagesOut++
    this.#counters.bytesOut += message.end - message.bodyStart
  }

  #wait(message: Message, match: Match, assurance: Assurance): boolean {
    if (this.#isClosed) {
      if (assurance !== 0) this.#settleUnkept(message, false)
      return false
    }
    if (assurance === 0 && !this.#hasAttachedConsumer()) {
      this.#counters.droppedOffline++
      return false
    }
    const isFull = !this.#hasRoomFor(message)
    if (isFull) this.#dropExpired(this.#context.env.clock.wallMs())
    if (isFull && !this.#hasRoomFor(message)) {
      this.#counters.droppedOverLimit++
      this.droppedCount++
      if (assurance !== 0) this.#settleUnkept(message, false)
      return false
    }
    message.detach()
    this.#weigh(footprint(message))
    this.#waiting.push(new Delivery(message, match, assurance, false, ++this.#sequence))
    if (this.isFilling) this.#press()
    if (isFull) this.wake() // the first one now is another, perhaps one that a consumer can take
    return true
  }

  /** What waits here has become so many bytes more. */
  #weigh(byteCount: number): void {
    this.#waitingBytes += byteCount
    this.#context.waiting.bytes += byteCount
  }

  #hasRoomFor(message: Message): boolean {
    const { messagesMax, bytesMax } = this.settings
    const { waiting } = this.#context
    const size = footprint(message)
    return (
      this.waitingCount < messagesMax &&
      this.#waitingBytes + size <= bytesMax &&
      waiting.bytes + size <= waiting.bytesMax
    )
  }

  /** Nobody may be there to take the next entry, and so to find out that its time is over. [MQTT5-3.3.2-5] */
  #dropExpired(nowMs: number): void {
    for (let entry = this.#waiting.peek(); entry !== undefined && isExpired(entry.message, nowMs); entry = this.#waiting.peek()) {
      this.#expire(entry)
    }
  }

  #expire(entry: Delivery): void {
    this.#takeFirst(entry)
    this.#counters.expired++
    this.#finish(entry)
  }

  /** A quarter of a limit is waiting: time to slow producers down, while there is still room for what is on its way. */
  get isFilling(): boolean {
    const { messagesMax, bytesMax } = this.settings
    return this.#waiting.length * 4 > messagesMax || this.#waitingBytes * 4 > bytesMax
  }

  #press(): void {
    this.#pressure ??= new Pressure(this.#context.env.clock)
    if (this.#pressure.mayHold) this.#context.pressedBy = this
  }

  /** Calls `release` when the queue has drained to an eighth of its limits, or has proved too slow to wait for. */
  holdProducer(release: () => void): void {
    this.#pressure!.hold(release)
  }

  #hasAttachedConsumer(): boolean {
    for (const consumer of this.#consumers) if (consumer.isAttached) return true
    return false
  }

  #takeFirst(entry: Delivery): void {
    this.#waiting.shift()
    this.#weigh(-footprint(entry.message))
    if (this.#pressure !== undefined) this.#ease(this.#pressure)
  }

  #ease(pressure: Pressure): void {
    const { messagesMax, bytesMax } = this.settings
    if (this.#waiting.length * 8 <= messagesMax && this.#waitingBytes * 8 <= bytesMax) pressure.release()
    if (this.#waiting.length === 0) pressure.reset()
  }

  /** Back to its old place: before every entry that is younger. */
  #putBack(delivery: Delivery): void {
    this.#counters.redelivered++
    delivery.protocolState = 0
    this.#weigh(footprint(delivery.message))
    const first = this.#waiting.peek()
    if (first === undefined || delivery.sequence < first.sequence) this.#waiting.unshift(delivery)
    else (this.#returned ??= []).push(delivery)
    this.wake()
  }

  /** Puts what came back behind the head in its places, all in one go: one by one, 16,000 took 6 s. */
  #sortIn(entries: Delivery[]): void {
    this.#returned = undefined
    let youngest = 0
    for (const { sequence } of entries) youngest = Math.max(youngest, sequence)
    for (let first = this.#waiting.peek(); first !== undefined && first.sequence < youngest; first = this.#waiting.peek()) {
      entries.push(first)
      this.#waiting.shift()
    }
    entries.sort((one, other) => other.sequence - one.sequence)
    for (const entry of entries) this.#waiting.unshift(entry)
  }

  #dispatchBackfills(budget: number, nowMs: number): number {
    const backfills = this.#backfills!
    for (let first = backfills[0]; first !== undefined; first = backfills[0]) {
      while (first.position < first.messages.length) {
        if (budget === 0) return 0
        const message = first.messages[first.position]!
        if (isExpired(message, nowMs)) {
          first.position++
          continue
        }
        const assurance = lower(message.assurance, first.match.assuranceMax)
        const consumer = this.#taker(assurance)
        if (consumer === undefined) return budget
        first.position++
        this.#handOver(consumer, message, first.match, assurance, true)
        budget--
      }
      backfills.shift()
    }
    this.#backfills = undefined
    return budget
  }

  #yieldIfSpent(budget: number): void {
    if (budget > 0 || this.#isAwake) return
    this.#isAwake = true
    this.#turns.wakeNextTurn(this)
  }
}

/** Reused for every delivery that is settled by being sent. */
const settledDelivery: Delivery = new Delivery(undefined as never, undefined as never, 0, false, 0)

/** What a waiting message costs, objects included: a limit in bytes must hold for short messages, too. */
function footprint(message: Message): number {
  return message.size + ENTRY_BYTES
}

function lower(first: Assurance, second: Assurance): Assurance {
  return first < second ? first : second
}

function isExpired(message: Message, nowMs: number): boolean {
  return message.expiresAtMs !== 0 && message.expiresAtMs <= nowMs
}
