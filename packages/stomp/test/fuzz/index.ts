/** Fuzzers of this package, for tools/fuzz. */
export { framesFuzzer } from './frames.fuzz.ts'
