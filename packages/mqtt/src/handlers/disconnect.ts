/** DISCONNECT from a client: with or without its will, with another session expiry if it says so. [MQTT5 §3.14] [MQTT311 §3.14] */
import { ProtocolError } from '../codec/errors.ts'
import { ReasonCode, reasonText } from '../codec/reason-codes.ts'
import type { DisconnectPacket } from '../codec/types.ts'
import type { MqttConnection } from '../connection.ts'
import { expiryToMs, grantExpiry } from '../session-expiry.ts'

export function handleDisconnect(client: MqttConnection, packet: DisconnectPacket): void {
  const { reasonCode, sessionExpirySeconds } = packet
  if (sessionExpirySeconds !== undefined) {
    if (client.endsWithConnection && sessionExpirySeconds > 0) {
      const detail = `DISCONNECT asks for a session expiry of ${sessionExpirySeconds} s after CONNECT asked for none`
      throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-3.14.2.2.2-b', detail)
    }
    client.session.setExpiry(expiryToMs(grantExpiry(sessionExpirySeconds, client.adapter.settings))) // [MQTT5-3.14.2.2.2-c]
  }
  // Only a normal goodbye takes the will back. [MQTT5-3.14.4-3] [MQTT311-3.14.4-3]
  if (reasonCode === ReasonCode.normalDisconnection) client.session.dropWill()
  // One that leaves because of an error may have had it of what it was sent.
  if (reasonCode < ReasonCode.unspecifiedError) client.session.sayGoodbye()
  client.leave(packet.reasonString === undefined ? `client disconnected: ${reasonText(reasonCode, 'DISCONNECT')}` : `client disconnected: ${packet.reasonString}`)
}
