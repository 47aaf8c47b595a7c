/** PUBACK, PUBREC, PUBREL and PUBCOMP: their form, their reason codes, their size. [MQTT5 §3.4] to [MQTT5 §3.7] */
import { type Authorizer } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import {
  type AckOptions,
  type Client,
  type Draft,
  frame,
  pingreq,
  prop,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  u16,
  World,
} from '../../harness.ts'
import { onlyPublish, subscriber } from './scenes.ts'

/** A client with a delivery or publish under way that the acknowledgement at hand belongs to, and its packet id. */
interface Scene {
  readonly client: Client
  readonly id: number
}

function receiving(qos: 1 | 2): Scene {
  const world = new World()
  const client = subscriber(world, 's', 'a')
  world.connect('p').send(publish('a', 'x', { qos, id: 1 }))
  return { client, id: onlyPublish(client).id }
}

function awaitingPubcomp(): Scene {
  const { client, id } = receiving(2)
  client.send(pubrec(id))
  client.next('PUBREL')
  return { client, id }
}

function awaitingPubrel(): Scene {
  const client = new World().connect('p')
  client.send(publish('a', 'x', { qos: 2, id: 5 }))
  client.next('PUBREC')
  return { client, id: 5 }
}

interface AckCase {
  readonly name: string
  readonly scene: () => Scene
  readonly make: (id: number, options?: AckOptions) => Draft
  readonly first: number
  /** Reason codes that a client may send. */
  readonly codes: readonly number[]
  /** Codes of other packets. */
  readonly foreign: readonly number[]
  readonly codesClause: string
  readonly onceClause: string
}

