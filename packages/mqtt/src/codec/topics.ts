/**
 * Topic names and filters as MQTT writes them: which are allowed, and how they fall into levels. The meaning of a
 * filter (matching, '$' names) is the core's.
 */

import { ProtocolError, quote } from './errors.ts'
import { clauseFor } from './clauses.ts'
import type { Clauses } from './clauses.ts'
import { ReasonCode } from './reason-codes.ts'
import type { MqttVersion } from './types.ts'
import { isMqttString, mqttStringFault } from './utf8.ts'

const SLASH = 0x2f
const PLUS = 0x2b
const HASH = 0x23

const UTF8: Clauses = ['MQTT31-2.5-a', 'MQTT311-1.5.3-1', 'MQTT5-1.5.4-1']
const NO_WILDCARDS: Clauses = ['MQTT31-3.3-a', 'MQTT311-3.3.2-2', 'MQTT5-3.3.2-2']
const NOT_EMPTY: Clauses = ['MQTT31-A-f', 'MQTT311-4.7.3-1', 'MQTT5-4.7.3-1']
const NO_NUL: Clauses = ['MQTT31-A-j', 'MQTT311-4.7.3-2', 'MQTT5-4.7.3-2']
const HASH_LAST: Clauses = ['MQTT31-A-c', 'MQTT311-4.7.1-2', 'MQTT5-4.7.1-1']
const PLUS_ALONE: Clauses = ['MQTT31-A-e', 'MQTT311-4.7.1-3', 'MQTT5-4.7.1-2']
const LENGTH: Clauses = ['MQTT31 §3.3', 'MQTT311-4.7.3-3', 'MQTT5-4.7.3-3']

/** Longest name or filter, in UTF-8 bytes: what a two-byte length can say. */
export const TOPIC_BYTES_MAX = 65_535

const SHARE_PREFIX = '$share/'
/** Queues of the broker, beside topics: `$queue/` and the queue's name as it is. */
const QUEUE_PREFIX = '$queue/'

export interface ParsedFilter {
  /** '+' and '#' stand for themselves here; the levels of the inner filter for a shared subscription. */
  readonly levels: readonly string[]
  /** ShareName of `$share/<name>/<filter>`, otherwise undefined. */
  readonly share: string | undefined
  /** Name of a queue, or pattern of queues, of `$queue/<name>`, otherwise undefined. Then there are no levels. */
  readonly queue: string | undefined
}

/**
 * Checks a topic name where it lies in a packet: not empty, valid UTF-8, no U+0000, no wildcard.
 * The empty name that stands for an alias is the caller's case. Throws ProtocolError. Hot path.
 */
export function checkTopicBytes(bytes: Uint8Array, start: number, end: number, version: MqttVersion): void {
  let isAscii = true
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte === PLUS || byte === HASH || byte === 0) refuseTopic(bytes, start, end, version)
    if (byte >= 0x80) isAscii = false
  }
  if (start === end || (!isAscii && !isMqttString(bytes, start, end))) refuseTopic(bytes, start, end, version)
}

