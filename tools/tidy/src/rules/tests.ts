/** Tests that are switched off, or that switch off all others. */
import { blankCommentsAndStrings } from '../blank.ts'
import { type SourceTree, isTestCode } from '../source-tree.ts'
import { type Violation, lineAt } from '../violation.ts'

const SWITCHED_OFF = /\b(?:test|it|describe|suite|bench)(?:\.\w+)*\.(?:only|skip|todo)\b|\bx(?:it|test|describe)\b/g

export function tests(tree: SourceTree): Violation[] {
  return tree.files.flatMap(({ path, text }) => {
    if (!isTestCode(path)) return []
    return [...blankCommentsAndStrings(text).matchAll(SWITCHED_OFF)].map((match) => ({
      path,
      line: lineAt(text, match.index),
      rule: 'test-switch',
      what: match[0],
      remedy: 'let it run, or delete it; where a machine lacks something, use test.skipIf with the condition',
    }))
  })
}
