/** The overview lives while messages flow, and each number leads to the list that explains it. */
import { putQueue } from '@ternmq/api'
import { expect, test } from 'vitest'

import { seen, useChromium } from './chromium.ts'
import { fill, mqttClient } from './clients.ts'
import { Stage } from './stage.ts'

useChromium()

test('numbers and charts follow what flows, without loading the page again', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/')
  const held = page.getByRole('region', { name: 'Messages held' })
  await page.getByText('live', { exact: true }).waitFor()
  await held.getByText('ready').waitFor()
  await fill(stage, 'orders', 25)
  await page.getByRole('link', { name: /^Ready\s*25/ }).waitFor()
  await held.getByText('25', { exact: true }).waitFor()
  await mqttClient(stage, 'press-1')
  expect(await seen(page.getByRole('link', { name: /^Connections\s*1/ }))).toBe(true)
})

const NUMBERS = {
  In: '/connections?sort=-messagesInPerSecond',
  Out: '/connections?sort=-messagesOutPerSecond',
  Ready: '/queues?sort=-readyCount',
  'In flight': '/queues?sort=-inflightCount',
  Connections: '/connections',
  Sessions: '/sessions',
  Subscriptions: '/subscriptions',
  Retained: '/topics',
}

test('every number leads to its list', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/')
  for (const [name, address] of Object.entries(NUMBERS)) {
    await page
      .locator('main')
      .getByRole('link', { name: new RegExp(`^${name}\\s*\\d`) })
      .click()
    await page.waitForURL(address)
    await page
      .locator('main')
      .getByRole('search')
      .or(page.getByRole('region', { name: 'Tree of topics' }))
      .waitFor()
    expect(await page.getByRole('alert').count(), name).toBe(0)
    await page.goBack()
  }
})

test('a protocol leads to its connections, and an alarm to what it is about', async () => {
  const stage = await Stage.open()
  const press = await mqttClient(stage, 'press-1')
  await stage.call(putQueue, { params: { queue: 'orders' }, body: { settings: { messagesMax: 1 } } })
  press.publish('$queue/orders', 'first', { qos: 1 })
  press.publish('$queue/orders', 'has to wait', { qos: 1 })
  const page = await stage.look('/')
  await page.getByRole('link', { name: 'MQTT', exact: true }).click()
  await page.getByRole('link', { name: 'press-1' }).waitFor()
  await page.goBack()
  await page
    .getByRole('list', { name: 'Alarms' })
    .getByRole('listitem')
    .filter({ hasText: 'full' })
    .getByRole('link')
    .click()
  await page.getByRole('row', { name: 'orders' }).getByText('full', { exact: true }).waitFor()
  expect(await page.getByLabel('Unhealthy only').isChecked()).toBe(true)
})
