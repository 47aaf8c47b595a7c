/** Finds what a module imports: static, re-exported, side-effect and dynamic imports with a literal name. */
import { blankComments, blankCommentsAndStrings } from './blank.ts'
import { lineAt } from './violation.ts'

export interface Import {
  /** './queue.ts', 'node:fs', '@ternmq/core'. */
  readonly specifier: string
  readonly line: number
  /** Leaves nothing at run time: `import type`, or every name marked `type`. */
  readonly typeOnly: boolean
}

const FROM = /\b(?:import|export)\s+(type\s+)?([\w$\s,*{}]+?)\s*\bfrom\s*(['"])([^'"\n]+)\3/g
const SIDE_EFFECT = /\bimport\s*(['"])([^'"\n]+)\1/g
const DYNAMIC = /\b(?:import|require)\s*\(\s*(['"])([^'"\n]+)\1/g

export function findImports(text: string): Import[] {
  const withStrings = blankComments(text)
  const code = blankCommentsAndStrings(text)
  const found: Import[] = []
  /** A match inside a string is an example, not an import. */
  const add = (match: RegExpExecArray, specifier: string, typeOnly: boolean): void => {
    if (code[match.index] !== ' ') found.push({ specifier, line: lineAt(text, match.index), typeOnly })
  }
  for (const match of withStrings.matchAll(FROM)) add(match, match[4]!, match[1] !== undefined || onlyTypes(match[2]!))
  for (const match of withStrings.matchAll(SIDE_EFFECT)) add(match, match[2]!, false)
  for (const match of withStrings.matchAll(DYNAMIC)) add(match, match[2]!, false)
  return found
}

function onlyTypes(clause: string): boolean {
  const names = /^\s*\{([^}]*)\}\s*$/.exec(clause)?.[1]
  if (names === undefined) return false
  const listed = names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return listed.length > 0 && listed.every((name) => name.startsWith('type '))
}

/** Package of a bare specifier: '@ternmq/core/x' → '@ternmq/core', 'ws/lib' → 'ws'. Undefined for relative and node: ones. */
export function packageNameOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('node:')) return undefined
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]
}
