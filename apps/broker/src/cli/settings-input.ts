/** Settings as `KEY=VALUE`: how they are written on the command line, and how they are shown. */
import { ApiProblem } from '@ternmq/api/client'
import { pair } from './parse.ts'

/** A value is JSON where it is, else the text itself. */
export function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text // `reject`, `fsync-local`
  }
}

type Tree = Readonly<Record<string, unknown>>

/** `settings` with `KEY=VALUE` of each text laid over it; `KEY=` takes one out. Throws UsageError. */
export function withSettings(settings: object, texts: readonly string[]): Tree {
  let changed: Tree = { ...settings }
  for (const text of texts) {
    const [key, value] = pair(text, 'setting')
    changed = withValue(changed, key.split('.'), value === '' ? undefined : valueOf(value))
  }
  return changed
}

function withValue(tree: Tree, [name = '', ...rest]: readonly string[], value: unknown): Tree {
  const inner = rest.length === 0 ? value : withValue(treeAt(tree, name), rest, value)
  const others = Object.entries(tree).filter(([key]) => key !== name)
  const isGone = inner === undefined || (rest.length > 0 && Object.keys(inner as Tree).length === 0)
  return Object.fromEntries(isGone ? others : [...others, [name, inner]])
}

function treeAt(tree: Tree, name: string): Tree {
  const found = tree[name]
  return typeof found === 'object' && found !== null ? (found as Tree) : {}
}

/** A refusal of settings with their keys as they are typed: a call has them in a field. */
export function withTypedKeys({ problem }: ApiProblem): ApiProblem {
  const typed = <T extends { readonly detail: string }>(part: T): T => ({
    ...part,
    detail: part.detail.replaceAll(/\bsettings\.(?=\w)/g, ''),
  })
  const { others } = problem
  return new ApiProblem({ ...typed(problem), ...(others && { others: others.map(typed) }) })
}

/** 'bytesMax=1024, redelivery.delayMs=5' */
export function settingsText(settings: object): string {
  return [...leavesOf(settings, '')].map(([key, value]) => `${key}=${valueText(value)}`).join(', ')
}

export function valueText(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value)
}

function* leavesOf(tree: object, prefix: string): Generator<readonly [key: string, value: unknown]> {
  for (const [name, value] of Object.entries(tree) as [string, unknown][]) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      yield* leavesOf(value, `${prefix}${name}.`)
    else if (value !== undefined) yield [prefix + name, value]
  }
}
