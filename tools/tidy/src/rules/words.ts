/** Text that must not be in the repository: paths of somebody's machine, package registries, work left undone. */
import type { SourceTree } from '../source-tree.ts'
import { type Violation, lineAt } from '../violation.ts'

interface Banned {
  readonly rule: string
  readonly pattern: RegExp
  readonly remedy: string
  /** Files the rule leaves alone. */
  readonly except?: RegExp
}

/** Not inside a URL, a relative path or a longer word. */
const AT_PATH_START = String.raw`(?<![\w./~}\])-])`

const BANNED: readonly Banned[] = [
  {
    rule: 'machine-path',
    pattern: new RegExp(
      String.raw`${AT_PATH_START}/(?:work|root|home/[a-z_][\w-]*|Users/\w+|tmp/w)(?=[/\s'"\`),;:]|$)`,
      'gm',
    ),
    remedy: 'use a path relative to the repository, an argument, or os.tmpdir()',
  },
  {
    rule: 'registry-host',
    pattern:
      /\bregistry\.[a-z0-9-]+\.[a-z]{2,}|\bnpm\.pkg\.[a-z]+\.[a-z]+|^\s*(?:@[\w-]+:)?registry\s*=|_auth(?:Token)?\s*=/gm,
    remedy: 'leave the choice of a registry to the machine that installs',
  },
  {
    rule: 'undone',
    pattern: new RegExp(String.raw`\b(?:TO${'DO'}|FIX${'ME'})\b`, 'g'),
    remedy: 'do it now, or open an issue and delete the note',
  },
]

export function words(tree: SourceTree): Violation[] {
  return tree.files.flatMap(({ path, text }) =>
    BANNED.filter(({ except }) => except?.test(path) !== true).flatMap(({ rule, pattern, remedy }) =>
      [...text.matchAll(pattern)].map((match) => ({
        path,
        line: lineAt(text, match.index),
        rule,
        what: `"${match[0].trim()}"`,
        remedy,
      })),
    ),
  )
}
