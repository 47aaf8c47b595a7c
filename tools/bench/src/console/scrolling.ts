/** The longest lists of the console in a browser, scrolled from end to end: whether a page keeps up with the screen. */
import { login, pathOf, putUser } from '@ternmq/api'
import { ROOT } from '@ternmq/lab'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'

import { BenchApi } from './api.ts'
import type { Crowd } from './crowd.ts'

/** Debian's, as the tests use it. */
export const CHROMIUM = '/usr/bin/chromium'
const VIEWPORT = { width: 1440, height: 900 }
const WAIT_MS_MAX = 30_000
/** The most that a page of a list may have. */
const ROWS_PER_PAGE = 500
/** Six rows with each frame: a wheel that is turned quickly. */
const PIXELS_PER_FRAME = 200
const USER = { user: 'bench', password: 'scrolls through the lists' }

export interface Scrolled {
  readonly list: string
  readonly rows: number
  readonly frames: number
  readonly longestFrameMs: number
  /** Over 50 ms, while it was scrolled and between its pages. */
  readonly longTasks: number
}

/** Undefined where there is no Chromium. */
export async function measureScrolling(crowd: Crowd): Promise<Scrolled[] | undefined> {
  if (!existsSync(CHROMIUM)) return undefined
  await buildPages()
  using api = new BenchApi(crowd.broker)
  const { user: name, password } = USER
  const body = { password, role: 'viewer' } as const
  await api.client.call(putUser, { params: { name }, body })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  try {
    return [
      await scrollList(browser, crowd.broker.consoleUrl, 'queues', crowd.queueCount),
      await scrollList(browser, crowd.broker.consoleUrl, 'connections', crowd.connectionCount),
    ]
  } finally {
    await browser.close()
  }
}

/** As `npm start` does. */
async function buildPages(): Promise<void> {
  const builder = pathToFileURL(join(ROOT, 'tools', 'run', 'pages.mjs')).href
  const { ensurePages } = (await import(builder)) as { readonly ensurePages: (root: string) => Promise<void> }
  await ensurePages(ROOT)
}

/** Throws when the list has fewer rows than it must have. */
async function scrollList(browser: Browser, url: string, list: string, rowsMin: number): Promise<Scrolled> {
  const context = await browser.newContext({ baseURL: url, viewport: VIEWPORT })
  context.setDefaultTimeout(WAIT_MS_MAX)
  const answer = await context.request.post(pathOf(login), { data: USER })
  if (!answer.ok()) throw new Error(`login to the console was refused: ${await answer.text()}`)
  const page = await context.newPage()
  await page.goto(`/${list}?limit=${ROWS_PER_PAGE}`)
  await page.locator(FIRST_ROW).waitFor()
  await page.evaluate(WATCH_TASKS)
  const seen = { list, rows: 0, frames: 0, longestFrameMs: 0 }
  do {
    const { rows, frames, longestFrameMs } = await page.evaluate<Omit<Scrolled, 'list' | 'longTasks'>>(SCROLL)
    seen.rows += rows
    seen.frames += frames
    seen.longestFrameMs = Math.max(seen.longestFrameMs, longestFrameMs)
  } while (await turnPage(page))
  const longTasks = await page.evaluate<number>(LONG_TASKS)
  await context.close()
  if (seen.rows < rowsMin) throw new Error(`${seen.rows} ${list} were scrolled through, of at least ${rowsMin}`)
  return { ...seen, longTasks }
}

/** False when it was the last one. */
async function turnPage(page: Page): Promise<boolean> {
  const next = page.getByRole('button', { name: 'Next page' })
  if ((await next.count()) === 0 || (await next.isDisabled())) return false
  await page.evaluate(TO_TOP)
  const first = await page.locator(FIRST_ROW).getAttribute('title')
  await next.click()
  await page.locator(`${FIRST_ROW}:not([title=${JSON.stringify(first)}])`).waitFor()
  return true
}

const FIRST_ROW = '.table-scroll tr[aria-rowindex="2"] a'

// What runs in the page.

const WATCH_TASKS = `
  globalThis.benchTasks = 0
  new PerformanceObserver((list) => void (benchTasks += list.getEntries().length)).observe({ type: 'longtask' })
`
const LONG_TASKS = 'benchTasks'
const TO_TOP = `document.querySelector('.table-scroll').scrollTop = 0; new Promise(requestAnimationFrame)`
/** One step with each frame; rejects when the last row is not drawn at the end. */
const SCROLL = `new Promise((resolve, reject) => {
  const scroller = document.querySelector('.table-scroll')
  const rows = scroller.querySelector('table').ariaRowCount - 1
  let frames = 0
  let longestFrameMs = 0
  let lastMs
  const step = (nowMs) => {
    if (lastMs !== undefined) {
      frames++
      longestFrameMs = Math.max(longestFrameMs, nowMs - lastMs)
    }
    lastMs = nowMs
    const before = scroller.scrollTop
    scroller.scrollTop += ${PIXELS_PER_FRAME}
    if (scroller.scrollTop > before) return void requestAnimationFrame(step)
    const last = scroller.querySelector('tr[aria-rowindex="' + (rows + 1) + '"]')
    if (last === null) reject(new Error('the last row is not there'))
    else resolve({ rows, frames, longestFrameMs })
  }
  requestAnimationFrame(step)
})`
