import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FIELDS, TABLED_PROTOCOLS } from '@ternmq/naming'
import { expect, test } from 'vitest'
import { renderHeaders } from './page.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')
const page = renderHeaders()

test('docs/interop/headers.md is what the table says; write it with node tools/docs/src/headers.ts', () => {
  expect(readFileSync(join(root, 'docs', 'interop', 'headers.md'), 'utf8')).toBe(page)
})

test('every field has a row, and every loss a line with its reason', () => {
  const lost = page.slice(page.indexOf('## What is lost'), page.indexOf('## Names that mean something'))
  for (const field of FIELDS) {
    expect(page).toContain(`| ${field.what} |`)
    for (const protocol of TABLED_PROTOCOLS) {
      const place = field.in[protocol]
      if (place.kind === 'lost') expect(lost).toContain(`- ${field.what}: ${place.reason}.`)
    }
  }
})
