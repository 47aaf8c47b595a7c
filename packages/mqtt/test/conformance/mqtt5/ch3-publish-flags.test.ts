/** PUBLISH: the flags of its first byte, and how it is answered. [MQTT5 §3.3.1] [MQTT5 §3.3.4] */
import { describe, expect, it } from 'vitest'
import { frame, pingreq, puback, publish, pubrec, u16, utf8, World } from '../../harness.ts'
import { lasting, onlyPublish, subscriber } from './scenes.ts'

describe('3.3.1.1 DUP', () => {
  it('[MQTT5-3.3.1-1] an unacknowledged PUBLISH that is sent again on a resumed session has DUP 1', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a/#', lasting())
    const publisher = world.connect('p')
    publisher.send(publish('a/1', 'one', { qos: 1, id: 1 }), publish('a/2', 'two', { qos: 2, id: 2 }))
    const first = client.publishes()
    expect(first).toMatchObject([
      { payload: 'one', qos: 1, dup: false },
      { payload: 'two', qos: 2, dup: false },
    ])
    client.vanish()
    const again = world.connect('s', lasting())
    expect(again.publishes()).toMatchObject([
      { payload: 'one', qos: 1, dup: true, id: first[0]!.id },
      { payload: 'two', qos: 2, dup: true, id: first[1]!.id },
    ])
  })

  it.each([
    ['QoS 0', 0x38],
    ['retained QoS 0', 0x39],
  ])('[MQTT5-3.3.1-2] DUP on a %s PUBLISH ends the connection', (_name, first) => {
    const world = new World()
    const listener = subscriber(world, 's', '#')
    const client = world.connect('p')
    client.send(frame(first, utf8('a'), 0))
    expect(client.goodbye()).toBe(0x81)
    expect(listener.received()).toEqual([])
  })

  it('[MQTT5-3.3.1-2, MQTT5-4.3.1-1] a repeated PUBLISH reaches a QoS 0 subscriber with QoS 0 and DUP 0', () => {
    const world = new World()
    const client = subscriber(world, 's', { filter: 'a', qos: 0 })
    const publisher = world.connect('p')
    publisher.send(publish('a', 'x', { qos: 1, id: 9, dup: true }), publish('a', 'y', { qos: 2, id: 10, dup: true }))
    publisher.send(publish('a', 'z'))
    expect(client.publishes()).toMatchObject([
      { payload: 'x', qos: 0, dup: false, id: 0 },
      { payload: 'y', qos: 0, dup: false, id: 0 },
      { payload: 'z', qos: 0, dup: false, id: 0 },
    ])
  })

  it.each([1, 2] as const)('[MQTT5-3.3.1-3] DUP of an incoming QoS %i PUBLISH is not passed on', (qos) => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    world.connect('p').send(publish('a', 'x', { qos, id: 5, dup: true }))
    expect(onlyPublish(client)).toMatchObject({ payload: 'x', qos, dup: false })
  })

  it('[MQTT5-3.3.1-3] DUP is set on a repetition of a message that came without it', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    world.connect('p').send(publish('a', 'x', { qos: 1, id: 5 }))
    expect(onlyPublish(client).dup).toBe(false)
    client.hangUp()
    expect(onlyPublish(world.connect('s', lasting())).dup).toBe(true)
  })

  it('[MQTT5-3.3.1-3] a message that waited for its subscriber has DUP 0 when it is sent for the first time', () => {
    const world = new World()
    subscriber(world, 's', 'a', lasting()).hangUp()
    world.connect('p').send(publish('a', 'x', { qos: 1, id: 5, dup: true }))
    expect(onlyPublish(world.connect('s', lasting()))).toMatchObject({ payload: 'x', dup: false })
  })
})

describe('3.3.1.2 QoS', () => {
  it.each([0x36, 0x37, 0x3e, 0x3f])('[MQTT5-3.3.1-4] both QoS bits set (first byte %i) end the connection', (first) => {
    const world = new World()
    const listener = subscriber(world, 's', '#')
    const client = world.connect('p')
    client.send(frame(first, utf8('a'), u16(1), 0))
    expect(client.goodbye()).toBe(0x81)
    expect(listener.received()).toEqual([])
  })

  it('[MQTT5-3.3.1-4] PUBLISH goes out with the QoS bits of 0, 1 or 2', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    const publisher = world.connect('p')
    publisher.send(publish('a', ''), publish('a', '', { qos: 1, id: 1 }), publish('a', '', { qos: 2, id: 2 }))
    expect(client.publishes().map(({ raw }) => raw[0]! & 0x06)).toEqual([0x00, 0x02, 0x04])
  })
})

describe('3.3.4 how PUBLISH is answered', () => {
  it('[MQTT5-3.3.4-1] QoS 0 is not answered', () => {
    const world = new World()
    const client = world.connect('p')
    client.send(publish('a', 'x'), publish('a', 'y'), pingreq())
    expect(client.received()).toMatchObject([{ type: 'PINGRESP' }])
  })

  it('[MQTT5-3.3.4-1] QoS 1 is answered by PUBACK', () => {
    const world = new World()
    subscriber(world, 's', 'a')
    const client = world.connect('p')
    client.send(publish('a', 'x', { qos: 1, id: 0x1234 }))
    expect(client.received()).toMatchObject([{ type: 'PUBACK', id: 0x1234, reasonCode: 0 }])
  })

  it('[MQTT5-3.3.4-1] QoS 2 is answered by PUBREC', () => {
    const world = new World()
    subscriber(world, 's', 'a')
    const client = world.connect('p')
    client.send(publish('a', 'x', { qos: 2, id: 0xffff }))
    expect(client.received()).toMatchObject([{ type: 'PUBREC', id: 0xffff, reasonCode: 0 }])
  })

  it('[MQTT5-3.3.4-1] PUBLISH of each QoS is answered in its own way when nobody wants it', () => {
    const client = new World().connect('p')
    client.send(publish('a', 'x'), publish('a', 'x', { qos: 1, id: 1 }), publish('a', 'x', { qos: 2, id: 2 }))
    expect(client.received()).toMatchObject([
      { type: 'PUBACK', id: 1, reasonCode: 0x10 },
      { type: 'PUBREC', id: 2, reasonCode: 0x10 },
    ])
  })

  it('an acknowledgement of a packet identifier that is not in use changes nothing', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    client.send(puback(7), pubrec(8))
    // PUBREC asks for an answer in any case; 0x92 says that there is nothing to release.
    expect(client.received()).toMatchObject([{ type: 'PUBREL', id: 8, reasonCode: 0x92 }])
    world.connect('p').send(publish('a', 'x', { qos: 1, id: 1 }))
    expect(onlyPublish(client).payload).toBe('x')
  })
})
