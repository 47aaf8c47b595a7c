/**
 * Writes docs/reference/errors.md, the table of all error codes, from the codes of the packages.
 *
 *   node tools/docs/src/errors-reference.ts           write the page
 *   node tools/docs/src/errors-reference.ts --check   end with 1 when the page is not what it would write
 *
 * --page FILE writes or checks another file.
 */
import { renderErrorsReference } from './errors-reference/page.ts'
import { runPageCommand } from './page-command.ts'

runPageCommand('errors-reference', 'docs/reference/errors.md', renderErrorsReference)
