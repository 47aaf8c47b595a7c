/**
 * Writes docs/reference/config.md, the table of all settings, from the schema of packages/config.
 *
 *   node tools/docs/src/config-reference.ts           write the page
 *   node tools/docs/src/config-reference.ts --check   end with 1 when the page is not what it would write
 *
 * --page FILE writes or checks another file.
 */
import { renderConfigReference } from './config-reference/page.ts'
import { runPageCommand } from './page-command.ts'

runPageCommand('config-reference', 'docs/reference/config.md', renderConfigReference)
