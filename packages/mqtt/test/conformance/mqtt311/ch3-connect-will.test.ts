import { describe, expect, it } from 'vitest'
import {
  type Client,
  connect,
  disconnect,
  frame,
  pingreq,
  publish,
  type QoS,
  subscribe,
  utf8,
  type World,
} from '../../harness.ts'
import { connect311, kept311, lines, watch, world311 } from '../worlds.ts'

const will = { topic: 'will/c1', payload: 'c1 is gone' }

describe('the will', () => {
  const ends: { how: string; end: (client: Client, world: World) => void }[] = [
    { how: 'the client hangs up', end: (client) => client.hangUp() },
    { how: 'the network fails', end: (client) => client.vanish() },
    { how: 'the client is silent for too long', end: (_client, world) => world.advance(16_000) },
    { how: 'the client sends a malformed packet', end: (client) => client.send(frame(0x30)) },
    { how: 'the client breaks the protocol', end: (client) => client.send(connect({ clientId: 'c1' })) },
    { how: 'another connection takes the client identifier', end: (_client, world) => void world.connect('c1') },
    { how: 'an operator ends the session', end: (_client, world) => void world.vhost.sessions.delete('c1') },
  ]
  it.each(ends)('[MQTT311-3.1.2-8] is published, once, when $how', ({ end }) => {
    const world = world311()
    const watcher = watch(world)
    const client = world.connect('c1', { keepAlive: 10, will })
    world.advance(1_000)
    expect(watcher.received()).toEqual([])
    end(client, world)
    world.run()
    expect(client.isClosed).toBe(true)
    expect(lines(watcher.publishes())).toEqual(['will/c1 c1 is gone q0'])
    world.advance(86_400_000)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT311-3.1.2-8] is published when the server stops', () => {
    const world = world311()
    world.connect('c1', { will: { ...will, retain: true } })
    world.adapter.drain()
    world.run()
    expect(world.vhost.retained.get(['will', 'c1'])).toBeDefined()
  })

  it('[MQTT311-3.1.2-8] is published at once for a client whose session is kept', async () => {
    const world = await kept311()
    const watcher = watch(world)
    const client = await world.join('c1', { clean: false, will: { ...will, qos: 1 } })
    client.hangUp()
    expect(lines(watcher.publishes())).toEqual(['will/c1 c1 is gone q1'])
  })

  it('[MQTT311-3.1.2-8] of a CONNECT that is refused is not published', () => {
    const world = world311({
      login: {
        begin: ({ clientId }) =>
          clientId === 'c1'
            ? { kind: 'refused', refusal: 'bad-credentials', text: 'who?' }
            : { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined },
      },
    })
    const watcher = watch(world)
    const client = world.open()
    client.send(connect({ clientId: 'c1', will }))
    expect(client.next('CONNACK').reasonCode).toBe(4)
    world.advance(86_400_000)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT311-3.1.2-8] may have no bytes, and may have any', () => {
    const world = world311()
    const watcher = watch(world)
    world.connect('c1', { will: { topic: 'will', payload: '' } }).hangUp()
    const binary = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    world.connect('c2', { will: { topic: 'will', payload: binary } }).hangUp()
    expect(watcher.publishes().map(({ payloadBytes }) => payloadBytes)).toEqual([new Uint8Array(0), binary])
  })

  it.each([0, 1, 2] as QoS[])('[MQTT311-3.1.2-9, MQTT311-3.1.2-14] is published with its QoS, %i', (qos) => {
    const world = world311()
    const watcher = watch(world)
    world.connect('c1', { will: { ...will, qos } }).hangUp()
    expect(lines(watcher.publishes())).toEqual([`will/c1 c1 is gone q${qos}`])
  })

  it.each([
    ['will topic and message', []],
    ['will message', utf8('will')],
    ['half of the will message', [...utf8('will'), 0, 4, 0x78]],
  ])('[MQTT311-3.1.2-9] flag without %s ends the connection', (_what, payload) => {
    const client = world311().open()
    client.send(connect311(0x06, utf8('c1'), payload))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-3.1.2-10] that was published is not published again', async () => {
    const world = await kept311()
    const watcher = watch(world)
    const client = await world.join('c1', { clean: false, will })
    client.hangUp()
    expect(watcher.publishes()).toHaveLength(1)
    const again = await world.join('c1', { clean: false })
    again.hangUp()
    const last = await world.join('c1', { clean: true })
    last.hangUp()
    world.advance(8 * 86_400_000)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT311-3.1.2-10] that was published is not published again when the kept session expires', async () => {
    const world = await kept311()
    const watcher = watch(world)
    const client = await world.join('c1', { clean: false, will })
    client.hangUp()
    expect(watcher.publishes()).toHaveLength(1)
    world.advance(8 * 86_400_000)
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
    expect(watcher.received()).toEqual([])
  })

  it.each([true, false])('[MQTT311-3.1.2-10] is gone after DISCONNECT (CleanSession %s)', async (clean) => {
    const world = await kept311()
    const watcher = watch(world)
    const client = await world.join('c1', { clean, will })
    client.send(disconnect())
    client.hangUp()
    const again = await world.join('c1', { clean: false })
    again.vanish()
    world.advance(8 * 86_400_000)
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT311-3.1.2-10] is replaced by that of the next CONNECT', async () => {
    const world = await kept311()
    const watcher = watch(world)
    const first = await world.join('c1', { clean: false, will: { topic: 'first' } })
    first.send(disconnect())
    const second = await world.join('c1', { clean: false, will: { topic: 'second' } })
    second.hangUp()
    expect(watcher.publishes()).toMatchObject([{ topic: 'second' }])
  })

  it('[MQTT311-3.1.2-16] is an ordinary message with Will Retain 0', async () => {
    const world = await kept311()
    const watcher = watch(world)
    await world.connect('other').finish(publish('will/c1', 'kept before', { retain: true }))
    const client = await world.join('c1', { will })
    client.hangUp()
    expect(watcher.publishes()).toMatchObject([{ payload: 'kept before' }, { payload: 'c1 is gone', retain: false }])
    const late = watch(world, '#', 'late')
    expect(late.publishes()).toMatchObject([{ payload: 'kept before', retain: true }])
  })

  it.each([0, 1, 2] as QoS[])('[MQTT311-3.1.2-17] is retained with Will Retain 1, QoS %i', async (qos) => {
    const world = await kept311()
    const watcher = watch(world)
    const client = await world.join('c1', { will: { ...will, qos, retain: true } })
    await world.connect('other').finish(publish('will/c1', 'before', { retain: true }))
    expect(watch(world, '#', 'early').publishes()).toMatchObject([{ payload: 'before' }])
    client.hangUp()
    await world.settle()
    expect(watcher.publishes()).toMatchObject([{ payload: 'before' }, { payload: 'c1 is gone', qos, retain: false }])
    expect(watch(world, '#', 'late').publishes()).toMatchObject([{ payload: 'c1 is gone', qos, retain: true }])
  })
})

