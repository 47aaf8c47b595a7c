/** Who may do what: roles see what they may use, and the API refuses the rest; permissions, tokens, and the question about them. */
import { createToken, deletePermission, getMe, listTokens, listUsers, putPermission, putQueue } from '@ternmq/api'
import { ApiClient, ApiProblem, fetchTransport } from '@ternmq/api/client'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { expectOffences, seen, useChromium } from './chromium.ts'
import { mqttClient, publish } from './clients.ts'
import { PASSWORD, Stage } from './stage.ts'

useChromium()

async function labelsOf(page: Page): Promise<string[]> {
  return page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allTextContents()
}

test('a viewer sees everything that is harmless, no button that is not, and is refused by the API', async () => {
  const stage = await Stage.open()
  await stage.addUser('vera', 'viewer')
  await publish(stage, { address: 'queue://orders', body: 'one', messageId: 'm-1' })
  const page = await stage.look('/queues', { as: 'vera' })
  await page.getByRole('link', { name: 'orders' }).waitFor()
  expect(await labelsOf(page)).not.toEqual(expect.arrayContaining(['Users']))
  expect(await page.getByRole('button', { name: 'Create queue' }).count()).toBe(0)
  await page.goto('/queues/orders?tab=messages')
  await page.getByRole('button', { name: 'm-1' }).click()
  await page.getByRole('complementary').getByText('one', { exact: true }).waitFor()
  for (const name of [/Pause/, /Publish/, /Move/, /Delete/, /Retry/]) {
    expect(await page.locator('main').getByRole('button', { name }).count(), String(name)).toBe(0)
  }
  expect(await page.getByRole('tab', { name: 'Purge and delete' }).count()).toBe(0)
  const refused = stage.apiAs('vera').call(putQueue, { params: { vhost: '/', queue: 'mine' }, body: {} })
  await expect(refused).rejects.toMatchObject({ problem: { status: 403 } })
})

test('an operator works on queues, but has nothing to do with users and settings', async () => {
  const stage = await Stage.open()
  await stage.addUser('olga', 'operator')
  await stage.call(putQueue, { params: { queue: 'orders' }, body: {} })
  const page = await stage.look('/queues/orders', { as: 'olga' })
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByRole('button', { name: 'Resume' }).waitFor()
  const labels = await labelsOf(page)
  for (const label of ['Users', 'Permissions', 'Audit', 'Definitions']) expect(labels).not.toContain(label)
  await page.goto('/config')
  await page.getByText(/^\d+ settings$/).waitFor()
  expect(await page.getByRole('button', { name: /^Change/ }).count()).toBe(0)
  await expect(stage.apiAs('olga').call(listUsers, { params: { vhost: '/' } })).rejects.toBeInstanceOf(ApiProblem)
})

