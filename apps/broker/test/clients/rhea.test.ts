/** rhea, the AMQP client of Node, over every listener: values, outcomes, and what a queue gives to whom. */
import { randomUUID } from 'node:crypto'
import rhea from 'rhea'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { bodyOf, RheaClient } from './rhea-client.ts'
import { AMQP_LISTENERS, RunningBroker } from './running-broker.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
})

afterAll(() => broker.stop())

/** Nobody else's. */
function fresh(kind: 'queue' | 'topic'): string {
  return `${kind}://test.${randomUUID()}`
}

describe.each(AMQP_LISTENERS)('over %s', (listener) => {
  test('text, bytes and values of AMQP come back as they were, with all that is said of them', async () => {
    await using client = await RheaClient.connect(broker, { listener })
    const address = fresh('queue')
    const [outbox, inbox] = [await client.sender(address), await client.receiver(address)]
    const said = {
      message_id: 'm-1',
      correlation_id: 7,
      subject: 'weather',
      content_type: 'text/plain',
      content_encoding: 'identity',
      reply_to: 'queue://answers',
      group_id: 'g',
      group_sequence: 3,
      creation_time: new Date(1_700_000_000_000),
      application_properties: { unit: '°C', level: 7, isHot: true, nothing: null },
      message_annotations: { 'x-opt-own': 'kept' },
      priority: 7,
      durable: true,
    }
    const bytes = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => index % 256))
    const { data_section: data, sequence_section: sequence } = rhea.message
    const bodies: unknown[] = [
      'grüße',
      '',
      data(bytes),
      sequence([1, 'two', { three: 3 }]),
      { a: [1, 2], b: { c: 'd' } },
      42,
      true,
      null,
    ]
    const outcomes = await outbox.sendAll(bodies.map((body: unknown) => ({ ...said, body })))
    expect(outcomes.map(({ kind }) => kind)).toEqual(bodies.map(() => 'accepted'))
    const got = await inbox.take(bodies.length)
    expect(got.map(({ message }) => bodyOf(message))).toEqual([
      'grüße',
      '',
      bytes,
      [1, 'two', { three: 3 }],
      { a: [1, 2], b: { c: 'd' } },
      42,
      true,
      null,
    ])
    for (const { message } of got) expect(message).toMatchObject(said)
    await client.end()
  })

  test('a request is answered at the temporary address that it names', async () => {
    await using client = await RheaClient.connect(broker, { listener })
    await using server = await RheaClient.connect(broker, { listener })
    const address = fresh('queue')
    const requests = await server.receiver(address)
    const relay = await server.sender({ target: {} })
    const replies = await client.receiver({ source: { dynamic: true, address: '' } })
    const replyTo = replies.link.source.address
    expect(replyTo).toMatch(/^temp-queue:\/\//)
    const outbox = await client.sender(address)
    for (const word of ['slithy', 'toves']) {
      await outbox.send({ body: word, reply_to: replyTo, correlation_id: word })
      const [request] = await requests.take(1)
      const { reply_to: to, correlation_id } = request!.message
      expect(
        await relay.send({
          to: to!,
          correlation_id: correlation_id!,
          body: String(bodyOf(request!.message)).toUpperCase(),
        }),
      ).toMatchObject({ kind: 'accepted' })
      const [reply] = await replies.take(1)
      expect(reply!.message).toMatchObject({ correlation_id: word, body: word.toUpperCase() })
    }
    // The address goes with its receiver.
    await replies.close()
    const late = await relay.send({ to: replyTo, body: 'too late' })
    expect(late).toMatchObject({ kind: 'rejected', error: { condition: 'amqp:not-found' } })
  })
})

