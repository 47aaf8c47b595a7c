/**
 * Writes docs/interop/addresses.md, how protocols write names, from the rules of packages/naming.
 *
 *   node tools/docs/src/addresses.ts           write the page
 *   node tools/docs/src/addresses.ts --check   end with 1 when the page is not what it would write
 *
 * --page FILE writes or checks another file.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { renderAddresses } from './addresses/page.ts'

const root = join(import.meta.dirname, '..', '..', '..')

try {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      page: { type: 'string', default: join(root, 'docs', 'interop', 'addresses.md') },
    },
  })
  const page = renderAddresses()
  if (values.check) {
    if (readFileSync(values.page, 'utf8') !== page)
      throw new Error(`${values.page} is out of date; run it without --check`)
  } else {
    mkdirSync(dirname(values.page), { recursive: true })
    writeFileSync(values.page, page)
  }
} catch (error) {
  process.stderr.write(`addresses: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
