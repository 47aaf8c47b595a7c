/** Queues: found among many, made, changed while they run, and emptied or deleted by who types their name. */
import { getQueue, listQueues, pauseQueue, putQueue } from '@ternmq/api'
import { expect, test } from 'vitest'

import { expectOffences, seen, useChromium } from './chromium.ts'
import { fill, mqttClient } from './clients.ts'
import { Stage } from './stage.ts'

useChromium()

const MANY = 10_000

test('among ten thousand queues one is found, sorted by depth, page by page, with few rows drawn', async () => {
  const stage = await Stage.open()
  for (let index = 0; index < MANY; index++) {
    stage.broker.vhost.destinations.define({ name: `shop.${String(index).padStart(5, '0')}` })
  }
  await fill(stage, 'shop.07777', 3)
  const page = await stage.look('/queues?limit=500')
  await page.getByText('500 of 10,000 queues').waitFor()
  const table = page.getByRole('region', { name: 'queues' })
  expect(await table.getByRole('row').count()).toBeLessThan(100)
  await table.press('End')
  await table.getByRole('link', { name: 'shop.00499' }).waitFor()

  await page.getByRole('button', { name: 'Next page' }).click()
  await table.getByRole('link', { name: 'shop.00500' }).waitFor()
  await page.getByRole('button', { name: 'Back' }).click()
  await table.getByRole('link', { name: 'shop.00499' }).waitFor() // where it was left

  await page.getByRole('button', { name: 'Ready', exact: true }).click()
  await expect.poll(() => table.getByRole('link').first().textContent()).toBe('shop.07777')
  expect(await page.getByRole('columnheader', { name: 'Ready' }).getAttribute('aria-sort')).toBe('descending')

  await page.getByLabel('Filter queues').fill('0777')
  await page.getByText('11 of 11 queues').waitFor()
  expect(new URL(page.url()).searchParams.get('q')).toBe('0777')
  await page.getByLabel('With messages').check()
  await page.getByText('1 of 1 queue').waitFor()
})

test('no column moves when rows come that have more to show', async () => {
  const stage = await Stage.open()
  await stage.call(putQueue, { params: { queue: 'a' }, body: {} })
  const page = await stage.look('/queues')
  await page.getByRole('link', { name: 'a', exact: true }).waitFor()
  const ready = page.getByRole('columnheader', { name: 'Ready' })
  const before = await ready.boundingBox()
  await fill(stage, `${'warehouse.'.repeat(20)}east`, 1)
  await page.getByText('no consumer').waitFor()
  expect(await ready.boundingBox()).toEqual(before)
})

test('on a phone the name of a queue has its column for itself, and filters wait behind a button', async () => {
  const stage = await Stage.open()
  await stage.call(putQueue, { params: { queue: 'orders.eu' }, body: {} })
  await stage.call(pauseQueue, { params: { queue: 'orders.eu' } })
  await stage.call(putQueue, { params: { queue: 'idle' }, body: {} })
  const page = await stage.look('/queues')
  await page.setViewportSize({ width: 390, height: 844 })
  const cell = page.getByRole('cell', { name: 'orders.eu' })
  expect(await cell.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0)
  const unhealthy = page.getByLabel('Unhealthy only')
  expect(await unhealthy.isVisible()).toBe(false)
  await page.getByRole('button', { name: 'Filters' }).click()
  await unhealthy.check()
  await page.getByText('1 of 1 queue').waitFor()
  await page.getByRole('button', { name: 'Filters (1)' }).click()
  expect(await unhealthy.isVisible()).toBe(false)
})

test('unhealthy queues are one click away, and each row says why', async () => {
  const stage = await Stage.open()
  await fill(stage, 'orders', 2)
  await stage.call(putQueue, { params: { queue: 'idle' }, body: {} })
  const page = await stage.look('/queues')
  await page.getByRole('link', { name: 'idle' }).waitFor()
  await page.getByLabel('Unhealthy only').check()
  await page.getByText('1 of 1 queue').waitFor()
  expect(await seen(page.getByRole('row', { name: 'orders' }).getByText('no consumer'))).toBe(true)
})

test('a queue is made with a setting of its own, and a wrong value is refused at its field', async () => {
  expectOffences(/status of 400/)
  const stage = await Stage.open()
  const page = await stage.look('/queues')
  await page.getByRole('button', { name: 'Create queue' }).click()
  const dialog = page.getByRole('dialog', { name: 'Create a queue' })
  await dialog.getByLabel('Name').fill('orders.new')
  await dialog.getByText('Settings of its own').click()
  await dialog.getByLabel(/^Messages at most/).fill('500')
  const jitter = dialog.getByLabel(/^Jitter/)
  await jitter.fill('7')
  await dialog.getByRole('button', { name: 'Create queue' }).click()
  await dialog.getByRole('alert').getByText('settings.redelivery.jitter', { exact: true }).waitFor()
  expect(await jitter.getAttribute('aria-invalid')).toBe('true')
  await jitter.fill('')
  await dialog.getByRole('button', { name: 'Create queue' }).click()
  await page.waitForURL('/queues/orders.new')
  const { settings } = await stage.call(getQueue, { params: { queue: 'orders.new' } })
  expect(settings).toEqual({ messagesMax: 500 })
})

