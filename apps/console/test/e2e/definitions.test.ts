/** Definitions that cannot be applied to their end: the page says what is done and what is not, and how to go on; going on finishes it. */
import {
  deleteQueue,
  type Definitions,
  exportDefinitions,
  listAudit,
  listPolicies,
  listQueues,
  listUsers,
  putQueue,
} from '@ternmq/api'
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { violationsOf } from './accessibility.ts'
import { expectOffences, seen, useChromium } from './chromium.ts'
import { ADMIN, newFolder, Stage } from './stage.ts'

useChromium()

const SMALL: Definitions = {
  version: 1,
  policies: [{ id: 'all', match: '>', settings: { messagesMax: 100 } }],
  queues: [{ name: 'one' }, { name: 'two' }, { name: 'three' }],
}

async function plan(page: Page, definitions: Definitions): Promise<void> {
  await page.getByLabel('Definitions as YAML or JSON').fill(JSON.stringify(definitions))
  await page.getByRole('button', { name: 'Plan', exact: true }).click()
}

/** Names in a table of steps. */
function namesIn(table: Locator): Promise<string[]> {
  return table.locator('tbody tr td:nth-child(3)').allTextContents()
}

async function queuesOf(stage: Stage): Promise<string[]> {
  return (await stage.call(listQueues)).items.map(({ name }) => name)
}

test('a limit that is hit half-way: what is done stays, what is left is named, and a new plan has just that', async () => {
  const stage = await Stage.open({ config: { limits: { queuesMax: 3 } } })
  for (const queue of ['a', 'b']) await stage.call(putQueue, { params: { queue }, body: {} })
  const page = await stage.look('/definitions?tab=apply')
  await plan(page, SMALL)
  await page.getByRole('button', { name: 'Apply 4 steps' }).click()
  const outcome = page.getByRole('region', { name: 'It got through 2 steps of 4' })
  await outcome
    .getByText('no room for another queue: there are 3 of at most 3 (limits.queuesMax); delete some first')
    .waitFor()
  expect(await namesIn(outcome.getByRole('region', { name: 'Steps done' }))).toEqual(['all', 'one'])
  expect(await namesIn(outcome.getByRole('region', { name: 'Steps left' }))).toEqual(['three'])
  expect(await violationsOf(page, { part: '#main' })).toEqual([])
  expect(await queuesOf(stage)).toEqual(['a', 'b', 'one'])

  for (const queue of ['a', 'b']) await stage.call(deleteQueue, { params: { queue } })
  await page.getByRole('button', { name: 'Plan again' }).click()
  const steps = page.getByRole('region', { name: 'Steps of the plan' })
  await steps.waitFor()
  expect(await namesIn(steps)).toEqual(['two', 'three'])
  await page.getByRole('button', { name: 'Apply 2 steps' }).click()
  await page.getByText('It is so: 2 steps done.').waitFor()
  expect(await queuesOf(stage)).toEqual(['one', 'three', 'two'])
  const details = (await stage.call(listAudit, { query: { action: 'definitions.apply' } })).items.map(
    ({ detail }) => detail,
  )
  expect(details).toEqual([
    '2 steps: create queue two, create queue three',
    '2 steps: create policy all, create queue one; stopped at queue two, 1 left: no room for another queue: there are 3 of at most 3 (limits.queuesMax); delete some first',
  ])
})

test('YAML is read as commands read it, and what is wrong with it is told with line and column', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/definitions?tab=apply')
  const text = page.getByLabel('Definitions as YAML or JSON')
  await text.fill('version: 1\nqueues:\n  - name: [one\n')
  await page.getByText(/^Line 4, column 1: this is not valid YAML/).waitFor()
  const planned = page.getByRole('button', { name: 'Plan', exact: true })
  expect(await planned.isDisabled()).toBe(true)
  await text.fill('[1]')
  await page.getByText('It is no document of definitions').waitFor()
  await text.fill('version: 1\nqueues:\n  - name: one\n    settings: &s {forward: *s}\n')
  await page.getByText('Line 4, column 28: the alias *s stands within &s, which would have no end').waitFor()
  await page.getByLabel('File with definitions').setInputFiles({
    name: 'latin.yaml',
    mimeType: 'application/yaml',
    buffer: Buffer.from('version: 1\nqueues:\n  - name: größe\n', 'latin1'),
  })
  await page.getByText('latin.yaml:3:13: this is not UTF-8 text; save the file as UTF-8').waitFor()
  expect([await planned.isDisabled(), await text.inputValue()]).toEqual([true, expect.stringContaining('forward: *s')])
  await page.getByLabel('File with definitions').setInputFiles({
    name: 'all.yaml',
    mimeType: 'application/yaml',
    buffer: Buffer.from('version: 1\nqueues:\n  - name: one\n    settings: {messagesMax: 5} # few\n'),
  })
  await planned.click()
  await page.getByRole('row', { name: /^create queue one/ }).waitFor()
  await page.getByRole('button', { name: 'Apply 1 step' }).click()
  await page.getByText('It is so: 1 step done.').waitFor()
  expect(await queuesOf(stage)).toEqual(['one'])
})

