/** MQTT 5.0 chapter 4.13: what follows from an error, and what must not. */
import { type Authorizer, allowAll } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import {
  auth,
  type Client,
  connect,
  disconnect,
  type Draft,
  frame,
  hex,
  pingreq,
  prop,
  puback,
  publish,
  pubrec,
  pubrel,
  subscribe,
  subscribeWith,
  u16,
  unsubscribe,
  utf8,
  World,
} from '../../harness.ts'

/** Nobody may do anything with topics below 'secret'. */
const guarded: Authorizer = {
  ...allowAll,
  mayUse: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'test' }),
  mayMatch: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'test' }),
}

/** What a connected client may get wrong, with the code that the specification gives it. */
const mistakes: [what: string, code: number, draft: Draft | Uint8Array][] = [
  ['a packet type that does not exist', 0x81, hex('00 00')],
  ['a packet that only servers send: CONNACK', 0x82, hex('20 03 00 00 00')],
  ['a packet that only servers send: SUBACK', 0x82, hex('90 04 00 01 00 00')],
  ['a packet that only servers send: UNSUBACK', 0x82, hex('b0 04 00 01 00 00')],
  ['a packet that only servers send: PINGRESP', 0x82, hex('d0 00')],
  ['a second CONNECT', 0x82, connect({ clientId: 'c1' })],
  ['reserved flags', 0x81, frame(0xc1)],
  ['a remaining length of five bytes', 0x81, hex('30 ff ff ff ff 01')],
  ['a PINGREQ with a body', 0x81, frame(0xc0, 0)],
  ['a PUBLISH that ends within its topic', 0x81, frame(0x30, hex('00 05 61'))],
  ['a PUBLISH that ends before its properties', 0x81, frame(0x30, utf8('a'))],
  ['a PUBLISH with QoS 3', 0x81, frame(0x36, utf8('a'), u16(1), 0)],
  ['a topic that is no UTF-8', 0x81, publish(hex('ff'))],
  ['a topic with a wildcard', 0x90, publish('a/+')],
  ['no topic and no alias', 0x82, publish('')],
  ['an unknown alias', 0x82, publish('', '', { properties: [prop('topicAlias', 3)] })],
  ['alias 0', 0x94, publish('a', '', { properties: [prop('topicAlias', 0)] })],
  ['a property twice', 0x82, publish('a', '', { properties: [prop('topicAlias', 1), prop('topicAlias', 1)] })],
  ['an unknown property', 0x81, publish('a', '', { properties: [[0x7e, 0]] })],
  ['a SUBSCRIBE without filters', 0x82, subscribe(1)],
  ['a SUBSCRIBE with reserved option bits', 0x81, frame(0x82, u16(1), 0, utf8('a'), 0xc0)],
  ['a SUBSCRIBE with QoS 3', 0x82, subscribe(1, { filter: 'a', qos: 3 })],
  ['a subscription identifier of 0', 0x82, subscribeWith(1, [prop('subscriptionIdentifier', 0)], 'a')],
  ['an UNSUBSCRIBE without filters', 0x82, unsubscribe(1)],
  ['a PUBACK that is cut off', 0x81, frame(0x40, 0)],
  ['a PUBREL that is cut off', 0x81, frame(0x62, 0)],
  ['an AUTH that nobody asked for', 0x82, auth(0x18, [prop('authenticationMethod', 'm')])],
  ['a packet too large', 0x95, hex('30 ff ff ff 7f')],
]

describe('[MQTT5-4.13.1-1, MQTT5-4.13.1-a] an error ends the connection, and DISCONNECT names it', () => {
  it.each(mistakes)('%s: 0x%i', (_what, code, packet) => {
    const client = new World().connect('c1')
    client.send(packet)
    expect(client.goodbye()).toBe(code)
  })

  it('the operator learns who it was and which rule was broken', () => {
    const world = new World()
    world.connect('c1', { username: 'u' }).send(publish('a/+'))
    expect(world.events.at(-1)).toMatchObject({
      kind: 'disconnected',
      clientId: 'c1',
      user: 'u',
      clause: 'MQTT5-3.3.2-2',
      text: expect.stringContaining('a/+') as string,
    })
  })

  it('an error in a CONNECT is named by CONNACK', () => {
    const client = new World().open()
    client.send(connect({ properties: [prop('receiveMaximum', 0)] }))
    expect(client.refusal()).toBe(0x82)
  })
})

describe('[MQTT5-4.13.1-b] one client’s error has no effect on other sessions', () => {
  it.each(mistakes)('%s', (_what, _code, packet) => {
    const world = new World()
    const kept = { properties: [prop('sessionExpiryInterval', 60)] }
    world.connect('away', kept).send(subscribe(1, '#'), disconnect())
    const bystander = world.connect('bystander')
    bystander.send(subscribe(1, '#'), publish('mine', 'open', { qos: 2, id: 7 }))
    bystander.received()
    const culprit = world.connect('culprit')
    culprit.push(publish('a', 'before', { qos: 1, id: 1 }), packet, publish('a', 'after', { qos: 1, id: 2 }))
    bystander.push(pubrel(7), publish('b', 'same turn', { qos: 1, id: 8 }), pingreq())
    world.run()
    const seen = bystander.received()
    expect(seen.filter(({ type }) => type === 'PUBLISH')).toMatchObject([
      { payload: 'before' },
      { payload: 'same turn' },
    ])
    expect(seen.map(({ type }) => type).filter((type) => type !== 'PUBLISH')).toEqual(['PUBCOMP', 'PUBACK', 'PINGRESP'])
    expect(bystander.isClosed).toBe(false)
    const back = world.connect('away', { clean: false })
    expect(back.connack.sessionPresent).toBe(true)
    expect(back.publishes().map(({ payload }) => payload)).toEqual(['open', 'before', 'same turn'])
  })

  it('nor has one on its own session, which it finds again', () => {
    const world = new World()
    const kept = { properties: [prop('sessionExpiryInterval', 60)] }
    const client = world.connect('c1', kept)
    client.send(subscribe(1, 'a'))
    client.send(hex('ff ff'))
    world.connect('p').send(publish('a', 'x', { qos: 1, id: 1 }))
    expect(world.connect('c1', { clean: false }).publishes()).toMatchObject([{ payload: 'x' }])
  })
})

