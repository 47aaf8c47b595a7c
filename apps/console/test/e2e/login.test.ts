/** Who may look: login, lock-out, logout, and a login that has ended. */
import { MovableClock } from '@ternmq/testkit'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { violationsOf } from './accessibility.ts'
import { expectOffences, useChromium } from './chromium.ts'
import { ADMIN, PASSWORD, Stage } from './stage.ts'

useChromium()

const REFUSED = /status of 401/

async function logIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('User').fill(ADMIN)
  await page.getByLabel(/^Password/).fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

async function openLogin(stage: Stage, path: string): Promise<Page> {
  const context = await stage.context()
  const page = await context.newPage()
  await page.goto(path)
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  return page
}

test('a wrong password is told, and the right one leads to the page that was wanted', async () => {
  expectOffences(REFUSED)
  const stage = await Stage.open()
  const page = await openLogin(stage, '/queues?unhealthy=true')
  expect(await violationsOf(page)).toEqual([])
  await logIn(page, 'wrong')
  await page.getByRole('alert').getByText('LOGIN_REFUSED').waitFor()
  await logIn(page, PASSWORD)
  await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor()
  expect(await page.getByLabel('Unhealthy only').isChecked()).toBe(true)
  expect(page.url()).toBe(`${stage.url}/queues?unhealthy=true`)
})

test('who guesses too often is told how long to wait, and the right password does not help before', async () => {
  expectOffences(REFUSED, /status of 429/)
  // Time stands still: the wait is not a second shorter when it is told.
  const clock = new MovableClock()
  const stage = await Stage.open({ clock, config: { auth: { lockOut: { attempts: 2, waitSeconds: 40 } } } })
  const page = await openLogin(stage, '/')
  for (const password of ['first', 'second', PASSWORD]) {
    await Promise.all([
      page.waitForResponse((response) => response.request().method() === 'POST'),
      logIn(page, password),
    ])
  }
  await page.getByRole('alert').getByText('LOCKED_OUT').waitFor()
  expect(await page.getByRole('alert').getByText('too many failed logins').textContent()).toMatch(/ 40 s\b/)
})

test('after logging out a page that was open shows nothing any more', async () => {
  expectOffences(REFUSED)
  const stage = await Stage.open()
  const page = await stage.look('/queues')
  await page.getByRole('button', { name: ADMIN }).click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  await page.goto('/connections')
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  expect(await page.getByRole('navigation').count()).toBe(0)
})

test('a login that has ended asks for the password, and goes on where it was', async () => {
  expectOffences(REFUSED)
  const clock = new MovableClock()
  const stage = await Stage.open({ clock })
  const page = await stage.look('/queues?kind=temporary')
  await page.getByText('No queues with this filter.').waitFor()
  await clock.advance('31m')
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  await logIn(page, PASSWORD)
  await page.getByText('No queues with this filter.').waitFor()
  expect(page.url()).toBe(`${stage.url}/queues?kind=temporary`)
})
