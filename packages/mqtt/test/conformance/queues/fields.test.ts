/** User properties that stand for fields of the core: what they make of a PUBLISH, and what other protocols' messages bring with them. */
import { type HeaderCodec, type Headers, Message, type MessageExtras, type QueueSettings } from '@ternmq/core'
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import { type Client, prop, publish, puback, pubrec, subscribe, World } from '../../harness.ts'
import { lasting, onlyPublish, payloads, subscriber } from '../mqtt5/scenes.ts'

const IMPLEMENTATION_SPECIFIC = 0x83
const TOPIC_NAME_INVALID = 0x90

type Pairs = Readonly<Record<string, string>>

function pairs(given: Pairs): Uint8Array[] {
  return Object.entries(given).map(([name, value]) => prop('userProperty', [name, value]))
}

function define(world: World, settings: Partial<QueueSettings>): void {
  const defined = world.vhost.destinations.define({ name: 'q', settings })
  if (!defined.ok) throw new Error(defined.detail.text)
}

let lastId = 0
/** Sends at QoS 1; the reason code of the answer. */
function send(client: Client, topic: string, payload: string, given: Pairs = {}): number | undefined {
  client.send(publish(topic, payload, { qos: 1, id: ++lastId, properties: pairs(given) }))
  return client.next('PUBACK').reasonCode
}

describe('a PUBLISH', () => {
  it('with a priority goes before those with a lower one', () => {
    const world = new World()
    const sender = world.connect('p')
    send(sender, '$queue/q', 'plain')
    send(sender, '$queue/q', 'low', { priority: '0' })
    send(sender, '$queue/q', 'high', { site: 'north', priority: '9' })
    expect(payloads(subscriber(world, 'c', { filter: '$queue/q', qos: 1 }))).toEqual(['high', 'plain', 'low'])
  })

  it('with a group goes where the group goes, until its last message', () => {
    const world = new World()
    const readers = ['c1', 'c2'].map((name) => subscriber(world, name, '$queue/q'))
    const sender = world.connect('p')
    for (const text of ['1', '2', '3', '4']) send(sender, '$queue/q', text, { JMSXGroupID: 'g' })
    expect(readers.map(payloads).filter((got) => got.length > 0)).toEqual([['1', '2', '3', '4']])
    send(sender, '$queue/q', 'end', { JMSXGroupID: 'g', JMSXGroupSeq: '-1' })
    send(sender, '$queue/q', 'anew', { JMSXGroupID: 'g' })
    expect(readers.map(payloads)).toEqual(expect.arrayContaining([['anew'], ['end']]))
  })

  it.each([0, 1, 2] as const)('at QoS %i is sent later when it asks for that, with its properties', (qos) => {
    const world = new World()
    const reader = subscriber(world, 'c', { filter: 'a/#', qos: 2 })
    const properties = [prop('contentType', 'text/plain'), ...pairs({ AMQ_SCHEDULED_DELAY: '5000', site: 'north' })]
    world.connect('p').send(publish('a/b', 'x', { qos, ...(qos > 0 && { id: 1 }), properties }))
    world.advance(4_999)
    expect(payloads(reader)).toEqual([])
    world.advance(1)
    expect(onlyPublish(reader)).toMatchObject({
      topic: 'a/b',
      payload: 'x',
      qos,
      properties: { contentType: 'text/plain' },
    })
  })

  it('is sent again and again, each with the id of its schedule', () => {
    const world = new World()
    const reader = subscriber(world, 'c', 'a')
    send(world.connect('p'), 'a', 'x', { AMQ_SCHEDULED_PERIOD: '1000', AMQ_SCHEDULED_REPEAT: '2' })
    world.advance(10_000)
    const got = reader.publishes()
    expect(got).toHaveLength(3)
    const ids = got.map(({ properties }) => properties.userProperties?.find(([name]) => name === 'scheduledJobId'))
    expect(ids[0]).toEqual(['scheduledJobId', expect.any(String)])
    // After the last one there is nothing to end.
    expect(ids.slice(1)).toEqual([ids[0], undefined])
  })

  it('with an id that the queue has had is answered as the first, and is not there twice', () => {
    const world = new World()
    define(world, { duplicatesMax: 10 })
    const sender = world.connect('p')
    for (const text of ['1', '2']) expect(send(sender, '$queue/q', text, { _AMQ_DUPL_ID: 'd' })).toBe(0)
    expect(payloads(subscriber(world, 'c', '$queue/q'))).toEqual(['1'])
  })

  it.each([
    ['priority', '10'],
    ['priority', 'high'],
    ['JMSXGroupSeq', 'one'],
    ['JMSTimestamp', 'now'],
    ['AMQ_SCHEDULED_DELAY', '-1'],
    ['AMQ_SCHEDULED_CRON', 'never'],
    ['_AMQ_DUPL_ID', ''],
  ])('with %s:%s is refused with the reason, and the client stays', (name, value) => {
    const world = new World()
    const reader = subscriber(world, 'c', 'a')
    const sender = world.connect('p')
    const properties = pairs({ [name]: value })
    sender.send(publish('a', 'x', { qos: 1, id: 1, properties }), publish('a', 'x', { qos: 2, id: 2, properties }))
    sender.send(publish('a', 'x', { properties }))
    const answers = sender.received()
    const reasonCode = IMPLEMENTATION_SPECIFIC
    expect(answers).toMatchObject([
      { type: 'PUBACK', id: 1, reasonCode },
      { type: 'PUBREC', id: 2, reasonCode },
    ])
    expect(JSON.stringify(answers[0])).toMatch(/reasonString/)
    const events = world.events.filter(({ kind }) => kind === 'refused')
    expect(events[0]!.text).toContain(
      name === 'AMQ_SCHEDULED_CRON' ? 'cron expression' : `user property '${name}' is '${value}'`,
    )
    // At QoS 0 the event is all there is.
    expect(send(sender, 'a', 'ok')).toBe(0)
    expect(payloads(reader)).toEqual(['ok'])
  })

  it('of the same names comes to MQTT 5 as it was, byte for byte', () => {
    const given = {
      type: 'x',
      priority: '7',
      JMSXGroupID: 'g',
      JMSType: 't',
      _AMQ_DUPL_ID: '1',
      'x-death-cause': 'mine',
    }
    const world = new World()
    const reader = subscriber(world, 'c', 'a')
    send(world.connect('p'), 'a', 'x', given)
    expect(onlyPublish(reader).properties.userProperties).toEqual(Object.entries(given))
  })

  it('of a will has its priority and its group; one that is wrong is told to the operator', () => {
    const world = new World()
    const sender = world.connect('p')
    send(sender, '$queue/q', 'plain')
    const will = { topic: '$queue/q', payload: 'will', qos: 1 } as const
    world.connect('w', { will: { ...will, properties: pairs({ priority: '9' }) } }).vanish()
    world.connect('v', { will: { ...will, payload: 'wrong', properties: pairs({ priority: '99' }) } }).vanish()
    expect(payloads(subscriber(world, 'c', '$queue/q'))).toEqual(['will', 'plain', 'wrong'])
    expect(world.events.map(({ text }) => text)).toContainEqual(
      expect.stringContaining("will for '$queue/q': user property 'priority'"),
    )
  })
})

