/**
 * Where the sections of a message lie: one pass over its payload, which checks that they are well formed, that each is there once and
 * in its order, and that the body is one of the three kinds. [AMQP10 §3.2]
 */
import { behindDescriptor, Descriptor, describedCode } from '../codec/descriptors.ts'
import { AmqpFault } from '../codec/faults.ts'
import { checkValue, hex, uint32At } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'

/** data-many: several data sections, or one with a footer behind it. none: a message without a body, which some clients send. */
export type BodyKind = 'data' | 'data-many' | 'sequence' | 'value' | 'none'

/**
 * Offsets into the payload; -1 for a section that is not there. `…At` is the value of a section, its descriptor behind it, `…Start` is
 * its descriptor.
 */
export class Sections {
  headerAt = -1
  deliveryAnnotationsAt = -1
  /** What the broker keeps begins here: header and delivery annotations are for one hop only. */
  keptStart = 0
  annotationsAt = -1
  annotationsEnd = -1
  propertiesAt = -1
  propertiesEnd = -1
  applicationAt = -1
  applicationEnd = -1
  bodyKind: BodyKind = 'none'
  bodyStart = 0
  /** The constructor of the first section of the body. */
  bodyAt = -1
  /** The content of the one data section, or of the string that the value is; -1 for every other body. */
  contentStart = -1
  contentEnd = -1
  /** The content is the string that the value is. */
  isText = false
  footerAt = -1
  end = 0
}

/** Reads `bytes[start, end)`. Throws `AmqpFault('link', 'amqp:decode-error')`. Hot path. */
export function readSections(bytes: Uint8Array, start: number, end: number, into: Sections): void {
  reset(into, start, end)
  let at = start
  let last = 0
  while (at < end) {
    const code = describedCode(bytes, at, end)
    if (code < Descriptor.header || code > Descriptor.footer) throw notASection(bytes, at, code)
    if (code <= last && !isRepeatable(code, last)) throw outOfOrder(code, last)
    if (code > Descriptor.data && last >= Descriptor.data && code !== Descriptor.footer && code !== last) throw mixedBody(code, last)
    const valueAt = behindDescriptor(bytes, at)
    const valueEnd =
      code === Descriptor.data ? dataEnd(bytes, valueAt, end) : valueEndOf(bytes, valueAt, end, code)
    note(into, bytes, code, at, valueAt, valueEnd)
    last = code
    at = valueEnd
  }
}

function reset(into: Sections, start: number, end: number): void {
  into.headerAt = -1
  into.deliveryAnnotationsAt = -1
  into.keptStart = start
  into.annotationsAt = -1
  into.annotationsEnd = -1
  into.propertiesAt = -1
  into.propertiesEnd = -1
  into.applicationAt = -1
  into.applicationEnd = -1
  into.bodyKind = 'none'
  into.bodyStart = end
  into.bodyAt = -1
  into.contentStart = -1
  into.contentEnd = -1
  into.isText = false
  into.footerAt = -1
  into.end = end
}

/** The sections of a body that there may be several of. */
function isRepeatable(code: number, last: number): boolean {
  return code === last && (code === Descriptor.data || code === Descriptor.amqpSequence)
}

function note(into: Sections, bytes: Uint8Array, code: number, start: number, at: number, end: number): void {
  switch (code) {
    case Descriptor.header:
      into.headerAt = at
      into.keptStart = end
      break
    case Descriptor.deliveryAnnotations:
      into.deliveryAnnotationsAt = at
      into.keptStart = end
      break
    case Descriptor.messageAnnotations:
      into.annotationsAt = at
      into.annotationsEnd = end
      break
    case Descriptor.properties:
      into.propertiesAt = at
      into.propertiesEnd = end
      break
    case Descriptor.applicationProperties:
      into.applicationAt = at
      into.applicationEnd = end
      break
    case Descriptor.footer:
      into.footerAt = at
      if (into.bodyKind === 'data') into.bodyKind = 'data-many'
      into.contentStart = -1
      break
    default:
      noteBody(into, bytes, code, start, at, end)
  }
}

