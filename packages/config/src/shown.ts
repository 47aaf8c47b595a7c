/** What others wrote, in our sentences. */

/** Characters of a value shown in a sentence. */
const SHOWN_CHARS_MAX = 80

/** A value as it was written, as far as it fits into a sentence. */
export function shownValue(value: unknown, isSecret: boolean): string {
  if (isSecret) return '(hidden)'
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'missing')
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text
}

/** Text from outside is cut, and quoted unless it could be one of our names. */
export function shownKey(key: string): string {
  const cut = key.length > SHOWN_CHARS_MAX ? `${key.slice(0, SHOWN_CHARS_MAX)}…` : key
  return /^[\x21-\x7e…]+$/.test(cut) ? cut : JSON.stringify(cut)
}
