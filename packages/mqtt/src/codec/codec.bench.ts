/** node codec.bench.ts: what reading and writing a packet costs. Control packets go through mqtt-packet, the others in place. */
import { bench, do_not_optimize, run, summary } from 'mitata'
import { type AckFields, readAck, writeAck } from './acks.ts'
import { decodeConnect, decodeControl } from './decode-control.ts'
import { encodeConnack, encodeDisconnect, encodeSuback } from './encode-control.ts'
import { VALID } from './packet-cases.ts'
import { PublishProperties, scanPublishProperties } from './property-scan.ts'
import { checkTopicBytes, parseFilter } from './topics.ts'
import { PACKET_BYTES_LIMIT } from './types.ts'

/** The first packet of the tables that begins so, of that version. */
function packetOf(firstByte: number, version: number | 'first'): Uint8Array {
  const found = VALID.find((row) => row.bytes[0] === firstByte && row.version === version)
  if (found === undefined) throw new Error(`no packet 0x${firstByte.toString(16)} of ${version} in the tables`)
  return found.bytes
}

const connect = packetOf(0x10, 'first')
const subscribe4 = packetOf(0x82, 4)
const subscribe5 = packetOf(0x82, 5)
const disconnect5 = packetOf(0xe0, 5)
const pingreq = Uint8Array.of(0xc0, 0)
const puback = Uint8Array.of(0x40, 2, 0, 7)
const pubackWithReason = Uint8Array.of(0x40, 3, 0, 7, 0x10)
const pair = [0x26, 0, 4, 0x73, 0x69, 0x74, 0x65, 0, 5, 0x6e, 0x6f, 0x72, 0x74, 0x68]
const noProperties = Uint8Array.of(0, 0x78)
const twoPairs = Uint8Array.of(pair.length * 2, ...pair, ...pair, 0x78)
const topic = Buffer.from('fleet/device42/motor/state')
const unicodeTopic = Buffer.from('fleet/gerät42/größe/state')

bench('CONNECT', () => do_not_optimize(decodeConnect(connect)))
bench('SUBSCRIBE 3.1.1', () => do_not_optimize(decodeControl(subscribe4, 4)))
bench('SUBSCRIBE 5', () => do_not_optimize(decodeControl(subscribe5, 5)))
bench('DISCONNECT 5', () => do_not_optimize(decodeControl(disconnect5, 5)))
bench('PINGREQ', () => do_not_optimize(decodeControl(pingreq, 4)))
bench('filter with a wildcard', () => do_not_optimize(parseFilter('fleet/+/motor/#', 5)))

const connack = {
  sessionPresent: false,
  reasonCode: 0,
  receiveMaximum: 1_024,
  maxPacketBytes: 1_048_576,
  topicAliasMax: 32,
}
bench('write CONNACK 5', () => do_not_optimize(encodeConnack(connack, 5, PACKET_BYTES_LIMIT)))
bench('write SUBACK 5', () =>
  do_not_optimize(encodeSuback({ packetId: 7, reasonCodes: [0, 1, 2] }, 5, PACKET_BYTES_LIMIT)))
const farewell = { reasonCode: 0x8e, reasonString: 'another connection uses the same client id' }
bench('write DISCONNECT 5 with a reason', () => do_not_optimize(encodeDisconnect(farewell, 5, PACKET_BYTES_LIMIT)))

const ack: AckFields = { packetId: 0, reasonCode: 0 }
const slab = new Uint8Array(16)
summary(() => {
  bench('PUBACK', () => do_not_optimize(readAck(puback, 0, 2, 4, 5, ack)))
  bench('PUBACK with a reason code', () => do_not_optimize(readAck(pubackWithReason, 0, 2, 5, 5, ack)))
  bench('write PUBACK', () => do_not_optimize(writeAck(slab, 0, 0x40, 7, 0, 5)))
})

const found = new PublishProperties()
summary(() => {
  bench('properties of a PUBLISH: none', () => do_not_optimize(scanPublishProperties(noProperties, 0, 2, found)))
  bench('properties of a PUBLISH: two user properties', () =>
    do_not_optimize(scanPublishProperties(twoPairs, 0, twoPairs.length, found)))
})
summary(() => {
  bench('topic name', () => do_not_optimize(checkTopicBytes(topic, 0, topic.length, 5)))
  bench('topic name beyond ASCII', () => do_not_optimize(checkTopicBytes(unicodeTopic, 0, unicodeTopic.length, 5)))
})

await run()
