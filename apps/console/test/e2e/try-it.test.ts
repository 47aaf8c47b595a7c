/** Try it: a client in the page, of each protocol, and what it sends reaches all the others. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { expectOffences, useChromium } from './chromium.ts'
import { mqttClient } from './clients.ts'
import { PASSWORD, Stage } from './stage.ts'

useChromium()

const PROTOCOLS = [
  { key: 'mqtt', address: 'try/hello' },
  { key: 'stomp', address: '/topic/try.hello' },
  { key: 'amqp', address: 'topic://try.hello' },
  { key: 'http', address: 'topic://try.hello' },
] as const

async function connect(page: Page, password = PASSWORD): Promise<void> {
  await page.getByText('not connected').waitFor()
  const field = page.getByLabel(/^Password/)
  if ((await field.count()) > 0) await field.fill(password)
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
}

test.each(PROTOCOLS)(
  'over $key the page receives what others send, and they what it sends',
  async ({ key, address }) => {
    const stage = await Stage.open()
    const other = await mqttClient(stage, 'other')
    await other.subscribeAsync('try/hello')
    const page = await stage.look(`/try?protocol=${key}`)
    await connect(page)
    await page.getByText('connected', { exact: true }).waitFor()
    expect(await page.getByLabel('Address to subscribe to').inputValue()).toBe(address)
    await page.getByRole('button', { name: 'Subscribe' }).click()
    const subscribed = page.getByRole('region', { name: 'Subscribe' })
    await subscribed.getByText(address, { exact: true }).waitFor()
    const received = new Promise((resolve) => other.once('message', (_, payload) => resolve(payload.toString())))
    await page.getByLabel('Body').fill('grüße')
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    expect(await received).toBe('grüße')
    await other.publishAsync('try/hello', 'from elsewhere', { qos: 1 })
    await page.getByRole('list', { name: 'Messages in and out' }).getByText('from elsewhere').waitFor()
    await page.getByRole('button', { name: 'Disconnect' }).click()
    await page.getByText('not connected').waitFor()
  },
)

test.each(['mqtt', 'stomp', 'amqp'])('over %s a wrong password is told', async (key) => {
  expectOffences(/WebSocket/)
  const stage = await Stage.open()
  const page = await stage.look(`/try?protocol=${key}`)
  await connect(page, 'wrong')
  await page.getByRole('alert').waitFor()
  expect(await page.getByText('not connected').count()).toBe(1)
})
