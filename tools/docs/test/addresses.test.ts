import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..', '..')
const scratch = mkdtempSync(join(tmpdir(), 'ternmq-addresses-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function addresses(...args: string[]): { readonly status: number | null; readonly stderr: string } {
  return spawnSync(process.execPath, [join(root, 'tools', 'docs', 'src', 'addresses.ts'), ...args], {
    encoding: 'utf8',
  })
}

test('--check accepts the page as written, and nothing else', () => {
  const page = join(scratch, 'addresses.md')
  expect(addresses('--page', page)).toMatchObject({ status: 0, stderr: '' })
  expect(addresses('--check', '--page', page)).toMatchObject({ status: 0 })
  appendFileSync(page, 'by hand')
  const { status, stderr } = addresses('--check', '--page', page)
  expect(status).toBe(1)
  expect(stderr).toMatch(/^addresses: .*addresses\.md is out of date; run it without --check\n$/)
})
