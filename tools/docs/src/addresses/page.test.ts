import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderAddresses } from './page.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')

test('docs/interop/addresses.md is what the rules say; write it with node tools/docs/src/addresses.ts', () => {
  expect(readFileSync(join(root, 'docs', 'interop', 'addresses.md'), 'utf8')).toBe(renderAddresses())
})
