/**
 * MQTT 5.0 chapter 6, the part of the adapter: bytes come in pieces that have nothing to do with packets. Frames,
 * sub-protocols and text are tested in packages/websocket.
 */
import { describe, expect, it } from 'vitest'
import {
  bytes,
  connect,
  disconnect,
  type Packet,
  pingreq,
  prop,
  publish,
  pubrel,
  subscribe,
  unsubscribe,
  World,
} from '../../harness.ts'

/** A whole life of a client, as one run of bytes. */
const stream = bytes(
  connect({ clientId: 'c1', properties: [prop('receiveMaximum', 10)] })(5),
  subscribe(1, 'a/#', 'b')(5),
  publish('a/b', 'x'.repeat(300), { qos: 1, id: 5, properties: [prop('userProperty', ['k', 'v'])] })(5),
  pingreq()(5),
  publish('nobody', 'y', { qos: 2, id: 6 })(5),
  pubrel(6)(5),
  unsubscribe(2, 'b')(5),
  publish('a/b', 'z')(5),
  disconnect()(5),
)

function answersTo(pieces: readonly Uint8Array[]): Packet[] {
  const client = new World().open()
  for (const piece of pieces) client.send(piece)
  expect(client.isClosed).toBe(true)
  return client.received()
}

describe('[MQTT5-6.0.0-2] packets need not begin or end where frames do', () => {
  const whole = answersTo([stream])

  it('in one piece', () => {
    const order = ['CONNACK', 'SUBACK', 'PUBLISH', 'PUBACK', 'PINGRESP', 'PUBREC', 'PUBCOMP', 'UNSUBACK', 'PUBLISH']
    expect(whole.map(({ type }) => type)).toEqual(order)
  })

  it('byte by byte', () => {
    expect(answersTo(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(whole)
  })

  it('in two pieces, wherever the cut is', () => {
    for (let cut = 1; cut < stream.length; cut++) {
      expect([cut, answersTo([stream.slice(0, cut), stream.slice(cut)])]).toEqual([cut, whole])
    }
  })

  it.each([2, 3, 5, 7, 64, 127])('in pieces of %i bytes', (size) => {
    const count = Math.ceil(stream.length / size)
    const pieces = Array.from({ length: count }, (_, index) => stream.slice(index * size, (index + 1) * size))
    expect(answersTo(pieces)).toEqual(whole)
  })
})
