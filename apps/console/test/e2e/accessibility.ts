/** What axe finds on a page: labels, roles, order, contrast. */
import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'

export interface AxeOptions {
  /** Selector of what is looked at; all when left out. */
  readonly part?: string
  /** Only these; all when left out. */
  readonly rules?: readonly string[]
}

/** A line for each element that a rule finds fault with. */
export async function violationsOf(page: Page, { part = 'body', rules }: AxeOptions = {}): Promise<string[]> {
  // In the page itself: the other way opens one more for each look.
  const axe = new AxeBuilder({ page }).setLegacyMode().include(part)
  const { violations } = await (rules === undefined ? axe : axe.withRules([...rules])).analyze()
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html}: ${failureSummary}`),
  )
}
