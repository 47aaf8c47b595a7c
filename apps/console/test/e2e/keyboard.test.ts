/** The console without a mouse: the palette, letters that lead to pages, and calls that can be taken to a shell. */
import { createToken, getQueue, putQueue } from '@ternmq/api'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { violationsOf } from './accessibility.ts'
import { useChromium } from './chromium.ts'
import { fill, mqttClient } from './clients.ts'
import { Stage } from './stage.ts'

useChromium()

test('the palette finds pages, queues, connections and actions', async () => {
  const stage = await Stage.open()
  await stage.call(putQueue, { params: { queue: 'orders.new' }, body: {} })
  await mqttClient(stage, 'press-1')
  const page = await stage.look('/')
  const palette = page.getByRole('combobox', { name: 'Go to or find' })
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.keyboard.press('Control+k')
  await palette.fill('orders')
  await page.getByRole('option', { name: /orders\.new/ }).waitFor()
  expect(await violationsOf(page, { part: '[role="dialog"]' })).toEqual([])
  await page.keyboard.press('Enter')
  await page.waitForURL('/queues/orders.new')
  await page.keyboard.press('Control+k')
  await palette.fill('press')
  await page.getByRole('option', { name: /press-1/ }).waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'press-1' }).waitFor()
  await page.keyboard.press('Control+k')
  await palette.fill('create')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Create a queue' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
})

/** Two keys of one hand: a letter that comes more than a moment after `g` is no address any more, and a slow machine has no such moment. */
function pressAtOnce(page: Page, ...keys: readonly string[]): Promise<void> {
  return page.evaluate(
    `for (const key of ${JSON.stringify(keys)}) document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))`,
  )
}

test('letters lead to pages, / to the filter, ? to the list of keys', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/')
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  for (const [letter, heading] of [
    ['q', 'Queues'],
    ['c', 'Connections'],
    ['d', 'Dead letters'],
  ] as const) {
    await pressAtOnce(page, 'g', letter)
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
  }
  await page.goto('/sessions')
  await page.getByLabel('Filter sessions').waitFor()
  await page.keyboard.press('/')
  expect(await page.locator(':focus').getAttribute('aria-label')).toBe('Filter sessions')
  await page.keyboard.type('g?')
  await page.waitForURL(({ searchParams }) => searchParams.get('q') === 'g?')
  expect(await page.getByLabel('Filter sessions').inputValue()).toBe('g?')
  await page.getByLabel('Filter sessions').blur()
  await page.keyboard.press('?')
  await page.getByRole('dialog').getByText('Ctrl').first().waitFor()
  expect(await violationsOf(page, { part: '[role="dialog"]' })).toEqual([])
})

test('a dialog holds the focus, and gives it back', async () => {
  const stage = await Stage.open()
  await fill(stage, 'orders', 1)
  const page = await stage.look('/queues/orders?tab=danger')
  const button = page.getByRole('button', { name: 'Purge 1 message' })
  await button.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').getByLabel('to confirm').waitFor()
  expect(await violationsOf(page, { part: '[role="dialog"]' })).toEqual([])
  for (let presses = 0; presses < 8; presses++) await page.keyboard.press('Tab')
  expect(await page.getByRole('dialog').locator(':focus').count()).toBe(1)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await expect.poll(() => page.locator(':focus').textContent()).toBe('Purge 1 message')
})

test('the command behind a button does what the button would', async () => {
  const stage = await Stage.open()
  await fill(stage, "it's $HOME", 2)
  const { token } = await stage.call(createToken, { body: { name: 'shell', scopes: ['operate'] } })
  const page = await stage.look(`/queues/${encodeURIComponent("it's $HOME")}?tab=danger`)
  await page.getByRole('button', { name: 'Purge 2 messages' }).click()
  await page.getByText('The same with curl').click()
  const command = await page.getByRole('dialog').locator('pre').textContent()
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `${command} --silent`], {
    env: { ...process.env, TERNMQ_TOKEN: token },
  })
  expect(JSON.parse(stdout)).toMatchObject({ count: 2 })
  expect((await stage.call(getQueue, { params: { queue: "it's $HOME" } })).readyCount).toBe(0)
})

test('dark and light follow the system, until somebody chooses', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/queues', { scheme: 'dark' })
  const html = page.locator('html')
  await page.getByRole('heading', { name: 'Queues' }).waitFor()
  expect(await html.getAttribute('data-mantine-color-scheme')).toBe('dark')
  await page.getByRole('button', { name: 'Colours' }).click()
  await page.getByRole('menuitem', { name: 'Light' }).click()
  await page.reload()
  await page.getByRole('heading', { name: 'Queues' }).waitFor()
  expect(await html.getAttribute('data-mantine-color-scheme')).toBe('light')
})
