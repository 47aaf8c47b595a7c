/** Time, turns and chance that a test moves by hand. The same seed and the same calls give the same run. */
import type { Cancel, Clock, Env, Random } from '@ternmq/core'
import { TurnQueue } from '@ternmq/transport'

import { type Duration, durationMs } from './duration.ts'
import { Timers } from './timers.ts'

/** Passes that `settle` makes before it calls a test endless. */
const SETTLE_PASSES_MAX = 10_000

/** 2026-01-01T00:00:00Z: far from 0, so that code which takes "no time" for a time is found out. */
const WALL_START_MS = 1_767_225_600_000

export class VirtualClock implements Clock {
  readonly #turns = new TurnQueue(() => {})
  readonly #timers = new Timers()
  #nowMs = 0
  #inputs: (() => void)[] = []

  wallMs(): number {
    return WALL_START_MS + this.#nowMs
  }

  monoMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, f: () => void): Cancel {
    return this.#timers.add(this.#nowMs + Math.max(0, delayMs), f)
  }

  endOfTurn(f: () => void): void {
    this.#turns.endOfTurn(f)
  }

  flush(f: () => void): void {
    this.#turns.flush(f)
  }

  /** Runs `f` at the start of the next turn, as the kernel brings bytes. */
  input(f: () => void): void {
    this.#inputs.push(f)
  }

  /** One turn: input, then `endOfTurn` functions, then `flush` functions. Timers do not run. */
  turn(): void {
    const inputs = this.#inputs
    this.#inputs = []
    for (const f of inputs) f()
    this.#turns.runPass()
  }

  /** Turns until nothing waits but timers that are not due. Throws when that never happens. */
  settle(): void {
    for (let pass = 0; pass < SETTLE_PASSES_MAX; pass++) {
      const due = this.#timers.take(this.#nowMs)
      if (due === undefined && this.#inputs.length === 0 && !this.#turns.isWaiting) return
      due?.f()
      this.turn()
    }
    throw new Error(`virtual clock: still busy after ${SETTLE_PASSES_MAX} turns; something wakes itself for ever`)
  }

  /** Nothing is left to do before time passes. */
  get isIdle(): boolean {
    if (this.#inputs.length > 0 || this.#turns.isWaiting) return false
    return this.#timers.nextAtMs > this.#nowMs
  }

  /** Settles, then moves time by ms or '31m', running each timer at its moment and settling after it. */
  advance(duration: Duration): void {
    this.settle()
    const untilMs = this.#nowMs + durationMs(duration)
    for (let timer = this.#timers.take(untilMs); timer !== undefined; timer = this.#timers.take(untilMs)) {
      this.#nowMs = timer.atMs
      timer.f()
      this.settle()
    }
    this.#nowMs = untilMs
  }

  /** Timers that wait: a test that ends with some has leaked them. */
  get timerCount(): number {
    return this.#timers.count
  }

  /** Moment of the earliest timer, on `monoMs`; Infinity when none waits. */
  get nextTimerAtMs(): number {
    return this.#timers.nextAtMs
  }
}

/** A small generator (sfc32) that a seed decides. Not for secrets. */
export class SeededRandom implements Random {
  readonly #state = new Uint32Array(4)

  constructor(seed: number) {
    this.#state.set([seed, seed ^ 0x9e37_79b9, ~seed, 1])
    for (let round = 0; round < 16; round++) this.u32()
  }

  u32(): number {
    const state = this.#state
    const [a, b, c, counter] = state as unknown as [number, number, number, number]
    const sum = (a + b + counter) >>> 0
    state[3] = counter + 1
    state[0] = b ^ (b >>> 9)
    state[1] = c + (c << 3)
    state[2] = ((c << 21) | (c >>> 11)) + sum
    return sum
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let i = 0; i < count; i++) bytes[i] = this.u32() & 0xff
    return bytes
  }

  /** Uniform in 0…`limit`-1, `limit` at most 2^32. The bias is below 2^-20 for limits up to 4096. */
  below(limit: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * limit)
  }
}

export interface VirtualEnv extends Env {
  readonly clock: VirtualClock
  readonly random: SeededRandom
}

export function virtualEnv(seed = 1): VirtualEnv {
  return { clock: new VirtualClock(), random: new SeededRandom(seed) }
}
