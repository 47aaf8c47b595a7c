/** What a message carries from a client of one protocol to a client of another, row by row of the table of headers and guarantees. */
import { FIELDS, type FieldId } from '@ternmq/naming'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { FIELD_CASES, type FieldCase, FIELDS_TESTED_APART } from './interop-cases.ts'
import { amqpAddressOf } from './interop-amqp-peer.ts'
import {
  destinationOf,
  freshQueue,
  freshTopic,
  type How,
  type Peer,
  PEER_NAMES,
  type PeerName,
  PEERS,
  type Protocol,
  type Seen,
} from './interop-peers.ts'
import { RunningBroker } from './running-broker.ts'
import { StompJsClient } from './stomp-js-client.ts'

const PAIRS = PEER_NAMES.flatMap((from) => PEER_NAMES.filter((to) => to !== from).map((to) => ({ from, to })))
/** So long a busy machine may be on the way of a message that expires after a minute. */
const SLOW_MS_MAX = 30_000
const BYTES = Buffer.from(Uint8Array.from({ length: 256 }, (_, index) => index))

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
})

afterAll(() => broker.stop())

function isLost(field: FieldId, from: Protocol, to: Protocol): boolean {
  const row = FIELDS.find(({ id }) => id === field)!
  return row.in[from].kind === 'lost' || row.in[to].kind === 'lost'
}

/** Without what every message has of its own. */
function without({ fields }: Seen, ...names: readonly string[]): Record<string, unknown> {
  const own = ['message-id', 'ack', ...names]
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !own.includes(name)))
}

function retainedMark({ fields }: Seen): unknown {
  const annotations = fields['message_annotations'] as Record<string, unknown> | undefined
  return annotations?.['x-opt-retained'] ?? fields['ActiveMQ.Retained'] ?? fields['retain']
}

type Fields = Readonly<Record<string, unknown>>

/** Where a dead letter was and why it died, as each protocol says it, and what its publisher said. */
function deathOf(
  { fields }: Seen,
  protocol: 'mqtt5' | 'stomp' | 'amqp10',
): { readonly trail: Fields; readonly properties: Fields } {
  const places = {
    mqtt5: [fields['user'], 'x-death-address', 'x-death-', fields['user']],
    stomp: [fields, 'original-destination', 'x-death-', fields],
    amqp10: [fields['message_annotations'], 'x-opt-ORIG-ADDRESS', 'x-opt-death-', fields['application_properties']],
  } as const
  const [said, address, prefix, properties] = places[protocol] as readonly [Fields, string, string, Fields]
  const [cause, reason, time] = ['cause', 'reason', 'time'].map((part) => said[prefix + part])
  return { trail: { address: said[address], cause, reason, time }, properties }
}

test('every row of the table has a test', () => {
  const tested = [...FIELD_CASES.map(({ field }) => field), ...FIELDS_TESTED_APART]
  expect([...new Set(tested)].toSorted()).toEqual(FIELDS.map(({ id }) => id).toSorted())
})

