/** How long a session outlives its connection: as the client asks, within what the operator allows. [MQTT5 §3.1.2.11.2] */
import { SESSION_NEVER_EXPIRES } from './codec/types.ts'
import type { MqttSettings } from './settings.ts'

/** Seconds that the client gets; `SESSION_NEVER_EXPIRES` is no number of seconds. */
export function grantExpiry(wantedSeconds: number, { sessionExpiryMaxSeconds }: MqttSettings): number {
  return Math.min(wantedSeconds, sessionExpiryMaxSeconds)
}

/** As the core counts it: Infinity never expires. [MQTT5-3.1.2.11.2-c] */
export function expiryToMs(grantedSeconds: number): number {
  return grantedSeconds >= SESSION_NEVER_EXPIRES ? Infinity : grantedSeconds * 1000
}
