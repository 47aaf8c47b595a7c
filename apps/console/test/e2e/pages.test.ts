/** Every page with something on it: it opens without an error, and axe finds nothing to complain of, in light and in dark. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { showIn, violationsOf } from './accessibility.ts'
import { useChromium } from './chromium.ts'
import { openPlant, PLANT_CLIENT, PLANT_QUEUE } from './plant.ts'
import { Stage } from './stage.ts'

useChromium()

/** Address, heading, and something that is there once the page has its data. */
const PAGES: ReadonlyArray<readonly [path: string, heading: string, sign: string]> = [
  ['/', 'Overview', 'Since the start'],
  ['/listeners', 'Listeners', 'mqtt'],
  ['/events', 'Events', 'moved to another hall'],
  ['/queues', 'Queues', PLANT_QUEUE],
  [`/queues/${PLANT_QUEUE}`, PLANT_QUEUE, 'Dead letters go to'],
  [`/queues/${PLANT_QUEUE}?tab=messages`, PLANT_QUEUE, 'order-31'],
  [`/queues/billing.invoices?tab=consumers`, 'billing.invoices', 'billing-worker'],
  [`/queues/${PLANT_QUEUE}?tab=bindings`, PLANT_QUEUE, 'No topic comes into it'],
  [`/queues/${PLANT_QUEUE}?tab=settings`, PLANT_QUEUE, 'messagesMax'],
  [`/queues/${PLANT_QUEUE}?tab=danger`, PLANT_QUEUE, 'What cannot be undone'],
  ['/consumers', 'Consumers', 'billing-worker'],
  ['/topics', 'Topics', 'site'],
  ['/topics?tab=retained', 'Topics', 'site/2/temperature'],
  ['/topics?open=site/2/temperature', 'Topics', 'celsius'],
  ['/dead-letters', 'Dead letters', 'The customer is not known.'],
  ['/schedules', 'Schedules', 'emails'],
  ['/operations', 'Operations', `copy of ${PLANT_QUEUE}`],
  ['/connections', 'Connections', PLANT_CLIENT],
  ['/ended', 'Ended connections', 'moved to another hall'],
  ['/sessions', 'Sessions', 'tablet'],
  ['/sessions/tablet', 'tablet', 'Stays without a connection'],
  ['/sessions/tablet?tab=messages', 'tablet', 'mqtt5'],
  ['/subscriptions', 'Subscriptions', 'site/#'],
  ['/users', 'Users', 'olga'],
  ['/permissions', 'Permissions', 'no-secrets'],
  ['/permissions?tab=test&user=vera&action=subscribe&address=topic://site.1.secret', 'Permissions', 'may not'],
  ['/tokens', 'Tokens', 'monitoring'],
  ['/audit', 'Audit', 'policies.put'],
  ['/policies', 'Policies', 'orders.>'],
  ['/definitions', 'Definitions', '1 policy'],
  ['/definitions?tab=apply', 'Definitions', 'The document'],
  ['/config?q=lockOut', 'Configuration', 'auth.lockOut.attempts'],
  ['/store', 'Store', 'Engine'],
  ['/try', 'Try it', 'WebSocket address'],
  ['/resolve?address=/queue/orders.new&protocol=stomp', 'Addresses', 'understood'],
  ['/reference?open=queues.put', 'API', 'Makes a queue'],
  ['/nothing/here', 'Not found', 'There is no such page'],
]

/** Those of docs/console.md, by the name of their file. They are taken when somebody sets TERNMQ_SCREENSHOTS. */
const PICTURES = {
  overview: ['/', 'light'],
  'overview-dark': ['/', 'dark'],
  queues: ['/queues', 'light'],
  queue: [`/queues/${PLANT_QUEUE}`, 'light'],
  messages: [`/queues/${PLANT_QUEUE}?tab=messages`, 'light'],
  'dead-letters': ['/dead-letters', 'light'],
  ended: ['/ended', 'light'],
  permissions: ['/permissions?tab=test&user=vera&action=subscribe&address=topic://site.1.secret', 'light'],
  topics: ['/topics?open=site/2/temperature', 'dark'],
} as const
const PICTURES_DIR = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'console')

async function takePictures(page: Page): Promise<void> {
  mkdirSync(PICTURES_DIR, { recursive: true })
  for (const [name, [path, colorScheme]] of Object.entries(PICTURES)) {
    await page.emulateMedia({ colorScheme })
    await page.goto(path)
    const [, , sign] = PAGES.find(([one]) => one === path)!
    await page.locator('main').getByText(sign).first().waitFor()
    if (name === 'queues') await page.locator('.sparkline').first().waitFor() // from the second look on
    // A queue's charts begin when its page is opened.
    if (name === 'queue') await page.evaluate('new Promise((done) => setTimeout(done, 16_000))')
    if (name === 'messages') {
      await page.getByRole('button', { name: 'order-31' }).click()
      await page.getByRole('complementary').getByText('"customer"').waitFor()
    }
    await page.screenshot({ path: join(PICTURES_DIR, `${name}.png`), animations: 'disabled' })
  }
}

