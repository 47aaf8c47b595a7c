/** Core and store are a fold over a log: clock, timers and chance reach them through Env only, or replay would differ. */
import { blankCommentsAndStrings } from '../blank.ts'
import { LAYERS } from '../layers.ts'
import { type SourceTree, isCode, isTestCode, packageOf } from '../source-tree.ts'
import { type Violation, lineAt } from '../violation.ts'

const FORBIDDEN =
  /(?<![.\w$#])(?:new\s+Date\b|Date\b|Math\.random|performance\b|process\.\w+|queueMicrotask|crypto\.\w+|console\.\w+|(?:set|clear)(?:Timeout|Interval|Immediate))(?!\s*[:?])/g

export function throughEnv(tree: SourceTree): Violation[] {
  return tree.files.flatMap(({ path, text }) => {
    const [place, name] = packageOf(path)?.split('/') ?? []
    if (place !== 'packages' || LAYERS[name!]?.throughEnv !== true || !isCode(path) || isTestCode(path)) return []
    return [...blankCommentsAndStrings(text).matchAll(FORBIDDEN)].map((match) => ({
      path,
      line: lineAt(text, match.index),
      rule: 'env',
      what: `${name} uses ${match[0]}`,
      remedy: 'take it from the Env that is passed in',
    }))
  })
}
