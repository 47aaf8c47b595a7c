/** Fuzzers of this package, for tools/fuzz. */
export { type Fuzzer, FuzzFailure, type FuzzTally, linesOf } from '@ternmq/testkit/fuzzer'
export { controlFuzzer } from './control.fuzz.ts'
export { publishFuzzer } from './publish.fuzz.ts'
export { sequenceFuzzer } from './sequence.fuzz.ts'
export { splitterFuzzer } from './splitter.fuzz.ts'
