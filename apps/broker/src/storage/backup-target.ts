/** Where a backup may be made. */
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'

import { BrokerError } from '../errors.ts'

/** Throws BrokerError 'STORE_UNUSABLE': a copy inside the store would be a file that is not the store's, and stop its next start. */
export function assertOutside(journalFolder: string, target: string): void {
  const inside = relative(realpathSync(journalFolder), realPathOf(target))
  if (inside.split(sep, 1)[0] === '..' || isAbsolute(inside)) return
  throw new BrokerError(
    'STORE_UNUSABLE',
    `${target} is inside the journal ${journalFolder}, which has its directory to itself: name a directory outside of it`,
  )
}

/** Without links, also of what is not there yet. */
function realPathOf(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  return join(realPathOf(dirname(path)), basename(path))
}
