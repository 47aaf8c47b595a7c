/** Debian's Chromium for all tests of a file, a fresh profile for each, and a watch over everything that a page must not do. */
import { needs, INSTALL_MS_MAX } from '@ternmq/broker/test/debian'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core'
import { afterAll, afterEach, beforeEach, expect } from 'vitest'

/** What has not come by then does not come, however slow the machine is. */
const WAIT_MS = 60_000

/** What payloads in names and bodies call, should they ever run. */
export const PAYLOAD = 'ternmqPayloadRan'

let browser: Browser | undefined
const contexts = new Set<BrowserContext>()
/** What pages did that they must not, of the running test. */
const offences: string[] = []
/** Texts of errors that the running test causes on purpose. */
let expected: readonly RegExp[] = []

/** To be called once by each file of tests. */
export function useChromium(): void {
  beforeEach(async (context) => {
    await needs(context, 'chromium')
    browser ??= await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox'],
      timeout: WAIT_MS,
    })
  }, INSTALL_MS_MAX)
  afterEach(async () => {
    await Promise.all([...contexts].map((context) => context.close()))
    contexts.clear()
    const told = offences.filter((text) => !expected.some((pattern) => pattern.test(text)))
    offences.length = 0
    expected = []
    expect(told).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    browser = undefined
  })
}

/** Browsers tell every refused call in their console: the running test expects these. */
export function expectOffences(...patterns: readonly RegExp[]): void {
  expected = patterns
}

/** A profile of its own: no cookies, no settings. */
export async function newContext(options: BrowserContextOptions): Promise<BrowserContext> {
  if (browser === undefined) throw new Error('useChromium() has to be called at the top of the file')
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  contexts.add(context)
  context.setDefaultTimeout(WAIT_MS)
  await context.addInitScript(WATCH_POLICY)
  context.on('page', watch)
  return context
}

/** Waits until it can be seen; rejects when that does not happen. */
export async function seen(locator: Locator): Promise<true> {
  await locator.waitFor()
  return true
}

function watch(page: Page): void {
  page.on('dialog', (dialog) => {
    offences.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('pageerror', (error) => offences.push(`error: ${error.stack ?? error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error') offences.push(`console: ${message.text()} ${message.location().url}`)
  })
}

/** Runs inside each page, before its own scripts. */
const WATCH_POLICY = `
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) => {
    console.error('policy: ' + violatedDirective + ' forbids ' + blockedURI + ' in ' + sourceFile)
  })
  Object.defineProperty(globalThis, '${PAYLOAD}', {
    get: () => console.error('a payload ran'),
    set: () => console.error('a payload ran'),
  })
`
