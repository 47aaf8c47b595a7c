import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..', '..')
const scratch = mkdtempSync(join(tmpdir(), 'ternmq-headers-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function headers(...args: string[]): { readonly status: number | null; readonly stderr: string } {
  return spawnSync(process.execPath, [join(root, 'tools', 'docs', 'src', 'headers.ts'), ...args], {
    encoding: 'utf8',
  })
}

test('--check accepts the page as written, and nothing else', () => {
  const page = join(scratch, 'headers.md')
  expect(headers('--page', page)).toMatchObject({ status: 0, stderr: '' })
  expect(headers('--check', '--page', page)).toMatchObject({ status: 0 })
  appendFileSync(page, 'by hand')
  const { status, stderr } = headers('--check', '--page', page)
  expect(status).toBe(1)
  expect(stderr).toMatch(/^headers: .*headers\.md is out of date; run it without --check\n$/)
})
