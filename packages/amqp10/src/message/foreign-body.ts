/** Bodies of AMQP's own kinds as other protocols get them: data joined, a string as text, everything else as JSON. */
import { behindDescriptor, Descriptor, describedCode } from '../codec/descriptors.ts'
import { skipValue } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { itemsAt, jsonAt } from './json.ts'
import { binaryAt, textAt } from './reading.ts'

const NO_BYTES = new Uint8Array(0)
const encoder = new TextEncoder()

/** The body whose sections are in `bytes[start, end)`, a footer behind them perhaps. */
export function contentOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const values = valuesOf(bytes, start, end)
  switch (describedCode(bytes, start, end)) {
    case Descriptor.data:
      return Buffer.concat(values.map((at) => binaryAt(bytes, at)!))
    case Descriptor.amqpSequence:
      return encoder.encode(`[${values.map((at) => itemsAt(bytes, at)).filter((text) => text !== '').join(',')}]`)
    case Descriptor.amqpValue:
      return contentOfValue(bytes, values[0]!)
    default:
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

/** What a null says is that there is no body. */
function contentOfValue(bytes: Uint8Array, at: number): Uint8Array {
  if (bytes[at] === Code.null) return NO_BYTES
  const text = textAt(bytes, at)
  if (text !== undefined) return encoder.encode(text)
  return binaryAt(bytes, at) ?? encoder.encode(jsonAt(bytes, at))
}

/** What the constructor of the body's first section tells of the content. */
export function kindOfContent(section: number, code: number): 'bytes' | 'text' | 'json' | 'none' {
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
