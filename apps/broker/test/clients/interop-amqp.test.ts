/** What only AMQP has, as MQTT and STOMP get it, and what of theirs AMQP has to write in a way of its own. */
import { randomUUID } from 'node:crypto'
import rhea, { type Message } from 'rhea'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { amqpAddressOf, binary, type Sections, uuid } from './interop-amqp-peer.ts'
import { destinationOf, freshQueue, freshTopic, type Peer, PEERS, type PeerName, type Seen } from './interop-peers.ts'
import { TestClient } from './mqtt-js-client.ts'
import { bodyOf, type Received, RheaClient, type RheaReceiver, type RheaSender } from './rhea-client.ts'
import { RunningBroker } from './running-broker.ts'
import { StompJsClient } from './stomp-js-client.ts'

const { message: sections, types } = rhea
const UUID = '0af76519-16cd-43dd-8448-eb211c80319c'
const BYTES = Buffer.from([0xff, 0x00])

let broker: RunningBroker
let client: RheaClient
const foreign = new Map<string, Peer>()

/** Whoever is shown what AMQP sends, or sends what AMQP is shown. */
const NAMES = ['MQTT 5', 'STOMP of stompjs'] as const satisfies readonly PeerName[]

beforeAll(async () => {
  broker = await RunningBroker.start('queues.expiryTarget=DLQ', 'queues.redelivery.maxDeliveries=2')
  client = await RheaClient.connect(broker)
  for (const name of NAMES) foreign.set(name, await PEERS[name](broker))
})

afterAll(async () => {
  for (const peer of foreign.values()) await peer[Symbol.asyncDispose]()
  await client[Symbol.asyncDispose]()
  await broker.stop()
})

async function sender(address: string): Promise<RheaSender> {
  const link = await client.sender(amqpAddressOf(address))
  onTestFinished(() => link.close())
  return link
}

async function receiver(address: string, more: Parameters<RheaClient['receiver']>[1] = {}): Promise<RheaReceiver> {
  const link = await client.receiver(amqpAddressOf(address), more)
  onTestFinished(() => link.close())
  return link
}

/** Sends by AMQP and shows it to each of the others. */
async function shown(message: Message): Promise<Seen[]> {
  const topic = freshTopic()
  for (const peer of foreign.values()) await peer.subscribe(topic)
  expect(await (await sender(topic)).send(message)).toMatchObject({ kind: 'accepted' })
  return Promise.all([...foreign.values()].map(async (peer) => (await peer.take(1))[0]!))
}

/** The properties that a receiver sees, whatever its protocol calls them. */
function propertiesOf({ fields }: Seen): Sections {
  return (fields['user'] ?? fields['application_properties'] ?? fields) as Sections
}

