/** Fuzzers of this package, for tools/fuzz. */
export { framesFuzzer as amqpFramesFuzzer } from './frames.fuzz.ts'
export { valuesFuzzer as amqpValuesFuzzer } from './values.fuzz.ts'
export { sessionFuzzer as amqpSessionFuzzer } from './session.fuzz.ts'