test('what is exported is YAML, and has hashes of passwords only for who asks for them', async () => {
  const stage = await Stage.open()
  await stage.call(putQueue, { params: { queue: 'one' }, body: {} })
  const page = await stage.look('/definitions')
  const text = page.getByRole('region', { name: 'Definitions', exact: true })
  await text.filter({ hasText: '- name: one' }).waitFor()
  expect(await text.textContent()).not.toMatch(/scrypt|users:/)
  await page.getByLabel('Users, with hashes of their passwords').check()
  await text.filter({ hasText: 'scrypt' }).waitFor()
})

test('a plan whose permission is the first says that others lose what they may do', async () => {
  const stage = await Stage.open()
  const page = await stage.look('/definitions?tab=apply')
  await plan(page, { version: 1, permissions: [{ id: 'p', user: 'ann', allow: ['read'], topics: ['#'] }] })
  await page.getByText('With the first permission, what no permission allows is denied').waitFor()
  expect(await page.getByRole('button', { name: 'Apply 1 step' }).isDisabled()).toBe(true)
  await page.getByLabel('Yes, deny what no permission allows').check()
  await page.getByRole('button', { name: 'Apply 1 step' }).click()
  await page.getByText('It is so: 1 step done.').waitFor()
  await plan(page, { version: 1, permissions: [{ id: 'q', user: 'ann', allow: ['read'], topics: ['#'] }] })
  await page.getByRole('button', { name: 'Apply 1 step' }).waitFor()
  expect(await page.getByText('With the first permission').count()).toBe(0)
})

test('a file that cannot be written at the last step: it is told, and taken away it goes on', async () => {
  const dataDir = newFolder()
  const stage = await Stage.open({ dataDir })
  await stage.addUser('ann', 'viewer')
  const users = (await stage.call(exportDefinitions)).users!.filter(({ name }) => name === ADMIN)
  const inTheWay = join(dataDir, 'users.json.new')
  const page = await stage.look('/definitions?tab=apply')
  await page.getByLabel('Delete what is not in it (prune)').check()
  await plan(page, { version: 1, users, policies: SMALL.policies })
  await page.getByLabel(/^1 thing will be deleted/).fill('delete')
  mkdirSync(inTheWay)
  await page.getByRole('button', { name: 'Apply 2 steps' }).click()
  const outcome = page.getByRole('region', { name: 'It got through 1 step of 2' })
  await outcome.getByText(/^failed delete user ann:.*users\.json/).waitFor()
  expect((await stage.call(listPolicies)).items).toHaveLength(1)
  expect((await stage.call(listUsers)).items.map(({ name }) => name)).toEqual([ADMIN, 'ann'])

  rmdirSync(inTheWay)
  await page.getByRole('button', { name: 'Plan again' }).click()
  const confirm = page.getByLabel(/^1 thing will be deleted/)
  expect(await confirm.inputValue()).toBe('') // typed for the other plan
  await confirm.fill('delete')
  await page.getByRole('button', { name: 'Apply 1 step' }).click()
  await page.getByText('It is so: 1 step done.').waitFor()
  expect((await stage.call(listUsers)).items.map(({ name }) => name)).toEqual([ADMIN])
})

test('what has changed between plan and apply is looked at again before anything is done', async () => {
  expectOffences(/status of 409/)
  const stage = await Stage.open()
  const page = await stage.look('/definitions?tab=apply')
  await plan(page, SMALL)
  await page.getByRole('button', { name: 'Apply 4 steps' }).waitFor()
  await stage.call(putQueue, { params: { queue: 'two' }, body: { settings: { messagesMax: 5 } } })
  await page.getByRole('button', { name: 'Apply 4 steps' }).click()
  await page.getByRole('alert').getByText('CHANGED_SINCE').waitFor()
  expect(await queuesOf(stage)).toEqual(['two'])
  await page.getByRole('button', { name: 'Plan again' }).click()
  await page.getByRole('row', { name: /^change queue two/ }).waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
  await page.getByRole('button', { name: 'Apply 4 steps' }).click()
  expect(await seen(page.getByText('It is so: 4 steps done.'))).toBe(true)
})

test('an answer that got lost is no reason to begin anew: the next plan says that nothing is left', async () => {
  expectOffences(/ERR_/)
  const stage = await Stage.open()
  const page = await stage.look('/definitions?tab=apply')
  await plan(page, SMALL)
  // The broker has done it when the connection ends.
  await page.route('**/definitions/apply', async (route) => {
    await route.fetch()
    await route.abort()
  })
  await page.getByRole('button', { name: 'Apply 4 steps' }).click()
  await page.getByRole('alert').getByText('No connection').waitFor()
  await page.getByRole('button', { name: 'Plan again' }).click()
  await page.getByRole('region', { name: 'Nothing to do' }).waitFor()
  expect(await queuesOf(stage)).toEqual(['one', 'three', 'two'])
})