describe('$delayed/SECONDS/TOPIC', () => {
  it.each([3, 4, 5] as const)('is a message to TOPIC so many seconds later, in version %i', (version) => {
    const world = new World()
    const readers = ([4, 5] as const).map((each) => {
      const reader = world.connect(`r${each}`, { version: each })
      reader.send(subscribe(1, 'a/b'))
      reader.next('SUBACK')
      return reader
    })
    const sender = world.connect('p', { version })
    sender.send(
      publish('$delayed/3/a/b', '1', { qos: 1, id: 1 }),
      publish('a/b', 'now'),
      publish('$delayed/1/a/b', '2'),
    )
    expect(readers.map(payloads)).toEqual([['now'], ['now']])
    world.advance(3_000)
    for (const reader of readers) {
      expect(reader.publishes()).toMatchObject([
        { topic: 'a/b', payload: '2' },
        { topic: 'a/b', payload: '1' },
      ])
    }
  })

  it('keeps its delay behind a topic alias, and leads to queues as well', () => {
    const world = new World()
    const reader = subscriber(world, 'c', '$queue/q')
    const sender = world.connect('p')
    const properties = [prop('topicAlias', 1)]
    sender.send(publish('$delayed/2/$queue/q', '1', { properties }), publish('', '2', { properties }))
    expect(payloads(reader)).toEqual([])
    world.advance(2_000)
    expect(payloads(reader)).toEqual(['1', '2'])
  })

  it.each(['$delayed/x/a', '$delayed/-1/a', '$delayed/4294968/a', '$delayed/5/', '$delayed/5', '$delayed/'])(
    'is not %s',
    (topic) => {
      const sender = new World().connect('p')
      sender.send(publish(topic, 'x'))
      expect(sender.goodbye()).toBe(TOPIC_NAME_INVALID)
    },
  )
})

/** A message of another protocol, with these headers. */
function foreign(
  headers: Headers,
  more: { priority?: number; extras?: MessageExtras; expiresAtMs?: number } = {},
): Message {
  const bytes = Buffer.from('body')
  const codec: HeaderCodec = { id: 'other', decode: () => headers, encode: () => new Uint8Array(0) }
  const at = { bytes, start: 0, headerStart: 0, bodyStart: 0, end: bytes.length }
  const rest = { assurance: 1, durable: false, retain: false, expiresAtMs: 0, publisher: undefined } as const
  return new Message({ topic: 'a', codec, ...at, ...rest, ...more })
}

function sendAs(world: World, message: Message): void {
  const opened = world.vhost.sessions.open({
    clientId: 'other',
    principal: { name: 'ann', anonymous: false },
    cleanStart: true,
    expiryMs: 0,
    creditMax: 1,
    will: undefined,
    owner: { onEvicted: () => undefined },
  })
  if (!opened.ok) throw new Error(opened.detail.text)
  const producer = opened.value.session.openProducer({ onPublishSettled: () => undefined })
  producer.publish(producer.target(message.topic), message, 0)
  world.run()
}

