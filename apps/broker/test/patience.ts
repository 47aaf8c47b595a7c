/**
 * How long the tests of this folder wait for what must come. It is there to find what hangs, on a machine that is busy with other things
 * too, and fits into vitest's own limit, which says less. How fast something is, is measured by tools/bench.
 */
export const PATIENCE_MS = 60_000
