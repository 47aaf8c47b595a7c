/**
 * Frames towards a client, written straight into the connection's slab. MESSAGE is put together from bytes that are made once
 * per subscription and bytes that come with the message; the others are made from strings.
 *
 * Headers of the server come before those of the message: of two with one name the first counts. [STOMP12-Repeated_Header_Entries-a]
 */
import { copyBytes, type Output } from '@ternmq/core'

import { Command, COMMAND_NAMES, isOfLogin } from './commands.ts'
import { digitCount, writeDigitsBefore } from './digits.ts'
import { type Escaping, escape, escapingOf, unescape } from './escapes.ts'
import { HEADER_NAMES, HeaderId } from './header-ids.ts'
import { decodeText, encodeText } from './text.ts'
import { type StompVersion, VERSION_NAMES } from './versions.ts'

export type HeaderPair = readonly [name: string, value: string]

const LF = 10
const NO_BYTES = new Uint8Array(0)

/** Header lines as frames of that version have them; escapes as `escape` has it. */
export function encodeLines(pairs: readonly HeaderPair[], version: StompVersion): Uint8Array {
  return pairs.length === 0 ? NO_BYTES : encodeText(linesText(pairs, escapingOf(version, false)))
}

function linesText(pairs: readonly HeaderPair[], escaping: Escaping): string {
  let text = ''
  for (const [name, value] of pairs) text += `${escape(name, escaping, true)}:${escape(value, escaping, false)}\n`
  return text
}

/** Names and values of lines that `FrameHeaders.canonicalLines` or `encodeLines` for 1.2 has made. */
export function decodeLines(lines: Uint8Array): [name: string, value: string][] {
  if (lines.length === 0) return []
  const text = decodeText(lines)
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const colon = line.indexOf(':')
      return [unescape(line.slice(0, colon)), unescape(line.slice(colon + 1))]
    })
}

/** Lines of 1.2 as that version has them: themselves where they need no change. Hot path. */
export function linesFor(lines: Uint8Array, version: StompVersion): Uint8Array {
  // 1.1 knows the same escapes but one, 1.0 none.
  if (version === 12 || !lines.includes(BACKSLASH)) return lines
  return encodeLines(decodeLines(lines), version)
}

const BACKSLASH = 92

/** What all messages of one subscription to one destination begin with. */
export interface MessageHead {
  /** Up to where the tag of the message follows in its `message-id`. */
  readonly start: Uint8Array
  /** Between the tag in `message-id` and the one in `ack`; empty where there is no `ack`. */
  readonly ack: Uint8Array
}

export interface MessageHeadFields {
  readonly destination: string
  /** Left out for a 1.0 subscription without an id. [STOMP12-MESSAGE-b] [STOMP10-SUBSCRIBE-e] */
  readonly subscription: string | undefined
  /** Every `message-id` is this and a number; made of letters, digits, '-' and '_' only. [STOMP12-MESSAGE-c] */
  readonly idPrefix: string
  /** An `ack` header with the number alone, for subscriptions that acknowledge, in 1.2. [STOMP12-MESSAGE-d] */
  readonly hasAck: boolean
}

/** For `writeMessage`. Made once, kept by the subscription. */
export function messageHead(fields: MessageHeadFields, version: StompVersion): MessageHead {
  const escaping = escapingOf(version, false)
  const subscription: HeaderPair[] = fields.subscription === undefined ? [] : [['subscription', fields.subscription]]
  const lines = linesText([...subscription, ['destination', fields.destination]], escaping)
  return {
    start: encodeText(`MESSAGE\n${lines}message-id:${fields.idPrefix}`),
    ack: fields.hasAck ? encodeText('\nack:') : NO_BYTES,
  }
}

const CONTENT_LENGTH = encodeText('\ncontent-length:')

/**
 * MESSAGE with the number `tag`, header lines of the connection's version and the body `body[bodyStart, bodyEnd)`. `hasLength`: with
 * `content-length`, also without a body; only a body that holds no NUL may go without. [STOMP12-Header_content-length-c] Hot path.
 */
