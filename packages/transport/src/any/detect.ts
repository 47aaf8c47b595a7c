/**
 * What a peer speaks, from its first bytes. Pure: the same bytes give the same answer however they are cut, because no two
 * protocols begin alike and an answer once found stays when more bytes come.
 */

/**
 * tls: a ClientHello. mqtt: CONNECT of any version. stomp: CONNECT or STOMP. amqp: a header of AMQP 1.0, its SASL or TLS layer, or of a later
 * version. amqp-0-9-1: a header of an AMQP before 1.0. openwire: the hello of ActiveMQ's own protocol. http: a request line.
 */
export type DetectedProtocol = 'tls' | 'mqtt' | 'stomp' | 'amqp' | 'amqp-0-9-1' | 'openwire' | 'http'

/** more: `DETECT_BYTES_MAX` bytes at most decide. unknown: nothing of the above begins so. */
export type Detection = DetectedProtocol | 'more' | 'unknown'

/** Bytes that are looked at; most protocols need 13 at most, and STOMP may have empty lines before its first frame. */
export const DETECT_BYTES_MAX = 64

/** True: begins so. False: does not. Undefined: cannot be said before more bytes are there. */
type Answer = boolean | undefined

const LF = 0x0a
const CR = 0x0d

/** A handshake record of SSL 3 or later. [RFC 8446 §5.1] */
const TLS_HELLO = Uint8Array.of(0x16, 0x03)

const MQTT_CONNECT = 0x10
/** The protocol name of CONNECT with its length. [MQTT5 §3.1.2.1] [MQTT31 §3.1] */
const MQTT_NAMES = ['\0\u0004MQTT', '\0\u0006MQIsdp'].map(latin1)
/** Bytes of a remaining length. [MQTT5 §1.5.5] */
const MQTT_LENGTH_BYTES_MAX = 4

const AMQP = latin1('AMQP')
/** 'AMQP', protocol id, major, minor, revision. [AMQP10 §2.2] */
const AMQP_HEADER_BYTES = 8

/** Type WIREFORMAT_INFO and the magic, after the length of the command. */
const OPENWIRE = latin1('\u0001ActiveMQ')
const OPENWIRE_LENGTH_BYTES = 4

/** With what ends them, so that STOMP's CONNECT and HTTP's are not the same. */
const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'PRI'].map(
  (method) => latin1(`${method} `),
)
/** [STOMP12 §STOMP frames] A line may end with CR LF since 1.2. */
const STOMP_COMMANDS = ['CONNECT\n', 'CONNECT\r\n', 'STOMP\n', 'STOMP\r\n'].map(latin1)

const RULES: ReadonlyArray<readonly [DetectedProtocol, (bytes: Uint8Array) => Answer]> = [
  ['mqtt', beginsMqtt],
  ['tls', (bytes) => startsWith(bytes, 0, TLS_HELLO)],
  ['stomp', beginsStomp],
  ['amqp', (bytes) => beginsAmqp(bytes, false)],
  ['amqp-0-9-1', (bytes) => beginsAmqp(bytes, true)],
  ['openwire', beginsOpenWire],
  ['http', (bytes) => startsWithOne(bytes, 0, HTTP_METHODS)],
]

/** `bytes` are all that came so far; only the first `DETECT_BYTES_MAX` count. */
export function detectProtocol(bytes: Uint8Array): Detection {
  const first = bytes.length > DETECT_BYTES_MAX ? bytes.subarray(0, DETECT_BYTES_MAX) : bytes
  let isOpen = false
  for (const [protocol, begins] of RULES) {
    const answer = begins(first)
    if (answer === true) return protocol
    if (answer === undefined) isOpen = true
  }
  return isOpen && first.length < DETECT_BYTES_MAX ? 'more' : 'unknown'
}

function beginsMqtt(bytes: Uint8Array): Answer {
  if (bytes.length === 0) return undefined
  if (bytes[0] !== MQTT_CONNECT) return false
  for (let at = 1; at <= MQTT_LENGTH_BYTES_MAX; at++) {
    const byte = bytes[at]
    if (byte === undefined) return undefined
    if (byte < 0x80) return startsWithOne(bytes, at + 1, MQTT_NAMES)
  }
  return false
}

function beginsStomp(bytes: Uint8Array): Answer {
  let at = 0
  for (;;) {
    if (bytes[at] === LF) at++
    else if (bytes[at] === CR && bytes[at + 1] === LF) at += 2
    else break
  }
  if (bytes[at] === CR && at + 1 === bytes.length) return undefined
  return startsWithOne(bytes, at, STOMP_COMMANDS)
}

/** Protocol id 0 is AMQP itself, with major 0 before 1.0; id 1 was that of 0-8 to 0-10. [AMQP10 §2.2] [AMQP091 §4.2.2] */
function beginsAmqp(bytes: Uint8Array, isBefore10: boolean): Answer {
  const answer = startsWith(bytes, 0, AMQP)
  if (answer !== true) return answer
  if (bytes.length < AMQP_HEADER_BYTES) return undefined
  const [id, major] = [bytes[4], bytes[5]]
  return isBefore10 === (id === 1 || (id === 0 && major === 0))
}

function beginsOpenWire(bytes: Uint8Array): Answer {
  if (bytes.length === 0) return undefined
  if (bytes[0] !== 0) return false // a hello of 16 MiB is none
  return bytes.length < OPENWIRE_LENGTH_BYTES ? undefined : startsWith(bytes, OPENWIRE_LENGTH_BYTES, OPENWIRE)
}

function startsWithOne(bytes: Uint8Array, at: number, beginnings: readonly Uint8Array[]): Answer {
  let isOpen = false
  for (const beginning of beginnings) {
    const answer = startsWith(bytes, at, beginning)
    if (answer === true) return true
    if (answer === undefined) isOpen = true
  }
  return isOpen ? undefined : false
}

function startsWith(bytes: Uint8Array, at: number, beginning: Uint8Array): Answer {
  const end = Math.min(beginning.length, bytes.length - at)
  for (let index = 0; index < end; index++) if (bytes[at + index] !== beginning[index]) return false
  return end === beginning.length ? true : undefined
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
