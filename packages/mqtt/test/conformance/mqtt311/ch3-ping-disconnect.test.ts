import { describe, expect, it } from 'vitest'
import { connect, disconnect, frame, hex, pingreq, publish, subscribe } from '../../harness.ts'
import { kept311, watch, world311 } from '../worlds.ts'

describe('PINGREQ', () => {
  it('[MQTT311-3.12.4-1] is answered with PINGRESP', () => {
    const client = world311().connect('c1')
    client.send(hex('c0 00'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('d0 00')])
  })

  it('[MQTT311-3.12.4-1] is answered each time, in a kept session and behind what waits for the log, too', async () => {
    const world = await kept311()
    const client = await world.join('c1', { clean: false })
    await client.finish(pingreq(), subscribe(1, 'a'), pingreq(), publish('a', 'x', { qos: 1, id: 1 }), pingreq())
    expect(client.received().filter(({ type }) => type === 'PINGRESP')).toHaveLength(3)
  })
})

describe('DISCONNECT', () => {
  const will = { topic: 'will', payload: 'gone' }

  it.each([0xe1, 0xe2, 0xe4, 0xe8, 0xef])(
    '[MQTT311-3.14.1-1] with the first byte %i ends the connection as a fault does',
    (first) => {
      const world = world311()
      const watcher = watch(world)
      const client = world.connect('c1', { will })
      client.send(frame(first))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
      expect(watcher.publishes()).toMatchObject([{ topic: 'will' }])
    },
  )

  it('[MQTT311-3.14.4-1, MQTT311-3.14.4-a] is followed by the end, which the server does not wait for', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(disconnect())
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(world.vhost.sessions.count).toBe(0)
    expect(world.adapter.connectionCount).toBe(0)
  })

  it('[MQTT311-3.14.4-1] and a client that closes are one goodbye', () => {
    const world = world311()
    const watcher = watch(world)
    const client = world.connect('c1', { will })
    client.push(disconnect())
    client.hangUp()
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT311-3.14.4-2] is the last packet processed, in its chunk and after it', async () => {
    const world = await kept311()
    const watcher = watch(world)
    const client = await world.join('c1', { clean: false })
    client.push(
      publish('a', 'before'),
      disconnect(),
      publish('a', 'after'),
      publish('a', 'after', { qos: 1, id: 1 }),
      subscribe(1, '#'),
      pingreq(),
    )
    await world.settle()
    client.send(publish('a', 'later'), connect({ clientId: 'c2' }))
    expect(client.received()).toEqual([])
    expect(watcher.publishes()).toMatchObject([{ payload: 'before' }])
    expect(world.vhost.sessions.find('c1')!.bindingCount).toBe(0)
    expect(world.vhost.sessions.find('c2')).toBeUndefined()
  })

  it.each([true, false])('[MQTT311-3.14.4-3] drops the will unpublished (CleanSession %s)', async (clean) => {
    const world = await kept311()
    const watcher = watch(world)
    const client = await world.join('c1', { clean, will: { ...will, qos: 2, retain: true } })
    client.send(disconnect())
    world.advance(8 * 86_400_000)
    expect(watcher.received()).toEqual([])
    expect(world.vhost.retained.count).toBe(0)
  })

  it('[MQTT311-3.14.4-3] comes too late for a client that was silent for too long', () => {
    const world = world311()
    const watcher = watch(world)
    const client = world.connect('c1', { keepAlive: 1, will })
    world.advance(2_500)
    client.send(disconnect())
    expect(watcher.publishes()).toMatchObject([{ topic: 'will' }])
  })
})
