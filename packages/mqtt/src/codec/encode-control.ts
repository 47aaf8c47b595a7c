/**
 * Control packets to a client, by mqtt-packet's generator. Every function returns a whole frame, or an empty array when
 * there is nothing this client may be sent: its version has no such packet, or it takes only smaller ones.
 *
 * Whether a client wants reason strings and user properties at all (Request Problem Information) is for the caller to
 * heed. [MQTT5-3.1.2-29]
 */

import { generate, writeToStream } from 'mqtt-packet'
import type { Packet, UserProperties as GroupedUserProperties } from 'mqtt-packet'
import { diagnosticsThatFit } from './diagnostics.ts'
import type { KeptDiagnostics } from './diagnostics.ts'
import { connackReturnCode, subackCode } from './reason-codes.ts'
import type {
  ConnackFields,
  MqttVersion,
  ServerAuthFields,
  ServerDisconnectFields,
  SubackFields,
  UnsubackFields,
} from './types.ts'

// Otherwise the first packet makes 65,536 buffers, one for each possible packet id, to save one allocation later.
writeToStream.cacheNumbers = false

const NOTHING: Uint8Array = new Uint8Array(0)

/** The whole PINGRESP, in every version. [MQTT5-3.12.4-1] [MQTT311-3.12.4-1] */
export const PINGRESP: Uint8Array = Uint8Array.of(0xd0, 0)

/** Longest string or binary value, in bytes; mqtt-packet would write a longer one with a wrong length. */
const VALUE_BYTES_MAX = 65_535

/** Empty for a 3.x client whose refusal has no return code: the connection is closed without a word. [MQTT311-3.2.2-6] */
export function encodeConnack(fields: ConnackFields, version: MqttVersion, maxPacketBytes: number): Uint8Array {
  // A refusal never says that there is a session [MQTT5-3.2.2-6] [MQTT311-3.2.2-4]; 3.1 does not have the flag.
  const sessionPresent = fields.sessionPresent && fields.reasonCode === 0 && version !== 3
  if (version !== 5) {
    const returnCode = connackReturnCode(fields.reasonCode)
    return returnCode === undefined ? NOTHING : frame({ cmd: 'connack', sessionPresent, returnCode }, version)
  }
  const properties = present({
    sessionExpiryInterval: fields.sessionExpirySeconds,
    receiveMaximum: fields.receiveMaximum,
    maximumQoS: fields.maximumQos,
    retainAvailable: fields.retainAvailable,
    maximumPacketSize: fields.maxPacketBytes,
    assignedClientIdentifier: fields.assignedClientId,
    topicAliasMaximum: fields.topicAliasMax,
    wildcardSubscriptionAvailable: fields.wildcardSubscriptionAvailable,
    subscriptionIdentifiersAvailable: fields.subscriptionIdentifiersAvailable,
    sharedSubscriptionAvailable: fields.sharedSubscriptionAvailable,
    serverKeepAlive: fields.serverKeepAliveSeconds,
    responseInformation: fields.responseInformation,
    serverReference: fields.serverReference,
    authenticationMethod: fields.authMethod,
    authenticationData: toBuffer(fields.authData),
  })
  return diagnosticsThatFit(fields, maxPacketBytes, (kept) =>
    frame(
      {
        cmd: 'connack',
        sessionPresent,
        reasonCode: fields.reasonCode,
        properties: { ...properties, ...toGroups(kept) },
      },
      5,
    ),
  )
}

/** Codes are MQTT 5's in every version; here they become what `version` has. [MQTT5-3.9.3-1] [MQTT311-3.9.3-1] */
export function encodeSuback(fields: SubackFields, version: MqttVersion, maxPacketBytes: number): Uint8Array {
  const granted = fields.reasonCodes.map((code) => subackCode(code, version))
  return diagnosticsThatFit(fields, maxPacketBytes, (kept) =>
    frame({ cmd: 'suback', messageId: fields.packetId, granted, properties: toGroups(kept) }, version),
  )
}

/** Before MQTT 5 the codes have no place. [MQTT5-3.11.3-1] */
export function encodeUnsuback(fields: UnsubackFields, version: MqttVersion, maxPacketBytes: number): Uint8Array {
  const granted = [...fields.reasonCodes]
  return diagnosticsThatFit(fields, maxPacketBytes, (kept) =>
    frame({ cmd: 'unsuback', messageId: fields.packetId, granted, properties: toGroups(kept) }, version),
  )
}

/** Empty before MQTT 5, where only clients send DISCONNECT. Never carries a session expiry. [MQTT5-3.14.2-2] */
export function encodeDisconnect(
  fields: ServerDisconnectFields,
  version: MqttVersion,
  maxPacketBytes: number,
): Uint8Array {
  if (version !== 5) return NOTHING
  const properties = present({ serverReference: fields.serverReference })
  return diagnosticsThatFit(fields, maxPacketBytes, (kept) =>
    frame({ cmd: 'disconnect', reasonCode: fields.reasonCode, properties: { ...properties, ...toGroups(kept) } }, 5),
  )
}

export function encodeAuth(fields: ServerAuthFields, maxPacketBytes: number): Uint8Array {
  const properties = present({
    authenticationMethod: fields.authMethod,
    authenticationData: toBuffer(fields.authData),
  })
  return diagnosticsThatFit(fields, maxPacketBytes, (kept) =>
    frame({ cmd: 'auth', reasonCode: fields.reasonCode, properties: { ...properties, ...toGroups(kept) } }, 5),
  )
}

function frame(packet: Packet, version: MqttVersion): Buffer {
  return generate(packet, { protocolVersion: version })
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The properties that are set. Throws RangeError for one that MQTT cannot carry: our own values, so our mistake. */
function present<T extends Record<string, unknown>>(properties: T): Present<T> {
  const set = Object.entries(properties).filter(([, value]) => value !== undefined)
  for (const [name, value] of set) {
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) continue
    const byteCount = typeof value === 'string' ? Buffer.byteLength(value) : value.length
    if (byteCount > VALUE_BYTES_MAX) {
      throw new RangeError(`${name} of ${byteCount} bytes exceeds the ${VALUE_BYTES_MAX} that MQTT can carry`)
    }
  }
  return Object.fromEntries(set) as Present<T>
}

/**
 * mqtt-packet's type groups user properties by key, which would lose their order; its generator also takes a list, and an
 * object with one key per entry keeps order and repeats.
 */
function toGroups(kept: KeptDiagnostics): { reasonString?: string; userProperties?: GroupedUserProperties } {
  const { userProperties, ...rest } = kept
  if (userProperties === undefined) return rest
  const list: unknown = userProperties.map(([key, value]) => ({ [key]: value }))
  return { ...rest, userProperties: list as GroupedUserProperties }
}

function toBuffer(bytes: Uint8Array | undefined): Buffer | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