const PHONE = { width: 390, height: 844 }

/** Pixels of the page, its head or its content that are beside the window of a phone; tables scroll inside. */
async function hiddenOnPhone(page: Page): Promise<number> {
  const before = page.viewportSize()!
  await page.setViewportSize(PHONE)
  const width = await page.evaluate<number>(WIDTH_NEEDED)
  await page.setViewportSize(before)
  return Math.max(0, width - PHONE.width)
}

/** Runs inside the page. */
const WIDTH_NEEDED =
  "Math.max(...['html', '.shell-head', '.shell-main'].map((part) => document.querySelector(part)?.scrollWidth ?? 0))"

/** Runs inside the page. */
const FILTERS_HEIGHT = "document.querySelector('.list-tools')?.offsetHeight ?? 0"

/** The smallest that people have on a desk. */
const SMALL_WINDOW = { width: 1280, height: 720 }

/** Lists that scroll sideways there, and heads, buttons, marks and times that are cut; nothing that is open beside a list. */
async function cutInSmallWindow(page: Page): Promise<string[]> {
  const before = page.viewportSize()!
  await page.setViewportSize(SMALL_WINDOW)
  const cut = await page.evaluate<string[]>(WHAT_IS_CUT)
  await page.setViewportSize(before)
  return cut
}

/** Of a list that is higher than the window; the browser of the tests shows none. */
const SCROLLBAR_PX = 15

/** Runs inside the page. */
const WHAT_IS_CUT = `[...document.querySelectorAll('.table-scroll')].flatMap((list) => {
  if (list.closest('.split[data-open]')) return []
  const name = list.getAttribute('aria-label')
  const missing = parseFloat(getComputedStyle(list.firstElementChild).minWidth) + ${SCROLLBAR_PX} - list.offsetWidth
  const scrolls = missing > 0 ? [name + ' scrolls ' + missing + ' px'] : []
  const parts = [...list.querySelectorAll('th, td button:not(.link), td .mark, td time, td.cell-pin a')]
  const cut = parts.filter((part) => {
    const cell = part.closest('th, td')
    const { left: from, right: to } = cell.getBoundingClientRect()
    const padding = cell.tagName === 'TH' ? 0 : parseFloat(getComputedStyle(cell).paddingRight)
    const text = document.createRange()
    text.selectNodeContents(part)
    const { left, right } = (cell === part ? text : part).getBoundingClientRect()
    const isBeside = part.querySelector('.sr-only') === null && (left < from - 1 || right > to - padding + 1)
    const label = part.querySelector('.mantine-Badge-label, .mantine-Button-label')
    return isBeside || (label !== null && label.scrollWidth > label.clientWidth)
  })
  return [...scrolls, ...cut.map((part) => name + ' cuts ' + (part.getAttribute('aria-label') ?? part.textContent))]
})`

test('a page that waits for its answers is accessible, too', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/')
  const answer = Promise.withResolvers<void>()
  await page.route(/\/api\/v1\/vhosts\//, async (route) => {
    await answer.promise
    await route.continue()
  })
  for (const path of ['/topics', '/queues']) {
    await page.goto(path)
    await page.locator('main').getByLabel('Loading').waitFor()
    expect(await violationsOf(page, { part: '#main' }), path).toEqual([])
  }
  answer.resolve()
})

test('every page opens at its address, fits on a desk and a phone and is accessible, in light and in dark', async () => {
  const stage = await openPlant()
  const page = await stage.look('/')
  for (const [path, name, sign] of PAGES) {
    await page.emulateMedia({ colorScheme: 'light' })
    await page.goto(path)
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
    await page.locator('main').getByText(sign).first().waitFor()
    // What is around all pages is judged once.
    const part = path === '/' ? 'body' : '#main'
    expect(await violationsOf(page, { part }), path).toEqual([])
    await showIn(page, 'dark')
    expect(await violationsOf(page, { part, rules: ['color-contrast'] }), `${path} in the dark`).toEqual([])
    expect(await page.evaluate<number>(FILTERS_HEIGHT), `${path} has its filters in one row`).toBeLessThan(60)
    expect(await cutInSmallWindow(page), `${path} in a small window`).toEqual([])
    expect(await hiddenOnPhone(page), `${path} on a phone`).toBe(0)
  }
  if (process.env['TERNMQ_SCREENSHOTS'] !== undefined) await takePictures(page)
}, 600_000)
