/** The rules of MQTT 5 for a broker whose answers wait for its log. [ADR-0003] */
import type { Login } from '@ternmq/core'
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import {
  type Client,
  connect,
  disconnect,
  hex,
  pingreq,
  prop,
  publish,
  pubrel,
  subscribe,
  World,
} from '../../harness.ts'

const kept = { properties: [prop('sessionExpiryInterval', 60)] }

/** A world with a session that is away and is kept everything published to 'a'. */
async function worldWithSession(login?: Login): Promise<World> {
  const world = await World.withLog(login === undefined ? {} : { login })
  const client = await world.join('away', kept)
  await client.finish(subscribe(1, 'a'), disconnect())
  return world
}

function types(client: Client): string[] {
  return client.received().map(({ type }) => type)
}

describe('CONNACK', () => {
  it('[MQTT5-3.2.0-1] comes before anything else, whatever the client sent behind its CONNECT', async () => {
    const world = await World.withLog()
    const client = world.open()
    client.push(
      connect({ clientId: 'c1', ...kept }),
      pingreq(),
      subscribe(1, 'b'),
      publish('b', 'x', { qos: 1, id: 1 }),
    )
    await world.settle()
    expect(types(client)).toEqual(['CONNACK', 'PINGRESP', 'SUBACK', 'PUBLISH', 'PUBACK'])
  })

  it('[MQTT5-3.1.4-5] when both the login and the log take their time', async () => {
    const accepted = { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined } as const
    const world = await World.withLog({ login: { begin: () => Promise.resolve(accepted) } })
    const client = world.open()
    client.push(connect({ clientId: 'c1', ...kept }), pingreq(), subscribe(1, 'b'))
    await world.settle()
    expect(types(client)).toEqual(['CONNACK', 'PINGRESP', 'SUBACK'])
  })

  it('[MQTT5-3.2.0-1] comes before messages that waited', async () => {
    const world = await worldWithSession()
    await world.connect('p').finish(publish('a', 'waiting', { qos: 1, id: 1 }))
    const client = world.open()
    await client.finish(connect({ clientId: 'away', clean: false, ...kept }))
    expect(types(client)).toEqual(['CONNACK', 'PUBLISH'])
  })
})

describe('[MQTT5-3.14.4-1] nothing follows DISCONNECT', () => {
  it('not even the PUBACK of a message that the log has meanwhile', async () => {
    const world = await worldWithSession()
    const client = world.connect('c1')
    await client.finish(publish('a', 'x', { qos: 1, id: 1 }), publish('a', 'y', { qos: 2, id: 2 }), hex('ff 00'))
    expect(client.goodbye()).toBe(0x81)
    const back = await world.join('away', { clean: false, ...kept })
    expect(back.publishes().map(({ payload }) => payload)).toEqual(['x', 'y'])
  })

  it('and a client that said it gets no answer any more', async () => {
    const world = await worldWithSession()
    const client = world.connect('c1')
    await client.finish(publish('a', 'x', { qos: 1, id: 1 }), disconnect())
    expect([client.received(), client.isClosed]).toEqual([[], true])
  })

  it('a client whose identifier is taken meanwhile gets no CONNACK', async () => {
    const world = await World.withLog()
    const first = world.open()
    const second = world.open()
    first.push(connect({ clientId: 'c1', ...kept }))
    second.push(connect({ clientId: 'c1', clean: false, ...kept }))
    await world.settle()
    expect([first.received(), first.isClosed]).toEqual([[], true])
    expect(second.accepted().sessionPresent).toBe(true)
  })
})

