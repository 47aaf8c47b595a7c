/** MQTT 5.0 chapter 2: fixed header, packet identifiers, properties. */
import { describe, expect, it } from 'vitest'
import {
  auth,
  bytes,
  connect,
  disconnect,
  frame,
  hex,
  pingreq,
  prop,
  propertyBlock,
  propertyId,
  type PropertyName,
  propertyNames,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  subscribeWith,
  u16,
  unsubscribe,
  unsubscribeWith,
  utf8,
  World,
} from '../../harness.ts'

describe('[MQTT5-2.1.3-1] reserved flags of the fixed header have the value listed for the packet', () => {
  const packets: [name: string, flags: number, bytes: Uint8Array][] = [
    ['PUBACK', 0, puback(1)(5)],
    ['PUBREC', 0, pubrec(1)(5)],
    ['PUBREL', 2, pubrel(1)(5)],
    ['PUBCOMP', 0, pubcomp(1)(5)],
    ['SUBSCRIBE', 2, subscribe(1, 'a')(5)],
    ['UNSUBSCRIBE', 2, unsubscribe(1, 'a')(5)],
    ['PINGREQ', 0, pingreq()(5)],
    ['DISCONNECT', 0, disconnect()(5)],
    ['AUTH', 0, auth(0x19, [prop('authenticationMethod', 'm')])(5)],
  ]
  it.each(packets)('%s with any flags but %i is malformed', (_name, flags, packet) => {
    for (let wrong = 0; wrong < 16; wrong++) {
      if (wrong === flags) continue
      const client = new World().connect('c1')
      client.send(bytes((packet[0]! & 0xf0) | wrong, packet.slice(1)))
      expect([wrong, client.goodbye()]).toEqual([wrong, 0x81])
    }
  })

  it('CONNECT with any flags but 0 is malformed', () => {
    const packet = connect({ clientId: 'c1' })(5)
    for (let wrong = 1; wrong < 16; wrong++) {
      const client = new World().open()
      client.send(bytes(0x10 | wrong, packet.slice(1)))
      expect([wrong, client.refusal()]).toEqual([wrong, 0x81])
    }
  })

  it('and the broker sends them so', () => {
    const world = new World()
    const client = world.connect('c1')
    client.send(
      subscribe(1, 'a'),
      publish('a', '1', { qos: 1, id: 1 }),
      publish('a', '2', { qos: 2, id: 2 }),
      pubrel(2),
    )
    const delivered = client.received().filter((packet) => packet.type === 'PUBLISH')
    client.send(pubrec(delivered[1]!.id), unsubscribe(2, 'a'), pingreq())
    // The parser of the harness takes no other first byte than 0x40, 0x50, 0x62, 0x70, 0x90, 0xb0, 0xd0.
    expect(client.received().map(({ type }) => type)).toEqual(['PUBREL', 'UNSUBACK', 'PINGRESP'])
  })
})

describe('[MQTT5-2.1.4-a] the remaining length has at most four bytes', () => {
  it.each(['30 ff ff ff ff 01', 'c0 80 80 80 80 00', '82 80 80 80 80 01'])('%s is malformed', (text) => {
    const client = new World().connect('c1')
    client.send(hex(text))
    expect(client.goodbye()).toBe(0x81)
  })

  it('and is refused before a fifth byte comes', () => {
    const client = new World().connect('c1')
    client.send(hex('30 ff ff ff ff'))
    expect(client.goodbye()).toBe(0x81)
  })

  it('in a CONNECT, too', () => {
    const client = new World().open()
    client.send(hex('10 ff ff ff ff 01'))
    expect(client.isClosed).toBe(true)
  })

  it('four bytes are well-formed', () => {
    const client = new World({ settings: { maxPacketBytes: 268_435_460 } }).connect('c1')
    client.send(hex('30 ff ff ff 7f'))
    expect(client.isClosed).toBe(false)
  })
})

