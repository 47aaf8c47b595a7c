/** What axe finds on a page: labels, roles, order, contrast. */
import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'

export interface AxeOptions {
  /** Selector of what is looked at; all when left out. */
  readonly part?: string
  /** Only these; all when left out. */
  readonly rules?: readonly string[]
}

/** Resolves once the page has taken it over, which it does after the browser. */
export async function showIn(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme })
  await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor()
}

/** A line for each element that a rule finds fault with. */
export async function violationsOf(page: Page, { part = 'body', rules }: AxeOptions = {}): Promise<string[]> {
  await page.evaluate(TRANSITIONS_ENDED)
  // In the page itself: the other way opens one more for each look.
  const axe = new AxeBuilder({ page }).setLegacyMode().include(part)
  const { violations } = await (rules === undefined ? axe : axe.withRules([...rules])).analyze()
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html}: ${failureSummary}`),
  )
}

/**
 * Runs inside the page: half-way between two colours a text may have too little contrast. A transition begins with the frame that draws
 * its cause; what turns for ever, as a loader does, is not waited for.
 */
const TRANSITIONS_ENDED = `(async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame)
  const ending = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity)
  await Promise.allSettled(ending.map(({ finished }) => finished))
})()`
