/** A page of docs/conformance: what passed, what did not and why. */
import { factsTable, type LabFacts, table } from '@ternmq/lab'

import type { ScriptResult } from './result.ts'
import type { Run } from './suite.ts'

export interface Report {
  readonly suite: string
  readonly suiteCommit: string
  readonly facts: LabFacts
  /** What ran the suite, by name, with its version. */
  readonly tools: Readonly<Record<string, string>>
  readonly results: readonly ScriptResult[]
}

export function suitePage(report: Report, runs: readonly Run[], remarks: Readonly<Record<string, string>>): string {
  const { results } = report
  const scripts = [...new Set(results.map(({ script }) => script))]
  return [
    `# ${report.suite}`,
    '',
    'Made by `npm run -s conformance -- --suite FOLDER`; changes here are overwritten. The suite is not part of `npm test`.',
    '',
    factsTable(report.facts, { suite: `${report.suite}, commit ${report.suiteCommit}`, ...report.tools }),
    ...scripts.map((script) => summaryOf(script, results)),
    '',
    ...scripts.flatMap((script) => [`## ${script}`, '', scriptTable(script, results, remarks)]),
    '## Settings',
    '',
    'Every run has a broker of its own, at default settings but for these:',
    '',
    ...runs.filter(({ because }) => because !== '').map(settingsLine),
    '',
  ].join('\n')
}

export function summaryOf(script: string, results: readonly ScriptResult[]): string {
  const own = results.filter((result) => result.script === script)
  const count = (outcome: ScriptResult['outcome']): number => own.filter((result) => result.outcome === outcome).length
  const line = `${script}: ${count('passed')} of ${own.length} passed`
  return `- ${line}${count('failed') > 0 ? `, ${count('failed')} failed` : ''}${count('skipped') > 0 ? `, ${count('skipped')} skipped` : ''}`
}

function scriptTable(
  script: string,
  results: readonly ScriptResult[],
  remarks: Readonly<Record<string, string>>,
): string {
  const rows = results
    .filter((result) => result.script === script)
    .map(({ name, outcome, problem }) => {
      const said = problem === '' ? '' : `\`${problem.replaceAll('`', "'")}\``
      return [name, outcome === 'failed' ? '**failed**' : outcome, said, remarks[`${script} ${name}`] ?? '']
    })
  return table(['test', 'result', 'what it says', 'remark'], rows)
}

function settingsLine({ script, only, config, because }: Run): string {
  const which = only.length === 0 ? script : `${script}, ${only.join(', ')}`
  return `- ${which}: \`${JSON.stringify(config)}\`, because ${because}.`
}
