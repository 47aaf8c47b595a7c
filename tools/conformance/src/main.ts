/**
 * npm run -s conformance -- --suite FOLDER: runs the test suite of a client against a broker that it starts, and writes a page and
 * a file of results under docs/conformance/.
 */
import { labFacts, table, writeJson, writePage } from '@ternmq/lab'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { PAHO } from './paho.ts'
import { type Report, suitePage, summaryOf } from './page.ts'
import { parseResults, type ScriptResult } from './result.ts'
import { RHEA } from './rhea.ts'
import { STOMPJS } from './stompjs.ts'
import type { Run, Suite } from './suite.ts'

const HELP = `Usage: npm run -s conformance -- --suite FOLDER [OPTION…]

Runs the tests of an outside suite against a broker that is started for them, and writes docs/conformance/NAME.md and .json.
FOLDER has a copy of one of these, by git clone or else:
  eclipse/paho.mqtt.testing   paho; needs python3
  amqp/rhea                   rhea; its examples/ and its lib/, which need not be built
  stomp-js/stompjs            stompjs; its specs and its bundles/, which need not be built

  --suite FOLDER          the copy
  --suite-commit COMMIT   its commit; asked of git in FOLDER when left out
  --only SCRIPT           this script alone, for instance client_test.py
  --test NAME             this test alone; may be repeated
With --only or --test the results are printed and nothing is written.
`
const SUITES: readonly Suite[] = [PAHO, RHEA, STOMPJS]
/** The longest test of the suites takes 25 s. */
const TEST_SECONDS_MAX = 60
const RUN_MS_MAX = 15 * 60_000

const { values } = parseArgs({
  options: {
    suite: { type: 'string' },
    'suite-commit': { type: 'string' },
    only: { type: 'string' },
    test: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help === true || values.suite === undefined) {
  process.stdout.write(HELP)
  process.exitCode = values.help === true ? 0 : 2
} else {
  process.exitCode = await main(values.suite, values)
}

async function main(
  folder: string,
  chosen: { readonly 'suite-commit'?: string; readonly only?: string; readonly test: readonly string[] },
): Promise<number> {
  const suite = SUITES.find(({ isIn }) => isIn(folder))
  if (suite === undefined)
    throw new Error(`--suite ${folder}: no copy of ${SUITES.map(({ name }) => name).join(' or ')}`)
  const runs = suite.runs.filter(({ script }) => chosen.only === undefined || chosen.only === script)
  if (runs.length === 0)
    throw new Error(`--only ${chosen.only}: not one of ${suite.runs.map(({ script }) => script).join(', ')}`)
  const results: ScriptResult[] = []
  for (const run of runs) results.push(...(await resultsOf(suite, folder, run, chosen.test)))
  results.sort((first, second) => compare(first.script, second.script) || compare(first.name, second.name))
  const report: Report = {
    suite: suite.name,
    suiteCommit: chosen['suite-commit'] ?? commitOf(folder),
    facts: labFacts(),
    tools: suite.tools(),
    results,
  }
  const problems = results.filter(({ outcome }) => outcome !== 'passed')
  process.stdout.write(
    table(
      ['script', 'test', 'result', 'what it says'],
      problems.map((r) => [r.script, r.name, r.outcome, r.problem]),
    ),
  )
  for (const script of new Set(results.map((result) => result.script)))
    process.stdout.write(`${summaryOf(script, results)}\n`)
  if (chosen.only === undefined && chosen.test.length === 0) {
    const page = `docs/conformance/${suite.page}`
    process.stdout.write(`${writeJson(`${page}.json`, report)}\n`)
    process.stdout.write(`${writePage(`${page}.md`, suitePage(report, suite.runs, suite.remarks))}\n`)
  }
  return problems.length === 0 ? 0 : 1
}

async function resultsOf(suite: Suite, folder: string, run: Run, tests: readonly string[]): Promise<ScriptResult[]> {
  const only = tests.length === 0 ? run.only : tests.filter((name) => run.only.length === 0 || run.only.includes(name))
  if (tests.length > 0 && only.length === 0) return []
  const own = mkdtempSync(join(tmpdir(), 'ternmq-conformance-'))
  try {
    const results = join(own, 'results.jsonl')
    process.stdout.write(`${run.script}: ${only.length === 0 ? 'all tests' : only.join(', ')}\n`)
    await suite.run(folder, run, { only, skip: run.skip, results, seconds: TEST_SECONDS_MAX, msMax: RUN_MS_MAX })
    return parseResults(readFileSync(results, 'utf8')).map((result) => ({ script: run.script, ...result }))
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}

function commitOf(folder: string): string {
  const done = spawnSync('git', ['-c', 'safe.directory=*', 'rev-parse', 'HEAD'], { cwd: folder, encoding: 'utf8' })
  if (done.status === 0) return done.stdout.trim()
  throw new Error(`${folder} is not a git checkout: name the suite's commit with --suite-commit`)
}

function compare(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0
}
