/** Clients of every protocol: who is connected and how, who has gone and why, what is kept for whom. */
import { listSchedules } from '@ternmq/api'
import { expect, test } from 'vitest'

import { seen, useChromium } from './chromium.ts'
import { amqpConnection, mqttClient, publish, stompClient } from './clients.ts'
import { Stage } from './stage.ts'

useChromium()

test('connections of every protocol are in one list, by protocol, user and name', async () => {
  const stage = await Stage.open()
  await mqttClient(stage, 'press-1')
  await stompClient(stage)
  await amqpConnection(stage, 'worker')
  const page = await stage.look('/connections')
  await page.getByText('3 of 3 connections').waitFor()
  for (const text of ['MQTT 5', 'STOMP 1.2', 'AMQP 1.0']) await page.getByRole('row', { name: text }).waitFor()
  await page.getByRole('combobox', { name: 'Protocol' }).click()
  await page.getByRole('option', { name: 'MQTT, any' }).click()
  await page.getByText('1 of 1 connection').waitFor()
  await page.reload()
  await page.getByText('1 of 1 connection').waitFor()
  expect(await page.getByRole('combobox', { name: 'Protocol' }).inputValue()).toBe('MQTT, any')
})

test('who has sent most bytes is on top of the list of connections, with how many they are', async () => {
  const stage = await Stage.open()
  await mqttClient(stage, 'quiet')
  const loud = await mqttClient(stage, 'loud')
  await loud.publishAsync('site/1/picture', 'x'.repeat(300 * 1_024), { qos: 1 })
  await mqttClient(stage, 'quiet too')
  const page = await stage.look('/connections')
  await page.getByRole('button', { name: 'Bytes in' }).click()
  await page.waitForURL('/connections?sort=-bytesIn')
  await expect.poll(() => page.getByRole('row').nth(1).textContent()).toMatch(/loud.*300.* KiB/)
})