describe('a body of AMQP', () => {
  const value: unknown = {
    a: [1, 2.5, 'x', true, null],
    b: { when: new Date(0) },
    bytes: Buffer.from([1, 2]),
    id: types.wrap_uuid(uuid(UUID)),
  }
  test.each<readonly [what: string, body: unknown, json: string]>([
    ['map', value, `{"a":[1,2.5,"x",true,null],"b":{"when":"1970-01-01T00:00:00.000Z"},"bytes":"AQI=","id":"${UUID}"}`],
    ['list', [1, 'two', { three: 3 }], '[1,"two",{"three":3}]'],
    ['number', 42, '42'],
    ['truth value', true, 'true'],
    ['time', new Date(1_700_000_000_000), '"2023-11-14T22:13:20.000Z"'],
    ['number beyond 53 bits', types.wrap_ulong(Buffer.alloc(8, 0xff)), '18446744073709551615'],
    ['sequence', sections.sequence_section([1, 'x']), '[1,"x"]'],
    ['row of sequences', sections.sequence_sections([[1, 'x'], [2]]), '[1,"x",2]'],
  ])('that is a %s is JSON for others, and says so', async (_what, body, json) => {
    for (const { body: got, fields } of await shown({ body, content_type: 'application/x-own' })) {
      expect(got.toString()).toBe(json)
      const { contentType, payloadFormatIndicator, 'content-type': type, 'amq-msg-type': kind } = fields
      expect([contentType ?? type, payloadFormatIndicator ?? kind]).toEqual([
        'application/json',
        kind === undefined ? true : 'text',
      ])
    }
  })

  test.each<readonly [what: string, body: unknown, bytes: Buffer]>([
    ['one data section', sections.data_section(BYTES), BYTES],
    ['several of them', sections.data_sections([BYTES, Buffer.from('b')]), Buffer.from([0xff, 0x00, 0x62])],
    ['a binary value', BYTES, BYTES],
    ['nothing', null, Buffer.alloc(0)],
  ])('that is %s is these bytes for others', async (_what, body, bytes) => {
    for (const { body: got, fields } of await shown({ body, content_type: 'application/x-own' })) {
      expect([...got]).toEqual([...bytes])
      expect(fields['contentType'] ?? fields['content-type']).toBe('application/x-own')
      expect(fields['amq-msg-type'] ?? fields['payloadFormatIndicator'] ?? false).toBe(false)
    }
  })

  test.each(NAMES)('that %s has sent as JSON text comes as text: nothing is made a map of it', async (name) => {
    const topic = freshTopic()
    const inbox = await receiver(topic)
    const type = 'application/json'
    await foreign.get(name)!.send(topic, '{"a":1}', {
      mqtt5: { properties: { contentType: type } },
      stomp: { 'content-type': type },
    })
    const [{ message }] = (await inbox.take(1)) as [Received]
    expect(message).toMatchObject({ body: '{"a":1}', content_type: type })
  })
})