test('a setting is changed while the queue runs, and the page shows where each value is from', async () => {
  const stage = await Stage.open({ config: { policies: [{ match: 'orders.>', settings: { ttlMs: 60_000 } }] } })
  await stage.call(putQueue, { params: { queue: 'orders.new' }, body: {} })
  const page = await stage.look('/queues/orders.new?tab=settings')
  await page.getByRole('row', { name: 'ttlMs' }).getByText('policy').waitFor()
  await page.getByRole('button', { name: 'Change settings' }).click()
  await page.getByLabel(/^Messages at most/).fill('7')
  await page.getByRole('button', { name: 'Save settings' }).click()
  await page.getByRole('row', { name: 'messagesMax' }).getByText('this queue').waitFor()
  const { effective } = await stage.call(getQueue, { params: { queue: 'orders.new' } })
  expect(effective).toContainEqual({ key: 'messagesMax', value: 7, from: 'queue' })
})

test('a paused queue hands nothing out until it is resumed', async () => {
  const stage = await Stage.open()
  await stage.call(putQueue, { params: { queue: 'orders' }, body: {} })
  const page = await stage.look('/queues/orders')
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('paused', { exact: true }).waitFor()
  const receiver = await mqttClient(stage, 'receiver')
  await receiver.subscribeAsync('$queue/orders')
  await fill(stage, 'orders', 1)
  await page.getByRole('tab', { name: 'Messages 1' }).waitFor()
  const received = new Promise((resolve) => receiver.once('message', (_, payload) => resolve(payload.toString())))
  await page.getByRole('button', { name: 'Resume' }).click()
  expect(await received).toBe('order 1')
})

test('purge and delete say how many, and want the name', async () => {
  const stage = await Stage.open()
  await fill(stage, 'orders', 12)
  const page = await stage.look('/queues/orders?tab=danger')
  await page.getByRole('button', { name: 'Purge 12 messages' }).click()
  const dialog = page.getByRole('dialog')
  const confirm = dialog.getByRole('button', { name: 'Purge 12 messages' })
  await dialog.getByLabel('to confirm').fill('order')
  expect(await confirm.isDisabled()).toBe(true)
  await dialog.getByLabel('to confirm').fill('orders')
  await confirm.click()
  await page.getByText('12 messages taken out').waitFor()
  await page.getByRole('button', { name: 'Delete queue' }).click()
  await dialog.getByLabel('to confirm').fill('orders')
  await dialog.getByRole('button', { name: 'Delete queue' }).click()
  await page.getByText('orders is deleted with 0 messages.').waitFor() // it is told for a moment only
  await page.waitForURL('/queues')
  await page.getByText('No queue yet').waitFor()
  expect((await stage.call(listQueues)).items).toEqual([])
})

test('a queue that is made again after it was deleted is looked up again', async () => {
  const stage = await Stage.open()
  await fill(stage, 'orders', 2)
  const page = await stage.look('/queues/orders?tab=danger')
  await page.getByRole('button', { name: 'Delete queue' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('to confirm').fill('orders')
  await dialog.getByRole('button', { name: 'Delete queue' }).click()
  await page.getByText('orders is deleted with 2 messages.').waitFor()
  await page.getByText('No queue yet').waitFor()
  await fill(stage, 'orders', 1)
  await page.getByRole('link', { name: 'orders' }).click()
  expect(await seen(page.getByRole('tab', { name: 'Messages 1' }))).toBe(true)
})

test('filter, sort and tab are in the address: they survive a reload and come back with the back button', async () => {
  const stage = await Stage.open()
  await stage.call(putQueue, { params: { queue: 'orders' }, body: {} })
  await stage.call(pauseQueue, { params: { queue: 'orders' } })
  const page = await stage.look('/queues')
  await page.getByRole('button', { name: 'Size' }).click()
  await page.getByLabel('Filter queues').fill('ord')
  await page.waitForURL('/queues?sort=-readyBytes&q=ord')
  await page.reload()
  expect(await page.getByLabel('Filter queues').inputValue()).toBe('ord')
  await page.getByRole('link', { name: 'orders' }).click()
  await page.getByRole('tab', { name: 'Settings' }).click()
  await page.waitForURL('/queues/orders?tab=settings')
  await page.goBack()
  await page.goBack()
  expect(await page.getByLabel('Filter queues').inputValue()).toBe('ord')
  expect(await page.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort')).toBe('descending')
})
