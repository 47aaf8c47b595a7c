/** Fuzzers of this package, for tools/fuzz. */
export { framesFuzzer } from './frames.fuzz.ts'
export { sessionFuzzer as stompSessionFuzzer } from './session.fuzz.ts'