test('whoever gives a user another password hears how many tokens stay good', async () => {
  const stage = await Stage.open()
  await stage.addUser('olga', 'operator')
  for (const name of ['ci', 'backup']) await stage.call(createToken, { body: { name, user: 'olga', scopes: ['read'] } })
  const page = await stage.look('/users')
  await page.getByRole('row', { name: 'olga' }).getByRole('button', { name: 'Change' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('A new one ends logins to the console, and none of 2 tokens.').waitFor()
  await dialog.getByLabel(/^Password/).fill('another horse')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page
    .getByText('olga is saved. 2 tokens of olga stay good: take them back under Tokens if others may have them.')
    .waitFor()
  expect((await stage.call(listTokens, { query: { user: 'olga' } })).items).toHaveLength(2)
})

test('who has no role in the console is told so at the login', async () => {
  expectOffences(/status of 401/, /status of 403/)
  const stage = await Stage.open()
  await stage.addUser('device', null)
  const context = await stage.context()
  const page = await context.newPage()
  await page.goto('/')
  await page.getByLabel('User').fill('device')
  await page.getByLabel(/^Password/).fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  expect(await seen(page.getByRole('alert').getByText('has no role in the console'))).toBe(true)
})

test('a user is added, changed and removed', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/users')
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Add user' }).click()
  await dialog.getByLabel('Name').fill('ann')
  await dialog.getByLabel(/^Password/).fill(PASSWORD)
  await dialog.getByRole('button', { name: 'Add user' }).click()
  await page.getByRole('row', { name: 'ann' }).getByText('messages only').waitFor()
  await page.getByRole('button', { name: 'Change ann' }).click()
  await dialog.getByRole('combobox', { name: 'Role in the console' }).click()
  await page.getByRole('option', { name: /^operator/ }).click()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('row', { name: 'ann' }).getByText('operator', { exact: true }).waitFor()
  expect((await stage.apiAs('ann').call(getMe, {})).role).toBe('operator')
  await page.getByRole('button', { name: 'Remove ann' }).click()
  await dialog.getByLabel('to confirm').fill('ann')
  await dialog.getByRole('button', { name: 'Remove user' }).click()
  await page.getByRole('row', { name: 'ann' }).waitFor({ state: 'detached' })
  await expect(stage.apiAs('ann').call(getMe, {})).rejects.toMatchObject({ problem: { status: 401 } })
})

test('a permission that denies cuts off who is subscribed already, and the tester names it', async () => {
  const stage = await Stage.open()
  await stage.addUser('ann', null)
  const all = { allow: ['read', 'write', 'browse', 'admin'], topics: ['#', '$queue/>'] } as const
  await stage.call(putPermission, {
    params: { id: 'all' },
    query: { everybody: 'limited' },
    body: { user: '*', ...all },
  })
  const ann = await mqttClient(stage, 'ann-1', { username: 'ann' })
  const cut = new Promise((resolve) => void ann.once('disconnect', resolve))
  await ann.subscribeAsync('site/1/secret')

  const page = await stage.look('/permissions')
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Add permission' }).click()
  await dialog.getByLabel('Name of the permission').fill('no-secrets')
  await dialog.getByLabel(/^User/).last().fill('ann')
  await dialog
    .getByRole('group', { name: /^May not/ })
    .getByRole('checkbox', { name: /^read/ })
    .check()
  await dialog.getByLabel(/^Of these destinations/).fill('site/+/secret')
  await page.keyboard.press('Enter')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('row', { name: 'no-secrets' }).getByText('not read').waitFor()
  expect(await cut).toMatchObject({ reasonCode: 0x87 })

  await page.getByRole('tab', { name: 'May somebody do something?' }).click()
  await page.getByLabel(/^May user/).fill('ann')
  await page.getByRole('combobox', { name: 'do' }).click()
  await page.getByRole('option', { name: 'subscribe' }).click()
  await page.getByLabel(/^with address/).fill('topic://site.1.secret')
  await page.getByRole('button', { name: 'Ask' }).click()
  await page.getByText('ann may not subscribe').waitFor()
  await page
    .getByText(/no-secrets/)
    .first()
    .waitFor()
  await stage.call(deletePermission, { params: { id: 'no-secrets' } })
  await page.getByRole('button', { name: 'Ask' }).click()
  await page.reload()
  await page.getByText('ann may subscribe').waitFor()
})

test('a token is shown once, opens what it may, and nothing after it is taken back', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/tokens')
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Make token' }).click()
  await dialog.getByLabel(/^Name/).fill('monitoring')
  await dialog.getByRole('checkbox', { name: /^read/ }).check()
  await dialog.getByRole('button', { name: 'Make token' }).click()
  await dialog.getByText('It is shown this once.').waitFor()
  const token = (await dialog.locator('pre').textContent())!.trim()
  const script = new ApiClient({ transport: fetchTransport(stage.url), token })
  expect((await script.call(getMe, {})).scopes).toEqual(['read'])
  await expect(script.call(listUsers, { params: { vhost: '/' } })).rejects.toBeInstanceOf(ApiProblem)
  await dialog.getByRole('button', { name: 'Close' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('row', { name: 'monitoring' }).waitFor()
  expect(await page.content()).not.toContain(token)
  await page.getByRole('button', { name: 'Take back monitoring' }).click()
  await dialog.getByLabel('to confirm').fill('monitoring')
  await dialog.getByRole('button', { name: 'Take back' }).click()
  await page.getByText('No token').waitFor()
  await expect(script.call(getMe, {})).rejects.toMatchObject({ problem: { status: 401 } })
})
