/**
 * The one error the codec throws: the peer's bytes are no frame. The connection catches it in one place, sends ERROR and closes.
 * Anything else thrown from the codec is a bug of ours.
 */
import { COMMAND_NAMES, isOfLogin } from './commands.ts'
import { decodeText } from './text.ts'
import type { StompVersion } from './versions.ts'

/** What was broken, for tables and counters. */
export type FrameRule =
  | 'unknown-command'
  | 'header-without-colon'
  | 'header-without-name'
  | 'undefined-escape'
  | 'raw-carriage-return'
  | 'nul-in-headers'
  | 'invalid-utf8'
  | 'too-many-header-bytes'
  | 'too-many-headers'
  | 'line-too-long'
  | 'body-too-large'
  | 'malformed-content-length'
  | 'body-not-ended'
  | 'body-not-allowed'
  | 'too-much-ahead'

/** Requirement behind each rule, for versions 1.0, 1.1 and 1.2. 1.0 says less: its grammar stands for what it leaves out. */
const CLAUSES: Readonly<Record<FrameRule, readonly [v10: string, v11: string, v12: string]>> = {
  'unknown-command': ['STOMP10-Augmented_BNF-c', 'STOMP11-Once_Connected-a', 'STOMP12-Client_Frames-a'],
  'header-without-colon': ['STOMP10-Augmented_BNF-b', 'STOMP11-STOMP_Frames-b', 'STOMP12-STOMP_Frames-b'],
  'header-without-name': ['STOMP10-Augmented_BNF-b', 'STOMP11-Augmented_BNF-a', 'STOMP12-Augmented_BNF-a'],
  'undefined-escape': ['STOMP10-Augmented_BNF-b', 'STOMP11-Value_Encoding-d', 'STOMP12-Value_Encoding-d'],
  'raw-carriage-return': ['STOMP10-Augmented_BNF-b', 'STOMP11-Augmented_BNF-b', 'STOMP12-Augmented_BNF-b'],
  'nul-in-headers': ['STOMP10-Augmented_BNF-a', 'STOMP11-Augmented_BNF-c', 'STOMP12-Augmented_BNF-c'],
  'invalid-utf8': ['STOMP10-Augmented_BNF-b', 'STOMP11-Value_Encoding-a', 'STOMP12-Value_Encoding-a'],
  'too-many-header-bytes': ['STOMP10-Augmented_BNF-a', 'STOMP11-Size_Limits-a', 'STOMP12-Size_Limits-a'],
  'too-many-headers': ['STOMP10-Augmented_BNF-a', 'STOMP11-Size_Limits-a', 'STOMP12-Size_Limits-a'],
  'line-too-long': ['STOMP10-Augmented_BNF-a', 'STOMP11-Size_Limits-a', 'STOMP12-Size_Limits-a'],
  'body-too-large': ['STOMP10-Augmented_BNF-a', 'STOMP11-Size_Limits-a', 'STOMP12-Size_Limits-a'],
  'malformed-content-length': ['STOMP10-SEND-c', 'STOMP11-Header_content-length-a', 'STOMP12-Header_content-length-a'],
  'body-not-ended': ['STOMP10-SEND-d', 'STOMP11-Header_content-length-b', 'STOMP12-Header_content-length-b'],
  'body-not-allowed': ['STOMP10-SUBSCRIBE-d', 'STOMP11-Body-a', 'STOMP12-Body-a'],
  'too-much-ahead': ['STOMP10-Augmented_BNF-a', 'STOMP11-Size_Limits-a', 'STOMP12-Size_Limits-a'],
}

/** All ids that an error can name. */
export const PROBLEM_CLAUSES: readonly string[] = [...new Set(Object.values(CLAUSES).flat())]

export interface ProblemFields {
  readonly rule: FrameRule
  readonly version: StompVersion
  /** Says which header and value, what is wrong, and what would be right. */
  readonly text: string
  /** Name of the header it is about, printable. */
  readonly header?: string | undefined
  /** Of the frame, as far as it was read: '' before its command. */
  readonly command?: string | undefined
  /** Its `receipt`, for `receipt-id` of the ERROR. [STOMP12-ERROR-c] */
  readonly receipt?: string | undefined
}

/**
 * Bytes that are no frame of the version. `clause` is the broken requirement without brackets: 'STOMP12-Value_Encoding-d'.
 * `text` is fit for the `message` header and the body of an ERROR: one line, without control characters.
 */
export class FrameProblem extends Error {
  override readonly name = 'FrameProblem'
  readonly rule: FrameRule
  readonly clause: string
  readonly text: string
  readonly header: string | undefined
  readonly command: string
  readonly receipt: string | undefined

  constructor({ rule, version, text, header, command = '', receipt }: ProblemFields) {
    const clause = CLAUSES[rule][version - 10]!
    super(`${text} [${clause}]`)
    this.rule = rule
    this.clause = clause
    this.text = text
    this.header = header
    this.command = command
    this.receipt = receipt
  }
}

/**
 * What an ERROR says of a frame: its command, then `text`. Of a login without the colon between: a client that does not know its version
 * yet would show its escape.
 */
export function aboutFrame(command: number, text: string): string {
  const name = COMMAND_NAMES[command]!
  if (name === '') return text
  return isOfLogin(command) ? `${name} refused, ${text}` : `${name}: ${text}`
}

/** Characters of a peer's value that are repeated back in an error. */
const QUOTED_CHARS_MAX = 48

/** A peer's string for an error text: quoted, control characters escaped, cut to `QUOTED_CHARS_MAX`. */
export function quote(value: string): string {
  const text = value.toWellFormed()
  return text.length <= QUOTED_CHARS_MAX
    ? printable(JSON.stringify(text))
    : `${printable(JSON.stringify(text.slice(0, QUOTED_CHARS_MAX).toWellFormed()))}… (${text.length} characters)`
}

/** As `quote`, for bytes that may be anything. */
export function quoteBytes(bytes: Uint8Array, start: number, end: number): string {
  // Four bytes make at least one character; the rest is only counted.
  const shown = Math.min(end, start + QUOTED_CHARS_MAX * 4)
  const text = decodeText(bytes.subarray(start, shown))
  if (text.length <= QUOTED_CHARS_MAX && shown === end) return quote(text)
  return `${printable(JSON.stringify(text.slice(0, QUOTED_CHARS_MAX).toWellFormed()))}… (${end - start} bytes)`
}

/** JSON leaves DEL and the C1 controls as they are; terminals do not. */
function printable(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
