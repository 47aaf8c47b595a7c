/**
 * AMQP's headers as the core keeps them: message annotations, properties and application properties in the bytes in which they came, and
 * the start of the body's section, up to its content. Header and delivery annotations are of one hop and are not among them.
 */
import type { HeaderCodec, Headers } from '@ternmq/core'
import { behindDescriptor, Descriptor, describedCode } from '../codec/descriptors.ts'
import { skipValue } from '../codec/structure.ts'
import { decodeHeaders } from './headers-in.ts'
import { encodeHeaders } from './headers-out.ts'
import { contentOf } from './foreign-body.ts'

/** A message whose body is one data section or one string: its content is the body. */
export const amqpHeaders: HeaderCodec = {
  id: 'amqp10',
  decode: decodeHeaders,
  encode: encodeHeaders,
}

/** Every other body: what is behind the constructor of its first section is kept as it came. */
export const amqpEncodedHeaders: HeaderCodec = {
  id: 'amqp10-encoded',
  decode: decodeHeaders,
  encode: encodeHeaders,
  readBody: ({ bytes, headerStart, bodyStart, end }) => contentOf(bytes, bodyOffset(bytes, headerStart, bodyStart), end),
}

/** Where the sections of the body begin. */
function bodyOffset(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end) {
    if (describedCode(bytes, at, end) >= Descriptor.data) return at
    at = skipValue(bytes, behindDescriptor(bytes, at))
  }
  return at
}

export function isAmqp(codec: HeaderCodec): boolean {
  return codec === amqpHeaders || codec === amqpEncodedHeaders
}
