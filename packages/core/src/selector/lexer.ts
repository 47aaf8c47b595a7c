/**
 * Cuts the text of a selector into tokens. Knows literals, names, keywords and comments [JMS31 §3.8.1.1]; what may follow what is the
 * parser's business. One pass, no regular expression over more than one character.
 *
 * Beyond JMS, as ActiveMQ: comments (`-- to the end of the line`, `/* … *\/`) and `%`. Beyond both: names in double quotes, which may
 * hold any character (`"content-type"`, a double quote is written twice).
 */
import { SelectorSyntaxError } from './ast.ts'

const KEYWORDS = new Set(['NOT', 'AND', 'OR', 'BETWEEN', 'LIKE', 'IN', 'IS', 'ESCAPE', 'TRUE', 'FALSE', 'NULL'])
const SYMBOLS_OF_TWO = new Set(['<>', '<=', '>='])
const SYMBOLS_OF_ONE = new Set(['=', '<', '>', '+', '-', '*', '/', '%', '(', ')', ','])

/** A magnitude, since a sign is a token of its own: the lowest long has one that no positive long has. */
export const LONG_MAGNITUDE_MAX: bigint = 2n ** 63n

const SHOWN_CHARACTERS_MAX = 20

interface TokenBase {
  /** Column of the first character, from 1. */
  readonly position: number
  /** As written. */
  readonly text: string
}

export type Token = TokenBase &
  (
    | { readonly kind: 'end' }
    /** `text` is the symbol, or the keyword in capitals. */
    | { readonly kind: 'symbol' | 'keyword' }
    | { readonly kind: 'name' | 'string'; readonly value: string }
    | { readonly kind: 'number'; readonly value: number | bigint; readonly isApproximate: boolean }
  )

export class Lexer {
  readonly #text: string
  #offset: number

  /** Reads `text` from `offset` on; positions count from the beginning of `text`. */
  constructor(text: string, offset: number) {
    this.#text = text
    this.#offset = offset
  }

