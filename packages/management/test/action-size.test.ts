/** Queues that are much longer than what the broker holds of them in memory. */
import { actOnMessages, browseMessages, type MessageItem, type Page } from '@ternmq/api'
import { expect, test } from 'vitest'
import { readPublish } from '../src/http-messaging/http-message.ts'
import { ADMIN, MessageWorld, VHOST } from './message-world.ts'

const MESSAGES = 200_000
/** All of them are ten times as much. */
const BODY = 'x'.repeat(400)
const HELD_BYTES_MAX: number = 12 * 1024 * 1024

test('200,000 messages are moved and browsed page by page, and few of them are in memory at any moment', async () => {
  const world = await MessageWorld.open()
  for (const name of ['q', 'other']) world.define(name)
  for (let n = 1; n <= MESSAGES; n++) {
    const { message } = readPublish({ address: 'q', body: `${n} ${BODY}` }, '$queue/q', 'p', 0)
    world.vhost.publishAs({ principal: ADMIN.principal, clientId: 'p' }, message)
    if (n % 1_000 === 0) await world.quiet()
  }
  expect(MESSAGES * BODY.length).toBeGreaterThan(6 * HELD_BYTES_MAX)
  const { answer } = await world.begin(actOnMessages, {
    params: { ...VHOST, queue: 'q' },
    query: { waitMs: 0 },
    body: { action: 'move', all: true, target: 'other' },
  })
  const { id } = await answer
  let heldBytes = 0
  while (world.operations.get(id).state === 'running') {
    await world.quiet()
    heldBytes = Math.max(heldBytes, world.vhost.waiting.bytes)
  }
  expect(world.operations.get(id)).toMatchObject({ state: 'done', doneCount: MESSAGES, total: MESSAGES })
  expect([world.queue('q').waitingCount, world.queue('other').waitingCount]).toEqual([0, MESSAGES])
  expect(heldBytes).toBeLessThan(HELD_BYTES_MAX)

  let count = 0
  let cursor: string | undefined = undefined
  do {
    const page: Page<MessageItem> = await world.call(browseMessages, {
      params: { ...VHOST, queue: 'other' },
      query: { limit: 500, cursor },
    })
    count += page.items.length
    cursor = page.next
    heldBytes = Math.max(heldBytes, world.vhost.waiting.bytes)
  } while (cursor !== undefined)
  expect(count).toBe(MESSAGES)
  expect(heldBytes).toBeLessThan(HELD_BYTES_MAX)
}, 120_000)
