/**
 * Replaces comments, and strings when asked, by spaces of the same length, so that a rule sees only code and still
 * finds the right line. A scanner for the TypeScript of this repository, not a parser: it knows comments, quotes,
 * templates and regular expressions.
 */

/** A `/` after one of these starts a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|=>|\b(?:return|typeof|case|in|of|do|else|void|throw|yield|await))$/

export function blankComments(text: string): string {
  return blank(text, false)
}

/** Blanks the inside of quotes, templates (not their `${…}`) and regular expressions too. */
export function blankCommentsAndStrings(text: string): string {
  return blank(text, true)
}

function blank(text: string, strings: boolean): string {
  const out = text.split('')
  const hide = (from: number, to: number): void => {
    for (let at = from; at < to; at++) if (out[at] !== '\n') out[at] = ' '
  }
  /** Depth of braces at which each open `${` ends; its length is how deep we are inside templates. */
  const templateDepths: number[] = []
  let depth = 0
  let code = '' // the last characters of code, to tell a regular expression from a division
  let at = text.startsWith('#!') ? endOfLine(text, 0) : 0

  const template = (start: number): number => {
    const end = endOfTemplate(text, start)
    if (strings) hide(start, end)
    if (text.startsWith('${', end)) {
      templateDepths.push(depth++)
      code = '{'
      return end + 2
    }
    code = '"'
    return end + 1
  }

  while (at < text.length) {
    const char = text[at]!
    const two = text.slice(at, at + 2)
    let end = at + 1
    if (two === '//') {
      end = endOfLine(text, at)
      hide(at, end)
    } else if (two === '/*') {
      end = endOf(text, '*/', at + 2)
      hide(at, end)
    } else if (char === '"' || char === "'") {
      end = endOfQuote(text, at + 1, char)
      if (strings) hide(at + 1, end - 1)
      code = '"'
    } else if (char === '`') {
      end = template(at + 1)
    } else if (char === '}' && templateDepths.at(-1) === depth - 1) {
      depth = templateDepths.pop()!
      end = template(at + 1)
    } else if (char === '/' && BEFORE_REGEX.test(code.trimEnd())) {
      end = endOfRegex(text, at + 1)
      if (strings) hide(at + 1, end - 1)
      code = '"'
    } else {
      if (char === '{') depth++
      if (char === '}') depth--
      code = (code + char).slice(-12)
    }
    at = end
  }
  return out.join('')
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at === -1 ? text.length : at
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at === -1 ? text.length : at + mark.length
}

function endOfQuote(text: string, from: number, quote: string): number {
  let at = from
  while (at < text.length && text[at] !== quote && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1
  return Math.min(at + 1, text.length)
}

/** Offset of the closing backtick or of the next `${`. */
function endOfTemplate(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== '`' && !text.startsWith('${', at)) at += text[at] === '\\' ? 2 : 1
  return Math.min(at, text.length)
}

function endOfRegex(text: string, from: number): number {
  let at = from
  let inClass = false
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true
    if (text[at] === ']') inClass = false
    at += text[at] === '\\' ? 2 : 1
  }
  return Math.min(at + 1, text.length)
}