function noteBody(into: Sections, bytes: Uint8Array, code: number, start: number, at: number, end: number): void {
  const isFirst = into.bodyAt < 0
  if (isFirst) {
    into.bodyStart = start
    into.bodyAt = at
  }
  if (code === Descriptor.amqpSequence) {
    into.bodyKind = 'sequence'
    return
  }
  into.isText = code === Descriptor.amqpValue
  into.bodyKind = into.isText ? 'value' : isFirst ? 'data' : 'data-many'
  const contentStart = isFirst ? contentStartOf(bytes, at, into.isText) : -1
  into.contentStart = contentStart
  into.contentEnd = end
}

/** -1 for a value that is no string. */
function contentStartOf(bytes: Uint8Array, at: number, isText: boolean): number {
  const code = bytes[at]!
  if (code === (isText ? Code.string8 : Code.binary8)) return at + 2
  return code === (isText ? Code.string32 : Code.binary32) ? at + 5 : -1
}

/** A data section is looked at here: all its bytes are as good as others. Hot path. */
function dataEnd(bytes: Uint8Array, at: number, end: number): number {
  const code = bytes[at]!
  const start = code === Code.binary8 ? at + 2 : code === Code.binary32 ? at + 5 : -1
  if (start < 0) throw wrongContent(Descriptor.data, code)
  if (start > end) throw decodeError('the size of a data section is cut off')
  const size = code === Code.binary8 ? bytes[at + 1]! : uint32At(bytes, at + 1)
  if (size > end - start) throw decodeError(`a data section says to have ${size} bytes where ${end - start} are left`)
  return start + size
}

function valueEndOf(bytes: Uint8Array, at: number, end: number, section: number): number {
  if (at < end && !fits(section, bytes[at]!)) throw wrongContent(section, bytes[at]!)
  try {
    return checkValue(bytes, at, end, nameOf(section))
  } catch (error) {
    // The connection is in good order: it is this message that is not.
    if (error instanceof AmqpFault) throw new AmqpFault('link', error.condition, error.message, error.clause)
    throw error
  }
}

/** A section has a list, a map or any value. */
function fits(section: number, code: number): boolean {
  switch (section) {
    case Descriptor.header:
    case Descriptor.properties:
    case Descriptor.amqpSequence:
      return code === Code.list0 || code === Code.list8 || code === Code.list32
    case Descriptor.amqpValue:
      return true
    default:
      return code === Code.map8 || code === Code.map32
  }
}

/** As the specification calls them, from `header` on. */
const NAMES: readonly string[] = [
  'header',
  'delivery-annotations',
  'message-annotations',
  'properties',
  'application-properties',
  'data',
  'amqp-sequence',
  'amqp-value',
  'footer',
]

function nameOf(section: number): string {
  return `the ${NAMES[section - Descriptor.header]!} section of a message`
}

function decodeError(text: string): AmqpFault {
  return new AmqpFault('link', 'amqp:decode-error', `message: ${text}`)
}

function notASection(bytes: Uint8Array, at: number, code: number): AmqpFault {
  const found = code < 0 ? `what begins with the byte ${hex(bytes[at]!)}` : `the descriptor ${hex(code)}`
  return decodeError(`${found} is none of the sections that a message has (0x70 to 0x78)`)
}

function outOfOrder(code: number, last: number): AmqpFault {
  if (code === last) return decodeError(`${nameOf(code)} is there twice`)
  return decodeError(`${nameOf(code)} comes behind ${nameOf(last)}, and belongs before it`)
}

function mixedBody(code: number, last: number): AmqpFault {
  return decodeError(`its body has ${nameOf(last)} and ${nameOf(code)}; it is data, or sequences, or one value`)
}

function wrongContent(section: number, code: number): AmqpFault {
  return decodeError(`${nameOf(section)} has the constructor ${hex(code)}, which it cannot have`)
}
