/**
 * Where the sections of a message lie: one pass over its payload, which checks that they are well formed, that each is there once and
 * in its order, and that the body is one of the three kinds. [AMQP10 §3.2]
 */
import { behindDescriptor, describedCode, Descriptor } from '../codec/descriptors.ts'
import { AmqpFault } from '../codec/faults.ts'
import { checkSome, hex, seenValues, uint32At } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { checkFields, type FieldOffsets, HEADER, offsetsOf, PROPERTIES } from './field-lists.ts'
import { checkFlat, checkItem } from './flat-values.ts'

/** Data sections, or sequences, of one message; what they cost is not their bytes but their number. */
const BODY_SECTIONS_MAX = 65_536
/**
 * Values of a body that others get as JSON. One that has more goes to them in its encoding, and is not looked through: so many
 * times or texts take 20 ms, in which nobody else is served.
 */
export const JSON_VALUES_MAX = 32_768

/** data-many: several data sections, or one with a footer behind it. none: a message without a body, which some clients send. */
export type SectionKind = 'data' | 'data-many' | 'sequence' | 'value' | 'none'

/** Offsets into the payload; -1 for what is not there. `…At` is the value of a section, which its descriptor stands before. */
export class Sections {
  headerAt = -1
  /** Good where there is a header. */
  readonly header: FieldOffsets = offsetsOf(HEADER)
  deliveryAnnotationsAt = -1
  /** What the broker keeps begins here: header and delivery annotations are for one hop only. */
  keptStart = 0
  annotationsAt = -1
  annotationsEnd = -1
  propertiesAt = -1
  /** Good where there are properties. */
  readonly properties: FieldOffsets = offsetsOf(PROPERTIES)
  applicationAt = -1
  bodyKind: SectionKind = 'none'
  /** The descriptor of the body's first section, and its value. */
  bodyStart = 0
  bodyAt = -1
  /** Values that a value or sequences are made of; where it is more than `JSON_VALUES_MAX`, the rest has not been looked at. */
  valueCount = 0
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
  let bodySections = 0
  try {
    while (at < end) {
      const code = describedCode(bytes, at, end)
      checkOrder(bytes, at, code, last)
      const valueAt = behindDescriptor(bytes, at)
      if (valueAt >= end) throw decodeError(`${nameOf(code)} has no value`)
      at = readSection(into, bytes, code, at, valueAt, end)
      if (code === last && ++bodySections >= BODY_SECTIONS_MAX) throw tooManySections()
      last = code
    }
  } catch (error) {
    throw error instanceof AmqpFault && error.level !== 'link' ? ofLink(error) : error
  }
}

/** The connection is in good order: it is this message that is not. */
function ofLink({ condition, message, clause }: AmqpFault): AmqpFault {
  return new AmqpFault('link', condition, message, clause)
}

function tooManySections(): AmqpFault {
  const text = `the body has more than ${BODY_SECTIONS_MAX} sections; use fewer, and longer ones`
  return new AmqpFault('link', 'amqp:resource-limit-exceeded', text)
}

function reset(into: Sections, start: number, end: number): void {
  into.headerAt = -1
  into.deliveryAnnotationsAt = -1
  into.keptStart = start
  into.annotationsAt = -1
  into.annotationsEnd = -1
  into.propertiesAt = -1
  into.applicationAt = -1
  into.bodyKind = 'none'
  into.bodyStart = end
  into.bodyAt = -1
  into.valueCount = 0
  into.contentStart = -1
  into.contentEnd = -1
  into.isText = false
  into.footerAt = -1
  into.end = end
}

function checkOrder(bytes: Uint8Array, at: number, code: number, last: number): void {
  if (code < Descriptor.header || code > Descriptor.footer) throw notASection(bytes, at, code)
  const isBody = code >= Descriptor.data && code <= Descriptor.amqpValue
  if (code > last && !(isBody && last >= Descriptor.data)) return
  const mayRepeat = code === Descriptor.data || code === Descriptor.amqpSequence
  if (code === last && mayRepeat) return
  throw isBody && last >= Descriptor.data && last <= Descriptor.amqpValue
    ? mixedBody(code, last)
    : outOfOrder(code, last)
}

