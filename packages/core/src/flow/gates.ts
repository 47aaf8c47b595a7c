/**
 * Where producers wait that cannot go on: a gate for each queue without room, one for the memory that all queues share, one for a log
 * that is behind. Whoever came first goes first, a few publishes at a time, in the turn in which room returns; nobody is held up by
 * a queue that it does not publish to.
 */
import type { Queue } from '../queue/queue.ts'
import type { Turns, TurnWork } from '../turns.ts'

/** Publishes that go on in one turn; then the sockets have theirs. */
const ADMITTED_PER_TURN = 4_096
/** Publishes of one producer before the next one has its turn. */
const ADMITTED_PER_PRODUCER = 64
/** Between two events that say that a queue holds publishers. */
const REPORT_PAUSE_MS = 60_000

/** A queue without room, the memory of all queues, or the log. */
export type WaitingPlace = Queue | 'memory' | 'log'

/** A producer with publishes that wait. */
export interface Waiter {
  /** Where it stands. Only `Gates` sets it. */
  gate: Gate | undefined
  /** Lets go of up to `max` publishes, oldest first; returns how many. With none left it has left its gate, or waits at another. */
  goOn(max: number): number
  /** There will be nothing to wait for any more. */
  giveUp(): void
}

/** The last time it was said that a queue holds publishers, and whether its end is still to be said. */
export interface HoldingReport {
  readonly atMs: number
  isOpen: boolean
}

/** Producers that wait for one thing. */
export class Gate {
  /** Undefined: memory, or the log. */
  readonly queue: Queue | undefined
  /** In the order of their coming. As many as producers. */
  readonly waiters: Set<Waiter> = new Set()
  readonly #what: string | undefined

  constructor(queue: Queue | undefined, what?: string) {
    this.queue = queue
    this.#what = what
  }

  /** What its waiters wait for, as `room in queue 'q'`; undefined when it is there. */
  get what(): string | undefined {
    return this.queue === undefined ? this.#what : `room in queue '${this.queue.name}'`
  }
}

export interface GatesOptions {
  readonly turns: Turns
  /** Somebody waits for room in a queue, and then nobody does any more. Not again within a minute. */
  readonly onHolding: (queue: Queue) => void
  readonly onHoldingEnds: (queue: Queue) => void
  /** Whether somebody waits for memory. */
  readonly onMemoryAwaited: (isAwaited: boolean) => void
  readonly wallMs: () => number
}

export class Gates implements TurnWork {
  readonly #options: GatesOptions
  /** One for each queue somebody waits for. */
  readonly #byQueue = new Map<Queue, Gate>()
  readonly #memory: Gate = new Gate(undefined, 'memory for messages that wait (limits.waitingBytesMax)')
  readonly #log: Gate = new Gate(undefined, 'the store, which is behind')
  /** What they waited for is there. */
  readonly #ready: Gate = new Gate(undefined)
  #eased = new Set<Gate>()
  #isAwake = false

  constructor(options: GatesOptions) {
    this.#options = options
  }

  /** Queues that somebody waits for. */
  get holdingQueues(): IterableIterator<Queue> {
    return this.#byQueue.keys()
  }

  /** `waiter` stands there from now on; one that does already keeps its place. */
  wait(waiter: Waiter, place: WaitingPlace): void {
    this.#stand(waiter, this.#gateOf(place))
  }

  #stand(waiter: Waiter, gate: Gate): void {
    if (waiter.gate === gate) return
    this.leave(waiter)
    waiter.gate = gate
    gate.waiters.add(waiter)
    if (gate === this.#memory) this.#options.onMemoryAwaited(true)
  }

  /** It has nothing more to wait for. */
  leave(waiter: Waiter): void {
    const { gate } = waiter
    if (gate === undefined) return
    waiter.gate = undefined
    gate.waiters.delete(waiter)
    if (gate.waiters.size === 0) this.#close(gate)
  }

  /** `waiter` goes on in this turn, whatever it waited for. */
  release(waiter: Waiter): void {
    this.#stand(waiter, this.#ready)
    this.#ease(this.#ready)
  }

  /** There may be room in a queue. */
  onEased(queue: Queue): void {
    const gate = this.#byQueue.get(queue)
    if (gate !== undefined) this.#ease(gate)
    this.onMemoryEased()
  }

  onMemoryEased(): void {
    if (this.#memory.waiters.size > 0) this.#ease(this.#memory)
  }

  onLogReady(): void {
    if (this.#log.waiters.size > 0) this.#ease(this.#log)
  }

  /** The first in line has given up: what it waited for may be enough for the next. */
  onGivenUp(gate: Gate): void {
    if (gate.waiters.size > 0) this.#ease(gate)
  }

  /** The virtual host closes: nobody goes on any more, and nobody is told. */
  close(): void {
    for (const gate of [...this.#byQueue.values(), this.#memory, this.#log, this.#ready]) {
      for (const waiter of [...gate.waiters]) waiter.giveUp()
    }
  }

  runTurn(): void {
    this.#isAwake = false
    const eased = this.#eased
    this.#eased = new Set()
    let budget = ADMITTED_PER_TURN
    for (const gate of eased) {
      budget = budget > 0 ? this.#serve(gate, budget) : 0
      if (budget === 0) this.#eased.add(gate)
    }
    if (this.#eased.size === 0 || this.#isAwake) return
    this.#isAwake = true
    this.#options.turns.wakeNextTurn(this)
  }

  /** Returns what is left of the budget; 0 when somebody may still go on. */
  #serve(gate: Gate, budgetBefore: number): number {
    let budget = budgetBefore
    while (budget > 0) {
      const [first] = gate.waiters
      if (first === undefined) return budget
      const count = first.goOn(Math.min(budget, ADMITTED_PER_PRODUCER))
      budget = Math.max(0, budget - Math.max(1, count))
      if (first.gate !== gate) continue
      if (count === 0) return budget // no room for the first in line, so for nobody: a large message would wait for ever
      gate.waiters.delete(first)
      gate.waiters.add(first)
    }
    return 0
  }

  #gateOf(place: WaitingPlace): Gate {
    if (place === 'memory') return this.#memory
    if (place === 'log') return this.#log
    let gate = this.#byQueue.get(place)
    if (gate === undefined) {
      gate = new Gate(place)
      this.#byQueue.set(place, gate)
      place.isBlocking = true
      this.#report(place)
    }
    return gate
  }

  #ease(gate: Gate): void {
    this.#eased.add(gate)
    if (this.#isAwake) return
    this.#isAwake = true
    this.#options.turns.wake(this)
  }

  #close(gate: Gate): void {
    if (gate === this.#memory) this.#options.onMemoryAwaited(false)
    const { queue } = gate
    if (queue === undefined || this.#byQueue.get(queue) !== gate) return
    this.#byQueue.delete(queue)
    queue.isBlocking = false
    if (queue.holdingReport?.isOpen !== true) return
    queue.holdingReport.isOpen = false
    this.#options.onHoldingEnds(queue)
  }

  #report(queue: Queue): void {
    const atMs = this.#options.wallMs()
    if (queue.holdingReport !== undefined && atMs - queue.holdingReport.atMs < REPORT_PAUSE_MS) return
    queue.holdingReport = { atMs, isOpen: true }
    this.#options.onHolding(queue)
  }
}
