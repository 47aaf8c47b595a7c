import { once } from 'node:events'
import type { Socket } from 'node:net'

import { closed, type Rig, turn } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'

import { bytes, connect, disconnect, PacketParser, pingreq, publish, subscribe, type Version } from '../harness.ts'
import { readPackets, startTcpBroker, startWebSocketBroker, WebSocketClient } from './support.ts'

describe.each([4, 5] as Version[])('over WebSocket, version %i', (version) => {
  const hello = connect({ clientId: 'c1' })(version)

  it('[MQTT311-6.0.0-1, MQTT5-6.0.0-1] packets travel in binary frames', async () => {
    const client = new WebSocketClient(await startWebSocketBroker(), ['mqtt'], version)
    await client.handshake
    client.send(hello)
    client.send(subscribe(1, 'a')(version))
    client.send(publish('a', 'only text')(version))
    expect(await client.types(3)).toEqual(['CONNACK', 'SUBACK', 'PUBLISH'])
    expect(client.others).toEqual([])
  })

  it('[MQTT311-6.0.0-1, MQTT5-6.0.0-1] a text frame ends the connection, first or later', async () => {
    const rig = await startWebSocketBroker()
    const first = new WebSocketClient(rig, ['mqtt'], version)
    await first.handshake
    first.send(Buffer.from(hello).toString('latin1'))
    expect(await first.untilClosed()).toEqual([])

    const later = new WebSocketClient(rig, ['mqtt'], version)
    await later.handshake
    later.send(hello)
    expect(await later.types(1)).toEqual(['CONNACK'])
    later.send(Buffer.from(pingreq()(version)).toString('latin1'))
    expect((await later.untilClosed()).filter(({ type }) => type === 'PINGRESP')).toEqual([])
  })

  it('[MQTT311-6.0.0-2, MQTT5-6.0.0-2] packets need not begin or end where frames do', async () => {
    const client = new WebSocketClient(await startWebSocketBroker(), ['mqtt'], version)
    await client.handshake
    // Byte by byte, empty frames between them.
    for (const byte of hello) {
      client.send(Uint8Array.of(byte))
      client.send(new Uint8Array(0))
    }
    expect(await client.types(1)).toEqual(['CONNACK'])
    const stream = bytes(
      subscribe(1, 'a')(version),
      publish('a', 'x'.repeat(500), { qos: 1, id: 2 })(version),
      pingreq()(version),
      pingreq()(version),
      disconnect()(version),
    )
    client.send(stream.subarray(0, 100))
    client.send(stream.subarray(100))
    const types = (await client.untilClosed()).map(({ type }) => type)
    expect(types.sort()).toEqual(['PINGRESP', 'PINGRESP', 'PUBACK', 'PUBLISH', 'SUBACK'])
  })

  it('[MQTT311-6.0.0-3, MQTT5-6.0.0-3] a client that offers others but not "mqtt" is refused', async () => {
    const rig = await startWebSocketBroker()
    for (const offer of [['soap'], ['MQTT'], ['mqtt5', 'mqttx']]) {
      expect([offer, await new WebSocketClient(rig, offer, version).handshake]).toEqual([offer, 'refused'])
    }
  })

  it.each([[['mqtt']], [['soap', 'mqtt']], [['mqtt', 'mqttv3.1']]])(
    '[MQTT311-6.0.0-3, MQTT311-6.0.0-4, MQTT5-6.0.0-3, MQTT5-6.0.0-4] of %j "mqtt" is chosen and returned',
    async (offer) => {
      const client = new WebSocketClient(await startWebSocketBroker(), offer, version)
      expect(await client.handshake).toBe('opened')
      expect(client.socket.protocol).toBe('mqtt')
      client.send(hello)
      expect(await client.types(1)).toEqual(['CONNACK'])
    },
  )
})

describe('over WebSocket, a message that never ends', () => {
  /** The head of its first piece, which is said to have 900,000 bytes; masked with zeros. */
  const BEGINNING = Buffer.from('02ff00000000000dbba000000000', 'hex')
  const UPGRADE = [
    'GET / HTTP/1.1',
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: mqtt',
  ].join('\r\n')

  async function dialUpgraded(rig: Rig): Promise<Socket> {
    const peer = await rig.dial()
    peer.write(`${UPGRADE}\r\n\r\n`)
    await once(peer, 'data')
    return peer
  }

  it('does not outlive the time for CONNECT', async () => {
    const rig = await startWebSocketBroker()
    const peer = await dialUpgraded(rig)
    const pong = once(peer, 'data')
    // A piece with the first byte of a CONNECT, one with its second, and a ping.
    peer.write(Buffer.from('02810000000010' + '0081000000000d' + '898000000000', 'hex'))
    await pong
    for (let half = 0; half < 19; half++) rig.clock.advance(500)
    await turn()
    expect(peer.closed).toBe(false)
    for (let half = 0; half < 3; half++) rig.clock.advance(500)
    await closed(peer)
  })

  it('is answered as far as it came', async () => {
    const rig = await startWebSocketBroker()
    const peer = await dialUpgraded(rig)
    const answer = once(peer, 'data')
    peer.write(Buffer.concat([BEGINNING, connect({ clientId: 'c1' })(4)]))
    const [frame] = (await answer) as [Buffer]
    expect(frame.toString('hex')).toBe('820420020000') // CONNACK
  })
})

describe('over TCP', () => {
  it('[MQTT311-7.1.1-1] a stream of bytes goes both ways, in order and without loss', async () => {
    const rig = await startTcpBroker()
    const reader = await rig.dial()
    const readerPackets = new PacketParser(4)
    reader.write(bytes(connect({ clientId: 'reader' })(4), subscribe(1, { filter: 'a', qos: 0 })(4)))
    await readPackets(reader, readerPackets, 2)

    const writer = await rig.dial()
    const count = 5_000
    const messages = Array.from({ length: count }, (_, index) => publish('a', `${index} ${'.'.repeat(index % 300)}`)(4))
    const stream = Buffer.concat([connect({ clientId: 'writer' })(4), ...messages])
    // Pieces that have nothing to do with packets.
    for (let at = 0, size = 1; at < stream.length; at += size, size = (size * 7 + 13) % 5_000) {
      writer.write(stream.subarray(at, at + size))
    }
    const got = await readPackets(reader, readerPackets, count)
    expect(got.map((packet) => packet.type === 'PUBLISH' && Number.parseInt(packet.payload, 10))).toEqual(
      messages.map((_, index) => index),
    )
    expect(got.every(({ raw }, index) => Buffer.from(raw).equals(messages[index]!))).toBe(true)
  })
})
