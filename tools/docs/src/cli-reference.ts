/**
 * Writes docs/reference/cli.md, the page about the `ternmq` command, from the table of its commands.
 *
 *   node tools/docs/src/cli-reference.ts           write the page
 *   node tools/docs/src/cli-reference.ts --check   end with 1 when the page is not what it would write
 *
 * --page FILE writes or checks another file.
 */
import { renderCliReference } from './cli-reference/page.ts'
import { runPageCommand } from './page-command.ts'

const page = await renderCliReference()
runPageCommand('cli-reference', 'docs/reference/cli.md', () => page)