describe('packet identifiers', () => {
  it('[MQTT5-2.2.1-2] a QoS 0 PUBLISH has none: what follows the topic are properties and payload', () => {
    const client = new World().connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 0 }))
    client.next('SUBACK')
    client.send(hex('30 06  00 01 61  00  00 07'))
    const delivered = client.next('PUBLISH')
    expect(delivered).toMatchObject({ qos: 0, payloadBytes: hex('00 07') })
    expect(delivered.raw).toEqual(hex('30 06  00 01 61  00  00 07'))
  })

  it('[MQTT5-2.2.1-2] and the broker leaves it out when it lowers QoS 1 to 0', () => {
    const client = new World().connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 0 }), publish('a', 'x', { qos: 1, id: 0x0102 }))
    client.next('SUBACK')
    const delivered = client.received().filter(({ type }) => type === 'PUBLISH')
    expect(delivered.map(({ raw }) => raw)).toEqual([hex('30 05  00 01 61  00  78')])
  })

  it.each([
    ['SUBSCRIBE', subscribe(0, 'a')],
    ['UNSUBSCRIBE', unsubscribe(0, 'a')],
    ['a QoS 1 PUBLISH', publish('a', '', { qos: 1, id: 0 })],
    ['a QoS 2 PUBLISH', publish('a', '', { qos: 2, id: 0 })],
  ])('[MQTT5-2.2.1-3] identifier 0 in %s is an error', (_name, draft) => {
    const client = new World().connect('c1')
    client.send(draft)
    expect([0x81, 0x82]).toContain(client.goodbye())
  })

  it('[MQTT5-2.2.1-3] an identifier is free again once its exchange is over', () => {
    const client = new World().connect('c1')
    client.send(
      subscribe(7, 'a'),
      unsubscribe(7, 'a'),
      publish('b', '', { qos: 1, id: 7 }),
      publish('b', '', { qos: 1, id: 7 }),
    )
    client.send(publish('b', '', { qos: 2, id: 7 }), pubrel(7), publish('b', '', { qos: 2, id: 7 }), pubrel(7))
    const types = client.received().map(({ type }) => type)
    const twice = ['PUBREC', 'PUBCOMP', 'PUBREC', 'PUBCOMP']
    expect(types).toEqual(['SUBACK', 'UNSUBACK', 'PUBACK', 'PUBACK', ...twice])
  })

  it('[MQTT5-2.2.1-4] messages under way to one client have different identifiers, none of them 0', () => {
    const world = new World()
    const subscriber = world.connect('s')
    subscriber.send(subscribe(1, 'a'))
    subscriber.next('SUBACK')
    const publisher = world.connect('p')
    for (let id = 1; id <= 500; id++) publisher.push(publish('a', '', { qos: id % 2 === 0 ? 2 : 1, id }))
    world.run()
    const ids = subscriber.publishes().map(({ id }) => id)
    expect(ids).toHaveLength(500)
    expect(new Set(ids).size).toBe(500)
    expect(ids).not.toContain(0)
  })

  it('[MQTT5-2.2.1-4] an identifier in use is passed over when the numbers begin again', () => {
    const world = new World()
    const subscriber = world.connect('s')
    subscriber.send(subscribe(1, { filter: 'a', qos: 1 }))
    subscriber.next('SUBACK')
    const publisher = world.connect('p')
    publisher.send(publish('a', 'held', { qos: 1, id: 1 }))
    const held = subscriber.next('PUBLISH').id
    let sent = 0
    const used = new Set<number>()
    while (sent < 65_600) {
      publisher.send(...Array.from({ length: 800 }, (_, index) => publish('a', '', { qos: 1, id: index + 2 })))
      const ids = subscriber.publishes().map(({ id }) => id)
      expect(ids).toHaveLength(800)
      for (const id of ids) used.add(id)
      sent += ids.length
      subscriber.send(...ids.map((id) => puback(id)))
      publisher.received()
    }
    expect(used.has(held)).toBe(false)
    expect(used.has(0)).toBe(false)
    expect(used.size).toBeGreaterThan(65_000)
  })

  it.each([1, 0x0100, 0x8001, 0xffff])(
    '[MQTT5-2.2.1-5] identifier %i of a PUBLISH is repeated in its acknowledgements',
    (id) => {
      const client = new World().connect('c1')
      client.send(publish('a', '', { qos: 1, id }))
      expect(client.next('PUBACK').id).toBe(id)
      client.send(publish('a', '', { qos: 2, id }))
      expect(client.next('PUBREC').id).toBe(id)
      client.send(pubrel(id))
      expect(client.next('PUBCOMP').id).toBe(id)
    },
  )

  it('[MQTT5-2.2.1-5] the PUBREL of the broker has the identifier of its PUBLISH', () => {
    const client = new World().connect('c1')
    client.send(subscribe(9, 'a'), publish('a', '1', { qos: 2, id: 500 }), publish('a', '2', { qos: 2, id: 600 }))
    const [first, second] = client.received().filter((packet) => packet.type === 'PUBLISH')
    client.send(pubrec(second!.id))
    expect(client.next('PUBREL').id).toBe(second!.id)
    client.send(pubrec(first!.id))
    expect(client.next('PUBREL').id).toBe(first!.id)
    expect(first!.id).not.toBe(second!.id)
  })

  it.each([1, 0x0100, 0x8001, 0xffff])('[MQTT5-2.2.1-6] identifier %i is repeated in SUBACK and UNSUBACK', (id) => {
    const client = new World().connect('c1')
    client.send(subscribe(id, 'a'))
    expect(client.next('SUBACK').id).toBe(id)
    client.send(unsubscribe(id, 'a', 'b'))
    expect(client.next('UNSUBACK').id).toBe(id)
  })
})

