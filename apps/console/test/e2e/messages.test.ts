/** Messages in a queue: looked at without a change, sent, moved, copied, deleted, downloaded. */
import { browseMessages, getQueue, putQueue } from '@ternmq/api'
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { expectOffences, seen, useChromium } from './chromium.ts'
import { fill, mqttClient, publish } from './clients.ts'
import { Stage } from './stage.ts'

useChromium()

async function readyCountOf(stage: Stage, queue: string): Promise<number> {
  return (await stage.call(getQueue, { params: { queue } })).readyCount
}

async function openMessages(stage: Stage, queue: string): Promise<Page> {
  const page = await stage.look(`/queues/${queue}?tab=messages`)
  await page.getByRole('region', { name: 'messages' }).waitFor()
  return page
}

test('a body is shown as text, as JSON and in hex, whatever it is, and looking changes nothing', async () => {
  const stage = await Stage.open()
  await publish(
    stage,
    {
      address: 'queue://orders',
      body: '{"order":1,"part":"bolt"}',
      contentType: 'application/json',
      messageId: 'json',
    },
    { address: 'queue://orders', body: 'AP+A', encoding: 'base64', messageId: 'bytes', properties: { colour: 'red' } },
  )
  const page = await openMessages(stage, 'orders')
  await page.getByRole('button', { name: 'json', exact: true }).click()
  const json = page.getByRole('complementary', { name: 'Message json' })
  await json.getByText('"part": "bolt"').waitFor()
  await json.getByText('Text', { exact: true }).click()
  await json.getByText('{"order":1,"part":"bolt"}').waitFor()
  await json.getByText('Hex', { exact: true }).click()
  await json.getByText('7b 22 6f 72').waitFor()
  await page.getByRole('button', { name: 'bytes', exact: true }).click()
  const bytes = page.getByRole('complementary', { name: 'Message bytes' })
  await bytes.getByText('00 ff 80').waitFor()
  await bytes.getByRole('row', { name: 'colour red' }).waitFor()
  const { items } = await stage.call(browseMessages, { params: { queue: 'orders' } })
  expect(items.map(({ redelivered, failedCount, state }) => ({ redelivered, failedCount, state }))).toEqual([
    { redelivered: false, failedCount: 0, state: 'waiting' },
    { redelivered: false, failedCount: 0, state: 'waiting' },
  ])
})

test('a body is downloaded byte by byte', async () => {
  const stage = await Stage.open()
  await publish(stage, { address: 'queue://orders', body: 'AP+A', encoding: 'base64', messageId: 'bytes' })
  const page = await openMessages(stage, 'orders')
  await page.getByRole('button', { name: 'bytes', exact: true }).click()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download 3 B' }).click(),
  ])
  expect([...(await readFile(await download.path()))]).toEqual([0, 255, 128])
})

test('a selector leaves those that it wants, and a wrong one is told', async () => {
  const stage = await Stage.open()
  await publish(
    stage,
    { address: 'queue://orders', body: 'one', messageId: 'red-1', properties: { colour: 'red' } },
    { address: 'queue://orders', body: 'two', messageId: 'blue-1', properties: { colour: 'blue' } },
  )
  const page = await openMessages(stage, 'orders')
  await page.getByRole('button', { name: 'blue-1' }).waitFor()
  await page.getByLabel(/^Selector/).fill("colour = 'red'")
  await page.getByRole('button', { name: 'blue-1' }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'red-1' }).waitFor()
  expectOffences(/status of 400/)
  await page.getByLabel(/^Selector/).fill("colour = 'red")
  expect(await seen(page.getByRole('alert'))).toBe(true)
})

