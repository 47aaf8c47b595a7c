/** Names, headers and bodies that somebody made to hurt: they are text, whatever is in them, and pages stay usable. */
import { closeConnection, listConnections } from '@ternmq/api'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { PAYLOAD, useChromium } from './chromium.ts'
import { mqttClient, publish, reject } from './clients.ts'
import { Stage } from './stage.ts'

useChromium()

const SCRIPT = `<script>${PAYLOAD}</script>`
const IMAGE = `<img src=x onerror=${PAYLOAD}>`
const LINK = `javascript:${PAYLOAD}`
/** The text after the first character would be shown backwards. */
const BACKWARDS = `‮${IMAGE}`
const CONTROLS = `a\u0001\u0007b\u001b[31mc`
const LONG = 'x'.repeat(60_000)
/** Client ids are bounded. */
const ID_LENGTH = 200

/** Everything that could lead a script into the page, in names that clients choose. */
const NAMES = [SCRIPT, IMAGE, LINK, BACKWARDS, `'"><svg onload=${PAYLOAD}>`, `{{${PAYLOAD}}}`]

/** What of the page is wider than it, or made of what should be text. */
async function faultsOf(page: Page): Promise<string[]> {
  const [content, window] = await page.evaluate<[number, number]>('[document.documentElement.scrollWidth, innerWidth]')
  const made = await page.locator('main img, main script, main svg[onload], main a[href^="javascript:"]').count()
  return [...(content > window ? [`${content} wide, of ${window}`] : []), ...(made > 0 ? [`${made} elements`] : [])]
}

test('topics, client ids and reasons are shown as they are', async () => {
  const stage = await Stage.open()
  for (const [index, name] of NAMES.entries()) {
    const client = await mqttClient(stage, `${name} ${index}`)
    await client.subscribeAsync(`in/${name.replaceAll(/[+#]/g, '')}`)
    await client.publishAsync(`out/${name.replaceAll(/[+#]/g, '')}`, IMAGE, { retain: true, qos: 1 })
  }
  const page = await stage.look('/connections')
  await page.getByText(`${IMAGE} 1`).waitFor()
  expect(await faultsOf(page)).toEqual([])
  for (const path of ['/sessions', '/subscriptions', '/topics?tab=retained', '/events']) {
    await page.goto(path)
    await page.locator('main').getByText(IMAGE).first().waitFor()
    expect(await faultsOf(page)).toEqual([])
  }
  await page.goto('/topics')
  await page.getByRole('button', { name: 'Open out', exact: true }).click()
  await page.locator('main').getByText(IMAGE).first().waitFor()
  expect(await faultsOf(page)).toEqual([])
  await page.goto(`/topics?open=${encodeURIComponent(`out/${IMAGE}`)}`)
  await page.getByRole('complementary').getByText(IMAGE).first().waitFor()
  expect(await faultsOf(page)).toEqual([])

  const { items } = await stage.call(listConnections)
  await stage.call(closeConnection, { params: { id: items[0]!.id }, query: { reason: IMAGE } })
  await page.goto('/ended')
  await page.getByRole('region', { name: 'ended connections' }).getByText(IMAGE).first().waitFor()
  expect(await faultsOf(page)).toEqual([])
})

test('names of queues lead to their pages, and can be typed to purge them', async () => {
  const stage = await Stage.open()
  for (const name of NAMES) await publish(stage, { address: `queue://${name}`, body: 'x' })
  const page = await stage.look('/queues')
  for (const name of NAMES) {
    await page.goto('/queues')
    await page.getByRole('link', { name, exact: true }).click()
    await page.getByRole('heading', { level: 1 }).filter({ hasText: name }).waitFor()
    expect(await faultsOf(page)).toEqual([])
  }
  await page.getByRole('tab', { name: 'Purge and delete' }).click()
  await page.getByRole('button', { name: 'Purge 1 message' }).click()
  await page.getByLabel('to confirm').fill(NAMES.at(-1)!)
  await page.getByRole('dialog').getByRole('button', { name: 'Purge 1 message' }).click()
  await page.getByText('1 message taken out').waitFor()
})

test('bodies, headers and reasons of dead letters are text in every view', async () => {
  const stage = await Stage.open()
  await publish(stage, {
    address: 'queue://orders',
    body: `${SCRIPT}${IMAGE}${CONTROLS}`,
    contentType: IMAGE,
    messageId: IMAGE,
    correlationId: LINK,
    type: SCRIPT,
    properties: { [IMAGE]: IMAGE, link: LINK, back: BACKWARDS },
  })
  const page = await stage.look('/queues/orders?tab=messages')
  await page.getByRole('button', { name: IMAGE }).click()
  const message = page.getByRole('complementary')
  await message.getByText(SCRIPT).first().waitFor()
  await message.getByText('Hex', { exact: true }).click()
  await message.getByText('Send the same again, as code').click()
  expect(await faultsOf(page)).toEqual([])
  await reject(stage, 'orders', IMAGE)
  await page.goto('/dead-letters')
  await page.getByRole('row', { name: IMAGE }).waitFor()
  expect(await faultsOf(page)).toEqual([])
})

test('names as long as protocols allow do not tear a page apart', async () => {
  const stage = await Stage.open()
  const client = await mqttClient(stage, `long-${LONG.slice(0, ID_LENGTH)}`)
  await client.subscribeAsync(`deep/${LONG}`)
  await client.publishAsync(`deep/${LONG}`, LONG, {
    retain: true,
    qos: 1,
    properties: { userProperties: { [LONG]: LONG } },
  })
  const page = await stage.look('/')
  for (const path of ['/connections', '/sessions', '/subscriptions', '/topics', '/topics?tab=retained', '/events']) {
    await page.goto(path)
    await page.locator('main').getByText('xxxxxxxx').first().or(page.getByText('deep')).first().waitFor()
    expect(await faultsOf(page)).toEqual([])
  }
})

test('names of users are text, in lists, dialogs and the audit log', async () => {
  const stage = await Stage.open()
  await stage.addUser(IMAGE, 'viewer')
  const page = await stage.look('/users')
  await page.getByRole('button', { name: `Change ${IMAGE}` }).click()
  await page.getByRole('dialog', { name: `Change ${IMAGE}` }).waitFor()
  expect(await faultsOf(page)).toEqual([])
  await page.goto('/audit')
  await page.getByText(IMAGE).first().waitFor()
  expect(await faultsOf(page)).toEqual([])
})
