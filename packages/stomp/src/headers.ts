/**
 * STOMP's headers as the core keeps them: lines of STOMP 1.2, whichever version they came in. What the message itself knows (address,
 * priority, lifetime, group) is not among them, nor what belongs to the hop.
 */
import type { HeaderCodec, Headers } from '@ternmq/core'
import { decodeLines, encodeLines, type HeaderPair } from './codec/encode.ts'
import { HEADER_NAMES, HeaderId } from './codec/header-ids.ts'
import { headerMask, type HeaderMask } from './codec/headers.ts'
import { readReplyTo, spellReplyTo } from './names.ts'

/** Headers of a SEND that do not stay with its message. */
export const MESSAGE_SKIPS: HeaderMask = headerMask([
  HeaderId.destination,
  HeaderId.receipt,
  HeaderId.transaction,
  HeaderId.contentLength,
  HeaderId.persistent,
  HeaderId.priority,
  HeaderId.expires,
  HeaderId.groupId,
  HeaderId.groupSequence,
  HeaderId.retain,
  HeaderId.retainJms,
  HeaderId.retainedJms,
  HeaderId.scheduledDelay,
  HeaderId.scheduledPeriod,
  HeaderId.scheduledRepeat,
  HeaderId.scheduledCron,
  HeaderId.destinationType,
  // Only the server says these. [STOMP12-MESSAGE-c]
  HeaderId.messageId,
  HeaderId.subscription,
  HeaderId.ack,
  HeaderId.redelivered,
  HeaderId.userId,
])

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function codecOf(id: string, isText: boolean): HeaderCodec {
  return { id, decode: (bytes) => decode(bytes, isText), encode }
}

/** A message whose sender told the length of its body. */
export const stompHeaders: HeaderCodec = codecOf('stomp', false)
/** A message whose body is text, as ActiveMQ takes a body without `content-length`. */
export const stompTextHeaders: HeaderCodec = codecOf('stomp-text', true)

function decode(lines: Uint8Array, isText: boolean): Headers {
  const fields: { -readonly [K in keyof Headers]?: Headers[K] } = {}
  const properties: HeaderPair[] = []
  const seen = new Set<string>()
  for (const [name, value] of decodeLines(lines)) {
    if (seen.has(name)) continue
    seen.add(name)
    if (name === 'correlation-id') fields.correlationId = encoder.encode(value)
    else if (name === 'content-type') fields.contentType = value
    else if (name === 'reply-to') {
      const replyTo = readReplyTo(value)
      if (replyTo !== undefined) fields.replyTo = replyTo
    } else if (name === 'type') fields.type = value
    else if (name === 'timestamp' && /^\d{1,15}$/.test(value)) fields.timestampMs = Number(value)
    else properties.push([name, value])
  }
  if (isText) fields.text = true
  return { ...fields, properties }
}

function encode({ correlationId, contentType, replyTo, type, timestampMs, properties }: Headers): Uint8Array {
  const pairs: HeaderPair[] = []
  if (contentType !== undefined) pairs.push(['content-type', contentType])
  if (correlationId !== undefined) pairs.push(['correlation-id', decoder.decode(correlationId)])
  const spelled = replyTo === undefined ? undefined : spellReplyTo(replyTo)
  if (spelled !== undefined) pairs.push(['reply-to', spelled])
  if (type !== undefined) pairs.push(['type', type])
  if (timestampMs !== undefined) pairs.push(['timestamp', String(timestampMs)])
  for (const pair of properties) if (!SERVER_NAMES.has(pair[0])) pairs.push(pair)
  return encodeLines(pairs, 12)
}

/** What a MESSAGE says itself: a property of such a name would contradict it for clients that take the last of two. */
const SERVER_NAMES: ReadonlySet<string> = new Set(HEADER_NAMES.filter((name, id) => name !== '' && MESSAGE_SKIPS[id] !== 0))
