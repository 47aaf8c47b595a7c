/**
 * What asking a selector costs at worst, whatever the message has. One unit is a look at one property and what is done with it: 0.12 µs
 * where that is a bigint, less for others (measured on one core of a small server).
 */
import { type Expression, staticType } from './ast.ts'
import { searchedWords } from './like.ts'

/** A string that is read as a number: one of 64 characters takes 0.3 µs. */
const CONVERTED = 3
/** A comparison of two properties: two strings of 128 KiB that differ at their end take 8 µs. */
const COMPARED_PROPERTIES = 64
/** A LIKE that has to search: a text of 4,096 characters that almost fits everywhere takes 50 µs. */
const SEARCH = 400
/** For each further 32 characters between two `%` where `_` is among them: 10 µs. */
const SEARCH_WORD = 80

export function costOf(expression: Expression, isConverting: boolean): number {
  const costOfAll = (expressions: readonly Expression[]): number =>
    expressions.reduce((sum, each) => sum + costOf(each, isConverting), 0)
  switch (expression.kind) {
    case 'literal':
      return 0
    case 'identifier':
      return isConverting ? CONVERTED : 1
    case 'not':
    case 'sign':
      return costOf(expression.operand, isConverting)
    case 'and':
    case 'or':
      return costOfAll(expression.operands)
    case 'arithmetic':
      return costOf(expression.first, isConverting) + costOfAll(expression.steps.map(({ operand }) => operand))
    case 'comparison': {
      const { left, right } = expression
      const mayBeTexts = staticType(left) === 'any' && staticType(right) === 'any'
      return costOfAll([left, right]) + (mayBeTexts ? COMPARED_PROPERTIES : 0)
    }
    case 'between':
      return costOfAll([expression.value, expression.low, expression.high])
    case 'like': {
      const words = searchedWords(expression.pattern, expression.escape)
      return costOf(expression.value, isConverting) + (words === 0 ? 0 : SEARCH + (words - 1) * SEARCH_WORD)
    }
    case 'in':
    case 'is-null':
      return costOf(expression.value, isConverting)
  }
}
