/**
 * What time does to queues although nobody reads from them: messages expire, queues that were made by being used and are not any more
 * go, consumers that take nothing are found out. One coarse timer, wound only while one of these can happen, and a bounded number of
 * messages per turn.
 */
import type { NamedQueue } from '../destinations/destinations.ts'
import type { Consumer } from '../queue/consumer.ts'
import type { Queue } from '../queue/queue.ts'
import { TimerWheel, type WheelEntry } from '../timer-wheel.ts'
import type { TurnWork } from '../turns.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { countText, durationText } from './units.ts'

/** How late a message without a consumer may leave after its time: two of these. */
const TICK_MS = 500
/** Messages that expire in one turn; then the sockets have theirs. */
const EXPIRED_PER_TURN = 4_096
/** Everything that has expired is with consumers: it is theirs to settle, and looked at again after so long. */
const TAKEN_PAUSE_MS = 5_000
/** A queue is found idle this share of `autoDeleteMs` late, at most. */
const IDLE_LOOK_SHARE = 1 / 4

/** Expiry of one queue's messages. */
export class ExpirySweep implements WheelEntry {
  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1
  /** Unix ms at which it is meant to look; Infinity while nothing can expire. */
  atMs: number = Infinity
  readonly queue: Queue
  readonly #sweeper: Sweeper

  constructor(sweeper: Sweeper, queue: Queue) {
    this.#sweeper = sweeper
    this.queue = queue
  }

  onDue(): void {
    this.atMs = Infinity
    this.#sweeper.onExpiryDue(this)
  }
}

/** Looks whether an automatic queue is still used. */
class IdleWatch implements WheelEntry {
  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1
  readonly #named: NamedQueue
  readonly #look: (named: NamedQueue) => void

  constructor(named: NamedQueue, look: (named: NamedQueue) => void) {
    this.#named = named
    this.#look = look
  }

  onDue(): void {
    this.#look(this.#named)
  }
}

/** Looks whether consumers of a queue in which messages wait take anything. */
class StallWatch implements WheelEntry {
  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1
  /** Those that could not be written to at the last look, and what they had taken by then. As many as consumers. */
  stalled: ReadonlyMap<Consumer, number> = new Map()
  /** Slow ones of which it has been said. */
  reported: ReadonlySet<Consumer> = new Set()
  readonly queue: Queue
  readonly #sweeper: Sweeper

  constructor(sweeper: Sweeper, queue: Queue) {
    this.#sweeper = sweeper
    this.queue = queue
  }

  onDue(): void {
    this.#sweeper.onStallDue(this)
  }
}

