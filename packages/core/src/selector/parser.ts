/**
 * Text of a selector → tree [JMS31 §3.8.1.1]. Recursive descent, one function per precedence level, loosest first: OR, AND, NOT,
 * comparison, sum, product, sign. Refuses what can have no type that fits (`'a' < 3`, `x AND 5`), with the column.
 *
 * Wider than JMS where ActiveMQ is: `%`, comments, any expression before LIKE, IN and IS NULL, a boolean property as a condition. Wider
 * than both: numbers in IN lists.
 */
import {
  type ArithmeticStep,
  type CompareOperator,
  type Expression,
  SELECTOR_DEPTH_MAX,
  SELECTOR_MEMBERS_MAX,
  SelectorSyntaxError,
  type StaticType,
  staticType,
} from './ast.ts'
import { describeToken, Lexer, LONG_MAGNITUDE_MAX, type Token } from './lexer.ts'
import { endsEscaped } from './like.ts'

const COMPARE_OPERATORS: ReadonlySet<string> = new Set<CompareOperator>(['=', '<>', '<', '<=', '>', '>='])
const EXPECTED_VALUE = "a property, a literal, a sign, NOT or '('"
const EXPECTED_OPERAND = "a property, a literal, a sign or '('"

/** An expression and the column where it begins, for errors about its type. */
interface Placed {
  readonly expression: Expression
  readonly position: number
}

interface PlacedString {
  readonly value: string
  readonly position: number
}

/** Reads `text` from `offset` on: one condition, or undefined if there is nothing. Throws SelectorSyntaxError. */
export function parseCondition(text: string, offset: number): Expression | undefined {
  return new Parser(new Lexer(text, offset)).parse()
}

class Parser {
  readonly #lexer: Lexer
  #token: Token
  #depth = 0

  constructor(lexer: Lexer) {
    this.#lexer = lexer
    this.#token = lexer.next()
  }

  parse(): Expression | undefined {
    if (this.#isAtEnd()) return undefined
    const placed = this.#parseOr()
    if (!this.#isAtEnd()) throw this.#unexpected('an operator or the end')
    return toCondition(placed, 'a selector')
  }

  #parseOr(): Placed {
    return this.#parseJunction('or', 'OR', () => this.#parseAnd())
  }

  #parseAnd(): Placed {
    return this.#parseJunction('and', 'AND', () => this.#parseNot())
  }

