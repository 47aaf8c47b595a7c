/**
 * Writes docs/interop/headers.md, what comes through from one protocol to another, from the table of packages/naming.
 *
 *   node tools/docs/src/headers.ts           write the page
 *   node tools/docs/src/headers.ts --check   end with 1 when the page is not what it would write
 *
 * --page FILE writes or checks another file.
 */
import { renderHeaders } from './headers/page.ts'
import { runPageCommand } from './page-command.ts'

runPageCommand('headers', 'docs/interop/headers.md', renderHeaders)
