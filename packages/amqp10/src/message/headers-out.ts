/** From the core's `Headers` to the sections of an AMQP message, for what came in another protocol. [AMQP10 §3.2] */
import type { Headers, MessageExtras } from '@ternmq/core'
import {
  addressSpelling,
  fromCoreName,
  isAscii,
  type MessageAnnotation,
  type Pair,
  writeMessageAnnotations,
  writePairs,
} from '@ternmq/naming'
import { Descriptor } from '../codec/descriptors.ts'
import { Code } from '../codec/type-codes.ts'
import {
  ALL_PROPERTIES,
  JMS_DESTINATION,
  JMS_KINDS,
  JMS_MESSAGE_TYPE,
  JMS_REPLY_TO,
  JmsType,
} from './annotation-names.ts'
import { firstOfEach } from './headers-in.ts'
import { writeId } from './ids.ts'
import { FieldsWriter, SectionWriter } from './section-writer.ts'

/** Writes a name of the core as clients do; undefined for what AMQP cannot write. */
export type AddressText = (coreName: string) => string | undefined

/** What the sections say. */
export interface Said {
  readonly headers: Headers
  /** As `Headers` has it, after a look at the body. */
  readonly text: boolean | undefined
  readonly extras: MessageExtras | undefined
  /** Where it was sent, in core form. */
  readonly address: string | undefined
  /** Unix ms; 0: never. */
  readonly expiresAtMs: number
  readonly retained: boolean
}

const spelling = addressSpelling('amqp10')
const writer = new SectionWriter()

/** Sections in memory of their own. The kind of body is an annotation: where the body is, is not known. */
export function encodeHeaders(headers: Headers): Uint8Array {
  writer.reset()
  const rest = { extras: undefined, address: undefined, expiresAtMs: 0, retained: false }
  writeSections(writer, { headers, text: headers.text, ...rest }, (name) => spelling.write(name))
  return writer.copy()
}

/** Message annotations, properties, application properties: each where it says something. */
export function writeSections(to: SectionWriter, said: Said, addressText: AddressText): void {
  const replyTo = said.headers.replyTo === undefined ? undefined : addressText(said.headers.replyTo)
  const pairs =
    said.headers.properties.length === 0 && said.headers.appId === undefined
      ? NO_PAIRS
      : writePairs('amqp10', { headers: said.headers })
  const firsts = pairs.length < 2 ? pairs : firstOfEach(pairs)
  writeAnnotations(to, said, addressText, replyTo, firsts.length < pairs.length ? pairs : NO_PAIRS)
  writeProperties(to, said, addressText, replyTo)
  writeApplication(to, firsts)
}

const NO_PAIRS: readonly Pair[] = []

function writeAnnotations(
  to: SectionWriter,
  { headers, text, extras, address, retained }: Said,
  addressText: AddressText,
  replyTo: string | undefined,
  allPairs: readonly Pair[],
): void {
  const section = to.beginSection(Descriptor.messageAnnotations)
  const added = brokerAnnotations(extras, retained, addressText)
  let count = added.length
  /** Writes the key. */
  const begins = (name: string, isThere: boolean): boolean => {
    if (!isThere || isAmong(added, name)) return false
    to.symbol(name)
    count++
    return true
  }
  if (begins(JMS_MESSAGE_TYPE, text !== undefined)) to.byte(text === true ? JmsType.text : JmsType.bytes)
  if (begins(JMS_DESTINATION, address !== undefined)) to.byte(kindOf(address!))
  if (begins(JMS_REPLY_TO, replyTo !== undefined)) to.byte(kindOf(headers.replyTo!))
  if (begins(ALL_PROPERTIES, allPairs.length > 0)) writeList(to, allPairs)
  writeAnnotationPairs(to, added)
  to.endSection(section, count * 2, Code.map8)
}

const NO_ANNOTATIONS: readonly MessageAnnotation[] = []