  #parseJunction(kind: 'and' | 'or', keyword: string, parseOperand: () => Placed): Placed {
    const first = parseOperand()
    if (!this.#isKeyword(keyword)) return first
    const operands = [toCondition(first, keyword)]
    while (this.#takeKeyword(keyword)) operands.push(toCondition(parseOperand(), keyword))
    return { expression: { kind, operands }, position: first.position }
  }

  #parseNot(): Placed {
    const { position } = this.#token
    if (!this.#takeKeyword('NOT')) return this.#parsePredicate()
    const operand = this.#nested(position, () => this.#parseNot())
    return { expression: { kind: 'not', operand: toCondition(operand, 'NOT') }, position }
  }

  #parsePredicate(): Placed {
    const left = this.#parseSum(EXPECTED_VALUE)
    const { position } = left
    if (this.#token.kind === 'symbol' && COMPARE_OPERATORS.has(this.#token.text)) {
      const operator = this.#advance().text as CompareOperator
      return { expression: this.#parseComparison(left, operator), position }
    }
    if (this.#takeKeyword('IS')) {
      const isNegated = this.#takeKeyword('NOT')
      this.#expectKeyword('NULL', isNegated ? 'NULL' : 'NULL or NOT NULL')
      return { expression: { kind: 'is-null', isNegated, value: left.expression }, position }
    }
    const isNegated = this.#takeKeyword('NOT')
    if (this.#takeKeyword('BETWEEN')) return { expression: this.#parseBetween(left, isNegated), position }
    if (this.#takeKeyword('IN')) return { expression: this.#parseIn(left, isNegated), position }
    if (this.#takeKeyword('LIKE')) return { expression: this.#parseLike(left, isNegated), position }
    if (isNegated) throw this.#unexpected('BETWEEN, IN or LIKE after NOT')
    return left
  }

  #parseComparison(left: Placed, operator: CompareOperator): Expression {
    const right = this.#parseSum(EXPECTED_OPERAND)
    const isOrder = operator !== '=' && operator !== '<>'
    if (isOrder) for (const operand of [left, right]) refuseUnless(operand, 'number', `'${operator}'`)
    if (this.#token.kind === 'symbol' && COMPARE_OPERATORS.has(this.#token.text))
      throw new SelectorSyntaxError(
        this.#token.position,
        `a comparison has two operands; put parentheses around one before '${this.#token.text}'`,
      )
    return { kind: 'comparison', operator, left: left.expression, right: right.expression }
  }

  #parseBetween(value: Placed, isNegated: boolean): Expression {
    const low = this.#parseSum(EXPECTED_OPERAND)
    this.#expectKeyword('AND', 'AND and the upper bound of BETWEEN')
    const high = this.#parseSum(EXPECTED_OPERAND)
    for (const operand of [value, low, high]) refuseUnless(operand, 'number', 'BETWEEN')
    return { kind: 'between', isNegated, value: value.expression, low: low.expression, high: high.expression }
  }

  #parseIn(value: Placed, isNegated: boolean): Expression {
    if (staticType(value.expression) === 'boolean')
      throw new SelectorSyntaxError(value.position, 'IN looks for a string or a number, and this is a condition')
    this.#expectSymbol('(', "'(' and the members of IN")
    const members: (string | number | bigint)[] = []
    do {
      if (members.length === SELECTOR_MEMBERS_MAX)
        throw new SelectorSyntaxError(this.#token.position, `an IN list has at most ${SELECTOR_MEMBERS_MAX} members`)
      members.push(this.#parseMember())
    } while (this.#takeSymbol(','))
    this.#expectSymbol(')', "',' or ')'")
    return { kind: 'in', isNegated, value: value.expression, members }
  }

  #parseMember(): string | number | bigint {
    if (this.#token.kind === 'string') return this.#takeString('a string').value
    const isNegative = this.#takeSymbol('-')
    if (!isNegative) this.#takeSymbol('+')
    if (this.#token.kind !== 'number') throw this.#unexpected('a string or a number')
    return this.#takeNumber(isNegative).value
  }

  #parseLike(value: Placed, isNegated: boolean): Expression {
    refuseUnless(value, 'string', 'LIKE')
    const pattern = this.#takeString('a string with the pattern of LIKE')
    const escape = this.#takeKeyword('ESCAPE') ? this.#takeString('a string with the escape character') : undefined
    if (escape !== undefined) checkEscape(pattern, escape)
    return { kind: 'like', isNegated, value: value.expression, pattern: pattern.value, escape: escape?.value }
  }

  #parseSum(expected: string): Placed {
    return this.#parseChain(['+', '-'], expected, (operand) =>
      this.#parseChain(['*', '/', '%'], operand, (factor) => this.#parseSign(factor)),
    )
  }

  #parseChain(operators: readonly string[], expected: string, parseOperand: (expected: string) => Placed): Placed {
    const first = parseOperand(expected)
    const steps: ArithmeticStep[] = []
    while (this.#token.kind === 'symbol' && operators.includes(this.#token.text)) {
      const operator = this.#advance().text as ArithmeticStep['operator']
      if (steps.length === 0) refuseUnless(first, 'number', `'${operator}'`)
      const operand = parseOperand(EXPECTED_OPERAND)
      refuseUnless(operand, 'number', `'${operator}'`)
      steps.push({ operator, operand: operand.expression })
    }
    if (steps.length === 0) return first
    return { expression: { kind: 'arithmetic', first: first.expression, steps }, position: first.position }
  }

  #parseSign(expected: string): Placed {
    const { position } = this.#token
    const isNegative = this.#isSymbol('-')
    if (!isNegative && !this.#isSymbol('+')) return this.#parsePrimary(expected)
    this.#advance()
    if (this.#token.kind === 'number') {
      const { value, isApproximate } = this.#takeNumber(isNegative)
      return { expression: { kind: 'literal', value, isApproximate }, position }
    }
    const operand = this.#nested(position, () => this.#parseSign(EXPECTED_OPERAND))
    refuseUnless(operand, 'number', 'a sign')
    return { expression: { kind: 'sign', isNegative, operand: operand.expression }, position }
  }

  #parsePrimary(expected: string): Placed {
    const token = this.#token
    const { position } = token
    if (this.#takeSymbol('(')) {
      const { expression } = this.#nested(position, () => this.#parseOr())
      this.#expectSymbol(')', `')' for the '(' of column ${position}`)
      return { expression, position }
    }
    if (token.kind === 'name') {
      this.#advance()
      return { expression: { kind: 'identifier', name: token.value }, position }
    }
    if (token.kind === 'number') {
      const { value, isApproximate } = this.#takeNumber(false)
      return { expression: { kind: 'literal', value, isApproximate }, position }
    }
    if (token.kind === 'string') {
      this.#advance()
      return { expression: { kind: 'literal', value: token.value, isApproximate: false }, position }
    }
    const isTrue = this.#isKeyword('TRUE')
    if (!isTrue && !this.#isKeyword('FALSE')) throw this.#unexpected(expected)
    this.#advance()
    return { expression: { kind: 'literal', value: isTrue, isApproximate: false }, position }
  }

  #nested<T>(position: number, parse: () => T): T {
    if (this.#depth === SELECTOR_DEPTH_MAX)
      throw new SelectorSyntaxError(position, `nested deeper than ${SELECTOR_DEPTH_MAX} levels`)
    this.#depth++
    const result = parse()
    this.#depth--
    return result
  }

  /** The current token, which is a number. */
  #takeNumber(isNegative: boolean): { value: number | bigint; isApproximate: boolean } {
    const token = this.#advance()
    if (token.kind !== 'number') throw unexpected(token, 'a number')
    const { value, isApproximate } = token
    if (!isNegative && value === LONG_MAGNITUDE_MAX)
      throw new SelectorSyntaxError(
        token.position,
        `${token.text} is beyond the range of a long, ${LONG_MAGNITUDE_MAX - 1n}; write it with a point for a double`,
      )
    if (!isNegative) return { value, isApproximate }
    return { value: typeof value === 'bigint' ? -value : 0 - value, isApproximate }
  }

  #takeString(expected: string): PlacedString {
    const token = this.#token
    if (token.kind !== 'string') throw this.#unexpected(expected)
    this.#advance()
    return token
  }

