/** The real world behind `Env`: the machine's clocks, its randomness, and turns made of one `setImmediate` each. */
import { randomBytes, randomFillSync } from 'node:crypto'

import type { Cancel, Clock, Env, Random } from '@ternmq/core'

import { TurnQueue } from './turn-queue.ts'

/** `setTimeout` fires at once above this many ms (24.8 days); a session may expire in 136 years. */
const TIMER_MAX_MS = 2_147_483_647

class RealClock implements Clock {
  readonly #runPass = (): void => this.#turns.runPass()
  readonly #turns: TurnQueue = new TurnQueue(() => setImmediate(this.#runPass))

  wallMs(): number {
    return Date.now()
  }

  monoMs(): number {
    return performance.now()
  }

  /** Never keeps the process alive by itself: listeners do. */
  after(delayMs: number, f: () => void): Cancel {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, TIMER_MAX_MS)
      timer = setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : f()), stepMs)
      timer.unref()
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  }

  endOfTurn(f: () => void): void {
    this.#turns.endOfTurn(f)
  }

  flush(f: () => void): void {
    this.#turns.flush(f)
  }
}

/** Numbers come from the system's generator, 1024 at a time: one call per number would cost microseconds. */
class RealRandom implements Random {
  readonly #numbers = new Uint32Array(1024)
  #used = 1024

  u32(): number {
    if (this.#used === this.#numbers.length) {
      randomFillSync(this.#numbers)
      this.#used = 0
    }
    return this.#numbers[this.#used++] as number
  }

  bytes(count: number): Uint8Array {
    return randomBytes(count)
  }
}

/** One per process is enough; every part of a broker must share the same one, or turns would not end together. */
export function realEnv(): Env {
  return { clock: new RealClock(), random: new RealRandom() }
}
