/**
 * Reason strings and user properties that the server adds for people to read. They are the first to go when a packet
 * would be larger than the client takes. [MQTT5-3.2.2-19] [MQTT5-3.2.2-20] and the like in every other packet
 */

import { REASON_CHARS_MAX } from './limits.ts'
import type { Diagnostics, UserProperties } from './types.ts'

/** What to put into the packet: only what is there, so that a spread of it adds no empty properties. */
export interface KeptDiagnostics {
  reasonString?: string
  userProperties?: UserProperties
}

const NOTHING: Uint8Array = new Uint8Array(0)

/**
 * Encodes with everything, else without user properties, else without the reason string. Empty when even the bare packet is
 * larger than `maxPacketBytes`: then nothing may be sent. [MQTT5-3.1.2-24]
 */
export function diagnosticsThatFit(
  fields: Diagnostics,
  maxPacketBytes: number,
  encode: (kept: KeptDiagnostics) => Uint8Array,
): Uint8Array {
  const kept: KeptDiagnostics = {}
  if (fields.reasonString !== undefined && fields.reasonString !== '') kept.reasonString = wireText(fields.reasonString)
  if (fields.userProperties !== undefined && fields.userProperties.length > 0) {
    kept.userProperties = fields.userProperties
  }
  let frame = encode(kept)
  if (frame.length > maxPacketBytes && kept.userProperties !== undefined) {
    delete kept.userProperties
    frame = encode(kept)
  }
  if (frame.length > maxPacketBytes && kept.reasonString !== undefined) {
    delete kept.reasonString
    frame = encode(kept)
  }
  return frame.length <= maxPacketBytes ? frame : NOTHING
}

/** A reason as a valid UTF-8 Encoded String: no U+0000, no half surrogate pairs. [MQTT5-1.5.4-1] [MQTT5-1.5.4-2] */
function wireText(text: string): string {
  return text.slice(0, REASON_CHARS_MAX).toWellFormed().replaceAll('\0', '\ufffd')
}
