/**
 * Writes docs/interop/addresses.md, how protocols write names, from the rules of packages/naming.
 *
 *   node tools/docs/src/addresses.ts           write the page
 *   node tools/docs/src/addresses.ts --check   end with 1 when the page is not what it would write
 *
 * --page FILE writes or checks another file.
 */
import { renderAddresses } from './addresses/page.ts'
import { runPageCommand } from './page-command.ts'

runPageCommand('addresses', 'docs/interop/addresses.md', renderAddresses)