export class Sweeper implements TurnWork {
  readonly #vhost: VirtualHost
  readonly #wheel: TimerWheel
  readonly #idle = new Map<NamedQueue, IdleWatch>()
  readonly #stalls = new Map<Queue, StallWatch>()
  /** Queues with messages whose time is over, in the order in which they were found. As many as queues. */
  readonly #due = new Set<Queue>()
  #isAwake = false

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
    this.#wheel = new TimerWheel(vhost.env.clock, TICK_MS)
  }

  /** Nothing happens by itself any more. */
  close(): void {
    this.#wheel.close()
  }

  /** A message that waits in the queue expires at `atMs`. Returns the queue's sweep, for the next call. Hot path where messages expire. */
  expects(queue: Queue, atMs: number, sweep: ExpirySweep = new ExpirySweep(this, queue)): ExpirySweep {
    if (atMs < sweep.atMs) this.#plan(sweep, atMs, atMs - this.#vhost.env.clock.wallMs())
    return sweep
  }

  /** The queue is gone. */
  forget(queue: Queue, sweep: ExpirySweep | undefined): void {
    if (sweep !== undefined) this.#wheel.remove(sweep)
    this.#due.delete(queue)
    const stall = this.#stalls.get(queue)
    if (stall === undefined) return
    this.#wheel.remove(stall)
    this.#stalls.delete(queue)
  }

  /** A queue with a name has come, or has other settings. */
  onSettings(named: NamedQueue): void {
    const { autoDeleteMs } = named.queue.settings
    let watch = this.#idle.get(named)
    if (!named.automatic || autoDeleteMs === 0) {
      if (watch !== undefined) this.onDeleted(named)
      return
    }
    if (watch === undefined) {
      watch = new IdleWatch(named, (each) => this.#lookAtIdle(each))
      this.#idle.set(named, watch)
    }
    this.#wheel.add(watch, autoDeleteMs * IDLE_LOOK_SHARE)
  }

  onDeleted(named: NamedQueue): void {
    const watch = this.#idle.get(named)
    if (watch === undefined) return
    this.#wheel.remove(watch)
    this.#idle.delete(named)
  }

  /** Messages have come to wait in a queue that has consumers: those must take some in time. */
  watchConsumers(queue: Queue): void {
    const { slowConsumerMs } = queue.settings
    if (slowConsumerMs === 0 || this.#stalls.has(queue)) return
    const stall = new StallWatch(this, queue)
    this.#stalls.set(queue, stall)
    this.#wheel.add(stall, slowConsumerMs)
  }

  runTurn(nowMs: number): void {
    this.#isAwake = false
    let budget = EXPIRED_PER_TURN
    for (const queue of this.#due) {
      if (budget <= 0) break
      this.#due.delete(queue)
      if (queue.isClosed) continue
      const count = queue.dropExpired(nowMs, budget)
      budget -= count
      const firstMs = queue.expiresFirstMs
      if (firstMs > nowMs) queue.expectExpiry(firstMs)
      else if (count > 0) this.#due.add(queue)
      else queue.expectExpiry(nowMs + TAKEN_PAUSE_MS)
    }
    if (this.#due.size > 0) this.#wake(true)
  }

  // ── for its own entries ──

  onExpiryDue({ queue }: ExpirySweep): void {
    this.#due.add(queue)
    this.#wake(false)
  }

  onStallDue(stall: StallWatch): void {
    const { queue } = stall
    const { slowConsumerMs } = queue.settings
    if (slowConsumerMs === 0 || queue.waitingCount === 0 || queue.isClosed || queue.consumers.length === 0) {
      this.#stalls.delete(queue)
      return
    }
    const stalled = new Map<Consumer, number>()
    const reported = new Set<Consumer>()
    for (const consumer of [...queue.consumers]) {
      if (!consumer.isStalled) continue
      stalled.set(consumer, consumer.takenCount)
      if (stall.stalled.get(consumer) !== consumer.takenCount) continue
      reported.add(consumer)
      if (!stall.reported.has(consumer)) this.#onSlow(queue, consumer, slowConsumerMs)
    }
    stall.stalled = stalled
    stall.reported = reported
    this.#wheel.add(stall, slowConsumerMs)
  }

  #onSlow(queue: Queue, consumer: Consumer, slowConsumerMs: number): void {
    const { counters } = this.#vhost.traffic
    counters.slowConsumers++
    const text =
      `a consumer of ${queue.name} has taken nothing for ${durationText(slowConsumerMs)} (slowConsumerMs) ` +
      `while ${countText(queue.waitingCount, 'message waits', 'messages wait')}: its connection takes no more bytes`
    this.#vhost.report({ kind: 'limit', source: 'core', text })
    if (queue.settings.slowConsumer === 'disconnect') consumer.endSlow(text)
  }

  #lookAtIdle(named: NamedQueue): void {
    const { queue } = named
    const { autoDeleteMs } = queue.settings
    const watch = this.#idle.get(named)
    if (watch === undefined) return
    const nowMs = this.#vhost.env.clock.wallMs()
    if (!isIdle(queue)) named.idleSinceMs = undefined
    else {
      named.idleSinceMs = Math.max(named.idleSinceMs ?? nowMs, queue.aloneSinceMs)
      if (nowMs - named.idleSinceMs >= autoDeleteMs) {
        this.onDeleted(named)
        return this.#vhost.destinations.delete(named)
      }
    }
    this.#wheel.add(watch, autoDeleteMs * IDLE_LOOK_SHARE)
  }

  #plan(sweep: ExpirySweep, atMs: number, delayMs: number): void {
    sweep.atMs = atMs
    this.#wheel.add(sweep, Math.max(0, delayMs))
  }

  #wake(isSpent: boolean): void {
    if (this.#isAwake) return
    this.#isAwake = true
    if (isSpent) this.#vhost.turns.wakeNextTurn(this)
    else this.#vhost.turns.wake(this)
  }
}

/** Nobody reads from it, writes to it or waits for it, and there is nothing in it. */
function isIdle(queue: Queue): boolean {
  return queue.consumers.length === 0 && queue.waitingCount + queue.inflightCount + queue.underWayCount === 0 && !queue.isBlocking
}
