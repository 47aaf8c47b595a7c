/** What a rule reports, and how it is printed. */
import type { SourceTree } from './source-tree.ts'

export interface Violation {
  readonly path: string
  /** From 1. */
  readonly line: number
  readonly rule: string
  /** What is wrong, with the value. */
  readonly what: string
  /** What to do about it. */
  readonly remedy: string
}

export type Rule = (tree: SourceTree) => Violation[]

export function toLine({ path, line, rule, what, remedy }: Violation): string {
  return `${path}:${line} ${rule}: ${what}; ${remedy}`
}

/** Line number, from 1, of the character at `offset`. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}