describe('order', () => {
  it('[MQTT5-4.6.0-2, MQTT5-4.6.0-3] PUBACKs and PUBRECs come in the order of their PUBLISHes, logged or not', async () => {
    const world = await worldWithSession()
    const client = world.connect('c1')
    const topics = ['a', 'nobody', 'a', 'a', 'nobody', 'nobody', 'a', 'nobody']
    await client.finish(...topics.map((topic, index) => publish(topic, 'x', { qos: 1, id: index + 1 })))
    expect(client.received().map((packet) => packet.type === 'PUBACK' && packet.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    await client.finish(...topics.map((topic, index) => publish(topic, 'x', { qos: 2, id: index + 1 })))
    expect(client.received().map((packet) => packet.type === 'PUBREC' && packet.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('[MQTT5-4.6.0-6] messages of one publisher come in their order, logged or not', async () => {
    const world = await worldWithSession()
    const subscriber = world.connect('s')
    subscriber.send(subscribe(1, '#'))
    subscriber.next('SUBACK')
    const drafts = Array.from({ length: 12 }, (_, index) => {
      const qos = (index % 3) as 0 | 1 | 2
      return publish(index % 4 === 3 ? 'other' : 'a', String(index), qos === 0 ? {} : { qos, id: index + 1 })
    })
    await world.connect('p').finish(...drafts)
    expect(subscriber.publishes().map(({ payload }) => Number(payload))).toEqual(Array.from(drafts.keys()))
  })

  it('[MQTT5-4.3.3-10, MQTT5-4.3.3-11] a QoS 2 message sent again while its record is written is there once', async () => {
    const world = await worldWithSession()
    const client = world.connect('c1')
    await client.finish(publish('a', 'once', { qos: 2, id: 1 }), publish('a', 'once', { qos: 2, id: 1, dup: true }))
    expect(types(client)).toEqual(['PUBREC'])
    await client.finish(pubrel(1))
    expect(types(client)).toEqual(['PUBCOMP'])
    const back = await world.join('away', { clean: false, ...kept })
    expect(back.publishes().map(({ payload }) => payload)).toEqual(['once'])
  })
})

describe('the will', () => {
  const will = { topic: 'a', payload: 'gone', qos: 1 as const, retain: true }

  it('[MQTT5-3.1.2-8, MQTT5-3.1.2-15] goes into the log like any other message', async () => {
    const world = await worldWithSession()
    const client = await world.join('c1', { will, ...kept })
    client.vanish()
    await world.settle()
    const back = await world.join('away', { clean: false, ...kept })
    expect(back.publishes()).toMatchObject([{ topic: 'a', payload: 'gone', qos: 1, retain: false }])
    await back.finish(subscribe(2, 'a'))
    const retained = back.received().filter(({ type }) => type === 'PUBLISH')
    expect(retained).toMatchObject([{ payload: 'gone', retain: true }])
  })

  it('[MQTT5-3.1.3-9] is not published when its client is back in time', async () => {
    const world = await worldWithSession()
    const delayed = { ...will, properties: [prop('willDelayInterval', 10)] }
    const client = await world.join('c1', { will: delayed, ...kept })
    client.vanish()
    world.advance(9_000)
    await world.join('c1', { clean: false, ...kept })
    world.advance(60_000)
    await world.settle()
    expect(world.vhost.retained.count).toBe(0)
  })

  it('[MQTT5-3.1.3.2.2-a] is published when the session ends before its delay', async () => {
    const world = await worldWithSession()
    const delayed = { ...will, properties: [prop('willDelayInterval', 50)] }
    const client = await world.join('c1', { will: delayed, properties: [prop('sessionExpiryInterval', 5)] })
    client.vanish()
    world.advance(5_500)
    await world.settle()
    expect(world.vhost.retained.count).toBe(1)
    const back = await world.join('away', { clean: false, ...kept })
    expect(back.publishes()).toMatchObject([{ payload: 'gone' }])
  })
})

describe('session expiry', () => {
  it('[MQTT5-4.1.0-2, MQTT5-3.1.2.11.2-c] is as long after a restart as it was before', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const settings = { sessionExpiryMaxSeconds: Infinity }
    const before = await World.withLog({ settings }, env, engine)
    for (const [clientId, seconds] of [
      ['short', 60],
      ['for ever', 0xffff_ffff],
    ] as const) {
      await before.join(clientId, { properties: [prop('sessionExpiryInterval', seconds)] })
    }
    const after = await World.withLog({ settings }, env, engine)
    expect(['short', 'for ever'].map((clientId) => after.vhost.sessions.find(clientId) !== undefined)).toEqual([
      true,
      true,
    ])
    after.advance(61_000)
    expect(after.vhost.sessions.find('short')).toBeUndefined()
    after.advance(0xffff_ffff * 1_000 + 1_000)
    const back = await after.join('for ever', { clean: false })
    expect(back.connack.sessionPresent).toBe(true)
  })

  it('[MQTT5-3.14.2.2.2-c] changed by DISCONNECT is the one that a restart finds', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const before = await World.withLog({}, env, engine)
    const client = await before.join('c1', kept)
    await client.finish(disconnect({ properties: [prop('sessionExpiryInterval', 5)] }))
    const after = await World.withLog({}, env, engine)
    expect(after.vhost.sessions.find('c1')!.expiryMs).toBe(5_000)
  })

  it('[MQTT5-3.1.2-4] a session thrown away by Clean Start 1 is not there after a restart', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const before = await World.withLog({}, env, engine)
    const client = await before.join('c1', kept)
    await client.finish(subscribe(1, 'a'), disconnect())
    await (await before.join('c1', { clean: true })).finish(disconnect())
    const after = await World.withLog({}, env, engine)
    expect(after.connect('c1', { clean: false }).connack.sessionPresent).toBe(false)
  })
})

describe('after a restart of the broker', () => {
  it('[MQTT5-4.1-a] session, subscriptions and waiting messages are there', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const before = await World.withLog({}, env, engine)
    const leaving = await before.join('away', kept)
    await leaving.finish(subscribe(1, 'a'), disconnect())
    await before.connect('p').finish(publish('a', 'waiting', { qos: 1, id: 1 }))
    const after = await World.withLog({}, env, engine)
    const client = await after.join('away', { clean: false, ...kept })
    expect(client.connack.sessionPresent).toBe(true)
    expect(client.publishes()).toMatchObject([{ topic: 'a', payload: 'waiting', qos: 1 }])
    await after.connect('p').finish(publish('a', 'new', { qos: 1, id: 1 }))
    expect(client.publishes().map(({ payload }) => payload)).toEqual(['new'])
  })
})