describe('fields of AMQP', () => {
  test('numbers, times and other values of properties are texts for others', async () => {
    const properties = {
      i: -7,
      wide: types.wrap_ulong(Buffer.alloc(8, 0xff)) as unknown,
      f: 1.5,
      t: true,
      bytes: BYTES,
      when: new Date(5),
      id: types.wrap_uuid(uuid(UUID)) as unknown,
      sign: types.wrap_char(0x41) as unknown,
      nothing: null,
    }
    for (const seen of await shown({ body: 'x', application_properties: properties })) {
      const texts = {
        i: '-7',
        wide: '18446744073709551615',
        f: '1.5',
        t: 'true',
        bytes: '/wA=',
        when: '5',
        id: UUID,
        sign: 'A',
      }
      expect(propertiesOf(seen)).toMatchObject(texts)
      expect(propertiesOf(seen)).not.toHaveProperty('nothing')
    }
  })

  test("a publisher's own annotations are properties for others, lists as JSON; those of JMS and of one hop are not", async () => {
    const annotations = {
      'x-opt-own': 'v',
      'x-opt-list': [1, 'two'],
      'x-opt-jms-msg-type': types.wrap_byte(5) as unknown,
    }
    const message = { body: 'x', message_annotations: annotations, delivery_annotations: { 'x-opt-hop': 1 } }
    for (const seen of await shown(message)) {
      expect(propertiesOf(seen)).toMatchObject({ 'x-opt-own': 'v', 'x-opt-list': '[1,"two"]' })
      expect(JSON.stringify(seen.fields)).not.toMatch(/x-opt-(jms|hop)/)
    }
  })

  test('what AMQP alone has, or what makes no sense elsewhere, is left out there and comes to AMQP as it was', async () => {
    const topic = freshTopic()
    const inbox = await receiver(topic)
    const said = {
      to: 'queue://elsewhere',
      reply_to: 'topic://any.*',
      reply_to_group_id: 'g',
      creation_time: new Date(-5),
      application_properties: { nothing: null },
    }
    for (const peer of foreign.values()) await peer.subscribe(topic)
    await (await sender(topic)).send({ ...said, body: 'x' })
    expect((await inbox.take(1))[0]!.message).toMatchObject(said)
    const [mqtt, stomp] = await Promise.all([...foreign.values()].map(async (peer) => (await peer.take(1))[0]!))
    expect(mqtt!.fields).toEqual({ topic, qos: 1, retain: false, payloadFormatIndicator: true, user: {} })
    expect(Object.keys(stomp!.fields).toSorted()).toEqual([
      'amq-msg-type',
      'content-length',
      'destination',
      'message-id',
      'subscription',
    ])
  })

  const IDS: ReadonlyArray<{
    readonly what: string
    readonly id: unknown
    readonly text: string
    readonly back?: unknown
  }> = [
    { what: 'UUID', id: uuid(UUID), text: `ID:AMQP_UUID:${UUID}` },
    { what: 'ulong', id: 7, text: 'ID:AMQP_ULONG:7' },
    { what: 'binary', id: binary(BYTES), text: 'ID:AMQP_BINARY:FF00', back: BYTES },
    { what: 'string', id: 'order-1', text: 'order-1' },
    { what: 'string like the text of another type', id: 'ID:AMQP_ULONG:7', text: 'ID:AMQP_STRING:ID:AMQP_ULONG:7' },
  ]
  test.each(IDS)(
    'an id that is a $what is a text for others, and what it was when they send it back',
    async ({ id, text, back = id }) => {
      const topic = freshTopic()
      const inbox = await receiver(topic)
      const seen = await shown({ body: 'x', message_id: id as string })
      expect(seen.map((each) => propertiesOf(each)['x-message-id'] ?? each.fields['amqp-message-id'])).toEqual([
        text,
        text,
      ])
      for (const peer of foreign.values()) {
        const how = {
          mqtt5: { properties: { userProperties: { 'x-message-id': text } } },
          stomp: { 'amqp-message-id': text },
        }
        await peer.send(topic, 'x', how)
      }
      expect((await inbox.take(2)).map(({ message }) => message.message_id)).toEqual([back, back])
    },
  )

  test('who has logged in may name itself as the sender, and STOMP sees it', async () => {
    await broker.addUser('ada', 'correct horse')
    await using ada = await RheaClient.connect(broker, { more: { username: 'ada', password: 'correct horse' } })
    const topic = freshTopic()
    for (const peer of foreign.values()) await peer.subscribe(topic)
    const inbox = await receiver(topic)
    const outbox = await ada.sender(amqpAddressOf(topic))
    expect(await outbox.send({ body: 'x', user_id: 'ada' })).toMatchObject({ kind: 'accepted' })
    expect(await outbox.send({ body: 'x', user_id: 'eve' })).toMatchObject({ kind: 'rejected' })
    expect(String((await inbox.take(1))[0]!.message.user_id)).toBe('ada')
    const [mqtt, stomp] = await Promise.all([...foreign.values()].map(async (peer) => (await peer.take(1))[0]!))
    expect(stomp!.fields['JMSXUserID']).toBe('ada')
    expect(JSON.stringify(mqtt!.fields)).not.toContain('ada') // the table says so
  })
})

describe('properties whose names repeat', () => {
  const ALL = ['colour', 'red', 'size', '7', 'colour', 'blue']
  const userProperties = { colour: ['red', 'blue'], size: '7' }

  test('of MQTT 5 come to AMQP once each, and all of them in an annotation; sent on with it, MQTT 5 has them all again', async () => {
    const [topic, further] = [freshTopic(), freshTopic()]
    const inbox = await receiver(topic)
    await using device = await TestClient.connect(broker)
    await device.mqtt.subscribeAsync(further, { qos: 1 })
    // MQTT.js writes the values of one name side by side.
    await device.mqtt.publishAsync(topic, 'x', { qos: 1, properties: { userProperties } })
    const [{ message }] = (await inbox.take(1)) as [Received]
    expect(message.application_properties).toEqual({ colour: 'red', size: '7' })
    const all = message.message_annotations!['x-opt-mqtt-user-properties'] as string[]
    expect(all.toSorted()).toEqual(ALL.toSorted())
    const annotated = { body: 'x', message_annotations: { 'x-opt-mqtt-user-properties': all } }
    const outbox = await sender(further)
    await outbox.send({ ...annotated, application_properties: message.application_properties! })
    // Changed on the way, the properties count.
    await outbox.send({ ...annotated, application_properties: { colour: 'green' } })
    const [same, changed] = await device.take(2)
    expect({ ...same!.properties?.userProperties }).toEqual(userProperties)
    expect({ ...changed!.properties?.userProperties }).toEqual({ colour: 'green' })
  })

  test('of AMQP come from nowhere: a map has each name once', async () => {
    const [mqtt] = await shown({ body: 'x', application_properties: { colour: 'red' } })
    expect(propertiesOf(mqtt!)).toEqual({ colour: 'red' })
  })
})

