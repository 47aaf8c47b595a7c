/** A broker that goes: the page says what is old since when, and goes on by itself when the broker is back. */
import { startBroker } from '@ternmq/broker'
import { expect, onTestFinished, test } from 'vitest'

import { expectOffences, seen, useChromium } from './chromium.ts'
import { fill } from './clients.ts'
import { ADMIN, newFolder, PASSWORD, Stage } from './stage.ts'

useChromium()

test('what is shown stays, marked as old, and after a new start and login the page is where it was', async () => {
  expectOffences(/ERR_/, /status of 401/)
  const dataDir = newFolder()
  const stage = await Stage.open({ dataDir })
  await fill(stage, 'orders', 3)
  const page = await stage.look('/queues?q=ord')
  await page.getByRole('link', { name: 'orders' }).waitFor()
  const { port } = stage.broker.console!
  await stage.broker.stop()
  await page.getByText(/The broker does not answer\. What you see is from 20\d\d-/).waitFor()
  await page.getByRole('link', { name: 'orders' }).waitFor()
  const again = await startBroker({ dataDir, config: { console: { enabled: true, port } } })
  onTestFinished(() => again.stop())
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  await page.getByLabel('User').fill(ADMIN)
  await page.getByLabel(/^Password/).fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('row', { name: /orders/ }).waitFor()
  await page.getByText('The broker does not answer').waitFor({ state: 'detached' })
  expect(page.url()).toBe(`${stage.url}/queues?q=ord`)
})

test('a network that fails for a while leaves the login as it is', async () => {
  expectOffences(/ERR_/)
  const stage = await Stage.open()
  const page = await stage.look('/queues')
  await page.getByText('No queue yet').waitFor()
  await page.context().setOffline(true)
  await page.getByText('The broker does not answer').waitFor()
  await fill(stage, 'orders', 1)
  await page.context().setOffline(false)
  expect(await seen(page.getByRole('link', { name: 'orders' }))).toBe(true)
  await page.getByText('The broker does not answer').waitFor({ state: 'detached' })
})
