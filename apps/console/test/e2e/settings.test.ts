/** Policies, definitions and the configuration: what a change would do is shown before it is made; who made it stands in the audit log. */
import { exportDefinitions, getQueue, putPolicy, putQueue } from '@ternmq/api'
import { expect, test } from 'vitest'

import { expectOffences, seen, useChromium } from './chromium.ts'
import { fill } from './clients.ts'
import { newFolder, Stage } from './stage.ts'

useChromium()

test('a policy says what it would change, and counts at once when it is saved', async () => {
  const stage = await Stage.open()
  for (const queue of ['orders.new', 'orders.old', 'emails'])
    await stage.call(putQueue, { params: { queue }, body: {} })
  const page = await stage.look('/policies')
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Add policy' }).click()
  await dialog.getByLabel(/^Name of the policy/).fill('orders')
  await dialog.getByLabel(/^For queues/).fill('orders.>')
  await dialog.getByLabel(/^Messages at most/).fill('50')
  await dialog.getByRole('button', { name: 'What would it change?' }).click()
  await dialog.getByText('It matches 2 queues: orders.new, orders.old.').waitFor()
  await dialog
    .getByRole('row', { name: /^orders\.new messagesMax/ })
    .getByText('50', { exact: true })
    .waitFor()
  expect((await stage.call(getQueue, { params: { queue: 'orders.new' } })).effective).not.toContainEqual(
    expect.objectContaining({ key: 'messagesMax', value: 50 }),
  )
  await dialog.getByRole('button', { name: 'Save policy' }).click()
  await page.getByRole('row', { name: 'orders.>' }).waitFor()
  expect((await stage.call(getQueue, { params: { queue: 'orders.new' } })).effective).toContainEqual(
    expect.objectContaining({ key: 'messagesMax', value: 50, from: 'policy', policy: 'orders' }),
  )
  await page.getByRole('button', { name: 'Take back orders' }).click()
  await dialog.getByLabel('to confirm').fill('orders')
  await dialog.getByRole('button', { name: 'Take back' }).click()
  await page.getByText('No policy').waitFor()
})

test('definitions are planned before they are applied, and prune names the messages that would be lost', async () => {
  const stage = await Stage.open()
  await stage.call(putQueue, { params: { queue: 'kept' }, body: {} })
  await stage.call(putPolicy, { params: { id: 'all' }, body: { match: '>', settings: { messagesMax: 100 } } })
  const definitions = await stage.call(exportDefinitions)
  await stage.call(putQueue, { params: { queue: 'extra' }, body: {} })
  await fill(stage, 'extra', 4)
  const page = await stage.look('/definitions')
  const shown = page.getByText('name: extra')
  await shown.waitFor()
  // Hashes of passwords are there only for who asks for them.
  const hash = page.getByText('verifier:')
  expect(await hash.count()).toBe(0)
  const users = page.getByLabel('Users, with hashes of their passwords')
  await users.check()
  await hash.waitFor()
  await users.uncheck()
  await hash.waitFor({ state: 'detached' })
  await shown.waitFor()
  await page.getByRole('tab', { name: 'Plan and apply' }).click()
  const text = page.getByLabel('Definitions as YAML or JSON')
  await text.fill('{')
  await page.getByText(/^Line 1, column 2: /).waitFor()
  const more = { ...definitions, queues: [...(definitions.queues ?? []), { name: 'added' }] }
  await text.fill(JSON.stringify(more))
  await page.getByLabel('Delete what is not in it (prune)').check()
  await page.getByRole('button', { name: 'Plan', exact: true }).click()
  await page.getByRole('row', { name: /^create queue added/ }).waitFor()
  await page.getByRole('row', { name: /^delete queue extra 4/ }).waitFor()
  const apply = page.getByRole('button', { name: 'Apply 2 steps' })
  expect(await apply.isDisabled()).toBe(true)
  await page.getByLabel(/^1 thing will be deleted, with 4 messages/).fill('delete')
  await apply.click()
  await page.getByText('It is so: 2 steps done.').waitFor()
  const names = (await stage.call(exportDefinitions)).queues?.map(({ name }) => name)
  expect(names).toEqual(['added', 'kept'])
})

test('a setting is changed while the broker runs, refused when it cannot be, and taken back', async () => {
  expectOffences(/status of 4\d\d/)
  const stage = await Stage.open({ dataDir: newFolder() })
  const page = await stage.look('/config?q=mqtt.maxQos')
  const dialog = page.getByRole('dialog')
  const row = page.getByRole('row', { name: /^mqtt\.maxQos/ })
  await page.getByRole('button', { name: 'Change mqtt.maxQos' }).click()
  await dialog.getByLabel('Value').fill('7')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel('Value').fill('1')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await row.getByText('api', { exact: true }).waitFor()
  await page.getByLabel('Only those that are not the default').check()
  await row.waitFor()
  await page.getByRole('button', { name: 'Change mqtt.maxQos' }).click()
  await dialog.getByLabel('Take back what was set here').check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await row.waitFor({ state: 'detached' })
  await page.goto('/audit?action=config.change')
  expect(await seen(page.getByText('config.change').nth(1))).toBe(true)
})

test('the audit log has who did what, what was refused, and is filtered', async () => {
  const stage = await Stage.open()
  await stage.addUser('vera', 'viewer')
  await stage.call(putQueue, { params: { queue: 'orders' }, body: {} })
  await stage
    .apiAs('vera')
    .call(putQueue, { params: { vhost: '/', queue: 'mine' }, body: {} })
    .catch(() => undefined)
  const page = await stage.look('/audit')
  await page.getByRole('row', { name: /admin queues\.put.*orders.*done/ }).waitFor()
  await page.getByRole('row', { name: /vera queues\.put.*refused/ }).waitFor()
  await page.getByRole('row', { name: /users\.put.*vera/ }).waitFor()
  await page.getByRole('combobox', { name: 'Outcome' }).click()
  await page.getByRole('option', { name: 'Refused' }).click()
  await page.getByRole('row', { name: /admin queues\.put/ }).waitFor({ state: 'detached' })
  expect(await seen(page.getByRole('row', { name: /vera queues\.put/ }))).toBe(true)
  await page.getByLabel('Since').fill('2099-01-01T00:00')
  await page.getByLabel('Since').press('Enter')
  await page.getByText('No entries with this filter.').waitFor()
})

test('the store and the listeners say where things are', async () => {
  const dataDir = newFolder()
  const stage = await Stage.open({ dataDir })
  await fill(stage, 'orders', 3)
  const page = await stage.look('/store')
  await page.getByText(`${dataDir}/`).waitFor()
  await page.getByText('journal', { exact: true }).waitFor()
  await page.goto('/listeners')
  const { port } = stage.broker.listeners.mqtt!
  expect(await seen(page.getByRole('row', { name: new RegExp(`^mqtt .*:${port} `) }))).toBe(true)
})
