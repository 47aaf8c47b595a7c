/** Try it, with what hurts: topics, payloads, headers, names and the reasons of refusals are text, whatever protocol brings them. */
import { deleteQueue, putPermission, putQueue } from '@ternmq/api'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { PAYLOAD, useChromium } from './chromium.ts'
import { mqttClient } from './clients.ts'
import { PASSWORD, Stage } from './stage.ts'

useChromium()

/** `>` would be a wildcard in most addresses: what follows in a page would close it. */
const NAME = `<img src=x onerror=${PAYLOAD}`
const MARKUP = `${NAME}><a href="javascript:${PAYLOAD}">here</a><script>${PAYLOAD}</script>`

const PROTOCOLS = [
  { key: 'mqtt', open: `open/${NAME}`, closed: `closed/${NAME}` },
  { key: 'stomp', open: `/topic/open.${NAME}`, closed: `/topic/closed.${NAME}` },
  { key: 'amqp', open: `topic://open.${NAME}`, closed: `topic://closed.${NAME}` },
] as const

async function openStage(): Promise<Stage> {
  const stage = await Stage.open()
  const everything = { user: '*', allow: ['read', 'write', 'browse', 'admin'], topics: ['#', '$queue/>'] } as const
  await stage.call(putPermission, { params: { id: 'all' }, query: { everybody: 'limited' }, body: everything })
  await stage.call(putPermission, {
    params: { id: 'closed' },
    body: { user: '*', deny: ['read', 'write'], topics: ['closed/#'] },
  })
  return stage
}

/** Where it is not connected: some protocols end the connection with the refusal. */
async function connect(page: Page): Promise<void> {
  const button = page.getByRole('button', { name: /^(?:Connect|Disconnect)$/ })
  if ((await button.textContent()) === 'Disconnect') return
  await page.getByLabel(/^Password/).fill(PASSWORD)
  await button.click()
  await page.getByText('connected', { exact: true }).waitFor()
}

function madeOf(page: Page): Promise<number> {
  return page.locator('img, script:not([src]), [onerror], a[href^="javascript:"]').count()
}

test.each(PROTOCOLS)('what comes over $key, and why it refuses, is text', async ({ key, open, closed }) => {
  const stage = await openStage()
  const other = await mqttClient(stage, NAME)
  const page = await stage.look(`/try?protocol=${key}`)
  await connect(page)
  await page.getByLabel('Address to subscribe to').fill(open)
  await page.getByRole('button', { name: 'Subscribe' }).click()
  await page.getByRole('region', { name: 'Subscribe' }).getByText(open, { exact: true }).waitFor()
  await other.publishAsync(`open/${NAME}`, MARKUP, {
    qos: 1,
    properties: { contentType: MARKUP, userProperties: { [MARKUP]: 'value', name: MARKUP } },
  })
  const log = page.getByRole('list', { name: 'Messages in and out' })
  await log.getByText(MARKUP, { exact: true }).waitFor()
  await log.getByText(`name: ${key === 'amqp' ? JSON.stringify(MARKUP) : MARKUP}`).waitFor()
  await log.getByText(NAME).first().waitFor()
  expect(await madeOf(page)).toBe(0)

  await page.getByLabel('Address to subscribe to').fill(closed)
  await page.getByRole('button', { name: 'Subscribe' }).click()
  await page.getByRole('alert').waitFor()
  expect(await madeOf(page)).toBe(0)
  await connect(page)
  await page.getByLabel('Address to publish to').fill(closed)
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.getByRole('alert').waitFor()
  expect(await madeOf(page)).toBe(0)
  expect(await page.getByRole('alert').textContent()).toMatch(/closed|not authorized/i)
})

test('a link that the broker takes away is told, with its reason', async () => {
  const stage = await openStage()
  await stage.call(putQueue, { params: { queue: NAME }, body: {} })
  const page = await stage.look('/try?protocol=amqp')
  await connect(page)
  await page.getByLabel('Address to subscribe to').fill(`queue://${NAME}`)
  await page.getByRole('button', { name: 'Subscribe' }).click()
  const subscribed = page.getByRole('region', { name: 'Subscribe' }).getByText(`queue://${NAME}`, { exact: true })
  await subscribed.waitFor()
  await stage.call(deleteQueue, { params: { queue: NAME } })
  await page.getByRole('alert').getByText(NAME).waitFor()
  await subscribed.waitFor({ state: 'detached' })
  expect(await madeOf(page)).toBe(0)
})