/** What the broker says of the message, and what receivers who had it before have said of it. */
export function brokerAnnotations(
  extras: MessageExtras | undefined,
  retained: boolean,
  addressText: AddressText,
): readonly MessageAnnotation[] {
  if (extras?.annotations === undefined && !retained) return NO_ANNOTATIONS
  return writeMessageAnnotations(
    { headers: NO_HEADERS, extras },
    { delivery: { retained }, addresses: { read: () => NOT_READ, write: addressText } },
  )
}

const NO_HEADERS: Headers = { properties: [] }
const NOT_READ = { rule: 'addresses are only written here' }

export function isAmong(annotations: readonly MessageAnnotation[], name: string): boolean {
  return annotations.some(([found]) => found === name)
}

/** Keys and values. */
export function writeAnnotationPairs(to: SectionWriter, annotations: readonly MessageAnnotation[]): void {
  for (const [name, value] of annotations) {
    to.symbol(name)
    if (typeof value === 'string') to.string(value)
    else if (typeof value === 'boolean') to.boolean(value)
    else to.number(value)
  }
}

/** As JMS counts kinds of destinations. */
function kindOf(coreName: string): number {
  const { kind } = fromCoreName(coreName)
  if (kind === 'temp-queue' || kind === 'temp-topic') return JMS_KINDS.indexOf(kind)
  return JMS_KINDS.indexOf(kind === 'topic' ? 'topic' : 'queue')
}

function writeList(to: SectionWriter, pairs: readonly Pair[]): void {
  const start = to.begin()
  for (const [name, value] of pairs) {
    to.string(name)
    to.string(value)
  }
  to.end(start, pairs.length * 2, Code.list8)
}

/** Fields behind the last one that says something are left out. */
function writeProperties(
  to: SectionWriter,
  { headers, extras, address, expiresAtMs }: Said,
  addressText: AddressText,
  replyTo: string | undefined,
): void {
  const section = to.beginSection(Descriptor.properties)
  const fields = new FieldsWriter(to)
  if (fields.has(headers.messageId)) writeId(to, headers.messageId!, 'message')
  if (fields.has(headers.userId)) to.binary(Buffer.from(headers.userId!))
  fields.string(address === undefined ? undefined : addressText(address))
  fields.string(headers.type)
  fields.string(replyTo)
  if (fields.has(headers.correlationId)) writeCorrelation(to, headers.correlationId!)
  // What is no symbol is left out; `losses` of packages/naming lists it.
  fields.symbol(isSymbol(headers.contentType) ? headers.contentType : undefined)
  fields.symbol(isSymbol(headers.contentEncoding) ? headers.contentEncoding : undefined)
  if (fields.has(expiresAtMs === 0 ? undefined : expiresAtMs)) to.timestamp(expiresAtMs)
  if (fields.has(headers.timestampMs)) to.timestamp(headers.timestampMs!)
  fields.string(extras?.groupId)
  const sequence = sequenceOf(headers.groupSequence, extras?.groupEnds === true)
  if (fields.has(sequence)) to.uint(sequence! >>> 0)
  to.endSection(section, fields.count, Code.list8)
}

function isSymbol(text: string | undefined): boolean {
  return text !== undefined && isAscii(text)
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** JMS clients read texts, and bytes only where they are none. */
function writeCorrelation(to: SectionWriter, bytes: Uint8Array): void {
  let text: string
  try {
    text = strictDecoder.decode(bytes)
  } catch {
    return to.binary(bytes) // it is no UTF-8
  }
  writeId(to, text, 'correlation')
}

/** A group that ends has a sequence below 0, whatever its publisher called it. */
function sequenceOf(sequence: number | undefined, ends: boolean): number | undefined {
  return ends && (sequence === undefined || sequence >= 0) ? -1 : sequence
}

function writeApplication(to: SectionWriter, pairs: readonly Pair[]): void {
  const section = to.beginSection(Descriptor.applicationProperties)
  for (const [name, value] of pairs) {
    to.string(name)
    to.string(value)
  }
  to.endSection(section, pairs.length * 2, Code.map8)
}
