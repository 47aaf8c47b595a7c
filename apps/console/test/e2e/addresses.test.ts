/** What every list shows is in its address: filter, sort and page survive a reload, and come back with the back button. */
import { publishMessage, putQueue } from '@ternmq/api'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { useChromium } from './chromium.ts'
import { mqttClient } from './clients.ts'
import { Stage } from './stage.ts'

useChromium()

interface ListPage {
  readonly path: string
  /** Label of the filter, and what is typed there. */
  readonly filter: readonly [label: string | RegExp, text: string]
  /** Head that is pressed. */
  readonly sort?: string
  /** It has a second page. */
  readonly pages?: boolean
  /** Button that leads there. */
  readonly next?: string
  /** Which column has a name. */
  readonly column: number
  /** What stands in it then: on the second page, where there is one. */
  readonly rows: readonly string[]
}

const LISTS: readonly ListPage[] = [
  { path: '/queues', filter: ['Filter queues', 'a-'], sort: 'Ready', pages: true, column: 1, rows: ['a-3'] },
  {
    path: '/queues/kept?tab=messages',
    filter: [/^Selector/, "colour = 'red'"],
    pages: true,
    column: 2,
    rows: ['kept-3'],
  },
  { path: '/consumers', filter: ['Filter consumers', 'a-'], pages: true, column: 1, rows: ['a-3'] },
  { path: '/topics?tab=retained', filter: [/^Topic filter/, 'a/+'], pages: true, column: 1, rows: ['a/3'] },
  { path: '/schedules', filter: ['Filter schedules', 'a-'], sort: 'To', pages: true, column: 1, rows: ['$queue/a-3'] },
  { path: '/connections', filter: ['Filter connections', 'a-'], sort: 'Client', pages: true, column: 1, rows: ['a-3'] },
  { path: '/ended', filter: ['User', 'admin'], pages: true, column: 2, rows: ['gone-1', 'away'] },
  { path: '/sessions', filter: ['Filter sessions', 'a-'], sort: 'Client', pages: true, column: 1, rows: ['a-3'] },
  {
    path: '/sessions/away?tab=messages',
    filter: [/^Selector/, "colour = 'red'"],
    pages: true,
    column: 1,
    rows: ['waits-3'],
  },
  { path: '/subscriptions', filter: ['Filter subscriptions', 'b/a-'], pages: true, column: 1, rows: ['a-3'] },
  { path: '/users', filter: ['Filter users', 'a-'], sort: 'User', pages: true, column: 1, rows: ['a-3'] },
  {
    path: '/events',
    filter: ['Filter events', 'gone-'],
    pages: true,
    next: 'Older',
    column: 3,
    rows: ['gone-2', 'gone-2'],
  },
  { path: '/audit', filter: ['Filter entries', 'a-'], pages: true, next: 'Older', column: 4, rows: ['a-2', 'a-2'] },
  {
    path: '/config',
    filter: ['Filter settings', 'lockOut'],
    column: 1,
    rows: [
      'auth.lockOut.attempts',
      'auth.lockOut.windowSeconds',
      'auth.lockOut.waitSeconds',
      'auth.lockOut.waitMaxSeconds',
    ],
  },
]

async function fillLists(stage: Stage): Promise<void> {
  const away = await mqttClient(stage, 'away', { clean: false, properties: { sessionExpiryInterval: 3_600 } })
  await away.subscribeAsync('waits', { qos: 1 })
  await away.endAsync()
  const properties = { colour: 'red' }
  for (const number of [1, 2, 3]) {
    const queue = `a-${number}`
    await stage.call(putQueue, { params: { queue }, body: {} })
    await stage.addUser(queue, null)
    await stage.call(publishMessage, { body: { address: `queue://${queue}`, body: 'later', delayMs: 3_600_000 } })
    for (const [address, messageId] of [
      ['queue://kept', `kept-${number}`],
      ['topic://waits', `waits-${number}`],
    ] as const) {
      await stage.call(publishMessage, { body: { address, messageId, body: 'now', properties } })
    }
    const client = await mqttClient(stage, queue)
    await client.publishAsync(`a/${number}`, 'retained', { retain: true, qos: 1 })
    await client.subscribeAsync([`b/a-${number}`, `$queue/${queue}`])
    await (await mqttClient(stage, `gone-${number}`)).endAsync()
  }
}

interface Shown {
  readonly url: string
  readonly filter: string
  readonly rows: readonly string[]
  readonly sorted: string | null | undefined
}

/** What somebody would know the page by. */
async function shownBy(page: Page, { filter: [label], sort, column }: ListPage): Promise<Shown> {
  const rows = page.locator(`main tbody tr:not([aria-hidden]) td:nth-child(${column})`)
  return {
    url: page.url(),
    filter: await page.getByLabel(label, { exact: true }).first().inputValue(),
    rows: await rows.allTextContents(),
    sorted:
      sort === undefined ? undefined : await page.getByRole('columnheader', { name: sort }).getAttribute('aria-sort'),
  }
}

/** The page asks for a list with `text` in its query: whatever it shows of the one before cannot be turned any more. */
function asks(page: Page, text: string): Promise<unknown> {
  return page.waitForRequest((request) => [...new URL(request.url()).searchParams.values()].includes(text))
}

/** Filters, sorts and turns to the second page, as far as the list has these. Resolves once the rows are those of the address. */
async function arrange(page: Page, list: ListPage): Promise<void> {
  const { path, filter, sort, pages = false, next = 'Next page', rows } = list
  const [label, text] = filter
  await page.goto(pages ? `${path}${path.includes('?') ? '&' : '?'}limit=2` : path)
  const field = page.getByLabel(label, { exact: true }).first()
  await (pages ? Promise.all([asks(page, text), field.fill(text)]) : field.fill(text))
  await page.waitForURL((url) => [...url.searchParams.values()].includes(text))
  if (sort !== undefined) {
    await Promise.all([page.waitForRequest(/[?&]sort=/), page.getByRole('button', { name: sort, exact: true }).click()])
    await page.waitForURL(/[?&]sort=/)
  }
  if (pages) {
    await page.getByRole('button', { name: next }).click()
    await page.waitForURL(/[?&]cursor=/)
  }
  await expect.poll(async () => (await shownBy(page, list)).rows, { message: path }).toEqual(rows)
}

test('filter, sort and page of every list survive a reload, and come back with the back button', async () => {
  const stage = await Stage.open()
  await fillLists(stage)
  const page = await stage.look('/')
  for (const list of LISTS) {
    await arrange(page, list)
    const shown = await shownBy(page, list)
    await page.reload()
    await expect.poll(() => shownBy(page, list), { message: list.path }).toEqual(shown)
    await page.getByRole('link', { name: 'API', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'API' }).waitFor()
    await page.goBack()
    await expect.poll(() => shownBy(page, list), { message: list.path }).toEqual(shown)
  }
}, 600_000)