describe('[MQTT5-4.13.2-1] a code of 0x80 or more in CONNACK or DISCONNECT ends the connection', () => {
  it('a CONNACK that was sent', () => {
    const client = new World({ settings: { maxClientIdBytes: 23 } }).open()
    client.send(connect({ clientId: 'x'.repeat(24) }))
    expect(client.refusal()).toBe(0x85)
  })

  it('one that cannot be sent, because it is too long for the client', () => {
    const client = new World({ settings: { maxClientIdBytes: 23 } }).open()
    client.send(connect({ clientId: 'x'.repeat(24), properties: [prop('maximumPacketSize', 4)] }))
    expect([client.received(), client.isClosed]).toEqual([[], true])
  })

  it('a DISCONNECT that was sent', () => {
    const client = new World().connect('c1')
    client.send(publish('#'))
    expect(client.goodbye()).toBe(0x90)
  })

  it('one that is too long with its reason, too', () => {
    const client = new World().connect('c1', { properties: [prop('maximumPacketSize', 30)] })
    client.send(publish('#'))
    expect(client.next('DISCONNECT')).toMatchObject({ reasonCode: 0x90, properties: {} })
    expect(client.isClosed).toBe(true)
  })

  it.each([0x80, 0x81, 0x82, 0x83, 0x93, 0x97, 0x99])('a DISCONNECT 0x%i from the client', (reason) => {
    const client = new World().connect('c1')
    client.send(disconnect({ reason }), pingreq())
    expect([client.received(), client.isClosed]).toEqual([[], true])
  })
})

describe('[MQTT5-4.13.2-a] an acknowledgement of 0x80 or more has no effect on other packets', () => {
  it.each([1, 2] as const)('PUBACK and PUBREC of the broker for a refused QoS %i PUBLISH', (qos) => {
    const world = new World({ authorizer: guarded })
    const client = world.connect('c1')
    client.send(subscribe(1, 'a'))
    client.next('SUBACK')
    client.send(
      publish('a', '1', { qos, id: 1 }),
      publish('secret/a', '2', { qos, id: 2 }),
      publish('a', '3', { qos, id: 3 }),
    )
    const packets = client.received()
    const type = qos === 1 ? 'PUBACK' : 'PUBREC'
    const answers = packets.filter((packet) => packet.type === type)
    expect(answers).toMatchObject([
      { id: 1, reasonCode: 0 },
      { id: 2, reasonCode: 0x87 },
      { id: 3, reasonCode: 0 },
    ])
    expect(packets.filter((packet) => packet.type === 'PUBLISH').map(({ payload }) => payload)).toEqual(['1', '3'])
    expect(client.isClosed).toBe(false)
  })

  it('SUBACK for one filter of several', () => {
    const client = new World({ authorizer: guarded }).connect('c1')
    client.send(subscribe(1, 'a', 'secret/#', 'b'), publish('a', '1'), publish('b', '2'))
    expect(client.next('SUBACK').reasonCodes).toEqual([2, 0x87, 2])
    expect(client.publishes().map(({ payload }) => payload)).toEqual(['1', '2'])
  })

  it('UNSUBACK for a filter that was not there', () => {
    const client = new World().connect('c1')
    client.send(subscribe(1, 'a'), unsubscribe(2, 'b'), publish('a', '1'))
    expect(client.received().map(({ type }) => type)).toEqual(['SUBACK', 'UNSUBACK', 'PUBLISH'])
  })

  it.each([
    ['PUBACK', 1, (id: number) => puback(id, { reason: 0x80 })],
    ['PUBREC', 2, (id: number) => pubrec(id, { reason: 0x97 })],
  ] as const)('%s of a client that cannot take one of several messages', (_name, qos, refuse) => {
    const world = new World()
    const client = world.connect('c1', { properties: [prop('sessionExpiryInterval', 60)] })
    client.send(subscribe(1, 'a'))
    client.next('SUBACK')
    const publisher = world.connect('p')
    for (let id = 1; id <= 3; id++) publisher.send(publish('a', String(id), { qos, id }))
    const delivered = client.publishes()
    expect(delivered).toHaveLength(3)
    client.send(refuse(delivered[1]!.id), pingreq())
    expect(client.received().map(({ type }) => type)).toEqual(['PINGRESP'])
    publisher.send(publish('a', '4', { qos, id: 4 }))
    expect(client.publishes()).toMatchObject([{ payload: '4', dup: false }])
    expect(redelivered(world, client)).toEqual(['1', '3', '4'])
  })

  function redelivered(world: World, client: Client): string[] {
    client.vanish()
    return world
      .connect('c1', { clean: false })
      .publishes()
      .map(({ payload }) => payload)
  }
})
