/** Strings that are no UTF-8 as MQTT has it, and every packet of MQTT 3 that carries a string. */
import { connect, type Draft, publish, subscribe, unsubscribe } from '../harness.ts'

/** Each is one fault. [MQTT311 §1.5.3] */
export const ILL_FORMED: readonly (readonly [fault: string, bytes: Uint8Array])[] = [
  ['a continuation byte alone', Uint8Array.of(0x61, 0x80)],
  ['a character that ends early', Uint8Array.of(0x61, 0xe2, 0x82)],
  ['an overlong form', Uint8Array.of(0xc1, 0xa1)],
  ['an overlong U+0000', Uint8Array.of(0xc0, 0x80)],
  ['the first surrogate, U+D800', Uint8Array.of(0xed, 0xa0, 0x80)],
  ['the last surrogate, U+DFFF', Uint8Array.of(0xed, 0xbf, 0xbf)],
  ['a surrogate pair, as CESU-8 has it', Uint8Array.of(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80)],
  ['a code point above U+10FFFF', Uint8Array.of(0xf4, 0x90, 0x80, 0x80)],
  ['a byte that UTF-8 does not have', Uint8Array.of(0x61, 0xff)],
]

export interface Carrier {
  readonly what: string
  /** It is a CONNECT: nothing came before it. */
  readonly isFirst: boolean
  readonly packet: (text: Uint8Array) => Draft
}

export const CARRIERS: readonly Carrier[] = [
  { what: 'client identifier', isFirst: true, packet: (text) => connect({ clientId: text }) },
  { what: 'will topic', isFirst: true, packet: (text) => connect({ clientId: 'w', will: { topic: text } }) },
  { what: 'user name', isFirst: true, packet: (text) => connect({ clientId: 'u', username: text }) },
  { what: 'topic name of QoS 0', isFirst: false, packet: (text) => publish(text, 'x') },
  { what: 'topic name of QoS 1', isFirst: false, packet: (text) => publish(text, 'x', { qos: 1, id: 1 }) },
  { what: 'topic filter to subscribe', isFirst: false, packet: (text) => subscribe(1, { filter: text }) },
  { what: 'topic filter to unsubscribe', isFirst: false, packet: (text) => unsubscribe(1, text) },
]
