/**
 * The one conformance suite of all engines: what the core relies on, whatever is below. Nothing in it leans on a single
 * machine, on a file, or on timing: it waits for outcomes, never for time. What an engine can do beyond this (survive a
 * crash, run full) has tests of its own. [ADR-0002]
 */
import { describe, test } from 'vitest'
import type { ConformanceCase, OpenEngine } from './records.ts'
import { catalogCases } from './catalog-cases.ts'
import { logCases } from './log-cases.ts'
import { modelCase } from './model-case.ts'
import { ownerCases } from './owner-cases.ts'

export type { ConformanceCase, OpenEngine } from './records.ts'

export const conformanceCases: readonly ConformanceCase[] = [...logCases, ...ownerCases, ...catalogCases, modelCase]

/** Runs every case against engines from `open`, which gives a new and empty one each time; the case closes it. */
export function engineConformance(name: string, open: OpenEngine): void {
  describe(`${name} engine`, () => {
    // oxlint-disable-next-line vitest/expect-expect -- the cases expect
    test.for(conformanceCases)('$name', (conformanceCase) => conformanceCase.run(open))
  })
}
