/**
 * AMQP's headers as the core keeps them: message annotations, properties and application properties in the bytes in which they came.
 * Header and delivery annotations are of one hop and are not among them. A receiver that speaks AMQP gets all that the core keeps of a
 * message, from `headerStart` to `end`, whatever of it counts as headers and what as body.
 */
import type { HeaderCodec } from '@ternmq/core'
import { type BodyKind, encodedBody, foreignBody } from './foreign-body.ts'
import { decodeHeaders } from './headers-in.ts'
import { encodeHeaders } from './headers-out.ts'

/**
 * The body is the content of one data section or of one string, or there is none: it is the body of every protocol. The start of its
 * section counts as headers.
 */
export const amqpHeaders: HeaderCodec = {
  id: 'amqp10',
  decode: (bytes) => decodeHeaders(bytes),
  encode: encodeHeaders,
}

/** All other bodies are their sections, the footer among them; other protocols get them in another form. */
export const encodedHeaders: Readonly<Record<Exclude<BodyKind, 'none'>, HeaderCodec>> = {
  bytes: encodedCodec('bytes'),
  text: encodedCodec('text'),
  json: encodedCodec('json'),
  encoded: encodedCodec('encoded', encodedBody),
}

function encodedCodec(kind: BodyKind, readBody = foreignBody): HeaderCodec {
  return {
    id: `amqp10-${kind}`,
    decode: (bytes) => decodeHeaders(bytes, kind),
    encode: encodeHeaders,
    readBody,
  }
}

/** For `VirtualHost.openLog`. */
export const AMQP_HEADER_CODECS: readonly HeaderCodec[] = [amqpHeaders, ...Object.values(encodedHeaders)]

/** Hot path. */
export function isAmqp(codec: HeaderCodec): boolean {
  return codec === amqpHeaders || AMQP_HEADER_CODECS.includes(codec)
}
