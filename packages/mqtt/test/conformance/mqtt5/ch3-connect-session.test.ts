/** MQTT 5.0 sections 3.1.2.4 and 3.1.2.11.2, chapter 4.1: which session a CONNECT gets, and how long one stays. */
import { describe, expect, it } from 'vitest'
import {
  type Client,
  type ConnectOptions,
  connect,
  disconnect,
  prop,
  puback,
  publish,
  pubrec,
  pubrel,
  subscribe,
  subscribeWith,
  World,
} from '../../harness.ts'

const NEVER = 0xffff_ffff

function keeping(seconds: number): Pick<ConnectOptions, 'properties'> {
  return { properties: [prop('sessionExpiryInterval', seconds)] }
}

/** Leaves a session behind that has a subscription and one message waiting. */
function leaveSession(world: World, seconds: number): void {
  const client = world.connect('c1', keeping(seconds))
  client.send(subscribe(1, 'a'), disconnect())
  publishTo(world, 'waiting')
}

function publishTo(world: World, payload: string): void {
  world.connect('publisher').send(publish('a', payload, { qos: 1, id: 1 }), disconnect())
}

function payloads(client: Client): string[] {
  return client.publishes().map(({ payload }) => payload)
}

describe('clean start', () => {
  it('[MQTT5-3.1.2-4, MQTT5-3.2.2-2] 1 throws the old session away', () => {
    const world = new World()
    leaveSession(world, 60)
    const client = world.connect('c1', { clean: true, ...keeping(60) })
    expect(client.connack.sessionPresent).toBe(false)
    publishTo(world, 'new')
    expect(payloads(client)).toEqual([])
  })

  it('[MQTT5-3.1.2-4] 1 begins a new session, which lasts as it asks', () => {
    const world = new World()
    leaveSession(world, 60)
    world.connect('c1', { clean: true, ...keeping(60) }).send(subscribe(1, 'a'), disconnect())
    publishTo(world, 'new')
    const client = world.connect('c1', { clean: false })
    expect(client.connack.sessionPresent).toBe(true)
    expect(payloads(client)).toEqual(['new'])
  })

  it('[MQTT5-3.1.2-4] 1 throws away the session of a client that is still connected', () => {
    const world = new World()
    const older = world.connect('c1', keeping(60))
    older.send(subscribe(1, 'a'))
    const newer = world.connect('c1', { clean: true })
    expect(newer.connack.sessionPresent).toBe(false)
    publishTo(world, 'x')
    expect(payloads(newer)).toEqual([])
  })

  it('[MQTT5-3.1.2-5, MQTT5-3.2.2-3] 0 goes on with the session there is', () => {
    const world = new World()
    leaveSession(world, 60)
    const client = world.connect('c1', { clean: false })
    expect(client.connack.sessionPresent).toBe(true)
    expect(payloads(client)).toEqual(['waiting'])
    publishTo(world, 'new')
    expect(payloads(client)).toEqual(['new'])
  })

  it('[MQTT5-3.1.2-5] 0 goes on with the session of a client that is still connected', () => {
    const world = new World()
    const older = world.connect('c1', keeping(60))
    older.send(subscribe(1, 'a'))
    const newer = world.connect('c1', { clean: false, ...keeping(60) })
    expect(older.isClosed).toBe(true)
    expect(newer.connack.sessionPresent).toBe(true)
    publishTo(world, 'x')
    expect(payloads(newer)).toEqual(['x'])
  })

  it('[MQTT5-3.1.2-6, MQTT5-3.2.2-3] 0 without a session makes a new one', () => {
    const world = new World()
    const client = world.connect('c1', { clean: false, ...keeping(60) })
    expect(client.connack.sessionPresent).toBe(false)
    client.send(subscribe(1, 'a'))
    client.next('SUBACK')
    publishTo(world, 'x')
    expect(payloads(client)).toEqual(['x'])
    client.vanish()
    expect(world.connect('c1', { clean: false }).connack.sessionPresent).toBe(true)
  })
})

