/** What the commands that write one page of the documentation have in common. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..', '..', '..')

/**
 * Writes what `render` makes to `path`, from the root of the project, or with `--check` ends with 1 when the page is not that;
 * `--page FILE` takes another file. `name` begins what it says of errors.
 */
export function runPageCommand(name: string, path: string, render: () => string): void {
  try {
    const { values } = parseArgs({
      options: {
        check: { type: 'boolean', default: false },
        page: { type: 'string', default: join(root, path) },
      },
    })
    const page = render()
    if (values.check) {
      if (readFileSync(values.page, 'utf8') !== page) throw new Error(`${values.page} is out of date; run it without --check`)
    } else {
      mkdirSync(dirname(values.page), { recursive: true })
      writeFileSync(values.page, page)
    }
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
