/** Texts that others chose, made fit for a terminal: names and reasons come from clients, and may have anything in them. */

/** Control characters, line breaks, and what turns the direction of writing or is not seen. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
/** Emoji are put together with it. */
const JOINER = '\u200D'
/** Of those, what JSON leaves in a text as it is. */
const UNSAFE_IN_JSON = /(?![\n\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Control characters as escapes: a text cannot move the cursor, change colours or forge a line. */
export function safeText(text: string): string {
  return text.replace(UNSAFE, (character) => (character === JOINER ? character : escaped(character)))
}

/** The same of a text of several lines, which stay lines. */
export function safeLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.split('\t').map(safeText).join('\t'))
    .join('\n')
}

/** JSON of the same value whose texts have no such character; it is read as ever. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(UNSAFE_IN_JSON, asJsonEscape)
}

function asJsonEscape(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}

/** It can be shown as it is, and is one line. */
export function isSafe(text: string): boolean {
  return safeText(text) === text
}

function escaped(character: string): string {
  switch (character) {
    case '\n':
      return '\\n'
    case '\r':
      return '\\r'
    case '\t':
      return '\\t'
    default:
      return `\\u{${character.codePointAt(0)!.toString(16)}}`
  }
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const ASCII = /^[ -~]*$/
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u

/** Columns that a text takes at a terminal. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1
  return width
}

/** With `…` at its end where it would take more than `widthMax` columns. */
export function cutText(text: string, widthMax: number): string {
  if (widthOf(text) <= widthMax) return text
  let kept = ''
  let width = 0
  for (const { segment } of graphemes.segment(text)) {
    width += WIDE.test(segment) ? 2 : 1
    if (width > widthMax - 1) break
    kept += segment
  }
  return `${kept}…`
}
