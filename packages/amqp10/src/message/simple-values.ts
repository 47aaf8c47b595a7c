/** Simple values of AMQP as texts, and as what selectors compare. [AMQP10 §1.6] */
import { skipValue, uint32At } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { booleanOf, contentOf, textOf, uuidText, wholeOf } from './reading.ts'

/** What properties are, where it is neither text nor nothing. */
export type TypedValue = number | bigint | boolean

/** A number or a truth value; undefined for another value. */
export function typedAt(bytes: Uint8Array, at: number): TypedValue | undefined {
  const code = bytes[at]!
  switch (code) {
    case Code.float:
      return viewOf(bytes).getFloat32(at + 1)
    case Code.double:
      return viewOf(bytes).getFloat64(at + 1)
    default:
      return booleanOf(bytes, code, at + 1) ?? wholeOf(bytes, code, at + 1)
  }
}

/** Undefined for a null, and for what is not simple. Bytes that are no text are in base64. */
export function simpleText(bytes: Uint8Array, at: number): string | undefined {
  const code = bytes[at]!
  switch (code) {
    case Code.null:
    case Code.list0:
      return undefined
    case Code.described:
      // Times and addresses of some clients are texts or numbers with a descriptor.
      return simpleText(bytes, skipValue(bytes, at + 1))
    case Code.char:
      return String.fromCodePoint(uint32At(bytes, at + 1))
    case Code.uuid:
      return uuidText(bytes, at + 1)
    default: {
      if (code >= Code.list8) return undefined
      const typed = typedAt(bytes, at)
      return typed === undefined
        ? (textOf(bytes, code, at + 1) ?? base64(contentOf(bytes, code, at + 1)))
        : String(typed)
    }
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
