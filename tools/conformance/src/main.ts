/**
 * npm run -s conformance -- --suite FOLDER: runs eclipse/paho.mqtt.testing against a broker that it starts, and writes
 * docs/conformance/paho.md and .json.
 */
import { BrokerProcess, labFacts, table, writeJson, writePage } from '@ternmq/lab'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { pahoPage, type Report, summaryOf } from './page.ts'
import { type Run, RUNS } from './paho.ts'
import { parseResults, type ScriptResult } from './result.ts'

const HELP = `Usage: npm run -s conformance -- --suite FOLDER [OPTION…]

Runs the tests of a copy of eclipse/paho.mqtt.testing against a broker that is started for them, and writes
docs/conformance/paho.md and .json. Needs python3.

  --suite FOLDER          the copy: it has the folder interoperability
  --suite-commit COMMIT   its commit; asked of git in FOLDER when left out
  --only SCRIPT           client_test.py or client_test5.py alone
  --test NAME             this test alone; may be repeated
With --only or --test the results are printed and nothing is written.
`
const SUITE = 'eclipse/paho.mqtt.testing'
/** The longest test of the suite takes 25 s. */
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
  suite: string,
  chosen: { readonly 'suite-commit'?: string; readonly only?: string; readonly test: readonly string[] },
): Promise<number> {
  const runs = RUNS.filter(({ script }) => chosen.only === undefined || chosen.only === script)
  if (runs.length === 0)
    throw new Error(`--only ${chosen.only}: not one of ${RUNS.map(({ script }) => script).join(', ')}`)
  const results: ScriptResult[] = []
  for (const run of runs) results.push(...(await runScript(suite, run, chosen.test)))
  results.sort((first, second) => compare(first.script, second.script) || compare(first.name, second.name))
  const report: Report = {
    suite: SUITE,
    suiteCommit: chosen['suite-commit'] ?? commitOf(suite),
    facts: labFacts(),
    python: versionOfPython(),
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
    process.stdout.write(`${writeJson('docs/conformance/paho.json', report)}\n`)
    process.stdout.write(`${writePage('docs/conformance/paho.md', pahoPage(report, RUNS))}\n`)
  }
  return problems.length === 0 ? 0 : 1
}

async function runScript(suite: string, run: Run, tests: readonly string[]): Promise<ScriptResult[]> {
  const script = join(suite, 'interoperability', run.script)
  if (!existsSync(script)) throw new Error(`${script} is not there: --suite must name a copy of ${SUITE}`)
  const only = tests.length === 0 ? run.only : tests.filter((name) => run.only.length === 0 || run.only.includes(name))
  if (tests.length > 0 && only.length === 0) return []
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-conformance-'))
  try {
    await using broker = await BrokerProcess.start({ config: run.config })
    const results = join(folder, 'results.jsonl')
    const place = ['--hostname', '127.0.0.1', '--port', String(broker.port())]
    const options = { script, arguments: place, results, only, skip: run.skip, seconds: TEST_SECONDS_MAX }
    process.stdout.write(`${run.script}: ${only.length === 0 ? 'all tests' : only.join(', ')}\n`)
    await runPython(options)
    return parseResults(readFileSync(results, 'utf8')).map((result) => ({ script: run.script, ...result }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runPython(options: Readonly<Record<string, unknown>>): Promise<void> {
  const args = [join(import.meta.dirname, 'run-unittest.py'), JSON.stringify(options)]
  const child = spawn('python3', args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: RUN_MS_MAX })
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (code !== 0) throw new Error(`run-unittest.py ended with ${signal ?? `exit code ${code}`}`)
}

function commitOf(suite: string): string {
  const done = spawnSync('git', ['-c', 'safe.directory=*', 'rev-parse', 'HEAD'], { cwd: suite, encoding: 'utf8' })
  if (done.status === 0) return done.stdout.trim()
  throw new Error(`${suite} is not a git checkout: name the suite's commit with --suite-commit`)
}

function versionOfPython(): string {
  return spawnSync('python3', ['--version'], { encoding: 'utf8' }).stdout.trim().replace('Python ', '')
}

function compare(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0
}