  #advance(): Token {
    const token = this.#token
    this.#token = this.#lexer.next()
    return token
  }

  #isAtEnd(): boolean {
    return this.#token.kind === 'end'
  }

  #isSymbol(symbol: string): boolean {
    return this.#token.kind === 'symbol' && this.#token.text === symbol
  }

  #isKeyword(keyword: string): boolean {
    return this.#token.kind === 'keyword' && this.#token.text === keyword
  }

  #takeSymbol(symbol: string): boolean {
    const isThere = this.#isSymbol(symbol)
    if (isThere) this.#advance()
    return isThere
  }

  #takeKeyword(keyword: string): boolean {
    const isThere = this.#isKeyword(keyword)
    if (isThere) this.#advance()
    return isThere
  }

  #expectSymbol(symbol: string, expected: string): void {
    if (!this.#takeSymbol(symbol)) throw this.#unexpected(expected)
  }

  #expectKeyword(keyword: string, expected: string): void {
    if (!this.#takeKeyword(keyword)) throw this.#unexpected(expected)
  }

  #unexpected(expected: string): SelectorSyntaxError {
    return unexpected(this.#token, expected)
  }
}

function unexpected(token: Token, expected: string): SelectorSyntaxError {
  const hint = token.kind === 'keyword' && token.text === 'NULL' ? '; NULL is asked for with IS NULL' : ''
  return new SelectorSyntaxError(token.position, `expected ${expected}, found ${describeToken(token)}${hint}`)
}

function checkEscape(pattern: PlacedString, escape: PlacedString): void {
  const count = [...escape.value].length
  if (count !== 1) throw new SelectorSyntaxError(escape.position, `an escape is one character, and this has ${count}`)
  if (!endsEscaped(pattern.value, escape.value)) return
  throw new SelectorSyntaxError(pattern.position, 'the pattern ends with its escape character; write it twice')
}

function toCondition({ expression, position }: Placed, where: string): Expression {
  const type = staticType(expression)
  if (type === 'boolean' || type === 'any') return expression
  throw new SelectorSyntaxError(position, `${where} needs a condition, and this is a ${type}`)
}

function refuseUnless({ expression, position }: Placed, wanted: StaticType, where: string): void {
  const type = staticType(expression)
  if (type === wanted || type === 'any') return
  throw new SelectorSyntaxError(position, `${where} needs a ${wanted}, and this is a ${type}`)
}
