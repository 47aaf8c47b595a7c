/**
 * Writes docs/spec-coverage/*.md: every requirement of a specification, and what became of the tests that claim it.
 *
 *   node tools/docs/src/spec-coverage.ts results.json…              write the pages
 *   node tools/docs/src/spec-coverage.ts --check results.json…      end with 1 when a page is not what it would write
 *   node tools/docs/src/spec-coverage.ts --unclaimed results.json…  print what is untested, by chapter
 *
 * --pages FOLDER writes or checks pages elsewhere. An id in a title that no list has ends it with 1.
 * The lists are packages/<name>/test/conformance/clauses/index.ts; results.json comes from `vitest run --reporter=json`.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Coverage, type Specification, judge } from './spec-coverage/coverage.ts'
import { renderPage, renderUnclaimed } from './spec-coverage/page.ts'
import { readResults } from './spec-coverage/results.ts'

const root = join(import.meta.dirname, '..', '..', '..')

try {
  const { values, positionals } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      unclaimed: { type: 'boolean', default: false },
      pages: { type: 'string', default: join(root, 'docs', 'spec-coverage') },
    },
    allowPositionals: true,
  })
  if (positionals.length === 0) throw new Error('name the results.json of at least one run of vitest')
  const coverages = await readCoverage(positionals)
  if (values.unclaimed) for (const coverage of coverages) process.stdout.write(`${renderUnclaimed(coverage)}\n`)
  else if (values.check) process.exitCode = checkPages(coverages, values.pages)
  else writePages(coverages, values.pages)
} catch (error) {
  process.stderr.write(`spec-coverage: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function readCoverage(reports: readonly string[]): Promise<Coverage[]> {
  const results = reports.flatMap((path) => readResults(JSON.parse(readFileSync(path, 'utf8')), root))
  return judge(await loadSpecifications(), results)
}

function writePages(coverages: readonly Coverage[], folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const coverage of coverages) writeFileSync(pageOf(coverage, folder), renderPage(coverage))
}

/** Exit code: 1 when a page is not what `writePages` would write. */
function checkPages(coverages: readonly Coverage[], folder: string): number {
  const stale = coverages.flatMap((coverage) => {
    const path = pageOf(coverage, folder)
    const difference = firstDifference(path, renderPage(coverage))
    return difference === undefined ? [] : [`${relative(root, path)} is out of date: ${difference}\n`]
  })
  for (const line of stale) process.stdout.write(line)
  if (stale.length > 0) process.stdout.write('write the pages again: npm run -s docs\n')
  return stale.length > 0 ? 1 : 0
}

function pageOf(coverage: Coverage, folder: string): string {
  return join(folder, `${coverage.specification.name}.md`)
}

/** Every package with a list of requirements, in the order of their names. */
async function loadSpecifications(): Promise<Specification[]> {
  const lists = readdirSync(join(root, 'packages'))
    .sort()
    .map((name) => join(root, 'packages', name, 'test', 'conformance', 'clauses', 'index.ts'))
    .filter((path) => existsSync(path))
  const modules = await Promise.all(lists.map((path) => import(pathToFileURL(path).href)))
  return (modules as { specifications: readonly Specification[] }[]).flatMap(({ specifications }) => specifications)
}

/** Undefined when the file holds exactly `page`. */
function firstDifference(path: string, page: string): string | undefined {
  if (!existsSync(path)) return 'it is missing'
  const found = readFileSync(path, 'utf8')
  if (found === page) return undefined
  const lines = found.split('\n')
  const wanted = page.split('\n')
  const index = wanted.findIndex((line, at) => line !== lines[at])
  return index === -1 ? `it goes on after line ${wanted.length}` : `line ${index + 1} should be\n  ${wanted[index]}`
}
