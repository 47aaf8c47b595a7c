import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import {
  connect,
  type Draft,
  disconnect,
  frame,
  pingreq,
  puback,
  publish,
  pubrel,
  type QoS,
  subscribe,
  u16,
  utf8,
  World,
} from '../../harness.ts'
import { lines, watch, world311 } from '../worlds.ts'

const KIB = 1_024

/** A log with little room, a kept session that reads 'a', and a publisher. */
async function tightWorld(): Promise<World> {
  const env = virtualEnv()
  const world = await World.withLog({ version: 4 }, env, new MemoryEngine(env, { maxBytes: 64 * KIB }))
  const reader = await world.join('reader', { clean: false })
  await reader.finish(subscribe(1, 'a'))
  reader.hangUp()
  return world
}

describe('a protocol violation', () => {
  const violations: { what: string; packet: Draft | Uint8Array }[] = [
    { what: 'packet type 0', packet: frame(0x00) },
    { what: 'packet type 15', packet: frame(0xf0) },
    { what: 'CONNACK', packet: frame(0x20, 0, 0) },
    { what: 'SUBACK', packet: frame(0x90, u16(1), 0) },
    { what: 'UNSUBACK', packet: frame(0xb0, u16(1)) },
    { what: 'PINGRESP', packet: frame(0xd0) },
    { what: 'CONNECT again', packet: connect({ clientId: 'c1' }) },
    { what: 'PUBACK without identifier', packet: frame(0x40) },
    { what: 'PUBACK with identifier 0', packet: puback(0) },
    { what: 'PUBREL with a byte too many', packet: frame(0x62, u16(1), 0) },
    { what: 'PINGREQ with a byte too many', packet: frame(0xc0, 0) },
    { what: 'DISCONNECT with a byte too many', packet: frame(0xe0, 0) },
    { what: 'SUBSCRIBE without filters', packet: frame(0x82, u16(1)) },
    { what: 'PUBLISH with QoS 3', packet: frame(0x36, utf8('a'), u16(1)) },
    { what: 'a PUBLISH above the largest packet', packet: publish('a', new Uint8Array(2_000)) },
  ]
  it.each(violations)('[MQTT311-4.8.0-1] ($what) ends the connection it came on, and no other', ({ packet }) => {
    const world = world311({ settings: { maxPacketBytes: 1_500 } })
    const watcher = watch(world)
    const client = world.connect('c1', { will: { topic: 'will', payload: 'c1' } })
    const neighbour = world.connect('c2')
    client.send(packet, pingreq())
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    neighbour.send(pingreq())
    expect(neighbour.received()).toMatchObject([{ type: 'PINGRESP' }])
    expect(lines(watcher.publishes())).toEqual(['will c1 q0'])
    expect(world.events.findLast(({ clientId }) => clientId === 'c1')?.kind).toBe('disconnected')
  })

  it('[MQTT311-4.8.0-1] ends the connection after what was right before it', () => {
    const world = world311()
    const watcher = watch(world)
    const client = world.connect('c1')
    client.send(publish('a', '1', { qos: 1, id: 1 }), publish('a', '2'), frame(0x00), publish('a', '3'))
    expect(client.received()).toMatchObject([{ type: 'PUBACK', id: 1 }])
    expect(lines(watcher.publishes())).toEqual(['a 1 q1', 'a 2 q0'])
  })

  it('[MQTT311-4.8.0-1] is not what an acknowledgement of nothing is: it may be late', () => {
    const client = world311().connect('c1')
    client.send(puback(5), frame(0x70, u16(5)), pubrel(6))
    expect(client.received()).toMatchObject([{ type: 'PUBCOMP', id: 6 }])
    expect(client.isClosed).toBe(false)
  })
})

describe('a passing fault: the log has no room', () => {
  it.each([1, 2] as QoS[])(
    '[MQTT311-4.8.0-2] ends the connection of a QoS %i PUBLISH, which is not acknowledged',
    async (qos) => {
      const world = await tightWorld()
      const client = await world.join('c1', { clean: false })
      await client.finish(publish('a', new Uint8Array(70 * KIB), { qos, id: 1 }))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)

      // The client sends it again, and now it fits: it is taken as a new one.
      const again = await world.join('c1', { clean: false })
      await again.finish(publish('a', 'smaller', { qos, id: 1, dup: true }))
      expect(again.received()).toMatchObject([{ type: qos === 1 ? 'PUBACK' : 'PUBREC', id: 1 }])
      const reader = await world.join('reader', { clean: false })
      expect(lines(reader.publishes())).toEqual([`a smaller q${qos}`])
    },
  )

  it('[MQTT311-4.8.0-2] ends the connection of a retained QoS 0 PUBLISH', async () => {
    const world = await tightWorld()
    const client = world.connect('c1')
    await client.finish(publish('kept', new Uint8Array(70 * KIB), { retain: true }))
    expect(client.isClosed).toBe(true)
    expect(watch(world, 'kept').received()).toEqual([])
  })

  it('[MQTT311-4.8-a] has no effect on the connections of others', async () => {
    const world = await tightWorld()
    const watcher = watch(world)
    const neighbour = world.connect('c2')
    const client = world.connect('c1')
    client.push(publish('a', new Uint8Array(70 * KIB), { qos: 1, id: 1 }))
    neighbour.push(publish('a', 'small', { qos: 1, id: 1 }), publish('b', 'not logged', { qos: 1, id: 2 }), pingreq())
    await world.settle()
    expect(client.isClosed).toBe(true)
    expect(
      neighbour
        .received()
        .map(({ type }) => type)
        .sort(),
    ).toEqual(['PINGRESP', 'PUBACK', 'PUBACK'])
    expect(lines(watcher.publishes())).toEqual(['a small q1', 'b not logged q1'])
    neighbour.send(disconnect())
    const reader = await world.join('reader', { clean: false })
    expect(lines(reader.publishes())).toEqual(['a small q1'])
  })
})

describe('a login that fails', () => {
  it('[MQTT311-4.8.0-2, MQTT311-4.8-a] by itself ends the one connection', async () => {
    const world = world311({
      login: {
        begin: ({ clientId }) =>
          clientId === 'c1'
            ? Promise.reject(new Error('the user file cannot be read'))
            : { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined },
      },
    })
    const neighbour = world.connect('c2')
    const client = world.open()
    await client.finish(connect({ clientId: 'c1' }))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    neighbour.send(pingreq())
    expect(neighbour.received()).toMatchObject([{ type: 'PINGRESP' }])
  })
})
