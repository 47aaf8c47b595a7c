/** Relative links of markdown files lead to a file, and to a heading when they name one. */
import { posix } from 'node:path'
import type { SourceTree } from '../source-tree.ts'
import type { Violation } from '../violation.ts'

const FENCE = /^\s*(?:```|~~~)/
const INLINE = /!?\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)\s>]+)>?(?:\s+["'][^)]*)?\)/g
const REFERENCE = /^\s{0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?/g
const ELSEWHERE = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i

export function links(tree: SourceTree): Violation[] {
  const headings = new Map<string, ReadonlySet<string>>()
  const headingsOf = (path: string): ReadonlySet<string> => {
    const known = headings.get(path) ?? anchorsOf(tree.read(path) ?? '')
    headings.set(path, known)
    return known
  }
  return tree.files.flatMap(({ path, text }) => {
    if (!path.endsWith('.md')) return []
    return proseLines(text).flatMap(([content, line]) =>
      [...content.matchAll(INLINE), ...content.matchAll(REFERENCE)].flatMap((match) => {
        const target = match[1]!
        const problem = ELSEWHERE.test(target) ? undefined : followLink(tree, path, target, headingsOf)
        return problem === undefined
          ? []
          : [{ path, line, rule: 'link', what: `"${target}" ${problem}`, remedy: 'correct the link' }]
      }),
    )
  })
}

/** What is wrong with the link; undefined when it arrives. */
function followLink(
  tree: SourceTree,
  from: string,
  link: string,
  headingsOf: (path: string) => ReadonlySet<string>,
): string | undefined {
  const [file, anchor] = link.split('#') as [string, string | undefined]
  if (file.startsWith('/')) return 'is absolute'
  const target =
    file === '' ? from : posix.normalize(posix.join(posix.dirname(from), decodeURI(file))).replace(/\/$/, '')
  if (target.startsWith('..')) return 'leaves the repository'
  if (!tree.has(target)) return 'leads nowhere'
  if (anchor === undefined || !target.endsWith('.md') || headingsOf(target).has(anchor.toLowerCase())) return undefined
  return `names no heading of ${target}`
}

/** Lines with their number from 1, without fenced code and with code spans emptied. */
function proseLines(text: string): [string, number][] {
  let fenced = false
  return text.split('\n').flatMap((line, index): [string, number][] => {
    if (FENCE.test(line)) fenced = !fenced
    return fenced ? [] : [[line.replace(/`[^`]*`/g, '``'), index + 1]]
  })
}

/** Anchors as code hosts make them of headings, and explicit ones. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  const seen = new Map<string, number>()
  let fenced = false
  for (const line of text.split('\n')) {
    if (FENCE.test(line)) fenced = !fenced
    for (const match of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(match[1]!.toLowerCase())
    const title = fenced ? undefined : /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1]
    if (title === undefined) continue
    const slug = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    const repeats = seen.get(slug) ?? 0
    seen.set(slug, repeats + 1)
    anchors.add(repeats === 0 ? slug : `${slug}-${repeats}`)
  }
  return anchors
}
