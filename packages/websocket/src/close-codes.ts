/** WebSocket close codes [RFC 6455 §7.4.1] and the text that goes with them. */

/** Why we close, in words every transport could use. */
export type CloseCause =
  | 'done'
  | 'shutdown'
  | 'protocol-error'
  | 'unsupported-data'
  | 'invalid-data'
  | 'policy'
  | 'too-large'
  | 'fault'

export const CODE_BY_CAUSE: Readonly<Record<CloseCause, number>> = {
  done: 1000,
  shutdown: 1001,
  'protocol-error': 1002,
  /** A kind of frame, or a protocol, that is not taken. */
  'unsupported-data': 1003,
  /** Text that is not UTF-8. */
  'invalid-data': 1007,
  policy: 1008,
  'too-large': 1009,
  fault: 1011,
}

/** Never on the wire: the connection ended without a close frame. */
export const CODE_ABNORMAL = 1006

/** A close frame holds 125 bytes, two of them the code. */
const REASON_BYTES_MAX = 123

/** `reason`, cut at a character so that it fits a close frame. */
export function closeFrameText(reason: string): string {
  const bytes = Buffer.from(reason)
  if (bytes.length <= REASON_BYTES_MAX) return reason
  let end = REASON_BYTES_MAX
  while (((bytes[end] as number) & 0xc0) === 0x80) end-- // inside a character
  return bytes.toString('utf8', 0, end)
}
