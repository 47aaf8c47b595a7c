/** What is said of a peer that nobody here speaks with, to the operator and, where its protocol has words for it, to the peer. */
import type { ProtocolName } from '@ternmq/core'

import type { DetectedProtocol } from './detect.ts'
import type { PeerFault } from '../listener.ts'

export interface Unserved {
  readonly fault: PeerFault
  /** A sentence for the log. */
  readonly text: string
  /** Bytes for the peer; undefined when closing says it all. */
  readonly answer?: Uint8Array
}

/** What is there instead. */
export interface Served {
  /** Key of the listener. */
  readonly listener: string
  readonly protocols: readonly ProtocolName[]
  /** Where a browser or a WebSocket client should have gone: a sentence, or ''. */
  readonly httpAdvice: string
  /** Where a client that uses TLS should have gone: what a sentence ends with, or ''. */
  readonly tlsAdvice: string
}

/** Bytes shown of an unknown protocol. */
const SHOWN_BYTES_MAX = 32

const NAMES = {
  mqtt: 'MQTT',
  stomp: 'STOMP',
  amqp: 'AMQP 1.0',
  'amqp-0-9-1': 'AMQP 0-9-1',
  openwire: 'OpenWire',
  http: 'HTTP',
  tls: 'TLS',
} as const satisfies Record<DetectedProtocol, string>

/** The header of AMQP 1.0. */
const AMQP_HEADER = Uint8Array.of(0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0)

/** `bytes` are those that came first. */
export function unserved(found: DetectedProtocol | 'unknown', bytes: Uint8Array, served: Served): Unserved {
  const here = `listener ${served.listener} speaks ${listOf(served.protocols)}`
  if (found === 'unknown') {
    return {
      fault: 'unknown-protocol',
      text: `the peer speaks no protocol that is known; it began with ${shown(bytes)}`,
    }
  }
  const start = `the peer speaks ${NAMES[found]}, and ${here}`
  const instead = served.protocols.includes('amqp') ? 'AMQP 1.0' : 'AMQP 1.0, which this listener does not speak yet'
  switch (found) {
    case 'openwire':
      return {
        fault: 'unserved',
        text: `${start}; OpenWire clients get in by ${instead}: with JMS, use Qpid JMS instead of ActiveMQ's client`,
      }
    case 'amqp-0-9-1': {
      const text = `${start}; AMQP 0-9-1 clients get in by ${instead}`
      // A header that would be accepted is the answer to one that is not. [AMQP091 §4.2.2] [AMQP10 §2.2]
      return { fault: 'unserved', text, ...(served.protocols.includes('amqp') ? { answer: AMQP_HEADER } : {}) }
    }
    case 'http':
      return {
        fault: 'unserved',
        text: start,
        answer: badRequest(`This port is no web server: ${here}. ${served.httpAdvice}`),
      }
    case 'tls':
      return { fault: 'unserved', text: tlsText(served) }
    default:
      return { fault: 'unserved', text: start }
  }
}

/** Of a peer that begins a TLS handshake where nothing is encrypted. It gets no answer: there is none that it would understand. */
export function tlsText({ listener, tlsAdvice }: Pick<Served, 'listener' | 'tlsAdvice'>): string {
  return `the peer uses TLS, and listener ${listener} is not encrypted; ${tlsAdvice === '' ? 'connect without TLS' : tlsAdvice}`
}

/** The first bytes in hexadecimal, in pairs: '16 03 01', and how many more there are. */
export function shown(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing'
  const hex = Buffer.from(bytes.subarray(0, SHOWN_BYTES_MAX))
    .toString('hex')
    .replaceAll(/..(?=.)/g, '$& ')
  return bytes.length > SHOWN_BYTES_MAX ? `${hex} and ${bytes.length - SHOWN_BYTES_MAX} bytes more` : hex
}

function listOf(protocols: readonly ProtocolName[]): string {
  return protocols.length === 0 ? 'nothing' : protocols.map((name) => NAMES[name]).join(', ')
}

/** [RFC 9110 §15.5.1] */
function badRequest(text: string): Uint8Array {
  const body = `${text.trim()}\n`
  const head = [
    'HTTP/1.1 400 Bad Request',
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
