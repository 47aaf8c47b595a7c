/**
 * Collects who has work for the end of the turn, so that nothing reacts inside a caller: a grant that arrives during a
 * delivery must not nest.
 */
import type { Clock } from './env.ts'
import { Ring } from './ring.ts'

export interface TurnWork {
  /** Called once per `Turns.wake`, at the end of the turn. */
  runTurn(nowMs: number): void
}

/** Work of many turns: does a piece of it, of a few ms; true when there is more. */
export type LongWork = () => boolean

export class Turns {
  readonly #clock: Clock
  /** Oldest first; a turn has one piece of the first one only, however many there are. */
  readonly #long = new Ring<LongWork>()
  #awake: TurnWork[] = []
  #isScheduled = false
  /** Of this turn; 0 until somebody asks. */
  #second = 0
  readonly #run = (): void => this.#runAll()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Unix seconds, the same until the end of this turn: for what need not be exact to be seen. Ms would be no small integer, which costs
   * more to keep. Hot path.
   */
  get second(): number {
    if (this.#second === 0) {
      this.#second = Math.floor(this.#clock.wallMs() / 1_000)
      this.#schedule()
    }
    return this.#second
  }

  /** `work.runTurn` follows at the end of this turn. The caller wakes itself once. */
  wake(work: TurnWork): void {
    this.#awake.push(work)
    this.#schedule()
  }

  /** As `wake`, but after the sockets had their turn: for work that used up its batch. */
  wakeNextTurn(work: TurnWork): void {
    this.#clock.after(0, () => this.wake(work))
  }

  /** `work` is called in later turns, once in each when its time has come, until it has no more. */
  addLong(work: LongWork): void {
    this.#long.push(work)
    if (this.#long.length === 1) this.#scheduleLong()
  }

  #scheduleLong(): void {
    this.#clock.after(0, () => this.#runLong())
  }

  #runLong(): void {
    let hasMore = false
    try {
      hasMore = this.#long.peek()!()
    } finally {
      if (!hasMore) this.#long.shift()
      if (this.#long.length > 0) this.#scheduleLong()
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.endOfTurn(this.#run)
  }

  #runAll(): void {
    this.#isScheduled = false
    this.#second = 0
    const awake = this.#awake
    this.#awake = []
    const nowMs = this.#clock.wallMs()
    let next = 0
    try {
      while (next < awake.length) awake[next++]!.runTurn(nowMs)
    } finally {
      // Only after a fault: the work behind it must not sleep for ever.
      for (; next < awake.length; next++) this.wake(awake[next]!)
    }
  }
}