describe('later and again', () => {
  test.each(NAMES)('what AMQP asks to be sent twice more comes to %s with the id of its schedule', async (name) => {
    const topic = freshTopic()
    const peer = foreign.get(name)!
    await peer.subscribe(topic)
    const annotations = { 'x-opt-delivery-delay': 20, 'x-opt-delivery-period': 20, 'x-opt-delivery-repeat': 2 }
    await (await sender(topic)).send({ body: 'again', message_annotations: annotations })
    const ids = (await peer.take(3)).map((seen) => propertiesOf(seen)['scheduledJobId'])
    expect(ids).toEqual([ids[0], ids[0], undefined]) // after the last one there is nothing to end
    expect(Number(ids[0])).not.toBeNaN()
  })

  test.each(NAMES)('what %s asks to be sent twice more comes to AMQP with the id of its schedule', async (name) => {
    const topic = freshTopic()
    const inbox = await receiver(topic)
    const pairs = { AMQ_SCHEDULED_DELAY: '20', AMQ_SCHEDULED_PERIOD: '20', AMQ_SCHEDULED_REPEAT: '2' }
    await foreign.get(name)!.send(topic, 'again', { mqtt5: { properties: { userProperties: pairs } }, stomp: pairs })
    await client.until('three', () => inbox.received.length >= 3)
    const ids = inbox.received.map(({ message }) => message.message_annotations!['x-opt-scheduled-id'] as unknown)
    expect(ids).toEqual([ids[0], ids[0], undefined]) // after the last one there is nothing to end
    expect(Number(ids[0])).not.toBeNaN()
    expect(JSON.stringify(inbox.received[0]!.message)).not.toContain('AMQ_SCHEDULED')
  })

  test('a moment of delivery comes to AMQP receivers, as JMS shows it', async () => {
    const topic = freshTopic()
    const inbox = await receiver(topic)
    const outbox = await sender(topic)
    const atMs = Date.now() + 100
    await outbox.send({ body: 'x', message_annotations: { 'x-opt-delivery-time': types.wrap_long(atMs) } })
    const [{ message }] = (await inbox.take(1)) as [Received]
    expect(Number(message.message_annotations!['x-opt-delivery-time'])).toBe(atMs)
    expect(Date.now()).toBeGreaterThanOrEqual(atMs)
  })
})