describe('what becomes of a message', () => {
  test('released it comes again as if nothing had been, modified as one that failed, rejected it is a dead letter', async () => {
    await using client = await RheaClient.connect(broker)
    const address = fresh('queue')
    const mark = randomUUID()
    await (await client.sender(address)).send({ body: 'job', durable: true, application_properties: { mark } })
    const inbox = await client.receiver(address, { autoaccept: false })
    const [first] = await inbox.take(1)
    expect(first!.message).toMatchObject({ body: 'job' })
    expect(first!.message.delivery_count ?? 0).toBe(0)
    first!.delivery.release()
    const [second] = await inbox.take(1)
    expect(second!.message.delivery_count ?? 0).toBe(0)
    second!.delivery.modified({ delivery_failed: true })
    const [third] = await inbox.take(1)
    expect(third!.message.delivery_count).toBe(1)
    third!.delivery.reject({ condition: 'app:poison', description: 'it cannot be read' })

    const dead = await client.receiver({
      source: { address: 'queue://DLQ', filter: rhea.filter.selector(`mark = '${mark}'`) },
    })
    const [letter] = await dead.take(1)
    expect(letter!.message).toMatchObject({ body: 'job', durable: true, application_properties: { mark } })
    expect(JSON.stringify(letter!.message.message_annotations)).toContain('app:poison: it cannot be read')
  })

  test('modified as undeliverable here, it goes to somebody else', async () => {
    await using client = await RheaClient.connect(broker)
    await using other = await RheaClient.connect(broker)
    const address = fresh('queue')
    const inbox = await client.receiver(address, { autoaccept: false, credit_window: 10 })
    await (await client.sender(address)).send({ body: 'job' })
    const [first] = await inbox.take(1)
    const others = await other.receiver(address)
    first!.delivery.modified({ delivery_failed: false, undeliverable_here: true })
    expect(await others.takeBodies(1)).toEqual(['job'])
    expect(inbox.received).toHaveLength(1)
  })

  test('of a link that is closed with messages in hand, they go to the next one, in their order', async () => {
    await using client = await RheaClient.connect(broker)
    const address = fresh('queue')
    const outbox = await client.sender(address)
    await outbox.sendAll(['a', 'b', 'c'].map((body) => ({ body })))
    const first = await client.receiver(address, { autoaccept: false })
    await first.take(3)
    first.received[1]!.delivery.accept()
    await first.close()
    expect(await (await client.receiver(address)).takeBodies(2)).toEqual(['a', 'c'])
  })

  test('sent as settled, it is there without an outcome; received as settled, nothing is asked back', async () => {
    await using client = await RheaClient.connect(broker)
    const address = fresh('queue')
    const outbox = await client.sender(address, { snd_settle_mode: 1 })
    const inbox = await client.receiver(address, { snd_settle_mode: 1, autoaccept: false })
    outbox.link.send({ body: 'fire and forget' })
    const [got] = await inbox.take(1)
    expect(got!.message.body).toBe('fire and forget')
    expect(got!.delivery.remote_settled).toBe(true)
    await inbox.close()
    expect(await (await client.receiver(address, { credit_window: 0 })).drain(10)).toEqual([])
  })

  test('a receiver that settles second hears that its outcome is kept', async () => {
    await using client = await RheaClient.connect(broker)
    const address = fresh('queue')
    const inbox = await client.receiver(address, { rcv_settle_mode: 1, autosettle: true })
    expect(inbox.link.rcv_settle_mode).toBe(1)
    await (await client.sender(address)).send({ body: 'twice', durable: true })
    const [got] = await inbox.take(1)
    await client.until('settled', () => got!.delivery.remote_settled)
  })
})

