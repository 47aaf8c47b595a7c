/** Where a JSON text is broken. JSON.parse says so for some mistakes only; people who edit files need it for all. */

const SIGN = /[{}[\],:]/
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/
const TOKEN = new RegExp(`[ \\t\\n\\r]*(?:(${SIGN.source})|(${STRING.source})|${SCALAR.source})`, 'y')

/** What may come next: a value, a value or the end of the list, a key, a key or the end, a colon, a comma or the end. */
type Expected = 'value' | 'item-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing'

/** Offset at which `text` stops being JSON; `text.length` when only the end is missing; undefined when all is well. */
export function jsonErrorOffset(text: string): number | undefined {
  const open: ('{' | '[')[] = []
  let expected: Expected = 'value'
  let at = 0
  for (;;) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)
    if (token === null) {
      const offset = skipSpace(text, at)
      return offset === text.length && expected === 'nothing' ? undefined : offset
    }
    const next = nextExpected(expected, token[1] ?? (token[2] === undefined ? 'scalar' : 'string'), open)
    if (next === undefined) return skipSpace(text, at)
    expected = next
    at = TOKEN.lastIndex
  }
}

/** What may follow `token`; undefined when it may not stand here. Keeps `open` up to date. */
function nextExpected(expected: Expected, token: string, open: ('{' | '[')[]): Expected | undefined {
  const afterValue = (): Expected => (open.length === 0 ? 'nothing' : 'comma-or-end')
  const isValuePlace = expected === 'value' || expected === 'item-or-end'
  if (token === '{' || token === '[') {
    if (!isValuePlace) return undefined
    open.push(token)
    return token === '{' ? 'key-or-end' : 'item-or-end'
  }
  if (token === '}' || token === ']') {
    const mayEnd = expected === 'comma-or-end' || expected === (token === '}' ? 'key-or-end' : 'item-or-end')
    if (!mayEnd || open.at(-1) !== (token === '}' ? '{' : '[')) return undefined
    open.pop()
    return afterValue()
  }
  if (token === ',') return expected === 'comma-or-end' ? (open.at(-1) === '{' ? 'key' : 'value') : undefined
  if (token === ':') return expected === 'colon' ? 'value' : undefined
  if (token === 'string' && (expected === 'key' || expected === 'key-or-end')) return 'colon'
  return isValuePlace ? afterValue() : undefined
}

function skipSpace(text: string, from: number): number {
  const space = /[ \t\n\r]*/y
  space.lastIndex = from
  space.exec(text)
  return space.lastIndex
}

/** 'line 3, column 7' (both from 1) of an offset. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return `line ${line}, column ${offset - before.lastIndexOf('\n')}`
}
