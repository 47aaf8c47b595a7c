/** Subscriptions with a name, durable and shared, as rhea's users and clients of JMS make them. */
import { randomUUID } from 'node:crypto'
import type { ReceiverOptions } from 'rhea'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { RheaClient } from './rhea-client.ts'
import { RunningBroker } from './running-broker.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
})

afterAll(() => broker.stop())

function freshTopic(): string {
  return `topic://test.${randomUUID()}`
}

function durable(address: string, name: string, capabilities: readonly string[] = []): ReceiverOptions {
  return { name, source: { address, durable: 2, expiry_policy: 'never', capabilities: ['topic', ...capabilities] } }
}

describe('a durable subscription', () => {
  test('is kept by detach, collects while its client is away, and ends with close', async () => {
    const address = freshTopic()
    const containerId = `desk-${randomUUID()}`
    await using sender = await RheaClient.connect(broker)
    const outbox = await sender.sender(address)
    {
      await using first = await RheaClient.connect(broker, { containerId })
      const inbox = await first.receiver(durable(address, 'news'))
      await outbox.send({ body: 'one', durable: true })
      expect(await inbox.takeBodies(1)).toEqual(['one'])
      await inbox.detach()
      await first.end()
    }
    await outbox.send({ body: 'two', durable: true })
    {
      await using lost = await RheaClient.connect(broker, { containerId })
      const inbox = await lost.receiver(durable(address, 'news'), {})
      expect(await inbox.takeBodies(1)).toEqual(['two'])
      lost.drop() // keeps it, too
    }
    await outbox.send({ body: 'three', durable: true })
    {
      await using back = await RheaClient.connect(broker, { containerId })
      const inbox = await back.receiver(durable(address, 'news'))
      expect(await inbox.takeBodies(1)).toEqual(['three'])
      await inbox.close()
    }
    await outbox.send({ body: 'four', durable: true })
    await using again = await RheaClient.connect(broker, { containerId })
    const inbox = await again.receiver({ ...durable(address, 'news'), credit_window: 0 })
    expect(await inbox.drain(10)).toEqual([])
  })

  test('tells a client that names it without a source what it is, and ends when that closes', async () => {
    const address = freshTopic()
    const containerId = `desk-${randomUUID()}`
    await using client = await RheaClient.connect(broker, { containerId })
    const inbox = await client.receiver(durable(address, 'known'))
    await inbox.detach()
    const known = await client.receiver({ name: 'known', credit_window: 0 })
    expect(known.link.source).toMatchObject({ address, durable: 2, expiry_policy: 'never' })
    await known.close()
    await expect(client.receiver({ name: 'known', credit_window: 0 })).rejects.toThrow(/^amqp:not-found: .*'known'/)
  })

  test('has one consumer: another link of that name in the connection takes it over', async () => {
    const address = freshTopic()
    const containerId = `desk-${randomUUID()}`
    await using client = await RheaClient.connect(broker, { containerId })
    await using other = await RheaClient.connect(broker, { containerId })
    const first = await client.receiver(durable(address, 'mine'))
    await expect(other.receiver(durable(address, 'mine'))).rejects.toThrow(/^amqp:resource-locked/)
    await first.detach()
    await other.receiver(durable(address, 'mine'))
  })
})

describe('a shared subscription', () => {
  test('of a container: its links, named NAME|1 and NAME|2, divide the messages', async () => {
    const address = freshTopic()
    const containerId = `desk-${randomUUID()}`
    await using client = await RheaClient.connect(broker, { containerId })
    const one = await client.receiver({ ...durable(address, 'crew|1', ['shared']), credit_window: 0 })
    const two = await client.receiver({ ...durable(address, 'crew|2', ['shared']), credit_window: 0 })
    one.link.add_credit(2)
    two.link.add_credit(2)
    await (await client.sender(address)).sendAll([1, 2, 3, 4].map((body) => ({ body })))
    expect(new Set([...(await one.takeBodies(2)), ...(await two.takeBodies(2))])).toEqual(new Set([1, 2, 3, 4]))
    // It stays with its last link detached, and ends when the subscription is named alone and closed.
    await one.detach()
    await two.detach()
    const known = await client.receiver({ name: 'crew|', credit_window: 0 })
    await known.close()
  })

  test('of all: containers of any id divide the messages', async () => {
    const address = freshTopic()
    const name = `all-${randomUUID()}`
    await using one = await RheaClient.connect(broker)
    await using two = await RheaClient.connect(broker)
    const links = [
      await one.receiver({ ...durable(address, `${name}|global`, ['shared', 'global']), credit_window: 0 }),
      await two.receiver({ ...durable(address, `${name}|global`, ['shared', 'global']), credit_window: 0 }),
    ] as const
    for (const { link } of links) link.add_credit(2)
    await (await one.sender(address)).sendAll([1, 2, 3, 4].map((body) => ({ body })))
    const got = [...(await links[0].takeBodies(2)), ...(await links[1].takeBodies(2))]
    expect(new Set(got)).toEqual(new Set([1, 2, 3, 4]))
  })

  test('without durability ends with its last link', async () => {
    const address = freshTopic()
    const name = `loose-${randomUUID()}`
    await using client = await RheaClient.connect(broker)
    const loose = (suffix: string): ReceiverOptions => ({
      name: `${name}|${suffix}`,
      credit_window: 0,
      source: { address, capabilities: ['topic', 'shared', 'global'] },
    })
    const one = await client.receiver(loose('global-volatile1'))
    const two = await client.receiver(loose('global-volatile2'))
    const outbox = await client.sender(address)
    one.link.add_credit(1)
    two.link.add_credit(1)
    await outbox.sendAll([1, 2].map((body) => ({ body })))
    expect(new Set([...(await one.takeBodies(1)), ...(await two.takeBodies(1))])).toEqual(new Set([1, 2]))
    await one.detach()
    await outbox.send({ body: 3 })
    expect(await two.drain(10)).toEqual([3])
    await two.detach()
    await outbox.send({ body: 4 })
    const again = await client.receiver(loose('global-volatile3'))
    expect(await again.drain(10)).toEqual([])
  })
})