describe('without the Will Flag', () => {
  it('[MQTT311-3.1.2-12] nothing is published when the connection ends', () => {
    const world = world311()
    const watcher = watch(world)
    for (const end of ['hangUp', 'vanish'] as const) world.connect('c1')[end]()
    world.connect('c1').send(frame(0x30))
    world.connect('c1', { keepAlive: 1 }).send(pingreq())
    world.advance(86_400_000)
    expect(watcher.received()).toEqual([])
  })

  it.each([1, 2, 3])('[MQTT311-3.1.2-11, MQTT311-3.1.2-13] Will QoS %i ends the connection', (qos) => {
    const client = world311().open()
    client.send(connect311(0x02 | (qos << 3), utf8('c1')))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-3.1.2-11, MQTT311-3.1.2-15] Will Retain ends the connection', () => {
    const client = world311().open()
    client.send(connect311(0x22, utf8('c1')))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-3.1.2-11] a will in the payload ends the connection', () => {
    const client = world311().open()
    client.send(connect311(0x02, utf8('c1'), utf8('will'), utf8('x')))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })
})

it.each([0x06, 0x26])('[MQTT311-3.1.2-14] Will QoS 3 ends the connection (other flags %i)', (flags) => {
  const client = world311().open()
  client.send(connect311(flags | 0x18, utf8('c1'), utf8('will'), utf8('x')))
  expect(client.received()).toEqual([])
  expect(client.isClosed).toBe(true)
})

it('[MQTT311-3.1.3-10] a will topic goes out as the UTF-8 it came in', () => {
  const world = world311()
  const watcher = watch(world)
  world.connect('c1', { will: { topic: 'wíll/\u{1f44b}/終' } }).hangUp()
  expect(watcher.publishes()).toMatchObject([{ topic: 'wíll/\u{1f44b}/終' }])
})

it.each([Uint8Array.of(0xff), Uint8Array.of(0x77, 0xed, 0xa0, 0x80), Uint8Array.of(0)])(
  '[MQTT311-3.1.3-10] a will topic of the bytes %j ends the connection',
  (topic) => {
    const client = world311().open()
    client.send(connect({ clientId: 'c1', will: { topic } }))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  },
)

it.each(['will/+', '#', ''])('[MQTT311-3.1.2-8] a will that could not be published (to %j) is not taken', (topic) => {
  const client = world311().open()
  client.send(connect({ clientId: 'c1', will: { topic } }))
  expect(client.received()).toEqual([])
  expect(client.isClosed).toBe(true)
})

it('[MQTT311-3.1.2-8] a will goes to whoever subscribed before the connection ended', () => {
  const world = world311()
  const client = world.connect('c1', { will })
  const late = world.connect('late')
  late.send(subscribe(1, 'will/+'))
  late.next('SUBACK')
  client.vanish()
  expect(lines(late.publishes())).toEqual(['will/c1 c1 is gone q0'])
})