test('a message is published from the page, with what a client could give it', async () => {
  const stage = await Stage.open()
  await fill(stage, 'orders', 1)
  const page = await stage.look('/queues/orders')
  await page.getByRole('button', { name: 'Publish' }).click()
  const dialog = page.getByRole('dialog', { name: 'Publish a message' })
  await dialog.getByLabel('Body', { exact: true }).fill('{"order":2}')
  await dialog.getByLabel('Content type').fill('application/json')
  await dialog.getByLabel('Priority').fill('8')
  await dialog.getByRole('button', { name: 'Property' }).click()
  await dialog.getByLabel('Property 1', { exact: true }).fill('colour')
  await dialog.getByLabel('Value of property 1').fill('red')
  await dialog.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('The message is published.').waitFor()
  const receiver = await mqttClient(stage, 'receiver')
  const received = new Promise((resolve) => {
    receiver.once('message', (_, payload, { properties }) => resolve([payload.toString(), properties]))
  })
  await receiver.subscribeAsync('$queue/orders')
  expect(await received).toMatchObject([
    '{"order":2}',
    { contentType: 'application/json', userProperties: { colour: 'red' } },
  ])
})

test('chosen messages are moved, those of a selector copied, and the rest deleted by who types the name', async () => {
  const stage = await Stage.open()
  await fill(stage, 'orders', 5)
  await stage.call(putQueue, { params: { queue: 'elsewhere' }, body: {} })
  await publish(stage, {
    address: 'queue://orders',
    body: 'red one',
    messageId: 'red-1',
    properties: { colour: 'red' },
  })
  const page = await openMessages(stage, 'orders')
  const dialog = page.getByRole('dialog')
  const rows = page.getByRole('region', { name: 'messages' }).getByRole('checkbox', { name: /^Select message/ })
  await rows.nth(0).check()
  await rows.nth(1).check()
  await page.getByText('2 messages selected').waitFor()
  await page.getByRole('button', { name: 'Move…' }).click()
  await dialog.getByLabel('To the queue').fill('elsewhere')
  await dialog.getByRole('button', { name: 'Move 2 messages' }).click()
  await page.getByText('2 messages moved.').waitFor()

  await page.getByLabel(/^Selector/).fill("colour = 'red'")
  await page.getByText('All that match').waitFor()
  await page.getByRole('button', { name: 'Copy…' }).click()
  await dialog.getByLabel('To the queue').fill('elsewhere')
  await dialog.getByRole('button', { name: /^Copy all that match/ }).click()
  await page.getByText('1 message copied.').waitFor()

  await page.getByLabel(/^Selector/).fill('')
  await page.getByText('All', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Delete…' }).click()
  const confirm = dialog.getByRole('button', { name: /^Delete all messages/ })
  expect(await confirm.isDisabled()).toBe(true)
  await dialog.getByLabel('to confirm').fill('orders')
  await confirm.click()
  await page.getByText('4 messages deleted.').waitFor()
  expect([await readyCountOf(stage, 'orders'), await readyCountOf(stage, 'elsewhere')]).toEqual([0, 3])
})

test('a message is copied as the code of a client', async () => {
  const stage = await Stage.open()
  await publish(stage, { address: 'queue://orders', body: 'one', messageId: 'm-1' })
  const page = await openMessages(stage, 'orders')
  await page.getByRole('button', { name: 'm-1' }).click()
  await page.getByText('Send the same again, as code').click()
  await page.getByRole('complementary').getByText('curl --fail-with-body').waitFor()
  await page.getByRole('combobox', { name: 'Client' }).click()
  await page
    .getByRole('option', { name: /STOMP|stomp/ })
    .first()
    .click()
  expect(await seen(page.getByRole('complementary').getByText('/queue/orders'))).toBe(true)
})

test('the message that is open closes when it is moved away, and nobody asks for it again', async () => {
  const stage = await Stage.open()
  await stage.call(putQueue, { params: { queue: 'elsewhere' }, body: {} })
  await publish(stage, { address: 'queue://orders', body: 'one', messageId: 'm-1' })
  const page = await openMessages(stage, 'orders')
  await page.getByRole('button', { name: 'm-1' }).click()
  const message = page.getByRole('complementary', { name: 'Message m-1' })
  await message.getByRole('button', { name: 'Move…' }).click()
  await page.getByRole('dialog').getByLabel('To the queue').fill('elsewhere')
  await page.getByRole('dialog').getByRole('button', { name: 'Move 1 message' }).click()
  await page.getByText('1 message moved.').waitFor()
  await message.waitFor({ state: 'detached' })
  await page.getByText('No message waits').waitFor()
  expect(new URL(page.url()).search).toBe('?tab=messages')
})