describe.each(PAIRS)('fields from $from to $to', ({ from, to }) => {
  let sender: Peer
  let receiver: Peer

  beforeAll(async () => {
    sender = await PEERS[from](broker)
    receiver = await PEERS[to](broker)
  })

  afterAll(async () => {
    await sender[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
  })

  test.each(FIELD_CASES)('$field: $what', async ({ field, how, seen }: FieldCase) => {
    const topic = freshTopic()
    await receiver.subscribe(topic)
    // One after the other: of two that wait the one of the higher priority comes first.
    await sender.send(topic, 'grüße')
    const [bare] = (await receiver.take(1)) as [Seen]
    await sender.send(topic, 'grüße', how)
    const [message] = (await receiver.take(1)) as [Seen]
    expect(message.body.toString()).toBe('grüße')
    if (isLost(field, sender.protocol, receiver.protocol)) expect(without(message)).toEqual(without(bare))
    else expect(message.fields).toMatchObject(seen[receiver.protocol as keyof typeof seen])
  })
})

describe.each(PAIRS)('guarantees from $from to $to', ({ from, to }) => {
  let sender: Peer
  let receiver: Peer

  beforeEach(async () => {
    sender = await PEERS[from](broker)
    receiver = await PEERS[to](broker)
  })

  afterEach(async () => {
    await sender[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
  })

  test('destination: the topic, and of a queue its name', async () => {
    const [topic, queue] = [`${freshTopic()}/v1.2`, freshQueue()]
    for (const address of [topic, queue]) {
      await receiver.subscribe(address)
      await sender.send(address, 'x')
      const [message] = (await receiver.take(1)) as [Seen]
      const { destination, topic: name, to } = message.fields
      if (receiver.protocol === 'stomp') expect(destination).toBe(destinationOf(address))
      else if (receiver.protocol === 'amqp10') expect(to).toBe(amqpAddressOf(address))
      else expect(name).toBe(address)
    }
  })

  test('bodyKind: text stays text, bytes stay bytes', async () => {
    const topic = freshTopic()
    await receiver.subscribe(topic)
    // Without content-length a NUL ends a text of STOMP.
    const text = sender.protocol === 'stomp' ? 'grüße' : 'grüße\0 and more'
    await sender.send(topic, text)
    await sender.send(topic, BYTES)
    const [first, bytes] = (await receiver.take(2)) as [Seen, Seen]
    expect(bytes.body.equals(BYTES)).toBe(true)
    const { 'amq-msg-type': type, payloadFormatIndicator, kind } = bytes.fields
    expect(type ?? payloadFormatIndicator ?? kind ?? 'bytes').toBe('bytes')
    expect(first.body.toString()).toBe(text)
    if (isLost('bodyKind', sender.protocol, receiver.protocol)) return
    if (receiver.protocol === 'mqtt5') expect(first.fields['payloadFormatIndicator']).toBe(true)
    else if (receiver.protocol === 'amqp10') expect(first.fields['kind']).toBe('text')
    else if (sender.protocol !== 'stomp') expect(first.fields['amq-msg-type']).toBe('text')
  })

  test('durable: what is to be kept says so; what need not be goes to MQTT with QoS 1 all the same', async () => {
    const topic = freshTopic()
    await receiver.subscribe(topic)
    await sender.send(topic, 'kept', { stomp: { persistent: 'true' }, amqp10: { durable: true } })
    await sender.send(topic, 'not kept', { mqtt3: { qos: 0 }, mqtt5: { qos: 0 } })
    const [kept, passing] = (await receiver.take(2)) as [Seen, Seen]
    if (receiver.protocol === 'stomp') {
      expect([kept.fields['persistent'], passing.fields['persistent']]).toEqual(['true', undefined])
    } else if (receiver.protocol === 'amqp10') {
      expect([kept.fields['durable'], passing.fields['durable'] ?? false]).toEqual([true, false])
    } else {
      expect([kept.fields['qos'], passing.fields['qos']]).toEqual([1, sender.protocol.startsWith('mqtt') ? 0 : 1])
    }
  })

  test('expiry: what is left of it, and nothing once it is over', async () => {
    const queue = freshQueue()
    const untilMs = Date.now() + 60_000
    await sender.send(queue, 'fresh', {
      mqtt5: { properties: { messageExpiryInterval: 60 } },
      stomp: { expires: String(untilMs) },
      amqp10: { ttl: 60_000 },
    })
    const pastMs = Date.now() - 1
    const stale = { stomp: { expires: String(pastMs) }, amqp10: { absolute_expiry_time: new Date(pastMs) } }
    if (Object.hasOwn(stale, sender.protocol)) await sender.send(queue, 'stale', stale)
    await sender.send(queue, 'end')
    await receiver.subscribe(queue)
    const [fresh, end] = (await receiver.take(2)) as [Seen, Seen]
    expect([fresh.body.toString(), end.body.toString()]).toEqual(['fresh', 'end'])
    const { messageExpiryInterval, expires, ttl, absolute_expiry_time: expiresAt } = fresh.fields
    if (isLost('expiry', sender.protocol, receiver.protocol)) {
      expect(messageExpiryInterval ?? expires ?? ttl ?? expiresAt).toBeUndefined()
      return
    }
    if (receiver.protocol === 'stomp') {
      expect(Math.abs(Number(expires) - untilMs)).toBeLessThan(SLOW_MS_MAX)
      return
    }
    const leftMs = receiver.protocol === 'mqtt5' ? Number(messageExpiryInterval) * 1_000 : Number(ttl)
    expect(leftMs).toBeGreaterThan(60_000 - SLOW_MS_MAX)
    expect(leftMs).toBeLessThanOrEqual(60_000)
    if (receiver.protocol === 'amqp10') expect(Math.abs(Number(expiresAt) - untilMs)).toBeLessThan(SLOW_MS_MAX)
  })

  test('userId: nobody can claim one', async () => {
    const topic = freshTopic()
    await receiver.subscribe(topic)
    const pair = { JMSXUserID: 'root' }
    const claim = {
      mqtt5: { properties: { userProperties: pair } },
      stomp: pair,
      amqp10: { application_properties: pair },
    }
    await sender.send(topic, 'x', claim)
    const [message] = (await receiver.take(1)) as [Seen]
    expect(message.fields['JMSXUserID'] ?? message.fields['user_id']).toBeUndefined()
    if (sender.protocol !== 'amqp10') return
    const asRoot = sender.send(topic, 'x', { amqp10: { user_id: 'root' } })
    await expect(asRoot).rejects.toThrow(/^rejected: amqp:unauthorized-access .*user-id is 'root'/)
  })

  test('retain, retained: the last message comes to who subscribes later, marked, until it is cleared', async () => {
    const topic = freshTopic()
    const retaining = (stomp: string, amqp: unknown): How => ({
      mqtt3: { retain: true },
      mqtt5: { retain: true },
      stomp: { retain: stomp },
      amqp10: { message_annotations: { 'x-opt-retain': amqp } },
    })
    const keep = retaining('true', true)
    await sender.send(topic, 'first', keep)
    await sender.send(topic, 'last', keep)
    await receiver.subscribe(topic, { keeps: true })
    const [kept] = (await receiver.take(1)) as [Seen]
    expect(kept.body.toString()).toBe('last')
    expect(retainedMark(kept)).toBe(receiver.protocol === 'stomp' ? 'true' : true)
    await sender.send(topic, '', retaining('remove', 'remove'))
    await using late = await PEERS[to](broker)
    await late.subscribe(topic, { keeps: true })
    await sender.send(topic, 'live')
    const [live] = (await late.take(1)) as [Seen]
    expect(live.body.toString()).toBe('live')
    expect(retainedMark(live) ?? false).toBe(false)
  })

  test('redelivery: who gets what another gave back is told so, where there is a word for it', async () => {
    const queue = freshQueue()
    await using giver = await StompJsClient.connect(broker)
    const id = await giver.subscribe(`/queue/${queue.slice(7)}`, { ack: 'client-individual' })
    await sender.send(queue, 'job')
    await giver.take(1)
    await giver.unsubscribe(id) // what it has not settled goes back
    await receiver.subscribe(queue)
    const [job] = (await receiver.take(1)) as [Seen]
    expect(job.body.toString()).toBe('job')
    expect(job.fields['redelivered']).toBe(receiver.protocol === 'stomp' ? 'true' : undefined)
    if (receiver.protocol !== 'amqp10') return
    expect(job.fields['first_acquirer'] ?? false).toBe(false)
    await sender.send(queue, 'fresh')
    expect((await receiver.take(1))[0]!.fields['first_acquirer']).toBe(true)
  })

  test('deadLetter, annotations: a dead letter tells where it was and why it died', async () => {
    const queue = freshQueue()
    const source = queue.slice(7)
    await using refuser = await StompJsClient.connect(broker)
    await refuser.subscribe(`/queue/${source}`, { ack: 'client-individual' })
    await sender.send(queue, 'poison', {
      mqtt5: { properties: { userProperties: { mark: source } } },
      stomp: { mark: source },
      amqp10: { application_properties: { mark: source } },
    })
    await refuser.nack((await refuser.take(1))[0]!)
    await receiver.subscribe('$queue/DLQ')
    const [dead] = (await receiver.take(1)) as [Seen]
    expect(dead.body.toString()).toBe('poison')
    if (receiver.protocol === 'mqtt3') return
    const { trail, properties } = deathOf(dead, receiver.protocol)
    expect(trail).toMatchObject({
      address:
        receiver.protocol === 'mqtt5'
          ? queue
          : receiver.protocol === 'stomp'
            ? `/queue/${source}`
            : `queue://${source}`,
      cause: 'rejected',
      reason: 'NACK',
    })
    expect(Number(trail['time'])).toBeGreaterThan(Date.now() - 60_000)
    if (sender.protocol !== 'mqtt3') expect(properties['mark']).toBe(source)
  })
})

/** Side by side: most of it is the wait. */
describe.concurrent.each(PAIRS)('guarantees from $from to $to', ({ from, to }) => {
  test('schedule: what is to wait is overtaken', async () => {
    await using sender = await PEERS[from](broker)
    await using receiver = await PEERS[to](broker)
    const topic = freshTopic()
    await receiver.subscribe(topic)
    const delay = { AMQ_SCHEDULED_DELAY: '700' }
    const amqp10 = { message_annotations: { 'x-opt-delivery-delay': 700 } }
    const how = { mqtt5: { properties: { userProperties: delay } }, stomp: delay, amqp10 }
    // What is sent first opens the link, where there are links.
    await sender.send(topic, 'before')
    const sentMs = performance.now()
    // Neither waits for the other's confirmation, for which a busy machine may take longer than the delay.
    await Promise.all([
      sender.protocol === 'mqtt3' ? sender.send(`$delayed/1/${topic}`, 'later') : sender.send(topic, 'later', how),
      sender.send(topic, 'at once'),
    ])
    const [before, atOnce, later] = (await receiver.take(3)) as [Seen, Seen, Seen]
    expect([before, atOnce, later].map(({ body }) => body.toString())).toEqual(['before', 'at once', 'later'])
    expect(performance.now() - sentMs).toBeGreaterThan(650)
    // A request to the broker, done with; and the topic is the one that was meant.
    expect(JSON.stringify(later.fields)).not.toMatch(/AMQ_SCHEDULED_DELAY|x-opt-delivery-delay/)
    expect(later.fields['topic'] ?? topic).toBe(topic)
  })
})

test.each([
  ['MQTT 3.1.1', 'STOMP of stompjs'],
  ['MQTT 5', 'STOMP of stompit'],
  ['STOMP of stompjs', 'MQTT 3.1.1'],
  ['STOMP of stompit', 'MQTT 5'],
] as const satisfies ReadonlyArray<readonly [PeerName, PeerName]>)(
  'work that %s puts into a queue is shared by consumers of %s and the other protocols',
  async (from, to) => {
    const queue = freshQueue()
    await using sender = await PEERS[from](broker)
    await using first = await PEERS[to](broker)
    await using second = await PEERS[from](broker)
    await first.subscribe(queue)
    await second.subscribe(queue)
    const bodies = Array.from({ length: 20 }, (_, index) => `job ${index}`)
    for (const body of bodies) await sender.send(queue, body)
    const got = (await Promise.all([first.take(10), second.take(10)])).flat().map(({ body }) => body.toString())
    expect(got.toSorted()).toEqual(bodies.toSorted())
  },
)