describe('a queue', () => {
  test('gives no more than the credit, and says on drain that there is no more', async () => {
    await using client = await RheaClient.connect(broker)
    const address = fresh('queue')
    const outbox = await client.sender(address)
    const inbox = await client.receiver(address, { credit_window: 0 })
    expect(await inbox.drain(5)).toEqual([])
    await outbox.sendAll(['a', 'b', 'c'].map((body) => ({ body })))
    // The credit of the drain before is used up.
    expect(inbox.received).toHaveLength(0)
    expect(await inbox.drain(2)).toEqual(['a', 'b'])
    expect(await inbox.drain(10)).toEqual(['c'])
    expect(await inbox.drain(10)).toEqual([])
  })

  test('is looked through without taking anything, to its end', async () => {
    await using client = await RheaClient.connect(broker)
    const address = fresh('queue')
    const bodies = Array.from({ length: 250 }, (_, index) => index)
    await (await client.sender(address)).sendAll(bodies.map((body) => ({ body })))
    const browser = { address, distribution_mode: 'copy' } as const
    for (let round = 0; round < 2; round++) {
      const looking = await client.receiver({ source: browser, credit_window: 0 })
      expect(await looking.drain(1_000)).toEqual(bodies)
      await looking.close()
    }
    const filter = rhea.filter.selector("JMSXGroupID = 'none'")
    expect(await (await client.receiver({ source: { ...browser, filter }, credit_window: 0 })).drain(10)).toEqual([])
    expect(await (await client.receiver(address)).takeBodies(250)).toEqual(bodies)
  })

  test('gives a selector what it selects; a wrong selector is told where it is wrong', async () => {
    await using client = await RheaClient.connect(broker)
    const address = fresh('queue')
    const filter = rhea.filter.selector("colour = 'red' AND size > 3")
    const red = await client.receiver({ source: { address, filter } })
    expect(Object.keys(red.link.source.filter!)).toEqual(['jms-selector'])
    const outbox = await client.sender(address)
    for (const [colour, size] of [
      ['red', 3],
      ['blue', 5],
      ['red', 5],
    ] as const) {
      await outbox.send({ body: `${colour} ${size}`, application_properties: { colour, size } })
    }
    expect(await red.takeBodies(1)).toEqual(['red 5'])
    expect(await (await client.receiver(address)).takeBodies(2)).toEqual(['red 3', 'blue 5'])
    const wrong = { address, filter: rhea.filter.selector('colour =') }
    await expect(client.receiver({ source: wrong })).rejects.toThrow(
      /^amqp:invalid-field: the selector 'colour =' is wrong at character 9/,
    )
  })

  test('takes large messages from a client that also receives as fast as they come', async () => {
    await using client = await RheaClient.connect(broker)
    const address = fresh('queue')
    const [inbox, outbox] = [await client.receiver(address), await client.sender(address)]
    const body: unknown = rhea.message.data_section(Buffer.alloc(400_000))
    const outcomes = await outbox.sendAll(Array.from({ length: 40 }, () => ({ body, durable: true })))
    expect(outcomes.filter(({ kind }) => kind !== 'accepted')).toEqual([])
    await inbox.take(40)
  })

  test('shares its messages among receivers by their credit', async () => {
    await using client = await RheaClient.connect(broker)
    await using other = await RheaClient.connect(broker)
    const address = fresh('queue')
    const [one, two] = [
      await client.receiver(address, { credit_window: 0 }),
      await other.receiver(address, { credit_window: 0 }),
    ]
    one.link.add_credit(2)
    two.link.add_credit(3)
    await (await client.sender(address)).sendAll(Array.from({ length: 5 }, (_, body) => ({ body })))
    const got = [...(await one.takeBodies(2)), ...(await two.takeBodies(3))]
    expect(new Set(got)).toEqual(new Set([0, 1, 2, 3, 4]))
  })
})

describe('a link without an address', () => {
  test('sends each message where it says, and rejects one that says nothing or what cannot be', async () => {
    await using client = await RheaClient.connect(broker)
    const [queue, topic] = [fresh('queue'), fresh('topic')]
    const [queued, heard] = [await client.receiver(queue), await client.receiver(topic)]
    const relay = await client.sender({ target: {} })
    await relay.send({ to: queue, body: 'one' })
    await relay.send({ to: topic, body: 'all' })
    expect(await queued.takeBodies(1)).toEqual(['one'])
    expect(await heard.takeBodies(1)).toEqual(['all'])
    const { kind, error } = await relay.send({ body: 'lost' })
    expect(kind).toBe('rejected')
    expect(error?.description).toContain('to is missing')
    expect(await relay.send({ to: 'topic://a.*', body: 'lost' })).toMatchObject({ kind: 'rejected' })
    // The link bears it.
    expect(await relay.send({ to: queue, body: 'two' })).toMatchObject({ kind: 'accepted' })
    expect(client.opened?.offered_capabilities).toContain('ANONYMOUS-RELAY')
  })
})

describe('a container', () => {
  const SOLE = 'sole-connection-for-container'

  test('that asks to be alone is alone', async () => {
    const containerId = `desk-${randomUUID()}`
    const options = { containerId, more: { desired_capabilities: SOLE } }
    await using first = await RheaClient.connect(broker, options)
    expect(first.opened?.offered_capabilities).toContain(SOLE)
    await expect(RheaClient.connect(broker, options)).rejects.toThrow(
      /^amqp:invalid-field: container 'desk-.*choose another client id/,
    )
    await first.end()
    await using again = await RheaClient.connect(broker, options)
    await again.end()
  })

  test('that does not ask may have several connections', async () => {
    const containerId = `desk-${randomUUID()}`
    const address = fresh('queue')
    await using first = await RheaClient.connect(broker, { containerId })
    await using second = await RheaClient.connect(broker, { containerId })
    await (await first.sender(address)).send({ body: 'across' })
    expect(await (await second.receiver(address)).takeBodies(1)).toEqual(['across'])
  })
})
