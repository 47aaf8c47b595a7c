/**
 * Writes docs/interop/headers.md, what comes through from one protocol to another, from the table of packages/naming.
 *
 *   node tools/docs/src/headers.ts           write the page
 *   node tools/docs/src/headers.ts --check   end with 1 when the page is not what it would write
 *
 * --page FILE writes or checks another file.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { renderHeaders } from './headers/page.ts'

const root = join(import.meta.dirname, '..', '..', '..')

try {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      page: { type: 'string', default: join(root, 'docs', 'interop', 'headers.md') },
    },
  })
  const page = renderHeaders()
  if (values.check) {
    if (readFileSync(values.page, 'utf8') !== page)
      throw new Error(`${values.page} is out of date; run it without --check`)
  } else {
    mkdirSync(dirname(values.page), { recursive: true })
    writeFileSync(values.page, page)
  }
} catch (error) {
  process.stderr.write(`headers: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
