/** Finds the known name that a misspelt one was meant to be. */

/** A name longer than any of ours by this much resembles none: comparing it would only cost time. */
const NAME_CHARS_MAX = 100

/** A letter too many, too few or in its neighbour's place is likelier than a wrong one: 'mqts' is 'mqtts' before 'mqtt'. */
const SLIP = 2
const REPLACEMENT = 3
/** A third of a name may be wrong, but no more than this: keys share long beginnings, which make strangers look alike. */
const DISTANCE_MAX = 6

/** The candidate nearest to `name`, upper and lower case, '-' and '_' aside; undefined when none resembles it. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > NAME_CHARS_MAX) return undefined
  const wanted = simplified(name)
  let best: string | undefined
  let bestDistance = Math.min(DISTANCE_MAX, Math.max(REPLACEMENT, SLIP * Math.floor(wanted.length / 3))) + 1
  for (const candidate of candidates) {
    const distance = editDistance(wanted, simplified(candidate))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function simplified(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '')
}

/** Cost of the insertions, deletions, replacements and swaps of neighbours that make `a` out of `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index * SLIP)
  for (let i = 1; i <= a.length; i++) {
    const row = [i * SLIP]
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : REPLACEMENT)
      let cost = Math.min(last[j]! + SLIP, row[j - 1]! + SLIP, replaced)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforeLast[j - 2]! + SLIP)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
