/** The console alone: pages that are served here, for a broker that is elsewhere. */
import { startBroker } from '@ternmq/broker'
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'

import { PAGES_DIR } from '../../server/index.ts'
import { RemoteConsole } from '../../server/remote/console.ts'
import { realClock } from '../../server/test/fake-broker.ts'
import { expectOffences, newContext, seen, useChromium } from './chromium.ts'
import { fill, mqttClient } from './clients.ts'
import { ADMIN, newFolder, PASSWORD, Stage } from './stage.ts'

useChromium()

const AWAY = 'the broker is asleep'

/** A page of a console alone, open at `path`, where nobody is logged in. */
async function lookAlone(brokerUrl: string, path: string, version?: string): Promise<Page> {
  const server = new RemoteConsole({
    broker: { url: brokerUrl },
    pagesDir: PAGES_DIR,
    version: version ?? (await import('../../package.json', { with: { type: 'json' } })).default.version,
    clock: realClock,
    lossText: () => AWAY,
    onLoss: () => {},
    onFailure: (error) => {
      throw error
    },
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close())
  const context = await newContext({ baseURL: `http://127.0.0.1:${port}` })
  const page = await context.newPage()
  await page.goto(path)
  return page
}

async function logIn(page: Page): Promise<void> {
  await page.getByLabel('User').fill(ADMIN)
  await page.getByLabel(/^Password/).fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
}

test('somebody logs in, sees what happens as it happens, changes something, and comes back after a new start', async () => {
  expectOffences(/status of 401/, /status of 502/, /ERR_/)
  const dataDir = newFolder()
  const stage = await Stage.open({ dataDir })
  await fill(stage, 'orders', 3)
  const page = await lookAlone(stage.url, '/queues/orders')
  await page.getByText(`127.0.0.1:${stage.broker.console!.port}`).waitFor()
  await logIn(page)
  await page.getByRole('heading', { name: 'orders' }).waitFor()
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await page.getByRole('button', { name: 'Resume', exact: true }).waitFor()
  const { port } = stage.broker.console!
  await stage.broker.stop()
  await page.getByText(/The broker does not answer\. What you see is from 20\d\d-/).waitFor()
  await page.getByRole('heading', { name: 'orders' }).waitFor()
  // Whoever comes now reads why, and need not load it again either.
  const other = await page.context().newPage()
  await other.goto('/')
  await other.getByText('The broker is asleep').waitFor()
  const again = await startBroker({ dataDir, config: { console: { enabled: true, port } } })
  onTestFinished(() => again.stop())
  await other.getByRole('button', { name: 'Log in' }).waitFor()
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  await logIn(page)
  await page.getByRole('button', { name: 'Resume', exact: true }).waitFor()
  await page.getByText('The broker does not answer').waitFor({ state: 'detached' })
  expect(await page.getByRole('note').count()).toBe(0)
})

test('Try it goes to the broker, and curl is for it too', async () => {
  expectOffences(/status of 401/)
  const stage = await Stage.open()
  const other = await mqttClient(stage, 'other')
  await other.subscribeAsync('try/hello')
  const url = stage.url.replace('127.0.0.1', 'localhost')
  const page = await lookAlone(url, '/try?protocol=mqtt')
  await logIn(page)
  const address = page.getByLabel('WebSocket address')
  await expect.poll(() => address.inputValue()).toBe(`ws://localhost:${stage.broker.listeners.ws!.port}`)
  await page.getByLabel(/^Password/).fill(PASSWORD)
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.getByText('connected', { exact: true }).waitFor()
  const received = new Promise((resolve) => other.once('message', (_, payload) => resolve(payload.toString())))
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  expect(await received).toBe('Hello from the console')
  await page.goto('/reference')
  await page.getByRole('button', { name: '/overview', exact: false }).first().click()
  expect(await seen(page.getByText(`${url}/api/v1/overview`).first())).toBe(true)
})

test('pages of another version than the broker’s say so', async () => {
  expectOffences(/status of 401/)
  const stage = await Stage.open()
  const page = await lookAlone(stage.url, '/', '0.0.9')
  await logIn(page)
  expect(await seen(page.getByRole('note').getByText('These pages are of TernMQ 0.0.9'))).toBe(true)
})
