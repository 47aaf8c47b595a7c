/** What a selector costs, and that a dear one is refused. */
import { describe, expect, test } from 'vitest'
import { SELECTOR_COST_MAX, SELECTOR_LENGTH_MAX } from './ast.ts'
import { parseSelector } from './selector.ts'

function costOf(text: string): number {
  const parsed = parseSelector(text, { anyCost: true })
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error.text}`)
  return parsed.selector.cost
}

describe('a selector costs', () => {
  test.each([
    ['nothing, where it asks for no property', '1 = 1', 0],
    ['nothing, where it is empty', ' ', 0],
    ['1 for a comparison with a literal', "a = 'x'", 1],
    ['1 for each property of a condition', 'a = 1 AND NOT b OR c BETWEEN 1 AND 9 OR d IS NULL OR -e < 3', 5],
    ['1 for each property that is calculated with', 'a + b * c > d + 1', 4],
    ['1 for a list, however long', "a IN ('x', 'y', 1, 2)", 1],
    ['64 more for two properties that may be long texts', 'a = b', 66],
    ['nothing more for two numbers', 'a + 0 = b', 2],
    ['3 for a property that may have to be read as a number', 'convert_string_expressions:a = 1', 3],
    ['1 for a LIKE without a wildcard', "a LIKE 'x'", 1],
    ['1 for a LIKE that is bound to both ends', "a LIKE 'x_%y'", 1],
    ['400 more for a LIKE that searches', "a LIKE '%x%'", 401],
    ['the same for several texts to search for, which are searched for in turn', "a LIKE 'a%b%c_%d'", 401],
    ['the same for a long text without _', `a LIKE '%${'x'.repeat(64)}%'`, 401],
    ['80 more for each further 32 characters with _', `a LIKE '%${'_'.repeat(65)}%x%'`, 561],
    ['1 for two % with nothing between', "a LIKE 'x%%'", 1],
    ['1 for a % that is escaped', "a LIKE '%!%!%' ESCAPE '!'", 1],
  ])('%s', (_, text, cost) => {
    expect(costOf(text)).toBe(cost)
  })
})

describe('the greatest cost', () => {
  const search = "a LIKE '%x%'"
  const dear = (more: string): string => `${search} OR `.repeat(10) + more

  test('is accepted, one more is refused, with what it costs and may cost', () => {
    const fill = SELECTOR_COST_MAX - costOf(dear('TRUE'))
    const dearest = dear(Array(fill).fill('a').join(' OR '))
    const accepted = parseSelector(dearest)
    expect(accepted.ok && accepted.selector.cost).toBe(SELECTOR_COST_MAX)
    const parsed = parseSelector(`${dearest} OR a`)
    expect(parsed).toMatchObject({ ok: false, error: { position: 1 } })
    expect(!parsed.ok && parsed.error.text).toContain('it costs 4097 for each message and exceeds the 4096')
  })

  test('does not count for a selector that the log has', () => {
    expect(parseSelector(dear(search), { anyCost: true }).ok).toBe(true)
    expect(parseSelector(dear(search)).ok).toBe(false)
  })

  test('lets comparisons with literals fill the greatest length', () => {
    expect(parseSelector(Array(1_000).fill('a=1').join(' OR ')).ok).toBe(true)
    expect(costOf('a OR '.repeat(1_600) + 'a')).toBeLessThan(SELECTOR_COST_MAX)
    expect('a OR '.repeat(1_600).length).toBeLessThan(SELECTOR_LENGTH_MAX)
  })
})