test('a connection is closed with a reason, which its client hears and its history keeps', async () => {
  const stage = await Stage.open()
  const press = await mqttClient(stage, 'press-1')
  await press.subscribeAsync('site/1/command')
  const told = new Promise((resolve) => void press.once('disconnect', resolve))
  const page = await stage.look('/connections')
  await page.getByRole('link', { name: 'press-1' }).click()
  await page.getByRole('row', { name: /site\/1\/command/ }).waitFor()
  await page.getByRole('button', { name: 'Close connection' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('Moved to another hall')
  await dialog.getByRole('button', { name: 'Close connection' }).click()
  await page.waitForURL('/ended?clientId=press-1')
  await page
    .getByRole('row', { name: /press-1/ })
    .getByText('Moved to another hall')
    .waitFor()
  expect(await told).toMatchObject({
    properties: { reasonString: expect.stringContaining('Moved to another hall') as string },
  })
})

test('why a client left is told: by itself, by a takeover', async () => {
  const stage = await Stage.open()
  await mqttClient(stage, 'twice')
  await mqttClient(stage, 'twice')
  const leaver = await mqttClient(stage, 'leaver')
  await leaver.endAsync()
  const page = await stage.look('/ended')
  await page.getByRole('row', { name: /leaver/ }).waitFor()
  await page.getByRole('combobox', { name: 'Ended by' }).click()
  await page.getByRole('option', { name: 'By a takeover' }).click()
  await page.getByRole('row', { name: /leaver/ }).waitFor({ state: 'detached' })
  await expect.poll(() => page.getByRole('row', { name: /twice/ }).count()).toBe(1)
})

test('a session that is away shows what waits for it, and is ended by who types its name', async () => {
  const stage = await Stage.open()
  const tablet = await mqttClient(stage, 'tablet', { clean: false, properties: { sessionExpiryInterval: 3_600 } })
  await tablet.subscribeAsync('site/#', { qos: 1 })
  await tablet.endAsync()
  const press = await mqttClient(stage, 'press-1')
  await press.publishAsync('site/1', 'waits', { qos: 1 })
  const page = await stage.look('/sessions?connected=false')
  await page.getByRole('link', { name: 'tablet' }).click()
  await page.getByRole('row', { name: /site\/#/ }).waitFor()
  await page.getByRole('tab', { name: 'Messages 1' }).click()
  await page.getByRole('row', { name: /press-1/ }).waitFor()
  await page.getByRole('button', { name: 'End session' }).click()
  await page.getByLabel('to confirm').fill('tablet')
  await page.getByRole('dialog').getByRole('button', { name: 'End session' }).click()
  // The page that it was ended on has a row of press-1, too.
  await page
    .getByRole('region', { name: 'sessions' })
    .getByRole('row', { name: /press-1/ })
    .waitFor()
  expect(await page.getByRole('link', { name: 'tablet' }).count()).toBe(0)
  expect(new URL(page.url()).pathname).toBe('/sessions')
})

test('subscriptions answer who would get a message of a topic', async () => {
  const stage = await Stage.open()
  await (await mqttClient(stage, 'all')).subscribeAsync('site/#')
  await (await mqttClient(stage, 'one')).subscribeAsync('site/+/alarm')
  const page = await stage.look('/subscriptions')
  await page.getByText('2 of 2 subscriptions').waitFor()
  await page.getByLabel('Who would get topic').fill('site/1/temperature')
  await page.getByText('1 of 1 subscription').waitFor()
  expect(await page.getByRole('row', { name: /site\/#/ }).count()).toBe(1)
})

test('a scheduled message is seen, and taken back', async () => {
  const stage = await Stage.open()
  await publish(stage, { address: 'queue://emails', body: 'later', delayMs: 3_600_000 })
  const page = await stage.look('/schedules')
  await page.getByRole('button', { name: /^Take back/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click()
  await page.getByText('It will not be sent.').waitFor()
  await page.getByText('Nothing is to be sent later').waitFor()
  expect((await stage.call(listSchedules)).items).toEqual([])
})

test('topics are a tree that opens level by level, with retained messages to look at and to forget', async () => {
  const stage = await Stage.open()
  const press = await mqttClient(stage, 'press-1')
  await press.publishAsync('site/1/temperature', '{"celsius":21}', { retain: true, qos: 1 })
  await press.publishAsync('site/2/temperature', '{"celsius":22}', { retain: true, qos: 1 })
  const page = await stage.look('/topics')
  await page.getByRole('button', { name: 'Open site', exact: true }).click()
  await page.getByRole('button', { name: 'Open site/1' }).click()
  await page.getByRole('button', { name: 'Retained message of site/1/temperature' }).click()
  const message = page.getByRole('complementary', { name: 'site/1/temperature' })
  await message.getByText('"celsius": 21').waitFor()
  await message.getByRole('button', { name: 'Forget…' }).click()
  await page.getByLabel('to confirm').fill('site/1/temperature')
  await page.getByRole('dialog').getByRole('button', { name: 'Forget it' }).click()
  await page.getByText('site/1/temperature has no retained message any more.').waitFor()
  await page.getByRole('tab', { name: 'Retained messages' }).click()
  await page.getByLabel(/^Topic filter/).fill('site/#')
  await page.getByText(/^1 retained messages?$/).waitFor()
  expect(await page.getByRole('button', { name: /^site/ }).allTextContents()).toEqual(['site/2/temperature'])
})

test('events come while the page is open, with the rule that was broken', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/events')
  await page.getByLabel('As they come').waitFor()
  await mqttClient(stage, 'press-1')
  await page
    .getByRole('row', { name: /press-1/ })
    .first()
    .waitFor()
  await mqttClient(stage, 'stranger', { password: 'wrong' }).catch(() => undefined)
  await page.getByRole('row', { name: /password is wrong/ }).waitFor()
  await page.getByLabel('Filter events').fill('wrong')
  await page.getByRole('row', { name: /press-1/ }).waitFor({ state: 'detached' })
  // No row is there until the answer with the filter has come.
  expect(await seen(page.getByRole('row', { name: /password is wrong/ }))).toBe(true)
})

test('what happens while the stream of events is on its way is not missed', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/try')
  let opened = (): void => {}
  const connected = new Promise<void>((resolve) => (opened = resolve))
  await page.route(/\/stream\?watch=events/, async (route) => {
    await connected
    await route.continue()
  })
  const looked = page.waitForResponse(/\/events\?limit/)
  await page.getByRole('link', { name: 'Events', exact: true }).click()
  await looked
  await mqttClient(stage, 'press-1')
  opened()
  const row = page.getByRole('row', { name: /press-1/ }).first()
  expect(await seen(row)).toBe(true)
})