/** The slow half of `checkTopicBytes`: finds the words. */
function refuseTopic(bytes: Uint8Array, start: number, end: number, version: MqttVersion): never {
  if (start === end) {
    throw new ProtocolError(ReasonCode.topicNameInvalid, clauseFor(NOT_EMPTY, version), 'topic name is empty')
  }
  if (!isMqttString(bytes, start, end)) {
    const fault = mqttStringFault(bytes, start, end)
    throw new ProtocolError(ReasonCode.malformedPacket, clauseFor(UTF8, version), `topic name ${fault}`)
  }
  const name = quote(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'))
  throw new ProtocolError(
    ReasonCode.topicNameInvalid,
    clauseFor(NO_WILDCARDS, version),
    `topic name ${name} contains a wildcard; '+' and '#' are for filters only`,
  )
}

/** `checkTopicBytes` for a name that is a string already. `levelsMax` is a limit of ours, not of the specification. */
export function checkTopicName(name: string, version: MqttVersion, levelsMax: number = Infinity): void {
  checkText('topic name', name, ReasonCode.topicNameInvalid, version, levelsMax)
  if (name.includes('+') || name.includes('#')) {
    throw new ProtocolError(
      ReasonCode.topicNameInvalid,
      clauseFor(NO_WILDCARDS, version),
      `topic name ${quote(name)} contains a wildcard; '+' and '#' are for filters only`,
    )
  }
}

/**
 * Takes a topic filter apart. Throws ProtocolError with 0x8f for a filter that is ill-formed or has more than
 * `levelsMax` levels. `$share/` marks a shared subscription in every version: 3.x leaves '$' names to the server.
 */
export function parseFilter(filter: string, version: MqttVersion, levelsMax: number = Infinity): ParsedFilter {
  checkText('topic filter', filter, ReasonCode.topicFilterInvalid, version, levelsMax)
  if (filter.startsWith(QUEUE_PREFIX)) return { levels: [], share: undefined, queue: filter.slice(QUEUE_PREFIX.length) }
  if (!filter.startsWith(SHARE_PREFIX)) {
    return { levels: filterLevels(filter, filter, version), share: undefined, queue: undefined }
  }
  const nameEnd = filter.indexOf('/', SHARE_PREFIX.length)
  const share = filter.slice(SHARE_PREFIX.length, nameEnd === -1 ? undefined : nameEnd)
  if (share === '') refuseFilter(filter, 'MQTT5-4.8.2-1', 'its share name is empty')
  if (share.includes('+') || share.includes('#')) {
    refuseFilter(filter, 'MQTT5-4.8.2-2', `its share name ${quote(share)} contains a wildcard`)
  }
  if (nameEnd === -1 || nameEnd === filter.length - 1) {
    refuseFilter(filter, 'MQTT5-4.8.2-2', "its share name must be followed by '/' and a topic filter")
  }
  return { levels: filterLevels(filter.slice(nameEnd + 1), filter, version), share, queue: undefined }
}

/** Whether `filter` asks for a shared subscription; says nothing about the rest of it. */
export function isShared(filter: string): boolean {
  return filter.startsWith(SHARE_PREFIX)
}

/** Levels of a topic name. An empty level is a level: '/a' has two. [MQTT5-4.7.1-1] */
export function splitTopic(name: string): string[] {
  return name.split('/')
}

/** Levels of `text` without making them. */
export function countLevels(text: string): number {
  let count = 1
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) === SLASH) count++
  return count
}

function filterLevels(inner: string, whole: string, version: MqttVersion): string[] {
  const levels = inner.split('/')
  levels.forEach((level, index) => {
    if (level.includes('#') && (level !== '#' || index !== levels.length - 1)) {
      refuseFilter(whole, clauseFor(HASH_LAST, version), "'#' must be the whole last level")
    }
    if (level.includes('+') && level !== '+') {
      refuseFilter(whole, clauseFor(PLUS_ALONE, version), "'+' must be a whole level")
    }
  })
  return levels
}

function refuseFilter(filter: string, clause: string, why: string): never {
  throw new ProtocolError(ReasonCode.topicFilterInvalid, clause, `topic filter ${quote(filter)} is invalid: ${why}`)
}

/** What names and filters have in common. */
function checkText(what: string, text: string, code: number, version: MqttVersion, levelsMax: number): void {
  if (text === '') throw new ProtocolError(code, clauseFor(NOT_EMPTY, version), `${what} is empty`)
  if (text.includes('\0')) {
    throw new ProtocolError(ReasonCode.malformedPacket, clauseFor(NO_NUL, version), `${what} contains U+0000`)
  }
  if (!text.isWellFormed()) {
    throw new ProtocolError(ReasonCode.malformedPacket, clauseFor(UTF8, version), `${what} holds half a surrogate pair`)
  }
  const byteCount = Buffer.byteLength(text)
  if (byteCount > TOPIC_BYTES_MAX) {
    throw new ProtocolError(
      code,
      clauseFor(LENGTH, version),
      `${what} of ${byteCount} bytes exceeds the maximum of ${TOPIC_BYTES_MAX}`,
    )
  }
  if (levelsMax === Infinity) return
  const levelCount = countLevels(text)
  if (levelCount > levelsMax) {
    throw new ProtocolError(
      code,
      'MQTT5 §4.7.3',
      `${what} ${quote(text)} has ${levelCount} levels; this server takes ${levelsMax}`,
    )
  }
}
