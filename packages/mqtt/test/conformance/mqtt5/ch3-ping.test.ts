/** MQTT 5.0 chapters 3.12 and 3.13: PINGREQ and PINGRESP. */
import { describe, expect, it } from 'vitest'
import { connect, disconnect, frame, hex, pingreq, publish, subscribe, World } from '../../harness.ts'

describe('[MQTT5-3.12.4-1] PINGREQ is answered by PINGRESP', () => {
  it('by each its own', () => {
    const client = new World().connect('c1')
    client.send(pingreq())
    expect(client.next('PINGRESP').raw).toEqual(hex('d0 00'))
    client.send(pingreq(), pingreq(), pingreq())
    expect(client.received().map(({ type }) => type)).toEqual(['PINGRESP', 'PINGRESP', 'PINGRESP'])
  })

  it('in its place among the answers', () => {
    const client = new World().connect('c1')
    client.send(pingreq(), subscribe(1, 'a'), pingreq(), publish('b', '', { qos: 1, id: 1 }), pingreq())
    expect(client.received().map(({ type }) => type)).toEqual(['PINGRESP', 'SUBACK', 'PINGRESP', 'PUBACK', 'PINGRESP'])
  })

  it('however its bytes arrive', () => {
    const client = new World().connect('c1')
    client.send([0xc0])
    expect(client.received()).toEqual([])
    client.send([0x00, 0xc0])
    expect(client.received().map(({ type }) => type)).toEqual(['PINGRESP'])
    client.send([0x00])
    expect(client.received().map(({ type }) => type)).toEqual(['PINGRESP'])
  })

  it('and by no other client’s', () => {
    const world = new World()
    const silent = world.connect('c1')
    world.connect('c2').send(pingreq())
    expect(silent.received()).toEqual([])
  })

  it('not before CONNECT and not after DISCONNECT', () => {
    const world = new World()
    const early = world.open()
    early.send(pingreq(), connect({ clientId: 'c1' }))
    expect([early.received(), early.isClosed]).toEqual([[], true])
    const late = world.connect('c1')
    late.send(disconnect(), pingreq())
    expect(late.received()).toEqual([])
  })
})

it('[MQTT5-4.13.1-1] a PINGREQ with a body is malformed', () => {
  const client = new World().connect('c1')
  client.send(frame(0xc0, 0x00))
  expect(client.goodbye()).toBe(0x81)
})