const PUBLISH_CODES = [0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
const ACKS: readonly AckCase[] = [
  {
    name: 'PUBACK',
    scene: () => receiving(1),
    make: puback,
    first: 0x40,
    codes: PUBLISH_CODES,
    foreign: [0x01, 0x04, 0x11, 0x81, 0x82, 0x92, 0x95, 0xff],
    codesClause: 'MQTT5-3.4.2-1',
    onceClause: 'MQTT5-3.4.2.2.2-a',
  },
  {
    name: 'PUBREC',
    scene: () => receiving(2),
    make: pubrec,
    first: 0x50,
    codes: PUBLISH_CODES,
    foreign: [0x01, 0x04, 0x11, 0x81, 0x82, 0x92, 0x95, 0xff],
    codesClause: 'MQTT5-3.5.2-1',
    onceClause: 'MQTT5-3.5.2.2.2-a',
  },
  {
    name: 'PUBREL',
    scene: awaitingPubrel,
    make: pubrel,
    first: 0x62,
    codes: [0x00, 0x92],
    foreign: [0x01, 0x10, 0x80, 0x87, 0x91, 0xff],
    codesClause: 'MQTT5-3.6.2-1',
    onceClause: 'MQTT5-3.6.2.2.2-a',
  },
  {
    name: 'PUBCOMP',
    scene: awaitingPubcomp,
    make: pubcomp,
    first: 0x70,
    codes: [0x00, 0x92],
    foreign: [0x01, 0x10, 0x80, 0x87, 0x91, 0xff],
    codesClause: 'MQTT5-3.7.2-1',
    onceClause: 'MQTT5-3.7.2.2.2-a',
  },
]

describe.each(ACKS)('$name from a client', ({ scene, make, first, codes, foreign }) => {
  it('takes every reason code of its own table, in every form', () => {
    for (const reason of codes) {
      for (const options of [
        { reason },
        { reason, properties: [] },
        { reason, properties: [prop('reasonString', 'why')] },
      ]) {
        const { client, id } = scene()
        client.send(make(id, options), pingreq())
        expect(client.received().at(-1)).toMatchObject({ type: 'PINGRESP' })
      }
    }
  })

  it('with packet identifier 0 is a protocol error', () => {
    const { client } = scene()
    client.send(make(0))
    expect(client.goodbye()).toBe(0x82)
  })

  it.each([0, 1, 2, 4, 8].filter((flags) => flags !== (first & 0x0f)))('with the flags %i is malformed', (flags) => {
    const { client, id } = scene()
    client.send(frame((first & 0xf0) | flags, u16(id)))
    expect(client.goodbye()).toBe(0x81)
  })

  it.each([
    ['no packet identifier', []],
    ['half a packet identifier', [0]],
    ['properties that are cut short', [0, 9, 0, 5, 0x1f]],
    ['bytes behind its properties', [0, 9, 0, 0, 7]],
    ['a property of another packet', [0, 9, 0, 3, 0x21, 0, 1]],
  ])('with %s is malformed', (_name, body) => {
    const { client } = scene()
    client.send(frame(first, body))
    expect(client.goodbye()).toBe(0x81)
  })

  it('with a reason string that is not UTF-8 is malformed', () => {
    const { client, id } = scene()
    client.send(make(id, { properties: [prop('reasonString', [0xff])] }))
    expect(client.goodbye()).toBe(0x81)
  })

  it('may have user properties, repeats and all', () => {
    const { client, id } = scene()
    client.send(
      make(id, { properties: [prop('userProperty', ['k', 'v']), prop('userProperty', ['k', 'v'])] }),
      pingreq(),
    )
    expect(client.received().at(-1)).toMatchObject({ type: 'PINGRESP' })
  })

  it.each(foreign)('with reason code %i, which is not its own, is a protocol error', (reason) => {
    const { client, id } = scene()
    client.send(make(id, { reason }))
    expect(client.goodbye()).toBe(0x82)
  })
})

it.each(ACKS.map((ack) => [ack.codesClause, ack.name, ack] as const))(
  '[%s] %s: a reason code of another packet ends the connection, one of its own does not',
  (_clause, _name, { scene, make, codes, foreign }) => {
    for (const reason of foreign) {
      const { client, id } = scene()
      client.send(make(id, { reason }))
      expect(client.goodbye()).toBe(0x82)
    }
    for (const reason of codes) {
      const { client, id } = scene()
      client.send(make(id, { reason }), pingreq())
      expect(client.received().at(-1)).toMatchObject({ type: 'PINGRESP' })
    }
  },
)

it.each(ACKS.map((ack) => [ack.onceClause, ack.name, ack] as const))(
  '[%s] %s with two reason strings is a protocol error',
  (_clause, _name, { scene, make }) => {
    const { client, id } = scene()
    client.send(make(id, { properties: [prop('reasonString', 'a'), prop('reasonString', 'b')] }))
    expect(client.goodbye()).toBe(0x82)
  },
)

it.each([0x60, 0x61, 0x63, 0x64, 0x66, 0x6a, 0x6f])(
  '[MQTT5-3.6.1-1] PUBREL with the first byte %i is malformed and ends the connection',
  (first) => {
    const { client, id } = awaitingPubrel()
    client.send(frame(first, u16(id)))
    expect(client.goodbye()).toBe(0x81)
  },
)

/** Lets nobody publish below 'secret'. */
const guarded: Authorizer = {
  generation: 0,
  mayUse: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'test' }),
  mayMatch: () => ({ allowed: true, rule: 'test' }),
}

const SECRET = 'secret/place-with-a-name'

