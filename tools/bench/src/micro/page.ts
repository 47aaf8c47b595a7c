/** docs/benchmarks/micro.md. */
import { factsTable, type LabFacts, table } from '@ternmq/lab'

import type { MicroResult } from './result.ts'

export interface MicroReport {
  readonly facts: LabFacts
  readonly files: readonly { readonly file: string; readonly results: readonly MicroResult[] }[]
}

export function microPage({ facts, files }: MicroReport): string {
  return [
    '# Single functions',
    '',
    'Made by `npm run -s bench -- micro`; changes here are overwritten. Each file is a process of its own.',
    '',
    factsTable(facts),
    ...files.flatMap(({ file, results }) => [
      `## ${file}`,
      '',
      table(
        ['', 'median', 'mean', 'lowest', 'p99'],
        results.map(({ name, medianNs, meanNs, minNs, p99Ns }) => [
          name,
          ...[medianNs, meanNs, minNs, p99Ns].map(duration),
        ]),
      ),
    ]),
  ].join('\n')
}

export function duration(ns: number): string {
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(2)} ms`
  if (ns >= 1e3) return `${(ns / 1e3).toFixed(2)} µs`
  return `${ns.toFixed(ns < 10 ? 2 : 1)} ns`
}
