/**
 * Strictly valid UTF-8 without U+0000, which is what a UTF-8 Encoded String is. [MQTT5 §1.5.4] [MQTT311 §1.5.3]
 *
 * The same rule holds for MQTT 3.1: its own text (§2.5) points at Java's modified UTF-8, which no client in use sends,
 * and names must mean the same bytes to subscribers of every version.
 */

import { isUtf8 } from 'node:buffer'

/** Below this many bytes a loop over ASCII is quicker than making a view for the native check. */
const LOOP_BYTES_MAX = 64

/** True for well-formed UTF-8 without surrogates, overlong forms and U+0000. Never throws. Hot path. */
export function isMqttString(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= LOOP_BYTES_MAX) {
    let at = start
    while (at < end) {
      const byte = bytes[at]!
      if (byte === 0) return false
      if (byte >= 0x80) break
      at++
    }
    if (at === end) return true
    start = at
  }
  const view = bytes.subarray(start, end)
  return isUtf8(view) && !view.includes(0)
}

/** What `isMqttString` found wrong, for an error text. */
export function mqttStringFault(bytes: Uint8Array, start: number, end: number): string {
  if (!isUtf8(bytes.subarray(start, end))) return 'is not valid UTF-8'
  return 'contains U+0000'
}
