/** Dead letters: grouped by why they are dead, and given another chance one by one, by cause or all; half done work goes on. */
import { getQueue, listOperations, putQueue, takeMessages } from '@ternmq/api'
import { expect, test } from 'vitest'

import { useChromium } from './chromium.ts'
import { amqpConnection, fill, reject, rejectAll } from './clients.ts'
import { Stage } from './stage.ts'

useChromium()

async function readyCountOf(stage: Stage, queue: string): Promise<number> {
  return (await stage.call(getQueue, { params: { queue } })).readyCount
}

test('what a worker rejected is found by its reason, looked at, and sent again to where it came from', async () => {
  const stage = await Stage.open()
  await fill(stage, 'orders', 3)
  await rejectAll(await amqpConnection(stage, 'worker'), 'queue://orders', 3, 'No such customer.')
  const page = await stage.look('/dead-letters')
  const group = page.getByRole('row', { name: 'No such customer.' })
  await group.getByRole('link', { name: 'Look' }).click()
  await page.getByText('No such customer.').nth(2).waitFor()
  await page
    .getByRole('checkbox', { name: /^Select message/ })
    .first()
    .check()
  await page.getByRole('button', { name: 'Retry…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Retry 1 message' }).click()
  await page.getByText('1 message retried.').waitFor()
  expect([await readyCountOf(stage, 'orders'), await readyCountOf(stage, 'DLQ')]).toEqual([1, 2])
})

test('one cause is retried without the others, all go elsewhere, and the rest is deleted', async () => {
  const stage = await Stage.open()
  await stage.call(putQueue, { params: { queue: 'by-hand' }, body: {} })
  await fill(stage, 'orders', 2)
  await reject(stage, 'orders', 'No such customer.')
  await fill(stage, 'emails', 3)
  await reject(stage, 'emails', "It's empty.")
  const page = await stage.look('/dead-letters')
  const dialog = page.getByRole('dialog')
  await page.getByRole('row', { name: 'No such customer.' }).getByRole('button', { name: 'Retry…' }).click()
  await dialog.getByRole('button', { name: /^Retry all that match/ }).click()
  await page.getByText('2 messages retried.').waitFor()
  expect(await readyCountOf(stage, 'orders')).toBe(2)

  await stage.call(takeMessages, { body: { address: 'queue://orders', max: 2, autoSettle: true } })
  await page.getByRole('button', { name: 'Retry all…' }).click()
  await dialog.getByLabel('To another queue').fill('by-hand')
  await dialog.getByRole('button', { name: /^Retry all messages/ }).click()
  await page.getByText('3 messages retried.').waitFor()
  expect(await readyCountOf(stage, 'by-hand')).toBe(3)
  await page.getByText('Nothing is dead').waitFor()
})

test('reasons beyond a hundred are one row for their cause and origin, from which their letters are looked at', async () => {
  const stage = await Stage.open()
  for (let n = 0; n < 103; n++) {
    await fill(stage, 'orders', 1)
    await reject(stage, 'orders', `Article ${n} unknown.`)
  }
  const page = await stage.look('/dead-letters')
  const others = page.getByRole('row', { name: '3 other reasons, together' })
  await others.waitFor()
  expect(await others.getByRole('button').count()).toBe(0)
  await others.getByRole('link', { name: 'Look' }).click()
  await page
    .getByRole('checkbox', { name: /^Select message/ })
    .first()
    .waitFor()
  expect(new URL(page.url()).searchParams.get('selector')).toBe(
    "cause = 'rejected' AND originalQueue = '$queue/orders'",
  )
})

test('throttled work shows how far it is, stops when it is told to, and goes on from there', async () => {
  const stage = await Stage.open()
  await fill(stage, 'orders', 100)
  await reject(stage, 'orders', 'Later.')
  const page = await stage.look('/dead-letters')
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Retry all…' }).click()
  // It would take 50 seconds: a slow page stops it before its end, too.
  await dialog.getByLabel('Messages a second').fill('2')
  await dialog.getByRole('button', { name: /^Retry all messages/ }).click()
  await dialog.getByText(/^\d+ of 100 done/).waitFor()
  await dialog.getByRole('button', { name: 'Stop' }).click()
  // Whoever leaves before the answer may take the call back.
  await dialog.getByRole('button', { name: 'Resume' }).waitFor()
  await page.goto('/operations')
  await page.getByText('cancelled', { exact: true }).waitFor()
  const [stopped] = (await stage.call(listOperations)).items
  expect(stopped!.doneCount).toBeLessThan(100)
  expect(await readyCountOf(stage, 'orders')).toBe(stopped!.doneCount)
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByText('running', { exact: true }).waitFor()
  await expect.poll(() => readyCountOf(stage, 'orders')).toBeGreaterThan(stopped!.doneCount)
})

test('an origin that is full stops a retry, which says how far it got and which limit, and goes on when there is room', async () => {
  const stage = await Stage.open()
  await fill(stage, 'orders', 5)
  await reject(stage, 'orders', 'Later.')
  const settings = { messagesMax: 3, whenFull: 'reject' } as const
  await stage.call(putQueue, { params: { queue: 'orders' }, body: { settings } })
  const page = await stage.look('/dead-letters')
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Retry all…' }).click()
  await dialog.getByRole('button', { name: /^Retry all messages/ }).click()
  await dialog.getByText('3 of 5 done, 2 refused').waitFor()
  await dialog.getByText("queue 'orders' is full: it has 3 messages, its messagesMax is 3").waitFor()
  await stage.call(takeMessages, { body: { address: 'queue://orders', max: 3, autoSettle: true } })
  await dialog.getByRole('button', { name: 'Resume' }).click()
  await dialog.getByText('5 of 5 done', { exact: true }).waitFor()
  expect([await readyCountOf(stage, 'orders'), await readyCountOf(stage, 'DLQ')]).toEqual([2, 0])
})

test('a target that is full stops a move, which says why and goes on when there is room', async () => {
  const stage = await Stage.open()
  const settings = { messagesMax: 3, whenFull: 'reject' } as const
  await stage.call(putQueue, { params: { queue: 'small' }, body: { settings } })
  await fill(stage, 'orders', 5)
  const page = await stage.look('/queues/orders?tab=messages')
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Move…' }).click()
  await dialog.getByLabel('To the queue').fill('small')
  await dialog.getByRole('button', { name: /^Move all messages/ }).click()
  await dialog.getByText(/^3 of 5 done/).waitFor()
  await dialog.getByText("queue 'small' is full").waitFor()
  await stage.call(takeMessages, { body: { address: 'queue://small', max: 3, autoSettle: true } })
  await dialog.getByRole('button', { name: 'Resume' }).click()
  await dialog.getByText(/^5 of 5 done/).waitFor()
  expect([await readyCountOf(stage, 'orders'), await readyCountOf(stage, 'small')]).toEqual([0, 2])
})