describe('[MQTT5-2.2.2-1] a packet without properties says so with a property length of 0', () => {
  it('the broker does', () => {
    const world = new World()
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 1 }), unsubscribe(2, 'b'), publish('a', 'x'))
    expect(client.next('SUBACK').raw).toEqual(hex('90 04  00 01  00  01'))
    expect(client.next('UNSUBACK').raw).toEqual(hex('b0 04  00 02  00  11'))
    expect(client.next('PUBLISH').raw).toEqual(hex('30 05  00 01 61  00  78'))
  })

  it.each([
    ['PUBLISH', frame(0x30, utf8('a'))],
    ['SUBSCRIBE', frame(0x82, u16(1))],
    ['SUBSCRIBE with filters', frame(0x82, u16(1), utf8('a'), 0)],
    ['UNSUBSCRIBE', frame(0xa2, u16(1))],
    ['AUTH', frame(0xf0, 0x19)],
  ])('%s without it is malformed', (_name, packet) => {
    const client = new World().connect('c1')
    client.send(packet)
    expect([0x81, 0x82]).toContain(client.goodbye())
  })

  it('CONNECT without it is malformed', () => {
    for (const packet of [
      frame(0x10, utf8('MQTT'), 5, 2, u16(0)),
      frame(0x10, utf8('MQTT'), 5, 2, u16(0), utf8('c1')),
    ]) {
      const client = new World().open()
      client.send(packet)
      expect(client.refusal()).toBe(0x81)
    }
  })

  it('a will without it is malformed', () => {
    const client = new World().open()
    client.send(frame(0x10, utf8('MQTT'), 5, 6, u16(0), 0, utf8('c1'), utf8('will'), utf8('payload')))
    expect(client.refusal()).toBe(0x81)
  })
})

