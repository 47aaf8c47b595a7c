/**
 * The one conformance suite of all engines: what the core relies on, whatever is below. Nothing in it leans on a single
 * machine, on a file, or on timing: it waits for outcomes, never for time. What an engine can do beyond this (survive a
 * crash, run full) has tests of its own. [ADR-0002]
 */
import { describe, test } from 'vitest'
import type { ConformanceCase, OpenEngine, ReopenEngine } from './records.ts'
import { catalogCases } from './catalog-cases.ts'
import { logCases } from './log-cases.ts'
import { modelCase } from './model-case.ts'
import { ownerCases } from './owner-cases.ts'
import { prepareCases } from './prepare-cases.ts'
import { reopenCases } from './reopen-cases.ts'

export type { ConformanceCase, OpenEngine, ReopenCase, ReopenEngine } from './records.ts'
export { reopenCases } from './reopen-cases.ts'

export const conformanceCases: readonly ConformanceCase[] = [
  ...logCases,
  ...prepareCases,
  ...ownerCases,
  ...catalogCases,
  modelCase,
]

/**
 * Runs every case against engines from `open`, which gives a new and empty one each time; the case closes it. With
 * `reopen` also the cases about what outlives an engine.
 */
export function engineConformance(name: string, open: OpenEngine, reopen?: ReopenEngine): void {
  describe(`${name} engine`, () => {
    // oxlint-disable-next-line vitest/expect-expect -- the cases expect
    test.for(conformanceCases)('$name', (conformanceCase) => conformanceCase.run(open))
  })
  if (reopen === undefined) return
  describe(`${name} engine, opened again`, () => {
    // oxlint-disable-next-line vitest/expect-expect -- the cases expect
    test.for(reopenCases)('$name', (reopenCase) => reopenCase.run(open, reopen))
  })
}
