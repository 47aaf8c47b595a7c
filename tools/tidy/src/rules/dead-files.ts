/** Source files nobody imports, tests included. */
import { posix } from 'node:path'
import { findImports } from '../imports.ts'
import { type SourceTree, isCode, isTestCode, packageOf } from '../source-tree.ts'
import type { Violation } from '../violation.ts'

/** Paths in manifests, and files loaded by address: `new URL('./worker.ts', import.meta.url)`. */
const NAMED_FILE = /(['"])((?:\.{1,2}\/)?[\w./-]+\.(?:ts|mjs|js|tsx))\1/g
/** Started by hand or by other programs. */
const ENTRY = /(?:^|\/)(?:src\/main\.ts|web\/src\/main\.tsx|web\/dev\/serve\.ts|web\/build\.ts|[^/]+\.config\.ts)$/

export function deadFiles(tree: SourceTree): Violation[] {
  const reached = new Set<string>()
  for (const { path, text } of tree.files) {
    const folder = posix.dirname(path)
    if (isCode(path)) for (const { specifier } of findImports(text)) reached.add(posix.join(folder, specifier))
    if (isCode(path)) for (const match of text.matchAll(NAMED_FILE)) reached.add(posix.join(folder, match[2]!))
    if (path.endsWith('package.json')) {
      for (const match of text.matchAll(/(?<=[\s"'/])[\w.-][\w./-]*\.(?:ts|mjs|js)\b/g))
        reached.add(posix.join(folder, match[0]))
      for (const match of text.matchAll(/(?<=")\.\/[\w./-]+\.(?:ts|mjs|js)\b/g))
        reached.add(posix.join(folder, match[0]))
    }
  }
  return tree.files
    .filter(
      ({ path }) =>
        isCode(path) && packageOf(path) !== undefined && !isTestCode(path) && !ENTRY.test(path) && !reached.has(path),
    )
    .map(({ path }) => ({
      path,
      line: 1,
      rule: 'dead-file',
      what: 'nobody imports it',
      remedy: 'import it or delete it',
    }))
}
