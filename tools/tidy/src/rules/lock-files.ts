/** Lock files name versions and checksums, never where a package was fetched: any registry must be able to serve them. */
import type { SourceTree } from '../source-tree.ts'
import { type Violation, lineAt } from '../violation.ts'

const LOCK = 'pnpm-lock.yaml'
const NPM_LOCK = /(?:^|\/)(?:package-lock|npm-shrinkwrap)\.json$/
const FOREIGN_LOCK = /(?:^|\/)(?:yarn\.lock|bun\.lockb?)$/
const ADDRESS = /\b(?:https?|git\+\w+|git):\/\/[^\s'",}]+|\btarball:.*|"resolved":.*/g
/** Free text about a package, which may hold an address of documentation. */
const PROSE = /^\s*(?:deprecated|"deprecated"|"funding"|"url"):?/

export function lockFiles(tree: SourceTree): Violation[] {
  const found: Violation[] = []
  if (!tree.has(LOCK))
    found.push({ path: LOCK, line: 1, rule: 'lock', what: 'it is missing', remedy: 'run npm run pnpm -- install' })
  for (const { path, text } of tree.files) {
    if (FOREIGN_LOCK.test(path))
      found.push({
        path,
        line: 1,
        rule: 'lock',
        what: 'not a lock file of pnpm',
        remedy: `delete it: ${LOCK} is the one`,
      })
    if (path !== LOCK && !NPM_LOCK.test(path)) continue
    const lines = text.split('\n')
    for (const match of text.matchAll(ADDRESS)) {
      const line = lineAt(text, match.index)
      if (PROSE.test(lines[line - 1]!)) continue
      const remedy = 'make it again without addresses: no lockfileIncludeTarballUrl, no git or URL dependencies'
      found.push({ path, line, rule: 'lock', what: `it records "${match[0]}"`, remedy })
    }
  }
  return found
}
