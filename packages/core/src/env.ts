/**
 * The injected world. Core and engines touch time, chance and turns only through `Env`;
 * apps/broker hands in the real one, tests and the simulator their own. [ADR-0001]
 */

/** Cancels what it was returned for. Safe to call twice. */
export type Cancel = () => void

export interface Clock {
  /** Unix time in ms. Cheap enough to call once per read, not once per message. */
  wallMs(): number
  /** Monotonic ms; only differences mean something. */
  monoMs(): number
  /** Runs `f` once, `delayMs` from now or later. */
  after(delayMs: number, f: () => void): Cancel
  /**
   * Runs `f` every `intervalMs`, until it is cancelled. Only clocks that a test moves have it, others are served by `every`: where time
   * jumps, `f` runs for the first time after something has happened, and for the last time before the next thing does. Between these it
   * may leave out as many runs as `idleCount()` says that nobody misses; `f` hears how many intervals have passed since it ran, at least 1.
   */
  every?(intervalMs: number, f: (intervals: number) => void, idleCount: () => number): Cancel
  /**
   * Runs `f` when the present turn's input has been handled: the batch point for dispatch and commit.
   * Functions added while these run belong to the same pass.
   */
  endOfTurn(f: () => void): void
  /** Runs `f` after every `endOfTurn` function of the pass: the one place where a turn's output leaves, one write per connection. */
  flush(f: () => void): void
}

export interface Random {
  /** Uniform in 0…2^32-1. */
  u32(): number
  bytes(count: number): Uint8Array
}

export interface Env {
  readonly clock: Clock
  readonly random: Random
}

/** `Clock.every` of any clock: those that cannot leave runs out do all of them. */
export function every(
  clock: Clock,
  intervalMs: number,
  f: (intervals: number) => void,
  idleCount: () => number,
): Cancel {
  if (clock.every !== undefined) return clock.every(intervalMs, f, idleCount)
  const run = (): void => {
    cancel = clock.after(intervalMs, run)
    f(1)
  }
  let cancel = clock.after(intervalMs, run)
  return () => cancel()
}

/** Resolves in a later turn, when sockets have had theirs: for between two pieces of long work. */
export function nextTurn(clock: Pick<Clock, 'after'>): Promise<void> {
  return new Promise((resolve) => void clock.after(0, resolve))
}