describe('what the server sends', () => {
  it('[MQTT5-3.4.2-1] PUBACK says what became of the message', () => {
    const world = new World({ authorizer: guarded })
    subscriber(world, 's', 'wanted')
    const client = world.connect('p')
    client.send(
      publish('wanted', 'x', { qos: 1, id: 1 }),
      publish('unwanted', 'x', { qos: 1, id: 2 }),
      publish(SECRET, 'x', { qos: 1, id: 3 }),
      publish('wanted', Uint8Array.of(0xff), { qos: 1, id: 4, properties: [prop('payloadFormatIndicator', 1)] }),
    )
    expect(client.received()).toMatchObject([
      { type: 'PUBACK', id: 1, reasonCode: 0x00 },
      { type: 'PUBACK', id: 2, reasonCode: 0x10 },
      { type: 'PUBACK', id: 3, reasonCode: 0x87 },
      { type: 'PUBACK', id: 4, reasonCode: 0x99 },
    ])
  })

  it('[MQTT5-3.5.2-1] PUBREC says what became of the message', () => {
    const world = new World({ authorizer: guarded })
    subscriber(world, 's', 'wanted')
    const client = world.connect('p')
    client.send(
      publish('wanted', 'x', { qos: 2, id: 1 }),
      publish('unwanted', 'x', { qos: 2, id: 2 }),
      publish(SECRET, 'x', { qos: 2, id: 3 }),
      publish('wanted', Uint8Array.of(0xff), { qos: 2, id: 4, properties: [prop('payloadFormatIndicator', 1)] }),
    )
    expect(client.received()).toMatchObject([
      { type: 'PUBREC', id: 1, reasonCode: 0x00 },
      { type: 'PUBREC', id: 2, reasonCode: 0x10 },
      { type: 'PUBREC', id: 3, reasonCode: 0x87 },
      { type: 'PUBREC', id: 4, reasonCode: 0x99 },
    ])
  })

  it('[MQTT5-3.6.2-1] PUBREL is a success for an identifier in use and 0x92 for any other', () => {
    const { client, id } = receiving(2)
    client.send(pubrec(id + 1), pubrec(id))
    expect(client.received()).toMatchObject([
      { type: 'PUBREL', id: id + 1, reasonCode: 0x92 },
      { type: 'PUBREL', id, reasonCode: 0x00 },
    ])
    // The stray one was not mistaken for the other.
    client.send(pubcomp(id + 1), pubrec(id))
    expect(client.received()).toMatchObject([{ type: 'PUBREL', id, reasonCode: 0x00 }])
  })

  it('[MQTT5-3.7.2-1] PUBCOMP is a success for an identifier in use and 0x92 for any other', () => {
    const { client, id } = awaitingPubrel()
    client.send(pubrel(id), pubrel(id), pubrel(999))
    expect(client.received()).toMatchObject([
      { type: 'PUBCOMP', id, reasonCode: 0x00 },
      { type: 'PUBCOMP', id, reasonCode: 0x92 },
      { type: 'PUBCOMP', id: 999, reasonCode: 0x92 },
    ])
  })

  it.each([
    ['MQTT5-3.4.2-2, MQTT5-3.4.2-3', 1, 'PUBACK'],
    ['MQTT5-3.5.2-2, MQTT5-3.5.2-3', 2, 'PUBREC'],
  ] as const)('[%s] at QoS %i a reason string stays out of a %s that it would make too long', (_clauses, qos, type) => {
    const world = new World({ authorizer: guarded })
    const roomy = world.connect('roomy')
    roomy.send(publish(SECRET, 'x', { qos, id: 1 }))
    const full = roomy.next(type)
    expect(full).toMatchObject({
      reasonCode: 0x87,
      properties: { reasonString: expect.stringContaining(SECRET) as string },
    })
    const size = full.raw.length
    for (const [maximum, hasReason] of [
      [size, true],
      [size - 1, false],
      [40, false],
    ] as const) {
      const client = world.connect('small', { properties: [prop('maximumPacketSize', maximum)] })
      client.send(publish(SECRET, 'x', { qos, id: 1 }))
      const answer = client.next(type)
      expect(answer.raw.length).toBeLessThanOrEqual(maximum)
      expect(answer).toMatchObject({ id: 1, reasonCode: 0x87 })
      expect(answer.properties.reasonString !== undefined).toBe(hasReason)
    }
  })

  it('[MQTT5-3.6.2-2, MQTT5-3.6.2-3] PUBREL has nothing that could make it too long', () => {
    const { client, id } = receiving(2)
    client.send(pubrec(id, { properties: [prop('reasonString', 'x'.repeat(500)), prop('userProperty', ['k', 'v'])] }))
    client.send(pubrec(77))
    const rels = client.received()
    expect(rels.map(({ type }) => type)).toEqual(['PUBREL', 'PUBREL'])
    expect(rels.map(({ raw }) => raw.length)).toEqual([4, 5])
  })

  it('[MQTT5-3.7.2-2, MQTT5-3.7.2-3] PUBCOMP has nothing that could make it too long', () => {
    const { client, id } = awaitingPubrel()
    client.send(pubrel(id, { properties: [prop('reasonString', 'x'.repeat(500)), prop('userProperty', ['k', 'v'])] }))
    client.send(pubrel(77))
    const comps = client.received()
    expect(comps.map(({ type }) => type)).toEqual(['PUBCOMP', 'PUBCOMP'])
    expect(comps.map(({ raw }) => raw.length)).toEqual([4, 5])
  })
})
