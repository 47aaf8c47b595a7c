import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..', '..')
const scratch = mkdtempSync(join(tmpdir(), 'ternmq-spec-coverage-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const pages = join(scratch, 'pages')

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command on a report of one passed test with `title`, with pages of its own. */
function specCoverage(options: string[], title: string): Ended {
  const report = join(scratch, 'report.json')
  const assertionResults = [{ fullName: title, status: 'passed' }]
  const file = join(root, 'packages', 'mqtt', 'test', 'conformance', 'made-up.test.ts')
  writeFileSync(report, JSON.stringify({ testResults: [{ name: file, status: 'passed', assertionResults }] }))
  return run([...options, '--pages', pages, report])
}

function run(args: string[]): Ended {
  return spawnSync(process.execPath, [join(root, 'tools', 'docs', 'src', 'spec-coverage.ts'), ...args], {
    encoding: 'utf8',
  })
}

test('--unclaimed lists what no test claims, from the lists of all packages', () => {
  const { status, stdout } = specCoverage(['--unclaimed'], '[MQTT5-3.12.4-1] answers PINGREQ')
  expect(status).toBe(0)
  expect(stdout).toContain('MQTT 5.0: untested')
  expect(stdout).toMatch(/^ {2}MQTT311-3\.12\.4-1 /m)
  expect(stdout).not.toMatch(/^ {2}MQTT5-3\.12\.4-1 /m)
})

test('--check accepts the pages as written, and names the page and the line once a test claims more or less', () => {
  const title = '[MQTT5-3.12.4-1] answers PINGREQ'
  expect(specCoverage(['--check'], title).stdout).toContain('mqtt5.md is out of date: it is missing')
  expect(specCoverage([], title).status).toBe(0)
  expect(specCoverage(['--check'], title)).toMatchObject({ status: 0, stdout: '' })

  const { status, stdout } = specCoverage(['--check'], 'claims nothing')
  expect(status).toBe(1)
  expect(stdout).toMatch(/mqtt5\.md is out of date: line \d+ should be\n {2}\| passed \| 0 \| 0 \|\n/)
  expect(stdout).not.toContain('mqtt311.md')
})

test('an id that no list has ends with 1 and names test and id', () => {
  const { status, stderr } = specCoverage(['--check'], '[MQTT5-3.12.4-7] answers PINGREQ')
  expect(status).toBe(1)
  expect(stderr).toContain('made-up.test.ts: "[MQTT5-3.12.4-7] answers PINGREQ" claims MQTT5-3.12.4-7')
})

test('an unknown option, and no report at all, end with 1 and say so', () => {
  const mistyped = specCoverage(['--chek'], 'anything')
  expect(mistyped.status).toBe(1)
  expect(mistyped.stderr).toContain('--chek')
  const empty = run([])
  expect(empty.status).toBe(1)
  expect(empty.stderr).toContain('name the results.json')
})
