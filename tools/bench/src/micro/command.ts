/** `bench micro`: every *.bench.ts of the packages, each in a process of its own. */
import { labFacts, ROOT, writeJson, writePage } from '@ternmq/lab'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'

import { microPage, type MicroReport } from './page.ts'
import { type MicroResult, RESULTS_VARIABLE } from './result.ts'

const HELP = `Usage: npm run -s bench -- micro [FILTER] [--dry]

Runs every *.bench.ts under packages/, or those whose path has FILTER in it. All of them: writes docs/benchmarks/micro.md
and .json, unless --dry is given.
`

export async function micro(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { dry: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help === true) {
    process.stdout.write(HELP)
    return 0
  }
  const [filter = ''] = positionals
  const files = globSync('packages/*/src/**/*.bench.ts', { cwd: ROOT })
    .filter((file) => file.includes(filter))
    .toSorted()
  if (files.length === 0) throw new Error(`no *.bench.ts under packages/ has '${filter}' in its path`)
  const facts = labFacts()
  const done: MicroReport['files'][number][] = []
  for (const file of files) done.push({ file, results: await runFile(join(ROOT, file), signal) })
  const report: MicroReport = { facts, files: done }
  if (filter === '' && !values.dry) {
    process.stdout.write(`${writeJson('docs/benchmarks/micro.json', report)}\n`)
    process.stdout.write(`${writePage('docs/benchmarks/micro.md', microPage(report))}\n`)
  }
  return 0
}

/** Runs one benchmark file; what mitata says of it goes to our stdout. */
export async function runFile(file: string, signal: AbortSignal): Promise<MicroResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-micro-'))
  try {
    const results = join(folder, 'results.jsonl')
    const hook = new URL('./mitata-hook.ts', import.meta.url).href
    process.stdout.write(`\n── ${relative(ROOT, file)}\n`)
    const child = spawn(process.execPath, ['--expose-gc', '--import', hook, file], {
      env: { ...process.env, [RESULTS_VARIABLE]: results },
      stdio: ['ignore', 'inherit', 'inherit'],
      signal,
    })
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    if (code !== 0) throw new Error(`${file} ended with ${killedBy ?? `exit code ${code}`}`)
    const lines = readFileSync(results, 'utf8').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as MicroResult)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
