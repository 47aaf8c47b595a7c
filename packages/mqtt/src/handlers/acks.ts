/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP in both directions. The short form without a reason is written and read in place.
 */
import { type Delivery, reasonFrom } from '@ternmq/core'
import { type AckFields, ackSize, encodeAck, readAck, writeAck as writeAckAt } from '../codec/acks.ts'
import { ReasonCode } from '../codec/reason-codes.ts'
import type { MqttConnection } from '../connection.ts'
import { sendInTurn, sendWhenNoted } from '../noted.ts'
import { isHeld, isReleased, markReleased, packetIdOf } from '../outbound.ts'
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
  if (delivery === undefined || delivery.assurance !== 1 || isHeld(delivery)) return reportStray(client, 'PUBACK')
  // A client that refuses a message has it all the same: it is not offered again. [MQTT5-4.8.2-6]
  if (ack.reasonCode >= 0x80) return reject(client, delivery, ack)
  finish(client, delivery)
}

/** The client has a QoS 2 message and will not take it twice. [MQTT5-4.3.3-4] [MQTT311-4.3.3-1] Hot path. */
export function handlePubrec(client: MqttConnection, bytes: Uint8Array, start: number, at: number, end: number): void {
  readAck(bytes, start, at, end, client.version, ack)
  const delivery = client.outbound.find(ack.packetId)
  if (delivery === undefined || delivery.assurance !== 2 || (isHeld(delivery) && !isReleased(delivery))) {
    reportStray(client, 'PUBREC')
    // [MQTT5 §4.3.3]: an id that we do not know is released with 0x92; earlier versions have no such word.
    return writeAck(client, PUBREL, ack.packetId, ReasonCode.packetIdentifierNotFound)
  }
  if (ack.reasonCode >= 0x80) return reject(client, delivery, ack)
  const { session } = client
  if (isHeld(delivery)) return // a repeated one: the PUBREL that waits for the log answers both
  markReleased(delivery)
  if (session.isDurable && session.isKept(delivery)) sendWhenNoted(client, delivery, 0, writeRelease)
  else if (client.isHolding) sendInTurn(client, delivery, 0, writeRelease)
  else writeRelease(client, delivery)
  if (client.unsent !== undefined) resumeAfter(client, delivery)
}

/** The client may forget that it had the message. [MQTT5-4.3.3-5] */
export function writeRelease(client: MqttConnection, delivery: Delivery): void {
  writeAck(client, PUBREL, packetIdOf(delivery))
}

/** The client lets go of a QoS 2 id that it published. [MQTT5-4.3.3-11] [MQTT311-4.3.3-2] Hot path. */
export function handlePubrel(client: MqttConnection, bytes: Uint8Array, start: number, at: number, end: number): void {
  readAck(bytes, start, at, end, client.version, ack)
  // Its PUBREC is still to come, and goes first.
  if (client.state.pending?.has(ack.packetId) === true) client.state.releasing.add(ack.packetId)
  else releasePublish(client, ack.packetId)
}

/** Ends a QoS 2 publish of the client's, and says so. Hot path. */
export function releasePublish(client: MqttConnection, packetId: number): void {
  const { session, state } = client
  if (session.received?.has(packetId) === true) return releaseLogged(client, packetId)
  if (state.releasing.has(packetId)) return // a repeated one: the PUBCOMP that waits for the log answers both
  const reasonCode = state.release(packetId) ? ReasonCode.success : ReasonCode.packetIdentifierNotFound
  if (client.isHolding) client.held.follow(0, () => writeAck(client, PUBCOMP, packetId, reasonCode))
  else writeAck(client, PUBCOMP, packetId, reasonCode)
}

/**
 * The id is the client's again with PUBCOMP, and may come with another message. So the log has to forget it before; until then it
 * counts as in use.
 */
function releaseLogged(client: MqttConnection, packetId: number): void {
  const { session, state } = client
  state.releasing.add(packetId)
  const ready = client.held.hold(0, () => writeAck(client, PUBCOMP, packetId))
  session.releaseReceived(packetId, () => {
    state.release(packetId)
    ready()
  })
}

/** A QoS 2 delivery is over. [MQTT5-4.3.3-7] Hot path. */
export function handlePubcomp(client: MqttConnection, bytes: Uint8Array, start: number, at: number, end: number): void {
  readAck(bytes, start, at, end, client.version, ack)
  const delivery = client.outbound.find(ack.packetId)
  if (delivery === undefined || !isReleased(delivery)) return reportStray(client, 'PUBCOMP')
  // It came before the PUBREL that it answers has left.
  if (isHeld(delivery)) return client.held.follow(0, () => finishIfOpen(client, delivery))
  finish(client, delivery)
}

function finishIfOpen(client: MqttConnection, delivery: Delivery): void {
  if (client.outbound.find(packetIdOf(delivery)) === delivery) finish(client, delivery)
}

/** The exchange is over and its packet id free. Hot path. */
function finish(client: MqttConnection, delivery: Delivery): void {
  client.outbound.remove(delivery)
  delivery.consumer!.settle(delivery, 'accepted')
  if (client.unsent !== undefined) resumeAfter(client, delivery)
}

/** The client has it and does not want it: its words go with the message. */
function reject(client: MqttConnection, delivery: Delivery, { refusal = '' }: AckFields): void {
  client.outbound.remove(delivery)
  delivery.consumer!.settle(delivery, 'rejected', { reason: reasonFrom(refusal) })
  if (client.unsent !== undefined) resumeAfter(client, delivery)
}

/** An acknowledgement without a text; before MQTT 5 without its reason, too. Hot path. */
export function writeAck(
  client: MqttConnection,
  type: number,
  packetId: number,
  reasonCode: number = ReasonCode.success,
): void {
  const { transport, version } = client
  const at = transport.reserve(ackSize(reasonCode, version))
  writeAckAt(transport.slab, at, type, packetId, reasonCode, version)
}

/** MQTT 5 only: an acknowledgement with a reason, and its text where the client wants such and has room for it. [MQTT5-3.1.2-29] */
export function writeRefusal(
  client: MqttConnection,
  type: number,
  packetId: number,
  reasonCode: number,
  text: string,
): void {
  const reasonString = client.wantsProblemInformation ? text : undefined
  client.transport.write(encodeAck(type, { packetId, reasonCode, reasonString }, client.maxPacketBytes))
}

/** An acknowledgement of nothing: harmless after a resumed session, but an operator may want to know. */
function reportStray(client: MqttConnection, name: string): void {
  client.reportRefusal(`${name} for packet id ${ack.packetId}, which is not in use`, name)
}