describe('a message of another protocol', () => {
  it('brings its fields in the properties that MQTT 5 has for them, else in user properties; nothing to MQTT 3', () => {
    const world = new World()
    const reader = subscriber(world, 'c', { filter: 'a', qos: 1 })
    const old = world.connect('o', { version: 4 })
    old.send(subscribe(1, 'a'))
    old.next('SUBACK')
    const headers: Headers = {
      correlationId: Uint8Array.of(1, 0),
      contentType: 'text/plain',
      replyTo: '$queue/answers',
      text: true,
      type: 'order',
      appId: 'shop',
      properties: [
        ['b', '1'],
        ['priority', 'mine'],
      ],
    }
    const expiresAtMs = world.env.clock.wallMs() + 1_500
    sendAs(world, foreign(headers, { priority: 8, extras: { groupId: 'g' }, expiresAtMs }))
    expect(onlyPublish(reader)).toMatchObject({
      payload: 'body',
      // Transient, and yet at least once, as the subscription asked.
      qos: 1,
      properties: {
        payloadFormatIndicator: 1,
        messageExpiryInterval: 2,
        contentType: 'text/plain',
        responseTopic: '$queue/answers',
        userProperties: [
          ['JMSType', 'order'],
          ['priority', '8'],
          ['app-id', 'shop'],
          ['JMSXGroupID', 'g'],
          ['b', '1'],
          ['x-property.priority', 'mine'],
        ],
      },
    })
    expect(old.publishes()).toMatchObject([{ topic: 'a', payload: 'body' }])
  })
})

describe('a dead letter', () => {
  it('tells an MQTT 5 client where it was and why it died, beside its own properties', () => {
    const world = new World()
    define(world, { deadLetter: 'dead', expiryTarget: 'dead' })
    const properties = [prop('messageExpiryInterval', 5), ...pairs({ site: 'north' })]
    world.connect('p').send(publish('$queue/q', 'x', { qos: 1, id: 1, properties }))
    world.advance(6_000)
    const packet = onlyPublish(subscriber(world, 'c', '$queue/dead'))
    expect(packet.payload).toBe('x')
    const given = Object.fromEntries(packet.properties.userProperties ?? [])
    expect(given).toMatchObject({
      'x-death-address': '$queue/q',
      'x-death-queue': '$queue/q',
      'x-death-cause': 'expired',
      'x-death-count': '0',
      site: 'north',
    })
    expect(Number(given['x-death-time'])).toBeGreaterThanOrEqual(Number(given['x-death-expired-at']))
  })
})

describe('a message that a client refuses', () => {
  it.each([
    [1, puback, [], 'Payload format invalid'],
    [1, puback, [prop('reasonString', 'no such article')], 'Payload format invalid: no such article'],
    [2, pubrec, [prop('reasonString', 'x'.repeat(2_000))], `Payload format invalid: ${'x'.repeat(999)}…`],
  ] as const)(
    '[MQTT5 §3.4.2.2.2] goes to the dead letters with its words (QoS %i)',
    (qos, refuse, properties, reason) => {
      const world = new World()
      define(world, { deadLetter: 'dead' })
      const reader = subscriber(world, 'r', '$queue/q')
      world.connect('p').send(publish('$queue/q', 'x', { qos, id: 1 }))
      reader.send(refuse(reader.publishes()[0]!.id, { reason: 0x99, properties }))
      const packet = onlyPublish(subscriber(world, 'c', '$queue/dead'))
      const given = Object.fromEntries(packet.properties.userProperties ?? [])
      expect(given).toMatchObject({ 'x-death-cause': 'rejected', 'x-death-reason': reason })
    },
  )
})

describe('publishes at QoS 2 that wait for room', () => {
  it('[MQTT5-4.3.3-10] are known by ids of their own after a restart', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const world = await World.withLog({}, env, engine)
    define(world, { messagesMax: 1, blockMaxMs: 600_000 })
    const sender = await world.join('p', lasting())
    await sender.finish(...[1, 2, 3].map((id) => publish('$queue/q', String(id), { qos: 2, id })))
    const reader = await world.join('c', { properties: [prop('receiveMaximum', 1)] })
    await reader.finish(subscribe(1, { filter: '$queue/q', qos: 1 }))
    reader.next('SUBACK')
    // Makes room for the second, which is in the log then; the third still waits when the broker ends.
    await reader.finish(puback(reader.publishes()[0]!.id))

    const next = await World.withLog({}, env, engine)
    const again = await next.join('p', lasting())
    await again.finish(...[2, 3].map((id) => publish('$queue/q', String(id), { qos: 2, id, dup: true })))
    const other = await next.join('d')
    await other.finish(subscribe(1, { filter: '$queue/q', qos: 0 }))
    other.next('SUBACK')
    await next.settle()
    expect(payloads(other)).toEqual(['2', '3'])
  })
})