/** Notes the section of `code`, whose descriptor is at `start` and whose value at `at`. Returns the offset behind it. */
function readSection(into: Sections, bytes: Uint8Array, code: number, start: number, at: number, end: number): number {
  switch (code) {
    case Descriptor.header:
      into.headerAt = at
      return (into.keptStart = listEnd(bytes, at, end, code, into.header))
    case Descriptor.deliveryAnnotations:
      into.deliveryAnnotationsAt = at
      return (into.keptStart = mapEnd(bytes, at, end, code))
    case Descriptor.messageAnnotations:
      into.annotationsAt = at
      return (into.annotationsEnd = mapEnd(bytes, at, end, code))
    case Descriptor.properties:
      into.propertiesAt = at
      return listEnd(bytes, at, end, code, into.properties)
    case Descriptor.applicationProperties:
      into.applicationAt = at
      return mapEnd(bytes, at, end, code)
    case Descriptor.footer:
      into.footerAt = at
      if (into.bodyKind === 'data') into.bodyKind = 'data-many'
      into.contentStart = -1
      return mapEnd(bytes, at, end, code)
    default:
      return readBody(into, bytes, code, start, at, end)
  }
}

function readBody(into: Sections, bytes: Uint8Array, code: number, start: number, at: number, end: number): number {
  const isFirst = into.bodyAt < 0
  if (isFirst) {
    into.bodyStart = start
    into.bodyAt = at
  }
  into.isText = code === Descriptor.amqpValue
  switch (code) {
    case Descriptor.data:
      into.bodyKind = isFirst ? 'data' : 'data-many'
      into.contentEnd = dataEnd(bytes, at, end)
      into.contentStart = isFirst ? at + (bytes[at] === Code.binary8 ? 2 : 5) : -1
      return into.contentEnd
    case Descriptor.amqpSequence:
      into.bodyKind = 'sequence'
      if (!isList(bytes[at]!)) throw wrongContent(code, bytes[at]!)
      return valuesEnd(into, bytes, at, end, code)
    default:
      into.bodyKind = 'value'
      into.contentEnd = isSimple(bytes[at]!)
        ? checkItem(bytes, at, end, whatOf(code))
        : valuesEnd(into, bytes, at, end, code)
      into.contentStart = bytes[at] === Code.string8 ? at + 2 : bytes[at] === Code.string32 ? at + 5 : -1
      return into.contentEnd
  }
}

function isSimple(code: number): boolean {
  return code !== Code.described && code < Code.list8
}

/** Of a value that may be made of many. */
function valuesEnd(into: Sections, bytes: Uint8Array, at: number, end: number, section: number): number {
  const valueEnd = checkSome(bytes, at, end, whatOf(section), JSON_VALUES_MAX - into.valueCount)
  into.valueCount += seenValues()
  return valueEnd
}

/** All bytes of a data section are as good as others. Hot path. */
function dataEnd(bytes: Uint8Array, at: number, end: number): number {
  const code = bytes[at]!
  const start = code === Code.binary8 ? at + 2 : code === Code.binary32 ? at + 5 : -1
  if (start < 0) throw wrongContent(Descriptor.data, code)
  if (start > end) throw decodeError('the size of a data section is cut off')
  const size = code === Code.binary8 ? bytes[at + 1]! : uint32At(bytes, at + 1)
  if (size > end - start) throw decodeError(`a data section says to have ${size} bytes where ${end - start} are left`)
  return start + size
}

function listEnd(bytes: Uint8Array, at: number, end: number, section: number, into: FieldOffsets): number {
  if (!isList(bytes[at]!)) throw wrongContent(section, bytes[at]!)
  return checkFields(bytes, at, end, section === Descriptor.header ? HEADER : PROPERTIES, into, whatOf(section))
}

function mapEnd(bytes: Uint8Array, at: number, end: number, section: number): number {
  const code = bytes[at]!
  if (code !== Code.map8 && code !== Code.map32) throw wrongContent(section, code)
  return checkFlat(bytes, at, end, whatOf(section))
}

function isList(code: number): boolean {
  return code === Code.list8 || code === Code.list0 || code === Code.list32
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
].map((name) => `the ${name} section`)
const WHATS: readonly string[] = NAMES.map((name) => `message: ${name}`)

function nameOf(section: number): string {
  return NAMES[section - Descriptor.header]!
}

/** For checks of values. */
function whatOf(section: number): string {
  return WHATS[section - Descriptor.header]!
}

function decodeError(text: string): AmqpFault {
  return new AmqpFault('link', 'amqp:decode-error', `message: ${text}`, 'AMQP10-3.2-a')
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
  const text = `message: its body has ${nameOf(last)} and ${nameOf(code)}; it is data, or sequences, or one value`
  return new AmqpFault('link', 'amqp:decode-error', text, 'AMQP10-3.2-b')
}

function wrongContent(section: number, code: number): AmqpFault {
  return decodeError(`${nameOf(section)} has the constructor ${hex(code)}, which it cannot have`)
}
