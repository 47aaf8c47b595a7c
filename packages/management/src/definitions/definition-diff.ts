/** What differs between two values that are made of sections, setting by setting: for previews and plans. */

export interface Difference {
  /** 'settings.redelivery.delayMs'. */
  readonly key: string
  /** Undefined: not there. */
  readonly before: unknown
  readonly after: unknown
}

/** In the order of the keys of `after`, then of those that only `before` has. */
export function differences(before: object, after: object): Difference[] {
  const [old, now] = [leavesOf(before), leavesOf(after)]
  const keys = new Set([...now.keys(), ...old.keys()])
  return [...keys]
    .map((key) => ({ key, before: old.get(key), after: now.get(key) }))
    .filter((each) => textOf(each.before) !== textOf(each.after))
}

/** `settings.bytesMax: 1048576 → 2097152`. */
export function differenceText({ key, before, after }: Difference): string {
  return `${key}: ${shown(before)} → ${shown(after)}`
}

/** Sections taken apart; a list is one value, and what is undefined is not there. */
export function leavesOf(value: object, path = ''): Map<string, unknown> {
  const leaves = new Map<string, unknown>()
  for (const [name, part] of Object.entries(value) as [string, unknown][]) {
    const key = path === '' ? name : `${path}.${name}`
    if (typeof part === 'object' && part !== null && !Array.isArray(part)) {
      for (const [inner, leaf] of leavesOf(part, key)) leaves.set(inner, leaf)
    } else if (part !== undefined) {
      leaves.set(key, part)
    }
  }
  return leaves
}

const SHOWN_CHARS_MAX = 200

function shown(value: unknown): string {
  if (value === undefined) return 'none'
  const text = textOf(value)
  return text.length <= SHOWN_CHARS_MAX ? text : `${text.slice(0, SHOWN_CHARS_MAX).toWellFormed()}…`
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? ''
}
