/** Size and name of files. */
import { type SourceTree, isCode, isGenerated, isTestCode } from '../source-tree.ts'
import type { Violation } from '../violation.ts'

const LINES_MAX = 500
/** A longer file says why, near its top: `// long: one table, read as a whole`. */
const REASON = /^\s*(?:\/\/|\*|#) long: \S/m
const REASON_LINES = 10

const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/
/** Names other tools or habits prescribe. */
const PRESCRIBED = /^(?:\..+|[A-Z]+(?:\.md)?|Makefile|Dockerfile|__snapshots__|.*\.py)$/
const NAMED_FOLDERS = /^(?:apps|packages|tools|docs|examples)\//

export function files(tree: SourceTree): Violation[] {
  return tree.files.flatMap(({ path, text }) => [...checkLength(path, text), ...checkName(path)])
}

function checkLength(path: string, text: string): Violation[] {
  if (!isCode(path) || isTestCode(path) || isGenerated(path)) return []
  const lines = text.split('\n')
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length
  if (count <= LINES_MAX || REASON.test(lines.slice(0, REASON_LINES).join('\n'))) return []
  const remedy = `split it by subject, or say why not in its first ${REASON_LINES} lines: // long: reason`
  return [{ path, line: count, rule: 'length', what: `${count} lines, more than ${LINES_MAX}`, remedy }]
}

function checkName(path: string): Violation[] {
  if (!NAMED_FOLDERS.test(path)) return []
  const wrong = path.split('/').filter((part) => !KEBAB.test(part) && !PRESCRIBED.test(part))
  return wrong.map((part) => ({
    path,
    line: 1,
    rule: 'name',
    what: `"${part}"`,
    remedy: 'rename it: kebab-case nouns',
  }))
}
