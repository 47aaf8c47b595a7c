/**
 * Writes docs/reference/config.md, the table of all settings, from the schema of packages/config.
 *
 *   node tools/docs/src/config-reference.ts           write the page
 *   node tools/docs/src/config-reference.ts --check   end with 1 when the page is not what it would write
 *
 * --page FILE writes or checks another file.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { renderConfigReference } from './config-reference/page.ts'

const root = join(import.meta.dirname, '..', '..', '..')

try {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      page: { type: 'string', default: join(root, 'docs', 'reference', 'config.md') },
    },
  })
  const page = renderConfigReference()
  if (values.check) {
    if (readFileSync(values.page, 'utf8') !== page)
      throw new Error(`${values.page} is out of date; run it without --check`)
  } else {
    mkdirSync(dirname(values.page), { recursive: true })
    writeFileSync(values.page, page)
  }
} catch (error) {
  process.stderr.write(`config-reference: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
