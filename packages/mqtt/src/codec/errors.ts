/**
 * The one error the codec throws: the peer broke the protocol. The connection catches it in one place, sends the
 * closing packet the version has for it, and closes. Anything else thrown from the codec is a bug of ours.
 */

/**
 * A packet, or the order of packets, that the specification forbids.
 *
 * `reasonCode` is the MQTT 5 code to close with, also on 3.x connections, where most of them only end as a closed
 * socket. `clause` is the broken rule without brackets: 'MQTT5-2.2.1-3', 'MQTT311-2.3.1-1', 'MQTT31-2.4-d'; or a section
 * where the rule has no number: 'MQTT5 §2.1.4'.
 * `detail` says who, which value, and what would be right; it is fit for a reason string.
 */
export class ProtocolError extends Error {
  readonly reasonCode: number
  readonly clause: string
  readonly detail: string

  constructor(reasonCode: number, clause: string, detail: string) {
    super(`${detail} [${clause}]`)
    this.name = 'ProtocolError'
    this.reasonCode = reasonCode
    this.clause = clause
    this.detail = detail
  }
}

/** Characters of a peer's value that are repeated back in an error. */
const QUOTED_CHARS_MAX = 48

/** A peer's string for an error text: quoted, control characters escaped, cut to `QUOTED_CHARS_MAX`. */
export function quote(value: string): string {
  return value.length <= QUOTED_CHARS_MAX
    ? JSON.stringify(value)
    : `${JSON.stringify(value.slice(0, QUOTED_CHARS_MAX))}… (${value.length} characters)`
}
