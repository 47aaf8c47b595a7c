/** The console over TLS: the cookie of the login, live data, and Try it through the listener with TLS. */
import { login, pathOf } from '@ternmq/api'
import { startBroker } from '@ternmq/broker'
import type { BrowserContext } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'

import { builtPages } from './built-pages.ts'
import { expectOffences, newContext, seen, useChromium } from './chromium.ts'
import { ADMIN, newFolder, PASSWORD } from './stage.ts'

useChromium()

/** With the certificate that the broker makes for development. */
async function openSecure(): Promise<{ readonly context: BrowserContext; readonly url: string }> {
  await builtPages()
  const broker = await startBroker({
    dataDir: newFolder(),
    adminPassword: PASSWORD,
    config: {
      console: { enabled: true, port: 0, tls: { enabled: true } },
      listeners: { wss: { enabled: true, port: 0 } },
    },
  })
  onTestFinished(() => broker.stop())
  const url = `https://127.0.0.1:${broker.console!.port}`
  return { context: await newContext({ baseURL: url, ignoreHTTPSErrors: true }), url }
}

test('a login over TLS has a cookie that never goes without it, and browsers are told to stay with TLS', async () => {
  expectOffences(/status of 401/)
  const { context, url } = await openSecure()
  const page = await context.newPage()
  const answer = await page.goto('/queues')
  expect(answer!.headers()['strict-transport-security']).toBe('max-age=31536000')
  await page.getByLabel('User').fill(ADMIN)
  await page.getByLabel(/^Password/).fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText('No queue yet').waitFor()
  expect(await context.cookies(url)).toMatchObject([
    { name: expect.stringMatching(/^__Host-/) as string, secure: true, httpOnly: true, sameSite: 'Strict', path: '/' },
  ])
  expect(page.url()).toBe(`${url}/queues`)
  // A write goes with the origin of the page.
  await page.getByRole('button', { name: 'Create queue' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('orders')
  await page.getByRole('dialog').getByRole('button', { name: 'Create queue' }).click()
  expect(await seen(page.getByRole('heading', { level: 1, name: 'orders' }))).toBe(true)
})

test('live data and every protocol of Try it go over TLS, too', async () => {
  const { context } = await openSecure()
  await context.request.post(pathOf(login), { data: { user: ADMIN, password: PASSWORD } })
  const page = await context.newPage()
  const sockets: string[] = []
  page.on('websocket', (socket) => sockets.push(new URL(socket.url()).protocol))
  await page.goto('/')
  await page.getByText('live', { exact: true }).waitFor()
  for (const key of ['mqtt', 'stomp', 'amqp']) {
    await page.goto(`/try?protocol=${key}`)
    await expect.poll(() => page.getByLabel('WebSocket address').inputValue()).toMatch(/^wss:/)
    await page.getByLabel(/^Password/).fill(PASSWORD)
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.getByText('connected', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Subscribe' }).click()
    await page.getByRole('region', { name: 'Subscribe' }).locator('.mark').waitFor()
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    await page.getByRole('list', { name: 'Messages in and out' }).getByText('Hello from the console').nth(1).waitFor()
  }
  expect(sockets).toEqual(['wss:', 'wss:', 'wss:'])
})
