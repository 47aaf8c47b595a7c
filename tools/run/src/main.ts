/**
 * `npm run check` (types, lint, source checks, unit tests), `npm test` (those, conformance and system tests, and whether the
 * pages of docs/spec-coverage say what became of them) and `npm run docs` (writes those pages, docs/reference and docs/interop).
 * Every step runs, whatever failed before it. Last line: "N passed, N failed, N skipped"; exit code 1 on any failure.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { claimingFiles } from './claims.ts'
import { type Outcome, type Report, finalLine, tallyExit, tallyTurbo, tallyVitest } from './tally.ts'

/** Root tasks of turbo.json; each is a script of the root package.json and counts as one check. */
const CHECKS = ['types', 'lint', 'tidy']
/** System tests have a step of their own: the others take all there is of the machine. */
const UNIT = { name: 'unit tests', projects: ['unit'] }
const UNIT_AND_CONFORMANCE = { name: 'unit and conformance tests', projects: ['unit', 'conformance'] }
const SYSTEM = { name: 'system tests', projects: ['system', 'alone'] }

const MODES: Readonly<Record<string, () => Promise<Outcome[]>>> = { check, test, docs }
/** A step that takes longer hangs: it is ended and counts as failed. */
const STEP_MAX_MS = 20 * 60_000
const STEP_END_MS = 5_000

const root = join(import.meta.dirname, '..', '..', '..')
const scratch = mkdtempSync(join(tmpdir(), 'ternmq-run-'))
let running: ChildProcess | undefined
let interruptedBy: 'SIGINT' | 'SIGTERM' | undefined

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interruptedBy = signal
    running?.kill(signal)
  })
}

const run = MODES[process.argv[2] ?? '']
if (run === undefined) {
  process.stderr.write(`usage: main.ts ${Object.keys(MODES).join('|')}\n`)
  process.exitCode = 2
} else {
  try {
    const outcomes = await run()
    for (const { name, passed, failed, skipped } of outcomes) {
      print(`${failed === 0 ? 'ok    ' : 'FAILED'} ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`)
    }
    print(finalLine(outcomes))
    process.exitCode = outcomes.some((outcome) => outcome.failed > 0) ? 1 : 0
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  if (interruptedBy !== undefined) process.exitCode = 128 + constants.signals[interruptedBy]
}

async function check(): Promise<Outcome[]> {
  return [...(await runChecks()), await runTests(UNIT)]
}

async function test(): Promise<Outcome[]> {
  const outcomes = [...(await runChecks()), await runTests(UNIT_AND_CONFORMANCE), await runTests(SYSTEM)]
  const reports = [UNIT_AND_CONFORMANCE, SYSTEM].map((step) => reportOf(step))
  return [...outcomes, await runScript('requirement pages', 'tools/docs/src/spec-coverage.ts', ['--check', ...reports])]
}

/** Only the tests that claim a requirement have a say in the pages: a minute instead of ten. */
async function docs(): Promise<Outcome[]> {
  const step = { name: 'tests that claim requirements', projects: ['unit', 'conformance', ...SYSTEM.projects] }
  return [
    await runTests(step, claimingFiles(root)),
    await runScript('requirement pages', 'tools/docs/src/spec-coverage.ts', [reportOf(step)]),
    await runScript('configuration reference', 'tools/docs/src/config-reference.ts', []),
    await runScript('page about addresses', 'tools/docs/src/addresses.ts', []),
    await runScript('page about headers', 'tools/docs/src/headers.ts', []),
    await runScript('error reference', 'tools/docs/src/errors-reference.ts', []),
    await runScript('page about metrics', 'tools/docs/src/metrics.ts', []),
    await runScript('page about the command line', 'tools/docs/src/cli-reference.ts', []),
  ]
}

/** Turbo runs the checks side by side and skips one whose inputs have not changed since it last passed. */
async function runChecks(): Promise<Outcome[]> {
  print(`── ${CHECKS.join(', ')}`)
  const args = [
    'run',
    ...CHECKS,
    '--continue=always',
    '--output-logs=errors-only',
    '--log-order=grouped',
    '--summarize',
  ]
  let output = ''
  await runNode(
    join(root, 'node_modules', 'turbo', 'bin', 'turbo'),
    [...args, '--log-prefix=none', '--no-update-notifier'],
    (text) => {
      output += text
      process.stdout.write(text)
    },
  )
  const path = /^Summary: +(.+)$/m.exec(output)?.[1]?.trim()
  const summary = path === undefined ? undefined : readJson(path)
  if (path !== undefined) rmSync(path, { force: true })
  return tallyTurbo(CHECKS, summary)
}

interface TestStep {
  readonly name: string
  /** Of vitest.config.ts. */
  readonly projects: readonly string[]
}

/** All tests of the step, or those in `files`. */
async function runTests(step: TestStep, files: readonly string[] = []): Promise<Outcome> {
  print(`── ${step.name}`)
  const args = ['run', ...files, ...step.projects.flatMap((project) => ['--project', project])]
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportOf(step)}`]
  const exitCode = await runNode(join(root, 'node_modules', 'vitest', 'vitest.mjs'), [...args, ...reporters])
  return tallyVitest(step.name, readJson(reportOf(step)), exitCode)
}

function reportOf({ projects }: TestStep): string {
  return join(scratch, `${projects.join('-')}.json`)
}

/** A script of ours that ends well or not: one check. */
async function runScript(name: string, script: string, args: readonly string[]): Promise<Outcome> {
  print(`── ${name}`)
  return tallyExit(name, await runNode(join(root, script), args))
}

/** Runs a script on this Node in the root folder; its stdout goes to `onText` when given. Resolves with its exit code, 1 when it was killed. */
function runNode(script: string, args: readonly string[], onText?: (text: string) => void): Promise<number> {
  if (interruptedBy !== undefined) return Promise.resolve(1)
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_CACHE: 'local:rw' }
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env,
    stdio: ['ignore', onText === undefined ? 'inherit' : 'pipe', 'inherit'],
  })
  running = child
  child.stdout?.setEncoding('utf8').on('data', onText ?? (() => undefined))
  const limit = setTimeout(() => {
    process.stderr.write(`${script} ran for ${STEP_MAX_MS} ms and is ended\n`)
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), STEP_END_MS).unref()
  }, STEP_MAX_MS)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(limit)
      running = undefined
      resolve(code ?? 1)
    })
  })
}

function readJson(path: string): Report {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // the program died before it wrote its report: the tally counts that as a failure
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
