/**
 * What a selector says, as a tree: the parser makes it, the compiler reads it. Here are its shapes, the limits of a selector and
 * the one kind of error; nothing is decided.
 */

/** Characters of a selector. A longer one is refused. */
export const SELECTOR_LENGTH_MAX = 8_192
/** Parentheses, signs and NOTs inside each other. A deeper selector is refused: parser and evaluation recurse. */
export const SELECTOR_DEPTH_MAX = 64
/**
 * UTF-16 units of a text that LIKE looks at. Of a longer one nothing is known, as of NULL: what a LIKE costs would have no bound.
 */
export const LIKE_TEXT_MAX = 4_096
/**
 * What a selector may cost, see cost.ts: 0.5 ms for one message at worst. A dearer one is refused: each publish asks all selectors of a
 * topic, and its publisher waits for them.
 */
export const SELECTOR_COST_MAX = 4_096
/** Members of one IN list. A longer list is refused. */
export const SELECTOR_MEMBERS_MAX = 1_024

/** A property of a message as selectors see it; undefined and null are both NULL. */
export type SelectorValue = string | number | bigint | boolean | null

export type CompareOperator = '=' | '<>' | '<' | '<=' | '>' | '>='
export type SumOperator = '+' | '-'
export type ProductOperator = '*' | '/' | '%'
export type ArithmeticOperator = SumOperator | ProductOperator

export interface Literal {
  readonly kind: 'literal'
  readonly value: string | number | bigint | boolean
  /** Written with a fraction, an exponent or a suffix of a float: it is divided as one, even if it is whole. */
  readonly isApproximate: boolean
}

export interface Identifier {
  readonly kind: 'identifier'
  readonly name: string
}

/** A chain of equal precedence, left to right; one node, however long, so that its evaluation does not recurse. */
export interface Arithmetic {
  readonly kind: 'arithmetic'
  readonly first: Expression
  readonly steps: readonly ArithmeticStep[]
}

export interface ArithmeticStep {
  readonly operator: ArithmeticOperator
  readonly operand: Expression
}

export interface Sign {
  readonly kind: 'sign'
  readonly isNegative: boolean
  readonly operand: Expression
}

export interface Comparison {
  readonly kind: 'comparison'
  readonly operator: CompareOperator
  readonly left: Expression
  readonly right: Expression
}

export interface Between {
  readonly kind: 'between'
  readonly isNegated: boolean
  readonly value: Expression
  readonly low: Expression
  readonly high: Expression
}

export interface In {
  readonly kind: 'in'
  readonly isNegated: boolean
  readonly value: Expression
  readonly members: readonly (string | number | bigint)[]
}

export interface Like {
  readonly kind: 'like'
  readonly isNegated: boolean
  readonly value: Expression
  readonly pattern: string
  /** One character, or undefined. */
  readonly escape: string | undefined
}

export interface IsNull {
  readonly kind: 'is-null'
  readonly isNegated: boolean
  readonly value: Expression
}

export interface Not {
  readonly kind: 'not'
  readonly operand: Expression
}

/** At least two operands. */
export interface Junction {
  readonly kind: 'and' | 'or'
  readonly operands: readonly Expression[]
}

export type Expression =
  | Literal
  | Identifier
  | Arithmetic
  | Sign
  | Comparison
  | Between
  | In
  | Like
  | IsNull
  | Not
  | Junction

/** What can be said about a value before there is a message: an identifier may have any type. */
export type StaticType = 'string' | 'number' | 'boolean' | 'any'

export function staticType(expression: Expression): StaticType {
  switch (expression.kind) {
    case 'identifier':
      return 'any'
    case 'literal':
      return typeof expression.value === 'bigint' ? 'number' : (typeof expression.value as StaticType)
    case 'arithmetic':
    case 'sign':
      return 'number'
    case 'comparison':
    case 'between':
    case 'in':
    case 'like':
    case 'is-null':
    case 'not':
    case 'and':
    case 'or':
      return 'boolean'
  }
}

/** Why a text is no selector. */
export interface SelectorError {
  /** Column of the first character that does not fit, from 1, in UTF-16 units of the whole text. */
  readonly position: number
  /** A sentence with the column, what was expected and what was found. */
  readonly text: string
}

/** Thrown by lexer, parser and compiler; `parseSelector` catches it and nothing else sees it. */
export class SelectorSyntaxError extends Error {
  readonly position: number

  constructor(position: number, text: string) {
    super(`column ${position}: ${text}`)
    this.name = 'SelectorSyntaxError'
    this.position = position
  }
}
