/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP in both directions. The short form without a reason is written and read in place.
 */
import type { Delivery } from '@ternmq/core'
import { type AckFields, ackSize, encodeAck, readAck, writeAck as writeAckAt } from '../codec/acks.ts'
import { ReasonCode } from '../codec/reason-codes.ts'
import type { MqttConnection } from '../connection.ts'
import { isReleased, markReleased } from '../outbound.ts'
import { resumeAfter } from '../resumption.ts'

/** First byte of each packet. PUBREL has a flag set. [MQTT5-3.6.1-1] [MQTT311-3.6.1-1] */
export const PUBACK = 0x40
export const PUBREC = 0x50
export const PUBREL = 0x62
export const PUBCOMP = 0x70

/** Reused by every packet read here. */
const ack: AckFields = { packetId: 0, reasonCode: 0 }

/** The client has a QoS 1 message. [MQTT5-4.3.2-3] [MQTT311-4.3.2-1] Hot path. */
export function handlePuback(client: MqttConnection, bytes: Uint8Array, start: number, at: number, end: number): void {
  readAck(bytes, start, at, end, client.version, ack)
  const delivery = client.outbound.find(ack.packetId)
  if (delivery === undefined || delivery.assurance !== 1) return reportStray(client, 'PUBACK')
  // A client that refuses a message has it all the same: it is not offered again. [MQTT5-4.8.2-6]
  finish(client, delivery, ack.reasonCode < 0x80 ? 'accepted' : 'rejected')
}

/** The client has a QoS 2 message and will not take it twice. [MQTT5-4.3.3-4] [MQTT311-4.3.3-1] Hot path. */
export function handlePubrec(client: MqttConnection, bytes: Uint8Array, start: number, at: number, end: number): void {
  readAck(bytes, start, at, end, client.version, ack)
  const delivery = client.outbound.find(ack.packetId)
  if (delivery === undefined || delivery.assurance !== 2) {
    reportStray(client, 'PUBREC')
    // [MQTT5 §4.3.3]: an id that we do not know is released with 0x92; earlier versions have no such word.
    return writeAck(client, PUBREL, ack.packetId, ReasonCode.packetIdentifierNotFound)
  }
  if (ack.reasonCode >= 0x80) return finish(client, delivery, 'rejected')
  markReleased(delivery)
  writeAck(client, PUBREL, ack.packetId)
  if (client.unsent !== undefined) resumeAfter(client, delivery)
}

/** The client lets go of a QoS 2 id that it published. [MQTT5-4.3.3-11] [MQTT311-4.3.3-2] Hot path. */
export function handlePubrel(client: MqttConnection, bytes: Uint8Array, start: number, at: number, end: number): void {
  readAck(bytes, start, at, end, client.version, ack)
  const { packetId } = ack
  const isKnown = client.state.release(packetId)
  writeAck(client, PUBCOMP, packetId, isKnown ? ReasonCode.success : ReasonCode.packetIdentifierNotFound)
}

/** A QoS 2 delivery is over. [MQTT5-4.3.3-7] Hot path. */
export function handlePubcomp(client: MqttConnection, bytes: Uint8Array, start: number, at: number, end: number): void {
  readAck(bytes, start, at, end, client.version, ack)
  const delivery = client.outbound.find(ack.packetId)
  if (delivery === undefined || !isReleased(delivery)) return reportStray(client, 'PUBCOMP')
  finish(client, delivery, 'accepted')
}

/** The exchange is over and its packet id free. Hot path. */
function finish(client: MqttConnection, delivery: Delivery, outcome: 'accepted' | 'rejected'): void {
  client.outbound.remove(delivery)
  delivery.consumer!.settle(delivery, outcome)
  if (client.unsent !== undefined) resumeAfter(client, delivery)
}

/** An acknowledgement without a text; before MQTT 5 without its reason, too. Hot path. */
export function writeAck(client: MqttConnection, type: number, packetId: number, reasonCode: number = ReasonCode.success): void {
  const { transport, version } = client
  const at = transport.reserve(ackSize(reasonCode, version))
  writeAckAt(transport.slab, at, type, packetId, reasonCode, version)
}

/** MQTT 5 only: an acknowledgement with a reason, and its text where the client wants such and has room for it. [MQTT5-3.1.2-29] */
export function writeRefusal(client: MqttConnection, type: number, packetId: number, reasonCode: number, text: string): void {
  const reasonString = client.wantsProblemInformation ? text : undefined
  client.transport.write(encodeAck(type, { packetId, reasonCode, reasonString }, client.maxPacketBytes))
}

/** An acknowledgement of nothing: harmless after a resumed session, but an operator may want to know. */
function reportStray(client: MqttConnection, name: string): void {
  client.reportRefusal(`${name} for packet id ${ack.packetId}, which is not in use`)
}
