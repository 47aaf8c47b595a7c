import { expect, test } from 'vitest'

import { publishPacket } from '../wire.ts'
import { Acknowledger } from './load-client.ts'

const LOAD = { port: 0, topic: '$queue/a', payloadBytes: 200 }
const SUBACK = Buffer.from([0x90, 3, 0, 1, 1])

function publish(id: number): Buffer {
  return publishPacket({ version: 4, qos: 1, topic: LOAD.topic, payloadBytes: LOAD.payloadBytes }, id)
}

test('every message is acknowledged by its id, however what comes is cut, and other packets are not', () => {
  const stream = Buffer.concat([SUBACK, publish(1), publish(258), publish(3)])
  for (let size = 1; size <= stream.length; size++) {
    const acknowledger = new Acknowledger(LOAD)
    const acks: Buffer[] = []
    for (let at = 0; at < stream.length; at += size)
      acks.push(Buffer.from(acknowledger.take(stream.subarray(at, at + size))))
    expect(Buffer.concat(acks).toString('hex')).toBe('400200014002010240020003')
  }
})

test('a message of another length is an error: it was not counted on', () => {
  const other = publishPacket({ version: 4, qos: 1, topic: LOAD.topic, payloadBytes: 199 }, 1)
  expect(() => new Acknowledger(LOAD).take(other)).toThrow('a message of 214 bytes came')
})
