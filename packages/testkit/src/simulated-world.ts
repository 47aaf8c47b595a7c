/**
 * Runs asynchronous code on virtual time: disk operations finish, turns end and timers run in an order that the seed
 * chooses, with every waiting promise continued in between. No real time passes. A crash ends the disk and the clock of
 * one life; the world goes on with those of the next.
 */
import { type CrashKind, SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.ts'
import { SeededRandom, VirtualClock } from './virtual-clock.ts'

/** Steps of one `runUntil` before the world calls the code endless. */
const STEPS_MAX = 1_000_000

export interface SimulatedWorldOptions extends Omit<SimulatedDiskOptions, 'clock'> {
  /** From the crash to the next life's clock. Default 1,000. */
  readonly downtimeMs?: number
}

/** What code under test gets: by shape an `Env` of the core and an `EngineEnv` of the store. */
export interface SimulatedEnv {
  readonly clock: VirtualClock
  readonly random: SeededRandom
  readonly disk: SimulatedDisk
}

export class SimulatedWorld {
  readonly seed: number
  readonly random: SeededRandom
  readonly #options: SimulatedWorldOptions
  readonly #schedule: SeededRandom
  #clock = new VirtualClock()
  #disk: SimulatedDisk
  #steps = 0

  constructor(options: SimulatedWorldOptions) {
    this.#options = options
    this.seed = options.seed
    this.random = new SeededRandom(options.seed)
    // One generator each, so that code which draws one number more meets the same schedule and the same disk.
    this.#schedule = new SeededRandom(options.seed ^ 0x5eed_5eed)
    this.#disk = new SimulatedDisk({ ...options, clock: this.#clock })
  }

  /** Of the present life. */
  get clock(): VirtualClock {
    return this.#clock
  }

  /** Of the present life. */
  get disk(): SimulatedDisk {
    return this.#disk
  }

  /** Fresh for each life: take it again after a crash. */
  get env(): SimulatedEnv {
    return { clock: this.#clock, random: this.random, disk: this.#disk }
  }

  /** Nothing happens any more unless time passes: no operation can finish, no turn waits, no timer is due. */
  get isIdle(): boolean {
    return this.#disk.readyCount === 0 && this.#clock.isIdle
  }

  /**
   * One turn: some of the operations that can finish, then the turn's end, promises continued after each. Without any
   * of them time moves on to the next timer, at most to `untilMs` on `clock.monoMs`. False when nothing was left to do.
   */
  async step(untilMs: number = Infinity): Promise<boolean> {
    await continuePromises()
    if (this.isIdle) {
      const nextMs = this.#clock.nextTimerAtMs
      if (nextMs > untilMs || nextMs === Infinity) return false
      this.#clock.advance(nextMs - this.#clock.monoMs())
      await continuePromises()
      return true
    }
    this.#steps++
    const clock = this.#clock
    for (let left = this.#schedule.below(this.#disk.readyCount + 1); left > 0 && this.#disk.step(); left--)
      await continuePromises()
    // The disk may have crashed meanwhile, and a test may have begun the next life.
    if (clock !== this.#clock) return true
    if (!clock.isIdle) {
      clock.settle()
      await continuePromises()
    } else if (this.#disk.step()) await continuePromises()
    return true
  }

  /** Steps until `predicate` holds. Throws when nothing is left to do before, or after too many steps. */
  async runUntil(predicate: () => boolean, what = 'the condition'): Promise<void> {
    for (let step = 0; step < STEPS_MAX; step++) {
      if (predicate()) return
      if (await this.step()) continue
      if (predicate()) return
      throw this.#stuck(`nothing is left to do, and ${what} does not hold`)
    }
    throw this.#stuck(`${what} does not hold after ${STEPS_MAX} steps`)
  }

  /** Steps until `promise` settles, and gives what it gives. */
  async run<T>(promise: Promise<T>, what = 'the promise'): Promise<T> {
    let isSettled = false
    const settled = (): void => {
      isSettled = true
    }
    promise.then(settled, settled)
    await this.runUntil(() => isSettled, `${what} has settled`)
    return promise
  }

  /** Steps until nothing is left to do without waiting for a timer of the code under test. */
  async settle(): Promise<void> {
    for (let step = 0; step < STEPS_MAX; step++) {
      await continuePromises()
      if (this.isIdle && this.#disk.inFlightCount === 0) return
      await this.step()
    }
    throw this.#stuck(`still busy after ${STEPS_MAX} steps`)
  }

  /** Lets `ms` pass, with everything that happens in them. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#clock.monoMs() + ms
    for (let step = 0; await this.step(untilMs); step++)
      if (step === STEPS_MAX) throw this.#stuck(`${ms} ms take more than ${STEPS_MAX} steps`)
    this.#clock.advance(untilMs - this.#clock.monoMs())
  }

  /**
   * Ends this life and begins the next: timers and turns of the old clock are gone, operations and handles of the old
   * disk reject, and what survived is on the new one.
   */
  crash(kind: CrashKind = 'power'): void {
    const clock = new VirtualClock()
    clock.advance(this.#clock.monoMs() + (this.#options.downtimeMs ?? 1_000))
    this.#disk = this.#disk.crash(kind, clock)
    this.#clock = clock
  }

  /**
   * Steps in the background, for tests that only await. The order of their own doings among the steps is then as the
   * event loop has it. Call what it returns to stop; a mistake that a step found is thrown there.
   */
  pump(): () => Promise<void> {
    const stop = new AbortController()
    const loop = (async () => {
      while (!stop.signal.aborted) await this.step()
    })()
    // Told to whoever stops; until then it is nobody's unhandled rejection.
    loop.catch(() => {})
    return () => {
      stop.abort()
      return loop
    }
  }

  #stuck(what: string): Error {
    const { inFlightCount, recent } = this.#disk
    return new Error(
      `world of seed ${this.seed}, at ${this.#clock.monoMs()} ms after ${this.#steps} steps: ${what}; ` +
        `${inFlightCount} disk operations under way, latest finished: ${recent.slice(-8).join(' | ')}`,
    )
  }
}

/** Every promise that can go on has gone on: microtasks run to their end before the next phase of the event loop. */
function continuePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