describe('attempts that fail', () => {
  test('are counted for the next receiver, whatever its protocol and that of the one before', async () => {
    const queue = freshQueue()
    await using stomp = await StompJsClient.connect(broker)
    const subscribe = (): Promise<string> => stomp.subscribe(destinationOf(queue), { ack: 'client-individual' })
    await (await sender(queue)).send({ body: 'job' })
    const inbox = await receiver(queue, { autoaccept: false })
    const [first] = (await inbox.take(1)) as [Received]
    first.delivery.modified({ delivery_failed: true, undeliverable_here: true })
    const id = await subscribe()
    const [second] = await stomp.take(1)
    expect(second!.headers).toMatchObject({ redelivered: 'true', JMSXDeliveryCount: '2' })
    await stomp.unsubscribe(id)
    await using other = await RheaClient.connect(broker)
    const [third] = (await (await other.receiver(amqpAddressOf(queue))).take(1)) as [Received]
    expect([third.message.first_acquirer ?? false, third.message.delivery_count]).toEqual([false, 1])
  })

  const TRAILS = ['MQTT 5', 'STOMP of stompjs', 'AMQP 1.0'] as const
  const FATES = {
    rejected: async (queue: string): Promise<void> => {
      const inbox = await receiver(queue, { autoaccept: false })
      const [{ delivery }] = (await inbox.take(1)) as [Received]
      delivery.reject({ condition: 'app:poison', description: 'cannot be read' })
    },
    'deliveries-exhausted': async (queue: string): Promise<void> => {
      const inbox = await receiver(queue, { autoaccept: false })
      for (let attempt = 1; attempt <= 2; attempt++) {
        const [{ delivery }] = (await inbox.take(1)) as [Received]
        delivery.modified({ delivery_failed: true })
      }
    },
    expired: async (): Promise<void> => {},
  } as const

  test.each(TRAILS.flatMap((name) => (Object.keys(FATES) as (keyof typeof FATES)[]).map((cause) => ({ name, cause }))))(
    'end among the dead letters: $cause, as $name is told',
    async ({ name, cause }) => {
      const queue = freshQueue()
      const mark = randomUUID()
      const ttl = cause === 'expired' ? { ttl: 20 } : {}
      await (await sender(queue)).send({ body: 'poison', ...ttl, application_properties: { mark } })
      await FATES[cause](queue)
      await using mourner = await PEERS[name](broker)
      await mourner.subscribe('$queue/DLQ')
      const [dead] = (await mourner.take(1)) as [Seen]
      expect([dead.body.toString(), propertiesOf(dead)['mark']]).toEqual(['poison', mark])
      const said = (dead.fields['message_annotations'] ?? propertiesOf(dead)) as Sections
      const address = { 'MQTT 5': queue, 'STOMP of stompjs': destinationOf(queue), 'AMQP 1.0': amqpAddressOf(queue) }[
        name
      ]
      const trail = {
        address: said['x-opt-ORIG-ADDRESS'] ?? said['original-destination'] ?? said['x-death-address'],
        cause: said['x-opt-death-cause'] ?? said['x-death-cause'],
        reason: said['x-opt-death-reason'] ?? said['x-death-reason'],
      }
      expect(trail).toMatchObject({ address, cause })
      if (cause === 'rejected') expect(trail.reason).toBe('app:poison: cannot be read')
      const expiredAt = said['x-opt-death-expired-at'] ?? said['x-death-expired-at']
      if (cause === 'expired') expect(Number(expiredAt)).toBeGreaterThan(Date.now() - 60_000)
    },
  )
})

describe('retained messages', () => {
  test("are read by AMQP with a pattern, and kept by ActiveMQ's property as by the annotation", async () => {
    const base = freshTopic()
    const [one, two, three] = ['one', 'two', 'three'].map((name) => `${base}/${name}`) as [string, string, string]
    await foreign.get('MQTT 5')!.send(one, 'MQTT', { mqtt5: { retain: true } })
    await (await sender(two)).send({ body: 'AMQP', application_properties: { 'ActiveMQ.Retain': true } })
    await (await sender(three)).send({ body: 'passing' })
    const filter = { any: types.wrap_described(true, 'x-opt-retained') as unknown } as never
    const address = `${amqpAddressOf(base)}.*`
    const inbox = await client.receiver({ source: { address, filter } })
    onTestFinished(() => inbox.close())
    const got = await inbox.take(2)
    expect(got.map(({ message }) => String(bodyOf(message))).toSorted()).toEqual(['AMQP', 'MQTT'])
    for (const { message } of got) expect(message.message_annotations).toMatchObject({ 'x-opt-retained': true })
    const plain = await client.receiver(address)
    onTestFinished(() => plain.close())
    await (await sender(three)).send({ body: 'live' })
    expect(await plain.takeBodies(1)).toEqual(['live'])
  })
})
