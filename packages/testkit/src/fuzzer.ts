/** What tools/fuzz needs of a fuzzer, and what fuzzers share. */
import { SeededRandom } from './virtual-clock.ts'

/** What came of the inputs, by kind: a fuzzer whose inputs all end the same way finds nothing. */
export type FuzzTally = Readonly<Record<string, number>>

export interface Fuzzer {
  readonly name: string
  /** What it tries, in a sentence. */
  readonly what: string
  /** Same seed and number, same inputs. Throws FuzzFailure. */
  run(seed: number, iterations: number): FuzzTally | Promise<FuzzTally>
  /** Tries one input again, in the words of `FuzzFailure.input`. Throws what is wrong. */
  replay(input: string): void | Promise<void>
}

/** A promise was broken. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure'
  readonly seed: number
  readonly step: number
  /** Text that `replay` takes: goes into the corpus. */
  readonly input: string

  constructor(seed: number, step: number, input: string, cause: unknown) {
    super(`seed ${seed}, step ${step}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.seed = seed
    this.step = step
    this.input = input
  }
}

/** Lines of a corpus text without comments. */
export function linesOf(input: string): string[] {
  return input
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '')
}

/** Chance with the choices that fuzzers make. */
export class Dice extends SeededRandom {
  /** True once in `sides` times. */
  oneIn(sides: number): boolean {
    return this.below(sides) === 0
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  /** Of the choices by weight. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries(weights) as [T, number][]
    let left = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0))
    for (const [choice, weight] of entries) {
      if (left < weight) return choice
      left -= weight
    }
    throw new Error('the weights are all 0')
  }
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what)
}
