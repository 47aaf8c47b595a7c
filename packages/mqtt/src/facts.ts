/** What an operator may know of an MQTT connection. Asked for, never per message. */
import type { ConnectionFacts, Session } from '@ternmq/core'
import type { MqttVersion } from './codec/types.ts'
import type { MqttConnection } from './connection.ts'

const VERSION_TEXTS: Readonly<Record<MqttVersion, string>> = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5' }

export function factsOf(connection: MqttConnection): ConnectionFacts {
  const { version, keepAliveMs, pausedFor, isClosed, isConnected } = connection
  const session = connection.session as Session | undefined
  return {
    protocol: 'mqtt',
    protocolText: session === undefined ? 'MQTT' : VERSION_TEXTS[version],
    state: isClosed ? 'ended' : isConnected ? 'connected' : 'connecting',
    session,
    keepAliveMs,
    producers: session === undefined ? [] : [connection.producer],
    pausedFor,
  }
}
