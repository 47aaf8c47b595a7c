/** MESSAGE towards a client: server's headers, those of the message in the connection's version, body. */
import type { Delivery, Headers, Message } from '@ternmq/core'
import { type Pair, writePairs } from '@ternmq/naming'
import { encodeLines, linesFor, type MessageHead, writeMessage } from './codec/encode.ts'
import type { StompConnection } from './connection.ts'
import { stompHeaders, stompTextHeaders } from './headers.ts'

/** Hot path. */
export function writeDelivery(client: StompConnection, head: MessageHead, tag: number, delivery: Delivery): void {
  const { message } = delivery
  const isPlain =
    !delivery.redelivered && !delivery.retained && message.priority === 4 && message.expiresAtMs === 0 && message.extras === undefined
  if (isPlain && isOwn(message)) {
    const size = message.bodyStart - message.headerStart
    if (size === 0) return writeWithLines(client, head, tag, message.durable ? PERSISTENT : NO_LINES, message)
    if (client.version === 12 && !message.durable) {
      const { bytes, headerStart, bodyStart, end } = message
      return writeMessage(client.transport, head, tag, bytes, headerStart, bodyStart, bytes, bodyStart, end, hasLength(message))
    }
  }
  writeWithLines(client, head, tag, joined(client, delivery, isPlain), message)
}

const NO_LINES = new Uint8Array(0)
const PERSISTENT = Buffer.from('persistent:true\n')

/** Lines and body; another protocol may have had the body in a form of its own. Hot path. */
export function writeWithLines(client: StompConnection, head: MessageHead, tag: number, lines: Uint8Array, message: Message): void {
  const { codec, bytes, bodyStart, end } = message
  if (codec.readBody === undefined) {
    return writeMessage(client.transport, head, tag, lines, 0, lines.length, bytes, bodyStart, end, hasLength(message))
  }
  const body = message.foreignBody
  writeMessage(client.transport, head, tag, lines, 0, lines.length, body, 0, body.length)
}

/** Text that came without its length, which tells JMS clients that it is text, goes so: where it ended was its only NUL. */
function hasLength({ codec }: Message): boolean {
  return codec !== stompTextHeaders
}

function isOwn({ codec }: Message): boolean {
  return codec === stompHeaders || codec === stompTextHeaders
}

/** The server's lines before those of the message: of two with one name the first counts. */
function joined(client: StompConnection, delivery: Delivery, isPlain: boolean): Uint8Array {
  const { message } = delivery
  const own = isPlain ? (message.durable ? PERSISTENT : NO_LINES) : encodeLines(pairsOf(delivery), client.version)
  const theirs = linesFor(isOwn(message) ? message.headerBytes : message.headerBytesFor(stompHeaders), client.version)
  if (own.length === 0) return theirs
  if (theirs.length === 0) return own
  const lines = new Uint8Array(own.length + theirs.length)
  lines.set(own)
  lines.set(theirs, own.length)
  return lines
}

/** What the message and the attempt to hand it over say beside the publisher's headers. */
export function pairsOf({ message, redelivered, retained, failedCount }: Pick<Delivery, 'message' | 'redelivered' | 'retained' | 'failedCount'>): Pair[] {
  const { durable, priority, expiresAtMs, extras } = message
  return writePairs('stomp', { headers: NO_HEADERS, durable, priority, expiresAtMs, extras }, { delivery: { redelivered, retained, failedCount } })
}

const NO_HEADERS: Headers = { properties: [] }