describe('session expiry', () => {
  it('[MQTT5-3.1.2-23] above 0, the session outlives its connection, however that ended', () => {
    for (const end of [
      (client: Client) => client.send(disconnect()),
      (client: Client) => client.send(disconnect({ reason: 0x04 })),
      (client: Client) => client.vanish(),
      (client: Client) => client.hangUp(),
      (client: Client) => client.send([0xff, 0x00]),
    ]) {
      const world = new World()
      const client = world.connect('c1', keeping(60))
      client.send(subscribe(1, 'a'))
      end(client)
      publishTo(world, 'waiting')
      world.advance(59_000)
      const again = world.connect('c1', { clean: false })
      expect(again.connack.sessionPresent).toBe(true)
      expect(payloads(again)).toEqual(['waiting'])
    }
  })

  it.each([
    ['without one', {}],
    ['with 0', keeping(0)],
  ])('[MQTT5-3.1.2.11.2-b, MQTT5-4.1.0-2] %s, the session ends with the connection', (_what, options) => {
    const world = new World()
    const client = world.connect('c1', options)
    client.send(subscribe(1, 'a'))
    client.vanish()
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
    publishTo(world, 'lost')
    const again = world.connect('c1', { clean: false })
    expect(again.connack.sessionPresent).toBe(false)
    publishTo(world, 'new')
    expect(payloads(again)).toEqual([])
  })

  it('[MQTT5-3.1.2.11.2-c] 0xFFFFFFFF never expires', () => {
    const world = new World({ settings: { sessionExpiryMaxSeconds: Infinity } })
    leaveSession(world, NEVER)
    world.advance((NEVER + 1_000) * 1_000)
    const client = world.connect('c1', { clean: false })
    expect(client.connack.sessionPresent).toBe(true)
    expect(payloads(client)).toEqual(['waiting'])
  })

  it('[MQTT5-3.1.2.11.2-c] and is announced as what it becomes where the broker keeps no session for ever', () => {
    const world = new World({ settings: { sessionExpiryMaxSeconds: 3_600 } })
    expect(world.connect('c1', keeping(NEVER)).connack.properties.sessionExpiryInterval).toBe(3_600)
  })

  it('[MQTT5-3.1.2.11.2-a] it is given once', () => {
    const client = new World().open()
    client.send(connect({ properties: [prop('sessionExpiryInterval', 1), prop('sessionExpiryInterval', 1)] }))
    expect(client.refusal()).toBe(0x82)
  })

  it('[MQTT5-4.1.0-1] state is kept as long as the connection is open', () => {
    const world = new World()
    const client = world.connect('c1', keeping(5))
    client.send(subscribe(1, 'a'))
    client.next('SUBACK')
    world.advance(3_600_000)
    publishTo(world, 'x')
    expect(payloads(client)).toEqual(['x'])
  })

  it('[MQTT5-4.1.0-1] after a return in time, the earlier deadline no longer counts', () => {
    const world = new World()
    leaveSession(world, 10)
    world.advance(8_000)
    const client = world.connect('c1', { clean: false, ...keeping(10) })
    client.received()
    world.advance(60_000)
    publishTo(world, 'x')
    expect(payloads(client)).toEqual(['x'])
  })

  it('[MQTT5-4.1.0-2] state is dropped when the time is over, and not before', () => {
    const world = new World()
    leaveSession(world, 10)
    world.advance(9_900)
    expect(world.vhost.sessions.find('c1')).toBeDefined()
    world.advance(1_100)
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
    expect(world.connect('c1', { clean: false }).connack.sessionPresent).toBe(false)
  })

  it('[MQTT5-4.1.0-2] the time counts from the end of the latest connection, with its value', () => {
    const world = new World()
    leaveSession(world, 1_000)
    world.connect('c1', { clean: false, ...keeping(10) }).vanish()
    world.advance(11_000)
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
  })
})

