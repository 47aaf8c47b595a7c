/**
 * Bodies of AMQP's own kinds as other protocols get them: data joined, a string as text, everything else as JSON, or in its encoding where
 * that is too much. [ADR-0011]
 */
import type { Message } from '@ternmq/core'
import { behindDescriptor, describedCode, Descriptor } from '../codec/descriptors.ts'
import { skipValue } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { itemsAt, jsonAt } from './json.ts'
import { binaryAt, textAt } from './reading.ts'

const NO_BYTES = new Uint8Array(0)
const encoder = new TextEncoder()

/** The last one: neighbours are often the same message for other receivers. */
let last: { readonly message: WeakRef<Message>; readonly body: Uint8Array } | undefined

/** Of a message that has too many values for JSON: its sections as they came, but for a footer. */
export function encodedBody({ bytes, bodyStart, end }: Message): Uint8Array {
  let at = bodyStart
  while (at < end && describedCode(bytes, at, end) !== Descriptor.footer)
    at = skipValue(bytes, behindDescriptor(bytes, at))
  return bytes.subarray(bodyStart, at)
}

/** Of a message whose body are its sections, with a footer behind them perhaps. In memory of its own. */
export function foreignBody(message: Message): Uint8Array {
  if (last?.message.deref() === message) return last.body
  const body = bodyOf(message.bytes, message.bodyStart, message.end)
  last = { message: new WeakRef(message), body }
  return body
}

function bodyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const values = valuesOf(bytes, start, end)
  switch (describedCode(bytes, start, end)) {
    case Descriptor.data:
      return Buffer.concat(values.map((at) => binaryAt(bytes, at)!))
    case Descriptor.amqpSequence: {
      const items = values.map((at) => itemsAt(bytes, at)).filter((text) => text !== '')
      return encoder.encode(`[${items.join(',')}]`)
    }
    case Descriptor.amqpValue:
      return bodyOfValue(bytes, values[0]!)
    default: // it has none
      return NO_BYTES
  }
}

/** Offsets of the values of the body's sections. */
function valuesOf(bytes: Uint8Array, start: number, end: number): number[] {
  const values: number[] = []
  let at = start
  while (at < end && describedCode(bytes, at, end) !== Descriptor.footer) {
    const valueAt = behindDescriptor(bytes, at)
    values.push(valueAt)
    at = skipValue(bytes, valueAt)
  }
  return values
}

function bodyOfValue(bytes: Uint8Array, at: number): Uint8Array {
  switch (kindOfBody(Descriptor.amqpValue, bytes[at]!)) {
    case 'none':
      return NO_BYTES
    case 'bytes':
      // Not `slice`: what the network hands out is a Buffer, whose `slice` is a view.
      return new Uint8Array(binaryAt(bytes, at)!)
    case 'text':
      return encoder.encode(textAt(bytes, at))
    case 'json':
      return encoder.encode(jsonAt(bytes, at))
  }
}

/** What the body is for other protocols; `encoded`: the sections themselves. */
export type BodyKind = 'bytes' | 'text' | 'json' | 'encoded' | 'none'

/** As the descriptor and the constructor of the body's first section tell. A null says that there is none. */
export function kindOfBody(section: number, code: number): Exclude<BodyKind, 'encoded'> {
  if (section === Descriptor.footer) return 'none'
  if (section === Descriptor.data) return 'bytes'
  if (section === Descriptor.amqpSequence) return 'json'
  switch (code) {
    case Code.null:
      return 'none'
    case Code.string8:
    case Code.string32:
    case Code.symbol8:
    case Code.symbol32:
      return 'text'
    case Code.binary8:
    case Code.binary32:
      return 'bytes'
    default:
      return 'json'
  }
}
