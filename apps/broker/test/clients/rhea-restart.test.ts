/** rhea through a broker that loses power, connections that break, and messages as large as they get. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'

import { bodyOf, RheaClient } from './rhea-client.ts'
import { RunningBroker } from './running-broker.ts'

const MIBIBYTE = 1_048_576

/** rhea connects again by itself, and attaches what was attached. */
const COMES_BACK = { reconnect: 20 } as const

test('what was not settled when the broker died comes again, marked, and nothing is lost', async () => {
  await using broker = await RunningBroker.start()
  const address = `queue://test.${randomUUID()}`
  await using sender = await RheaClient.connect(broker, { more: COMES_BACK })
  await using receiver = await RheaClient.connect(broker, { more: COMES_BACK })
  const outbox = await sender.sender(address)
  const inbox = await receiver.receiver(address, { autoaccept: false, credit_window: 100 })
  const bodies = Array.from({ length: 50 }, (_, index) => index)
  await outbox.sendAll(bodies.map((body) => ({ body, durable: true })))
  const got = await inbox.take(50)
  for (const { delivery } of got.slice(0, 20)) delivery.accept()
  // The broker has done what came before the answer to this.
  await (await receiver.sender(`queue://test.${randomUUID()}`)).send({ body: 'sync', durable: true })

  await broker.kill()
  await broker.startAgain()
  const again = await inbox.take(30)
  expect(again.map(({ message }) => bodyOf(message))).toEqual(bodies.slice(20))
  for (const { message, delivery } of again) {
    expect(message.first_acquirer ?? false).toBe(false)
    delivery.accept()
  }
  expect(receiver.openCount).toBe(2)
  expect(await outbox.send({ body: 'after', durable: true })).toMatchObject({ kind: 'accepted' })
  expect(await inbox.takeBodies(1)).toEqual(['after'])
})

test('of a connection that breaks, what was not settled goes on at once', async () => {
  await using broker = await RunningBroker.start()
  const address = `queue://test.${randomUUID()}`
  await using sender = await RheaClient.connect(broker)
  await (await sender.sender(address)).sendAll(['a', 'b', 'c'].map((body) => ({ body })))
  await using receiver = await RheaClient.connect(broker, { more: COMES_BACK })
  const inbox = await receiver.receiver(address, { autoaccept: false })
  expect(await inbox.takeBodies(3)).toEqual(['a', 'b', 'c'])
  receiver.drop()
  expect(await inbox.takeBodies(3)).toEqual(['a', 'b', 'c'])
})

test('messages of 50 MiB pass where the operator lets them', async () => {
  const limit = 64 * MIBIBYTE
  await using broker = await RunningBroker.start(`amqp.maxMessageBytes=${limit}`, `limits.maxMessageBytes=${limit}`)
  const address = `queue://test.${randomUUID()}`
  await using client = await RheaClient.connect(broker)
  const outbox = await client.sender(address)
  expect(outbox.link.max_message_size).toBe(limit)
  const body = Buffer.alloc(50 * MIBIBYTE)
  for (let at = 0; at < body.length; at += 4_096) body.writeUInt32BE(at, at)
  for (const durable of [false, true]) {
    expect(await outbox.send({ body, durable })).toMatchObject({ kind: 'accepted' })
    const inbox = await client.receiver(address)
    const [got] = await inbox.take(1)
    expect(body.equals(bodyOf(got!.message) as Buffer)).toBe(true)
    await inbox.close()
  }
})

test('a message above the limit ends its link, not the connection', async () => {
  await using broker = await RunningBroker.start(`amqp.maxMessageBytes=${MIBIBYTE}`)
  const address = `queue://test.${randomUUID()}`
  await using client = await RheaClient.connect(broker)
  const outbox = await client.sender(address)
  outbox.link.send({ body: Buffer.alloc(2 * MIBIBYTE) })
  expect(await outbox.refusal()).toMatch(/^amqp:link:message-size-exceeded: .*max-message-size is 1048576/)
  const again = await client.sender(address)
  expect(await again.send({ body: 'small' })).toMatchObject({ kind: 'accepted' })
})
