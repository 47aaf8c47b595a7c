/**
 * STOMP's headers as the core keeps them: lines of STOMP 1.2, whichever version they came in. What the message itself knows (address,
 * priority, lifetime, group) is not among them, nor what belongs to the hop.
 */
import type { HeaderCodec, Headers } from '@ternmq/core'
import { readPairs, writePairs } from '@ternmq/naming'
import { decodeLines, encodeLines } from './codec/encode.ts'
import { HeaderId } from './codec/header-ids.ts'
import { headerMask, type HeaderMask } from './codec/headers.ts'

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
  HeaderId.retain,
  HeaderId.retainJms,
  HeaderId.retainedJms,
  HeaderId.scheduledDelay,
  HeaderId.scheduledPeriod,
  HeaderId.scheduledRepeat,
  HeaderId.scheduledCron,
  HeaderId.scheduledTime,
  HeaderId.destinationType,
  // Only the server says these. [STOMP12-MESSAGE-c]
  HeaderId.messageId,
  HeaderId.subscription,
  HeaderId.ack,
  HeaderId.browser,
  HeaderId.redelivered,
  HeaderId.userId,
  HeaderId.deliveryCount,
  HeaderId.scheduledId,
  HeaderId.originalDestination,
  HeaderId.deadLetterCause,
  HeaderId.deathQueue,
  HeaderId.deathCause,
  HeaderId.deathReason,
  HeaderId.deathCount,
  HeaderId.deathExpiredAt,
  HeaderId.deathTime,
])

function codecOf(id: string, isText: boolean): HeaderCodec {
  return { id, decode: (lines) => decode(lines, isText), encode: (headers) => encodeLines(writePairs('stomp', { headers }), 12) }
}

/** A message whose sender told the length of its body. */
export const stompHeaders: HeaderCodec = codecOf('stomp', false)
/** A message whose body is text, as ActiveMQ takes a body without `content-length`. */
export const stompTextHeaders: HeaderCodec = codecOf('stomp-text', true)

function decode(lines: Uint8Array, isText: boolean): Headers {
  const { headers } = readPairs('stomp', decodeLines(lines))
  return isText && headers.text === undefined ? { ...headers, text: true } : headers
}
