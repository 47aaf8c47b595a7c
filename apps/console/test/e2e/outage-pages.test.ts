/** The network between the pages and the broker goes and comes: on every page with live data, under way, and while a login ends. */
import { getQueue, listConnections, login, pathOf, pauseQueue, putQueue } from '@ternmq/api'
import { MovableClock } from '@ternmq/testkit'
import type { BrowserContext, Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { expectOffences, seen, useChromium } from './chromium.ts'
import { fill, mqttClient, reject } from './clients.ts'
import { type Gate, openGate } from './gate.ts'
import { ADMIN, PASSWORD, Stage } from './stage.ts'

useChromium()

const LOST = 'The broker does not answer'
/** Longer than a page waits for anything to come. */
const HUNG_MS = 15_000

/** As `Stage.look`, through the gate. */
async function lookThrough(stage: Stage, gate: Gate, ...paths: readonly string[]): Promise<Page[]> {
  return lookWith(await stage.context(), gate, paths)
}

async function lookWith(context: BrowserContext, gate: Gate, paths: readonly string[]): Promise<Page[]> {
  await context.request.post(gate.url + pathOf(login), { data: { user: ADMIN, password: PASSWORD } })
  return Promise.all(
    paths.map(async (path) => {
      const page = await context.newPage()
      await page.goto(gate.url + path)
      return page
    }),
  )
}

/** What a page shows before, and what comes while nothing gets through. */
const LIVE: ReadonlyArray<readonly [path: string, before: string | RegExp, after: string | RegExp]> = [
  ['/', /^Ready\s*3/, /^Ready\s*5/],
  ['/queues', 'orders', 'later'],
  ['/queues/orders', 'Messages 2', 'paused'],
  ['/queues/orders?tab=messages', 'Messages 2', 'paused'],
  ['/connections', 'early', 'late'],
  ['/connections/ID', 'before', 'during'],
  ['/ended', 'gone-1', 'gone-2'],
  ['/events', 'gone-1', 'gone-2'],
  ['/sessions', 'early', 'late'],
  ['/sessions/early', 'before', 'during'],
  ['/subscriptions', 'before', 'during'],
  ['/topics?tab=retained&filter=site/%23', 'site/1', 'site/2'],
  ['/dead-letters', 'Unknown.', 'Too late.'],
]

test('pages keep what they show, say that it is old, and go on by themselves', async () => {
  expectOffences(/ERR_/)
  const stage = await Stage.open()
  const gate = await openGate(stage.broker.console!.port)
  const early = await mqttClient(stage, 'early')
  await early.subscribeAsync('before')
  await early.publishAsync('site/1', 'retained', { retain: true, qos: 1 })
  await fill(stage, 'failing', 1)
  await reject(stage, 'failing', 'Unknown.')
  await fill(stage, 'orders', 2)
  await (await mqttClient(stage, 'gone-1')).endAsync()
  const { items } = await stage.call(listConnections, { query: { q: 'early' } })
  const paths = LIVE.map(([path]) => path.replace('ID', items[0]!.id))
  const pages = await lookThrough(stage, gate, ...paths)
  const text = (page: Page, what: string | RegExp) =>
    page
      .locator('main')
      .getByText(what)
      .or(page.getByRole('link', { name: what }))
      .first()
  for (const [index, page] of pages.entries()) {
    await text(page, LIVE[index]![1]).waitFor()
    await page.evaluate('globalThis.isThePage = true')
  }
  gate.cut()
  for (const [index, page] of pages.entries()) {
    await page.getByText(LOST).waitFor()
    await text(page, LIVE[index]![1]).waitFor()
    expect(await page.getByRole('alert').count(), paths[index]).toBe(0)
  }
  await early.subscribeAsync('during')
  await early.publishAsync('site/2', 'retained', { retain: true, qos: 1 })
  await mqttClient(stage, 'late')
  await (await mqttClient(stage, 'gone-2')).endAsync()
  await fill(stage, 'failing', 1)
  await reject(stage, 'failing', 'Too late.')
  await stage.call(putQueue, { params: { queue: 'later' }, body: {} })
  await fill(stage, 'later', 1)
  await stage.call(pauseQueue, { params: { queue: 'orders' } })
  gate.mend()
  for (const [index, page] of pages.entries()) {
    await text(page, LIVE[index]![2]).waitFor()
    await page.getByText(LOST).waitFor({ state: 'detached' })
    expect(await page.evaluate('globalThis.isThePage'), paths[index]).toBe(true)
  }
}, 600_000)

test('a list that waits for its first answer does not say how many there are', async () => {
  const stage = await Stage.open()
  const gate = await openGate(stage.broker.console!.port)
  const context = await stage.context()
  await context.route(/\/api\/v1\/.*(queues|events)(\?|$)/, () => {}) // no answer
  for (const [page, noun] of [
    [(await lookWith(context, gate, ['/queues']))[0]!, '0 queues'],
    [(await lookWith(context, gate, ['/events']))[0]!, '0 events'],
  ] as const) {
    await page.getByLabel('Loading').waitFor()
    expect(await page.getByText(noun).count()).toBe(0)
  }
})

test('a broker that hangs is one that does not answer, though every connection stays', async () => {
  const stage = await Stage.open()
  const gate = await openGate(stage.broker.console!.port)
  await (await mqttClient(stage, 'gone')).endAsync()
  const context = await stage.context()
  await context.clock.install()
  const pages = await lookWith(context, gate, ['/', '/queues', '/events'])
  const [overview, queues, events] = pages
  await overview!.getByText('live', { exact: true }).waitFor()
  await queues!.getByText('No queue yet').waitFor()
  await events!.getByText('gone').first().waitFor()
  gate.hush()
  for (const page of pages) {
    const isLost = async (): Promise<boolean> => {
      await page.clock.fastForward(HUNG_MS) // once to the next look-up, once to the end of it
      return page.getByText(LOST).isVisible()
    }
    await expect.poll(isLost).toBe(true)
  }
  expect(await overview!.getByText('live', { exact: true }).count()).toBe(0)
  await fill(stage, 'orders', 1)
  gate.mend()
  for (const page of pages) await page.getByText(LOST).waitFor({ state: 'detached' })
  await overview!.getByText('live', { exact: true }).waitFor()
  await queues!.getByRole('link', { name: 'orders' }).waitFor()
})

test('a page that is opened meanwhile comes when the broker answers again, and the one before stays until then', async () => {
  expectOffences(/ERR_/)
  const stage = await Stage.open()
  const gate = await openGate(stage.broker.console!.port)
  const [page] = await lookThrough(stage, gate, '/queues')
  await page!.getByText('No queue yet').waitFor()
  await page!.evaluate('globalThis.isThePage = true')
  gate.cut()
  await page!.getByText(LOST).waitFor()
  await page!.getByRole('link', { name: 'Store', exact: true }).click()
  await page!.keyboard.press('?')
  await page!.getByText('No queue yet').waitFor()
  gate.mend()
  await page!.getByText('Engine').waitFor()
  await page!.getByText(LOST).waitFor({ state: 'detached' })
  expect(await page!.evaluate('globalThis.isThePage')).toBe(true)
  expect(page!.url()).toBe(`${gate.url}/store`)
})

test('long work goes on without the page, which shows how far it is when it can', async () => {
  expectOffences(/ERR_/)
  const stage = await Stage.open()
  const gate = await openGate(stage.broker.console!.port)
  await fill(stage, 'orders', 30)
  await stage.call(putQueue, { params: { queue: 'elsewhere' }, body: {} })
  const [page] = await lookThrough(stage, gate, '/queues/orders?tab=messages')
  const dialog = page!.getByRole('dialog')
  await page!.getByRole('button', { name: 'Move…' }).click()
  await dialog.getByLabel('To the queue').fill('elsewhere')
  await dialog.getByLabel('Messages a second').fill('10')
  await dialog.getByRole('button', { name: /^Move all messages/ }).click()
  await dialog.getByText(/^\d+ of 30 done/).waitFor()
  gate.cut()
  await page!.getByText(LOST).waitFor()
  await dialog.getByText(/^\d+ of 30 done/).waitFor()
  await expect.poll(async () => (await stage.call(getQueue, { params: { queue: 'elsewhere' } })).readyCount).toBe(30)
  gate.mend()
  expect(await seen(dialog.getByText('30 of 30 done'))).toBe(true)
})

test('a login that ends meanwhile is asked for again, and the page is where it was', async () => {
  expectOffences(/ERR_/, /status of 401/)
  const clock = new MovableClock()
  const stage = await Stage.open({ clock })
  const gate = await openGate(stage.broker.console!.port)
  const path = `/queues/orders?tab=messages&selector=${encodeURIComponent("colour = 'red'")}`
  await fill(stage, 'orders', 1)
  const [page] = await lookThrough(stage, gate, path)
  await page!.getByText('No messages with this filter.').waitFor()
  gate.cut()
  await page!.getByText(LOST).waitFor()
  await clock.advance('31m')
  gate.mend()
  await page!.getByLabel('User').fill(ADMIN)
  await page!.getByLabel(/^Password/).fill(PASSWORD)
  await page!.getByRole('button', { name: 'Log in' }).click()
  await page!.getByText('No messages with this filter.').waitFor()
  expect(await page!.getByLabel(/^Selector/).inputValue()).toBe("colour = 'red'")
  await page!.getByText(LOST).waitFor({ state: 'detached' })
})
