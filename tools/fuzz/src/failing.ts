/** A fuzzer that finds something, always: it proves that a find is noticed, told, cut short and kept. */
import { type Fuzzer, FuzzFailure, type FuzzTally, linesOf } from '@ternmq/mqtt/fuzzers'

/** The input that it cannot take; the others are there to be left out again. */
const BAD_LINE = 'the bad line'
const LINES = 40

export const failingFuzzer: Fuzzer = {
  name: 'failing',
  what: 'fails on purpose, to prove that failures are noticed',

  run(seed: number, iterations: number): FuzzTally {
    const step = seed % 100
    if (iterations <= step) return { passed: iterations }
    const lines = Array.from({ length: LINES }, (_, index) => (index === step % LINES ? BAD_LINE : `line ${index}`))
    const input = `${lines.join('\n')}\n`
    try {
      check(input)
    } catch (cause) {
      throw new FuzzFailure(seed, step, input, cause)
    }
    return { passed: iterations }
  },

  replay: check,
}

function check(input: string): void {
  if (linesOf(input).includes(BAD_LINE)) throw new Error(`it met ${BAD_LINE}`)
}