export function writeMessage(
  out: Output,
  head: MessageHead,
  tag: number,
  lines: Uint8Array,
  linesStart: number,
  linesEnd: number,
  body: Uint8Array,
  bodyStart: number,
  bodyEnd: number,
  hasLength = true,
): void {
  const { start, ack } = head
  const length = bodyEnd - bodyStart
  const tagDigits = digitCount(tag)
  const lengthSize = hasLength ? CONTENT_LENGTH.length + digitCount(length) : 0
  const linesSize = linesEnd - linesStart
  const ackSize = ack.length === 0 ? 0 : ack.length + tagDigits
  const size = start.length + tagDigits + ackSize + lengthSize + linesSize + length + 3
  let at = out.reserve(size)
  const { slab } = out
  copyBytes(start, 0, start.length, slab, at)
  at += start.length + tagDigits
  writeDigitsBefore(slab, at, tag)
  if (ackSize !== 0) {
    copyBytes(ack, 0, ack.length, slab, at)
    at += ackSize
    writeDigitsBefore(slab, at, tag)
  }
  if (hasLength) {
    copyBytes(CONTENT_LENGTH, 0, CONTENT_LENGTH.length, slab, at)
    at += lengthSize
    writeDigitsBefore(slab, at, length)
  }
  slab[at++] = LF
  copyBytes(lines, linesStart, linesEnd, slab, at)
  at += linesSize
  slab[at++] = LF
  copyBytes(body, bodyStart, bodyEnd, slab, at)
  slab[at + length] = 0
}

const RECEIPT = encodeText('RECEIPT\nreceipt-id:')

/** RECEIPT for the value `bytes[start, end)` that `FrameHeaders.encodedValueAt` gave for `receipt`. [STOMP12-RECEIPT-a] Hot path. */
export function writeReceipt(out: Output, bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
  const size = end - start
  let at = out.reserve(RECEIPT.length + size + 3)
  const { slab } = out
  copyBytes(RECEIPT, 0, RECEIPT.length, slab, at)
  at += RECEIPT.length
  copyBytes(bytes, start, end, slab, at)
  at += size
  slab[at] = LF
  slab[at + 1] = LF
  slab[at + 2] = 0
}

/** A heart-beat: one line end. [STOMP12-Heart-beating-f] */
export function writeHeartBeat(out: Output): void {
  const at = out.reserve(1)
  out.slab[at] = LF
}

/** Any frame, made from strings. A body gets its `content-length`. [STOMP12-Header_content-length-c] */
export function encodeFrame(
  command: number,
  version: StompVersion,
  headers: readonly HeaderPair[],
  body: Uint8Array = NO_BYTES,
): Uint8Array {
  const length: HeaderPair[] = body.length === 0 ? [] : [[HEADER_NAMES[HeaderId.contentLength]!, String(body.length)]]
  const lines = linesText([...headers, ...length], escapingOf(version, isOfLogin(command)))
  const head = encodeText(`${COMMAND_NAMES[command]!}\n${lines}\n`)
  const frame = new Uint8Array(head.length + body.length + 1)
  frame.set(head)
  frame.set(body, head.length)
  return frame
}

export interface ConnectedFields {
  readonly version: StompVersion
  readonly session: string
  /** Name and version: 'TernMQ/0.1.0'. [STOMP12-CONNECTED_Frame-b] */
  readonly server: string
  /** What the server sends and wants, in ms. 1.0 has no heart-beats. */
  readonly heartBeat: { readonly sendsMs: number; readonly wantsMs: number }
}

/** CONNECTED. 1.0 knows the `session` alone; a 1.0 client skips the others. [STOMP12-CONNECTED_Frame-a] */
export function encodeConnected({ version, session, server, heartBeat }: ConnectedFields): Uint8Array {
  const later: HeaderPair[] = version === 10 ? [] : [['heart-beat', `${heartBeat.sendsMs},${heartBeat.wantsMs}`]]
  return encodeFrame(Command.connected, version, [
    ['version', VERSION_NAMES[version]],
    ...later,
    ['session', session],
    ['server', server],
  ])
}

export interface ErrorFields {
  /** For people, in one line: who, which value, which rule. [STOMP12-ERROR-b] */
  readonly message: string
  /** More of it, for the body; '' for none. What to do belongs here. */
  readonly detail?: string
  /** `receipt` of the frame that it is about. [STOMP12-ERROR-c] */
  readonly receipt?: string | undefined
  /** Others, such as `version` when there is none in common. */
  readonly headers?: readonly HeaderPair[]
}

/** Characters of the `message` header; the body has all of it. */
const MESSAGE_CHARS_MAX = 512

/** ERROR; the connection closes after it. The body says it again as it is, for readers who do not undo escapes. [STOMP12-ERROR-a] */
export function encodeError(
  { message, detail = '', receipt, headers = [] }: ErrorFields,
  version: StompVersion,
): Uint8Array {
  const isLong = message.length > MESSAGE_CHARS_MAX
  const text = `${detail === '' ? message : `${message}\n${detail}`}\n`
  const pairs: HeaderPair[] = [['message', isLong ? `${message.slice(0, MESSAGE_CHARS_MAX).toWellFormed()}…` : message]]
  if (receipt !== undefined) pairs.push(['receipt-id', receipt])
  pairs.push(...headers, ['content-type', 'text/plain;charset=utf-8'])
  return encodeFrame(Command.error, version, pairs, encodeText(text))
}
