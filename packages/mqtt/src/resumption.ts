/**
 * What a resumed session sends again: PUBLISH packets in the order of the first time, under their packet identifiers, as far
 * as the receive maximum of this connection and its transport allow; the rest as acknowledgements come and the transport drains.
 * Nothing new goes out before. [MQTT5-4.4.0-1] [MQTT5-4.6.0-1] [MQTT5-3.3.4-9] [MQTT311-4.4.0-1]
 */
import type { Delivery } from '@ternmq/core'
import type { MqttConnection } from './connection.ts'
import { clearHeld, isReleased } from './outbound.ts'
import { rewritePublish } from './publish-out.ts'

/** `release` sends a PUBREL again: no receive maximum holds that back. [MQTT5-3.3.4-10] */
export function resume(client: MqttConnection, release: (delivery: Delivery) => void): void {
  const deliveries = client.outbound.inOrder()
  // What an earlier connection was waiting for has come: CONNACK waited for the log, too.
  for (const delivery of deliveries) clearHeld(delivery)
  const unsent = new Set(deliveries.filter((delivery) => !isReleased(delivery)))
  client.unsent = unsent
  for (const delivery of deliveries) {
    if (isReleased(delivery)) release(delivery)
    else if (hasRoom(client, unsent)) sendAgain(client, delivery, unsent)
  }
  if (unsent.size === 0) client.unsent = undefined
}

/** The client has acknowledged a delivery, be it one that it had from an earlier connection. */
export function resumeAfter(client: MqttConnection, delivery: Delivery): void {
  client.unsent?.delete(delivery)
  goOnResuming(client)
}

/** There may be room for more. */
export function goOnResuming(client: MqttConnection): void {
  const { unsent } = client
  if (unsent === undefined) return
  for (const delivery of unsent) {
    if (!hasRoom(client, unsent)) return
    sendAgain(client, delivery, unsent)
  }
  client.unsent = undefined
  client.session.onWritable()
}

/** A released exchange counts, too: the client may still have its message. */
function hasRoom(client: MqttConnection, unsent: ReadonlySet<Delivery>): boolean {
  return client.transport.writable && client.outbound.count - unsent.size < client.session.pool.limit
}

function sendAgain(client: MqttConnection, delivery: Delivery, unsent: Set<Delivery>): void {
  unsent.delete(delivery)
  if (rewritePublish(client, delivery)) return
  // The client takes smaller packets than before. [MQTT5-3.1.2-25]
  client.outbound.remove(delivery)
  delivery.consumer!.leave(delivery)
}
