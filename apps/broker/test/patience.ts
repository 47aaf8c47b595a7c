/**
 * How long the tests of this folder wait for what must come. It is there to find what hangs, on a machine that is busy with other things
 * too, and fits into vitest's own limit, which says less. How fast something is, is measured by tools/bench. It is longer than the minute
 * after which a broker looks at its certificates by itself, where the system has no watch left to tell it of a change.
 */
export const PATIENCE_MS = 80_000