  /** The next token, 'end' again and again after the last. Throws SelectorSyntaxError. */
  next(): Token {
    this.#skipBlanks()
    const start = this.#offset
    const character = characterAt(this.#text, start)
    if (character === '') return { kind: 'end', position: start + 1, text: '' }
    if (character === "'") return { kind: 'string', value: this.#readQuoted("'", 'string'), ...this.#since(start) }
    if (character === '"') return this.#readQuotedName(start)
    if (isNameStart(character)) return this.#readName(start)
    if (isDigit(character) || (character === '.' && isDigit(characterAt(this.#text, start + 1))))
      return this.#readNumber(start)
    for (const symbol of [this.#text.slice(start, start + 2), character]) {
      if (!SYMBOLS_OF_TWO.has(symbol) && !SYMBOLS_OF_ONE.has(symbol)) continue
      this.#offset += symbol.length
      return { kind: 'symbol', ...this.#since(start) }
    }
    const hint = character === '!' ? "; 'not equal' is written <>" : ''
    throw new SelectorSyntaxError(start + 1, `${quote(character)} has no meaning in a selector${hint}`)
  }

  #since(start: number): TokenBase {
    return { position: start + 1, text: this.#text.slice(start, this.#offset) }
  }

  #skipBlanks(): void {
    for (;;) {
      const character = this.#text[this.#offset]
      if (character === ' ' || character === '\t' || character === '\n' || character === '\r' || character === '\f') {
        this.#offset++
      } else if (this.#text.startsWith('--', this.#offset)) {
        while (this.#offset < this.#text.length && !isLineEnd(this.#text[this.#offset])) this.#offset++
      } else if (this.#text.startsWith('/*', this.#offset)) {
        const end = this.#text.indexOf('*/', this.#offset + 2)
        if (end < 0) throw new SelectorSyntaxError(this.#offset + 1, 'this comment has no */')
        this.#offset = end + 2
      } else {
        return
      }
    }
  }

  #readQuoted(mark: string, what: string): string {
    const start = this.#offset
    let value = ''
    for (let from = start + 1; ;) {
      const end = this.#text.indexOf(mark, from)
      if (end < 0)
        throw new SelectorSyntaxError(start + 1, `this ${what} has no end; inside it, a ${mark} is written twice`)
      value += this.#text.slice(from, end)
      from = end + 2
      if (this.#text[end + 1] !== mark) {
        this.#offset = end + 1
        return value
      }
      value += mark
    }
  }

  #readQuotedName(start: number): Token {
    const value = this.#readQuoted('"', 'name in double quotes')
    if (value === '')
      throw new SelectorSyntaxError(start + 1, "a name is empty; strings are written in single quotes: ''")
    return { kind: 'name', value, ...this.#since(start) }
  }

  #readName(start: number): Token {
    this.#skipNameParts()
    const token = this.#since(start)
    const keyword = token.text.toUpperCase()
    if (KEYWORDS.has(keyword)) return { kind: 'keyword', position: token.position, text: keyword }
    return { kind: 'name', value: token.text, ...token }
  }

  #skipNameParts(): void {
    for (;;) {
      const character = characterAt(this.#text, this.#offset)
      if (!isNamePart(character)) return
      this.#offset += character.length
    }
  }

  #skipDigits(isKnown: (character: string) => boolean): void {
    while (isKnown(this.#text[this.#offset] ?? '')) this.#offset++
  }

  /** Literals of Java: decimal, octal and hexadecimal with L, floating point with F and D. */
  #readNumber(start: number): Token {
    if (/^0[xX]$/.test(this.#text.slice(start, start + 2))) return this.#readHexadecimal(start)
    this.#skipDigits(isDigit)
    let isApproximate = false
    if (this.#text[this.#offset] === '.') {
      isApproximate = true
      this.#offset++
      this.#skipDigits(isDigit)
    }
    if (/^[eE]$/.test(this.#text[this.#offset] ?? '')) {
      isApproximate = true
      this.#offset++
      if (/^[+-]$/.test(this.#text[this.#offset] ?? '')) this.#offset++
      const digitsAt = this.#offset
      this.#skipDigits(isDigit)
      if (this.#offset === digitsAt) throw new SelectorSyntaxError(digitsAt + 1, 'expected a digit of the exponent')
    }
    const digits = this.#text.slice(start, this.#offset)
    const suffix = (this.#text[this.#offset] ?? '').toUpperCase()
    if (suffix === 'F' || suffix === 'D') isApproximate = true
    if (suffix === 'F' || suffix === 'D' || (suffix === 'L' && !isApproximate)) this.#offset++
    this.#checkNumberEnds(start)
    const token = this.#since(start)
    if (!isApproximate) return { kind: 'number', value: toExact(digits, token), isApproximate, ...token }
    const double = Number(digits)
    // A float that a message carries compares equal only with what the same digits are as a float.
    const value = suffix === 'F' ? Math.fround(double) : double
    if (!Number.isFinite(value))
      throw new SelectorSyntaxError(
        start + 1,
        `${shorten(token.text)} is beyond the range of a ${suffix === 'F' ? 'float' : 'double'}`,
      )
    return { kind: 'number', value, isApproximate, ...token }
  }

  #readHexadecimal(start: number): Token {
    this.#offset += 2
    this.#skipDigits(isHexadecimalDigit)
    const digits = this.#text.slice(start, this.#offset)
    if (digits.length === 2) throw new SelectorSyntaxError(this.#offset + 1, 'expected a hexadecimal digit')
    if (/^[lL]$/.test(this.#text[this.#offset] ?? '')) this.#offset++
    this.#checkNumberEnds(start)
    const token = this.#since(start)
    return { kind: 'number', value: toExact(digits, token), isApproximate: false, ...token }
  }

  #checkNumberEnds(start: number): void {
    const character = characterAt(this.#text, this.#offset)
    if (character !== '.' && !isNamePart(character)) return
    const number = shorten(this.#text.slice(start, this.#offset))
    throw new SelectorSyntaxError(this.#offset + 1, `${quote(character)} cannot follow the number ${number}`)
  }
}

/** A token as an error names it. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'the end'
    case 'symbol':
      return `'${token.text}'`
    case 'keyword':
      return token.text
    case 'name':
      return `the name ${shorten(token.text)}`
    case 'string':
      return `the string ${shorten(token.text)}`
    case 'number':
      return `the number ${shorten(token.text)}`
  }
}

function toExact(digits: string, token: TokenBase): number | bigint {
  const isOctal = /^0\d/.test(digits)
  const notOctal = isOctal ? digits.search(/[89]/) : -1
  if (notOctal >= 0)
    throw new SelectorSyntaxError(
      token.position + notOctal,
      `${digits[notOctal]} is no octal digit, and a number that begins with 0 is octal; leave the 0 out`,
    )
  const magnitude = BigInt(isOctal ? `0o${digits.slice(1)}` : digits)
  if (magnitude > LONG_MAGNITUDE_MAX)
    throw new SelectorSyntaxError(
      token.position,
      `${shorten(token.text)} is beyond the range of a long, ${LONG_MAGNITUDE_MAX - 1n}; write it with a point for a double`,
    )
  return magnitude <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(magnitude) : magnitude
}

function shorten(text: string): string {
  const characters = [...text.slice(0, 2 * SHOWN_CHARACTERS_MAX + 2)]
  const shown =
    characters.length > SHOWN_CHARACTERS_MAX ? `${characters.slice(0, SHOWN_CHARACTERS_MAX).join('')}…` : text
  return shown.replaceAll(/\p{C}/gu, '?')
}

function quote(character: string): string {
  return /^\p{C}$/u.test(character) ? `U+${character.codePointAt(0)!.toString(16).padStart(4, '0')}` : `'${character}'`
}

/** The character with both its halves, or '' at the end. */
function characterAt(text: string, offset: number): string {
  const code = text.codePointAt(offset)
  return code === undefined ? '' : String.fromCodePoint(code)
}

function isLineEnd(character: string | undefined): boolean {
  return character === '\n' || character === '\r'
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9'
}

function isHexadecimalDigit(character: string): boolean {
  return /^[0-9a-fA-F]$/.test(character)
}

/** Character.isJavaIdentifierStart. */
function isNameStart(character: string): boolean {
  return /^[\p{L}\p{Nl}\p{Sc}\p{Pc}]$/u.test(character)
}

/** Character.isJavaIdentifierPart without its "ignorable" control characters, which would make names that look the same and differ. */
function isNamePart(character: string): boolean {
  return /^[\p{L}\p{Nl}\p{Sc}\p{Pc}\p{Nd}\p{Mn}\p{Mc}]$/u.test(character)
}
