import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..', '..')
const scratch = mkdtempSync(join(tmpdir(), 'ternmq-config-reference-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

interface Ended {
  readonly status: number | null
  readonly stderr: string
}

function configReference(...args: string[]): Ended {
  return spawnSync(process.execPath, [join(root, 'tools', 'docs', 'src', 'config-reference.ts'), ...args], {
    encoding: 'utf8',
  })
}

test('--check accepts the page as written, and nothing else', () => {
  const page = join(scratch, 'reference', 'config.md')
  expect(configReference('--check', '--page', page)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('ENOENT') as unknown,
  })
  expect(existsSync(page)).toBe(false)

  expect(configReference('--page', page)).toMatchObject({ status: 0, stderr: '' })
  expect(configReference('--check', '--page', page)).toMatchObject({ status: 0, stderr: '' })

  appendFileSync(page, 'by hand')
  const { status, stderr } = configReference('--check', '--page', page)
  expect(status).toBe(1)
  expect(stderr).toMatch(/^config-reference: .*config\.md is out of date; run it without --check\n$/)
})

test('an unknown option ends with 1 and is named', () => {
  expect(configReference('--chek')).toMatchObject({ status: 1, stderr: expect.stringContaining('--chek') as unknown })
})
