/** Every fuzzer there is. Each package keeps its own beside what they try; they meet here. */
import { amqpFramesFuzzer, amqpSessionFuzzer, amqpValuesFuzzer } from '@ternmq/amqp10/fuzzers'
import { controlFuzzer, type Fuzzer, publishFuzzer, sequenceFuzzer, splitterFuzzer } from '@ternmq/mqtt/fuzzers'
import { framesFuzzer, stompSessionFuzzer } from '@ternmq/stomp/fuzzers'

import { failingFuzzer } from './failing.ts'

/** Those of `all`. */
export const FUZZERS: readonly Fuzzer[] = [
  controlFuzzer,
  publishFuzzer,
  splitterFuzzer,
  sequenceFuzzer,
  framesFuzzer,
  stompSessionFuzzer,
  amqpValuesFuzzer,
  amqpFramesFuzzer,
  amqpSessionFuzzer,
]

/** By name, the one that fails on purpose included. Throws for another. */
export function fuzzerNamed(name: string): Fuzzer {
  const known = [...FUZZERS, failingFuzzer]
  const found = known.find((fuzzer) => fuzzer.name === name)
  if (found !== undefined) return found
  throw new Error(`there is no fuzzer '${name}': ${known.map((fuzzer) => fuzzer.name).join(', ')}, or all`)
}
