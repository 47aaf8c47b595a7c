/** What cannot be undone, by keyboard alone: each button is reached, its dialog used, and the focus stays with the page. */
import { createToken, listConnections, putPermission, putPolicy, putQueue } from '@ternmq/api'
import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { useChromium } from './chromium.ts'
import { fill, mqttClient, publish, reject } from './clients.ts'
import { Stage } from './stage.ts'

useChromium()

/** Beyond it a button counts as out of reach. */
const STEPS_MAX = 120

interface Deed {
  readonly path: string
  readonly button: string | RegExp
  /** Typed to confirm; '' where nothing is wanted. */
  readonly name: string
  readonly says: string | RegExp
}

function deeds(connection: string): Deed[] {
  return [
    { path: '/queues/full?tab=danger', button: 'Purge 2 messages', name: 'full', says: '2 messages taken out' },
    { path: '/queues/chosen?tab=messages', button: 'Delete…', name: 'chosen', says: '2 messages deleted.' },
    { path: '/dead-letters', button: 'Delete…', name: 'DLQ', says: '1 message deleted.' },
    { path: '/topics?open=site/1', button: 'Forget…', name: 'site/1', says: 'has no retained message any more' },
    { path: '/schedules', button: /^Take back/, name: '', says: 'It will not be sent.' },
    { path: `/connections/${connection}`, button: 'Close connection', name: '', says: 'The connection is closed.' },
    { path: '/sessions/away', button: 'End session', name: 'away', says: 'The session of away is ended.' },
    { path: '/users', button: 'Remove ann', name: 'ann', says: 'ann is removed.' },
    { path: '/permissions', button: 'Take back all', name: 'all', says: 'all is taken back.' },
    { path: '/tokens', button: 'Take back ci', name: 'ci', says: 'ci opens nothing any more.' },
    { path: '/policies', button: 'Take back p1', name: 'p1', says: 'p1 does not count any more.' },
    { path: '/queues/full?tab=danger', button: 'Delete queue', name: 'full', says: 'full is deleted' },
  ]
}

async function arrange(stage: Stage): Promise<string> {
  await fill(stage, 'full', 2)
  await fill(stage, 'chosen', 2)
  await fill(stage, 'failing', 1)
  await reject(stage, 'failing', 'Unknown.')
  await publish(stage, { address: 'topic://site.1', body: 'kept', retain: true })
  await publish(stage, { address: 'queue://full', body: 'later', delayMs: 3_600_000 })
  await stage.addUser('ann', null)
  const everything = { user: '*', allow: ['read', 'write', 'browse', 'admin'], topics: ['#', '$queue/>'] } as const
  await stage.call(putPermission, { params: { id: 'all' }, query: { everybody: 'limited' }, body: everything })
  await stage.call(createToken, { body: { name: 'ci', scopes: ['read'] } })
  await stage.call(putPolicy, { params: { id: 'p1' }, body: { match: 'orders.>', settings: { messagesMax: 9 } } })
  await (await mqttClient(stage, 'away', { clean: false, properties: { sessionExpiryInterval: 3_600 } })).endAsync()
  await mqttClient(stage, 'press-1')
  const { items } = await stage.call(listConnections, { query: { q: 'press-1' } })
  return items[0]!.id
}

/** Presses Tab until the button has the focus. */
async function reach(page: Page, button: string | RegExp, within: Page | Locator = page): Promise<void> {
  const wanted = within
    .getByRole('button', { name: button, ...(typeof button === 'string' ? { exact: true } : {}) })
    .first()
  await wanted.waitFor()
  for (let step = 0; step < STEPS_MAX; step++) {
    await page.keyboard.press('Tab')
    if ((await wanted.and(page.locator(':focus')).count()) > 0) return
  }
  throw new Error(`${STEPS_MAX} times Tab did not lead to ${String(button)}`)
}

/** Where the keyboard is: in the page's own part, or lost. */
function focusOf(page: Page): Promise<string> {
  return page.evaluate<string>(
    `document.activeElement === document.body ? 'lost' : document.activeElement.closest('#main, nav, header') ? 'page' : 'elsewhere'`,
  )
}

test('every deed that cannot be undone is done by keyboard, and none is by one key too many', async () => {
  const stage = await Stage.open()
  const connection = await arrange(stage)
  const page = await stage.look('/')
  const dialog = page.getByRole('dialog')
  for (const { path, button, name, says } of deeds(connection)) {
    await page.goto(path)
    await reach(page, button)
    await page.keyboard.press('Enter')
    await dialog.waitFor()
    await expect.poll(() => dialog.locator(':focus').count(), { message: path }).toBe(1)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => page.locator(':focus').count(), { message: path }).toBe(1)
    await page.keyboard.press('Enter')
    await dialog.waitFor()
    if (name === '') {
      // Nothing to be typed: the button itself has to be reached.
      await reach(page, /^(?:Take back|Close connection)$/, dialog)
    } else {
      await expect.poll(() => dialog.locator('input:focus').count(), { message: path }).toBe(1)
      await page.keyboard.press('Enter')
      expect(await dialog.count(), `${path} without the name`).toBe(1)
      await page.keyboard.type(name)
    }
    await page.keyboard.press('Enter')
    await page.getByText(says).first().waitFor()
    await dialog.waitFor({ state: 'detached' })
    await page.waitForLoadState('networkidle')
    await expect.poll(() => focusOf(page), { message: path }).toBe('page')
  }
}, 600_000)

test('a deed that is refused leaves the keyboard in its dialog', async () => {
  const stage = await Stage.open()
  await stage.call(putQueue, { params: { queue: 'orders' }, body: {} })
  const page = await stage.look('/queues/orders?tab=danger')
  await page.route('**/queues/orders', (route) =>
    route.request().method() === 'DELETE'
      ? route.fulfill({
          status: 200,
          contentType: 'application/json',
          body: '{',
        })
      : route.continue(),
  )
  await reach(page, 'Delete queue')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.locator('input:focus').waitFor()
  await page.keyboard.type('orders')
  await reach(page, 'Delete queue', dialog)
  await page.keyboard.press('Enter')
  await dialog.getByRole('alert').waitFor()
  await page.keyboard.press('Tab')
  expect(await dialog.locator(':focus').count()).toBe(1)
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await expect.poll(() => page.locator(':focus').textContent()).toBe('Delete queue')
})
