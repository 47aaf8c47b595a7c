/**
 * Message selectors [JMS31 §3.8.1]: which messages a consumer wants, in the conditional expressions of SQL-92. Parsed once, then asked
 * for every message. What is wider than JMS stands at the head of lexer.ts and parser.ts, how values compare at that of values.ts.
 */
import {
  type Expression,
  SELECTOR_COST_MAX,
  SELECTOR_LENGTH_MAX,
  type SelectorError,
  SelectorSyntaxError,
} from './ast.ts'
import { compileCondition, type PropertySource, type Test } from './compile.ts'
import { costOf } from './cost.ts'
import { parseCondition } from './parser.ts'

export type { SelectorError, SelectorValue } from './ast.ts'
export { SELECTOR_COST_MAX, SELECTOR_DEPTH_MAX, SELECTOR_LENGTH_MAX, SELECTOR_MEMBERS_MAX } from './ast.ts'
export type { PropertySource } from './compile.ts'

/** ActiveMQ's switch inside the text: strings are read as numbers and booleans where they meet them. */
const CONVERTING_PREFIX = 'convert_string_expressions:'

export interface SelectorOptions {
  /**
   * Read a string property as a number or a boolean where it meets one, so that `size > 5` works on headers of MQTT and STOMP, which are
   * strings. A selector that begins with `convert_string_expressions:` asks for it by itself.
   */
  readonly convertStrings?: boolean
  /** Take one that costs more than SELECTOR_COST_MAX: the log has it, and its subscription is not lost over a limit. */
  readonly anyCost?: boolean
}

export type ParsedSelector =
  | { readonly ok: true; readonly selector: Selector }
  | { readonly ok: false; readonly error: SelectorError }

export class Selector {
  /** As given. */
  readonly text: string
  /** Names of all properties it asks for, each once, in the order of the text. */
  readonly identifiers: readonly string[]
  /** What `matches` costs at worst, in the units of cost.ts. */
  readonly cost: number
  readonly #test: Test

  constructor(text: string, identifiers: readonly string[], cost: number, test: Test) {
    this.text = text
    this.identifiers = identifiers
    this.cost = cost
    this.#test = test
  }

  /** Whether the condition is true; false and unknown are both no. Never throws, unless `source` does. Hot path. */
  matches(source: PropertySource): boolean {
    return this.#test(source) === true
  }
}

/** Parses `text`; one without anything but blanks and comments selects every message. */
export function parseSelector(text: string, options: SelectorOptions = {}): ParsedSelector {
  try {
    return { ok: true, selector: toSelector(text, options) }
  } catch (error) {
    if (!(error instanceof SelectorSyntaxError)) throw error
    return { ok: false, error: { position: error.position, text: error.message } }
  }
}

function toSelector(text: string, options: SelectorOptions): Selector {
  if (text.length > SELECTOR_LENGTH_MAX)
    throw new SelectorSyntaxError(
      SELECTOR_LENGTH_MAX + 1,
      `a selector of ${text.length} characters exceeds the ${SELECTOR_LENGTH_MAX} that one may have`,
    )
  const isPrefixed = text.startsWith(CONVERTING_PREFIX)
  const expression = parseCondition(text, isPrefixed ? CONVERTING_PREFIX.length : 0)
  if (expression === undefined) return new Selector(text, [], 0, () => true)
  const isConverting = isPrefixed || options.convertStrings === true
  const cost = costOf(expression, isConverting)
  if (cost > SELECTOR_COST_MAX && options.anyCost !== true)
    throw new SelectorSyntaxError(
      1,
      `it costs ${cost} for each message and exceeds the ${SELECTOR_COST_MAX} that one may cost; a LIKE with text between two '%' costs ` +
        'most, one that knows how the text begins or ends almost nothing',
    )
  const names = new Set<string>()
  collectNames(expression, names)
  return new Selector(text, [...names], cost, compileCondition(expression, isConverting))
}

function collectNames(expression: Expression, names: Set<string>): void {
  switch (expression.kind) {
    case 'identifier':
      names.add(expression.name)
      break
    case 'literal':
      break
    case 'not':
    case 'sign':
      collectNames(expression.operand, names)
      break
    case 'and':
    case 'or':
      for (const operand of expression.operands) collectNames(operand, names)
      break
    case 'arithmetic':
      collectNames(expression.first, names)
      for (const step of expression.steps) collectNames(step.operand, names)
      break
    case 'comparison':
      collectNames(expression.left, names)
      collectNames(expression.right, names)
      break
    case 'between':
      collectNames(expression.value, names)
      collectNames(expression.low, names)
      collectNames(expression.high, names)
      break
    case 'in':
    case 'like':
    case 'is-null':
      collectNames(expression.value, names)
      break
  }
}