describe('[MQTT5-4.1-a] the session state', () => {
  it('has subscriptions with their options and identifiers', () => {
    const world = new World()
    const before = world.connect('c1', keeping(60))
    before.send(
      subscribeWith(1, [prop('subscriptionIdentifier', 7)], {
        filter: 'a',
        qos: 1,
        retainAsPublished: true,
        noLocal: true,
      }),
      disconnect(),
    )
    const client = world.connect('c1', { clean: false })
    client.send(publish('a', 'own'))
    world.connect('p').send(publish('a', 'x', { qos: 2, id: 1, retain: true }))
    expect(client.publishes()).toMatchObject([
      { payload: 'x', qos: 1, retain: true, properties: { subscriptionIdentifiers: [7] } },
    ])
  })

  it('has QoS 1 and 2 messages that wait, in their order', () => {
    const world = new World()
    world.connect('c1', keeping(60)).send(subscribe(1, 'a'), disconnect())
    const publisher = world.connect('p')
    publisher.send(publish('a', '1', { qos: 1, id: 1 }), publish('a', '2', { qos: 2, id: 2 }), pubrel(2))
    publisher.send(publish('a', '3', { qos: 1, id: 3 }))
    expect(world.connect('c1', { clean: false }).publishes()).toMatchObject([
      { payload: '1', qos: 1, dup: false },
      { payload: '2', qos: 2, dup: false },
      { payload: '3', qos: 1, dup: false },
    ])
  })

  it('has QoS 1 and 2 messages that were sent and not acknowledged', () => {
    const world = new World()
    const before = world.connect('c1', keeping(60))
    before.send(subscribe(1, 'a'))
    before.next('SUBACK')
    const publisher = world.connect('p')
    publisher.send(
      publish('a', '1', { qos: 1, id: 1 }),
      publish('a', '2', { qos: 2, id: 2 }),
      publish('a', '3', { qos: 2, id: 3 }),
    )
    const [first, second, third] = before.publishes()
    before.send(pubrec(third!.id))
    before.vanish()
    const client = world.connect('c1', { clean: false })
    expect(client.received()).toMatchObject([
      { type: 'PUBLISH', payload: '1', id: first!.id, dup: true },
      { type: 'PUBLISH', payload: '2', id: second!.id, dup: true },
      { type: 'PUBREL', id: third!.id },
    ])
  })

  it('has QoS 2 messages of the client that are not released', () => {
    const world = new World()
    const watcher = world.connect('watcher')
    watcher.send(subscribe(1, 'a'))
    watcher.next('SUBACK')
    const before = world.connect('c1', keeping(60))
    before.send(publish('a', 'once', { qos: 2, id: 9 }))
    before.vanish()
    const client = world.connect('c1', { clean: false })
    client.send(publish('a', 'once', { qos: 2, id: 9, dup: true }))
    expect(client.next('PUBREC').id).toBe(9)
    client.send(pubrel(9))
    expect(client.next('PUBCOMP')).toMatchObject({ id: 9, reasonCode: 0 })
    expect(payloads(watcher)).toEqual(['once'])
  })

  it('has the will and its delay', () => {
    const world = new World()
    const watcher = world.connect('watcher')
    watcher.send(subscribe(1, 'will'))
    watcher.next('SUBACK')
    const will = { topic: 'will', payload: 'gone', properties: [prop('willDelayInterval', 5)] }
    world.connect('c1', { will, ...keeping(60) }).vanish()
    expect(watcher.received()).toEqual([])
    world.advance(5_000)
    expect(payloads(watcher)).toEqual(['gone'])
  })

  it('does not have what was acknowledged', () => {
    const world = new World()
    const before = world.connect('c1', keeping(60))
    before.send(subscribe(1, 'a'))
    before.next('SUBACK')
    publishTo(world, 'x')
    before.send(puback(before.next('PUBLISH').id))
    before.vanish()
    expect(world.connect('c1', { clean: false }).received()).toEqual([])
  })
})

it('[MQTT5-4.1-b] retained messages are no part of it and stay when the session ends', () => {
  const world = new World()
  world.connect('c1').send(publish('a', 'kept', { retain: true }), disconnect())
  expect(world.vhost.sessions.find('c1')).toBeUndefined()
  world.connect('c1', { clean: true }).vanish()
  const client = world.connect('c2')
  client.send(subscribe(1, 'a'))
  client.next('SUBACK')
  expect(client.publishes()).toMatchObject([{ payload: 'kept', retain: true }])
})