describe('[MQTT5-2.2.2.2-a] a property that is unknown, does not belong into the packet or has the wrong type is malformed', () => {
  const ACK: readonly PropertyName[] = ['reasonString', 'userProperty']
  /** Table 2-4, the rows of packets that clients send. */
  const allowed: Readonly<Record<string, readonly PropertyName[]>> = {
    CONNECT: [
      'sessionExpiryInterval',
      'authenticationMethod',
      'authenticationData',
      'requestProblemInformation',
      'requestResponseInformation',
      'receiveMaximum',
      'topicAliasMaximum',
      'userProperty',
      'maximumPacketSize',
    ],
    will: [
      'payloadFormatIndicator',
      'messageExpiryInterval',
      'contentType',
      'responseTopic',
      'correlationData',
      'willDelayInterval',
      'userProperty',
    ],
    PUBLISH: [
      'payloadFormatIndicator',
      'messageExpiryInterval',
      'contentType',
      'responseTopic',
      'correlationData',
      'topicAlias',
      'userProperty',
      // Belongs there when a server sends it; from a client it is another error. [MQTT5-3.3.4-6]
      'subscriptionIdentifier',
    ],
    PUBACK: ACK,
    PUBREC: ACK,
    PUBREL: ACK,
    PUBCOMP: ACK,
    SUBSCRIBE: ['subscriptionIdentifier', 'userProperty'],
    UNSUBSCRIBE: ['userProperty'],
    DISCONNECT: ['sessionExpiryInterval', 'reasonString', 'userProperty', 'serverReference'],
    AUTH: ['authenticationMethod', 'authenticationData', 'reasonString', 'userProperty'],
  }
  /** A packet with these bytes for properties, and what the broker said when it had it. */
  const send: Readonly<Record<string, (properties: Uint8Array) => number>> = {
    CONNECT: (properties) => refusalOf(connect({ clientId: 'c1', properties: [properties] })(5)),
    will: (properties) => refusalOf(connect({ clientId: 'c1', will: { topic: 't', properties: [properties] } })(5)),
    PUBLISH: (properties) => goodbyeOf(publish('t', '', { properties: [properties] })(5)),
    PUBACK: (properties) => goodbyeOf(puback(1, { properties: [properties] })(5)),
    PUBREC: (properties) => goodbyeOf(pubrec(1, { properties: [properties] })(5)),
    PUBREL: (properties) => goodbyeOf(pubrel(1, { properties: [properties] })(5)),
    PUBCOMP: (properties) => goodbyeOf(pubcomp(1, { properties: [properties] })(5)),
    SUBSCRIBE: (properties) => goodbyeOf(subscribeWith(1, [properties], 't')(5)),
    UNSUBSCRIBE: (properties) => goodbyeOf(unsubscribeWith(1, [properties], 't')(5)),
    DISCONNECT: (properties) => goodbyeOf(disconnect({ properties: [properties] })(5)),
    AUTH: (properties) => {
      const method = properties[0] === propertyId('authenticationMethod') ? [] : prop('authenticationMethod', 'm')
      return goodbyeOf(auth(0x19, [method, properties])(5))
    },
  }
  const places = Object.keys(send)

  function refusalOf(packet: Uint8Array): number {
    const client = new World().open()
    client.send(packet)
    return client.refusal()
  }

  function goodbyeOf(packet: Uint8Array): number {
    const client = new World().connect('c1')
    client.send(packet)
    return client.goodbye()
  }

  it.each(places)('in %s every identifier of another packet', (place) => {
    const others = propertyNames.filter((name) => !allowed[place]!.includes(name))
    const codes = others.map((name) => [name, send[place]!(sample(name))])
    expect(codes).toEqual(others.map((name) => [name, 0x81]))
  })

  it.each(places)('in %s every identifier that does not exist', (place) => {
    for (const id of [0x00, 0x04, 0x0a, 0x10, 0x14, 0x1b, 0x20, 0x2b, 0x7f]) {
      expect([id, send[place]!(Uint8Array.of(id, 0))]).toEqual([id, 0x81])
    }
    expect(send[place]!(hex('80 01 00'))).toBe(0x81)
  })

  it.each(places)('in %s a value that runs over the end of the properties', (place) => {
    for (const name of allowed[place]!.filter((name) => name !== 'subscriptionIdentifier' || place !== 'PUBLISH')) {
      const value = sample(name)
      expect([name, send[place]!(value.slice(0, -1))]).toEqual([name, 0x81])
      expect([name, send[place]!(value.slice(0, 1))]).toEqual([name, 0x81])
    }
  })

  it('a property length that runs over the end of the packet', () => {
    expect(goodbyeOf(hex('30 04  00 01 61  01'))).toBe(0x81)
    expect(goodbyeOf(hex('82 06  00 01  10  00 01 61'))).toBe(0x81)
    expect(refusalOf(hex('10 0b  00 04 4d 51 54 54  05 02  00 00  05'))).toBe(0x81)
  })

  it('and every one that belongs is taken', () => {
    const { CONNECT, will, PUBLISH, SUBSCRIBE, UNSUBSCRIBE } = allowed
    const notHere: readonly PropertyName[] = ['authenticationMethod', 'authenticationData']
    const plain = (names: readonly PropertyName[]): Uint8Array[] =>
      names.filter((name) => !notHere.includes(name)).map(sample)
    const world = new World()
    const client = world.connect('c1', {
      properties: plain(CONNECT!),
      will: { topic: 'w', properties: plain(will!) },
    })
    client.send(publish('t', 'x', { properties: plain(PUBLISH!.slice(0, -1)) }), puback(1, { properties: plain(ACK) }))
    client.send(subscribeWith(1, plain(SUBSCRIBE!), 't'), unsubscribeWith(2, plain(UNSUBSCRIBE!), 't'))
    client.send(
      pubrec(1, { properties: plain(ACK) }),
      pubrel(1, { properties: plain(ACK) }),
      pubcomp(1, { properties: plain(ACK) }),
    )
    expect(client.isClosed).toBe(false)
    client.send(disconnect({ properties: [prop('sessionExpiryInterval', 1), ...plain(ACK)] }))
    expect(client.received().map(({ type }) => type)).not.toContain('DISCONNECT')
    expect(world.events.at(-1)?.clause).toBe('')
  })

  function sample(name: PropertyName): Uint8Array {
    switch (name) {
      case 'payloadFormatIndicator':
      case 'requestProblemInformation':
      case 'requestResponseInformation':
      case 'maximumQoS':
      case 'retainAvailable':
      case 'wildcardSubscriptionAvailable':
      case 'subscriptionIdentifierAvailable':
      case 'sharedSubscriptionAvailable':
        return prop(name, 1)
      case 'maximumPacketSize':
      case 'sessionExpiryInterval':
      case 'messageExpiryInterval':
      case 'willDelayInterval':
        return prop(name, 70_000)
      case 'subscriptionIdentifier':
        return prop(name, 300)
      case 'serverKeepAlive':
      case 'receiveMaximum':
      case 'topicAliasMaximum':
      case 'topicAlias':
        return prop(name, 7)
      case 'userProperty':
        return prop(name, ['k', 'v'])
      default:
        return prop(name, 'text')
    }
  }
})

it('[MQTT5-2.2.2-1] properties and their length are what the builders of these tests make of them', () => {
  expect(propertyBlock([])).toEqual(hex('00'))
  expect(connect({ clientId: 'c1', properties: [prop('receiveMaximum', 10)] })(5)).toEqual(
    hex('10 12  00 04 4d 51 54 54  05 02 00 00  03 21 00 0a  00 02 63 31'),
  )
})
