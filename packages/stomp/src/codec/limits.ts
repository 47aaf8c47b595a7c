/** Limits on one frame, named as an operator sets them. What is beyond ends the connection with an ERROR. [STOMP12-Size_Limits-a] */

export interface FrameLimits {
  /** Command line, header lines and the empty line after them. */
  readonly maxHeaderBytes: number
  /** Header lines of one frame. */
  readonly maxHeaders: number
  /** One header line with its end. */
  readonly maxHeaderLineBytes: number
  /** Refused as soon as a content-length says so, or more has come without one. */
  readonly maxBodyBytes: number
}

/** ActiveMQ's are 1,000 headers of 10 KiB each and 100 MiB of body: 10 MB of headers for a client that has not logged in. */
export const DEFAULT_FRAME_LIMITS: FrameLimits = {
  maxHeaderBytes: 65_536,
  maxHeaders: 1_000,
  maxHeaderLineBytes: 16_384,
  maxBodyBytes: 16 * 1_048_576,
}

/** What a client may send ahead while one of its frames is being worked on; then its connection ends. */
export const HELD_BYTES_MAX: number = 4 * 1_048_576
