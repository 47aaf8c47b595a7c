/** From the sections that the core keeps to its `Headers`: for selectors, the console, receivers of other protocols. */
import { type Headers, TRACEPARENT, TRACESTATE } from '@ternmq/core'
import { annotationNames, readPairs, resolve, toCoreName } from '@ternmq/naming'
import { behindDescriptor, describedCode, Descriptor } from '../codec/descriptors.ts'
import { skipValue } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { ALL_PROPERTIES, JMS_KINDS, JMS_MESSAGE_TYPE, JMS_REPLY_TO, JmsType } from './annotation-names.ts'
import { type BodyKind, kindOfBody } from './foreign-body.ts'
import { idText } from './ids.ts'
import { jsonAt } from './json.ts'
import { binaryAt, eachEntry, elementsAt, integerAt, textAt } from './reading.ts'
import { simpleText, typedAt, type TypedValue } from './simple-values.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
type Pair = [name: string, value: string]

/** What is gathered before it is known what it means. */
interface Draft {
  readonly headers: Mutable<Omit<Headers, 'properties'>>
  readonly pairs: Pair[]
  readonly annotations: Pair[]
  /** Of the annotations. */
  readonly trace: Pair[]
  readonly typed: Map<string, TypedValue>
  replyTo: string | undefined
  replyToKind: number | undefined
  messageType: number | undefined
  allProperties: Pair[] | undefined
}

const encoder = new TextEncoder()

/** `bytes` may end with the start of the body's section, which tells the kind where `kind` does not. */
export function decodeHeaders(bytes: Uint8Array, kind?: BodyKind): Headers {
  const draft: Draft = {
    headers: {},
    pairs: [],
    annotations: [],
    trace: [],
    typed: new Map(),
    replyTo: undefined,
    replyToKind: undefined,
    messageType: undefined,
    allProperties: undefined,
  }
  let at = 0
  while (at < bytes.length) {
    const section = describedCode(bytes, at, bytes.length)
    const valueAt = behindDescriptor(bytes, at)
    if (section >= Descriptor.data) {
      readKind(kindOfBody(section, bytes[valueAt]!), draft)
      break
    }
    readSection(bytes, section, valueAt, draft)
    at = skipValue(bytes, valueAt)
  }
  if (kind !== undefined) readKind(kind, draft)
  return finish(draft)
}

function readSection(bytes: Uint8Array, section: number, at: number, draft: Draft): void {
  switch (section) {
    case Descriptor.messageAnnotations:
      return eachEntry(bytes, at, (keyAt, valueAt) => readAnnotation(bytes, keyAt, valueAt, draft))
    case Descriptor.properties:
      return readProperties(bytes, at, draft)
    case Descriptor.applicationProperties:
      return eachEntry(bytes, at, (keyAt, valueAt) => readApplication(bytes, keyAt, valueAt, draft))
    default: // nothing else is kept
  }
}

/** Read elsewhere, or of no meaning in other protocols. */
const SKIPPED: ReadonlySet<string> = new Set([
  ...annotationNames().map(([, name]) => name),
  'x-exchange',
  'x-routing-key',
])

function readAnnotation(bytes: Uint8Array, keyAt: number, valueAt: number, draft: Draft): void {
  const name = textAt(bytes, keyAt)
  switch (name) {
    case JMS_MESSAGE_TYPE:
      draft.messageType = integerAt(bytes, valueAt)
      return
    case JMS_REPLY_TO:
      draft.replyToKind = integerAt(bytes, valueAt)
      return
    case ALL_PROPERTIES:
      draft.allProperties = pairsAt(bytes, valueAt)
      return
    case TRACEPARENT:
    case TRACESTATE:
      readTrace(name, simpleText(bytes, valueAt), draft)
      return
    default:
      if (name === undefined || name.startsWith('x-opt-jms-') || SKIPPED.has(name)) return
      if (bytes[valueAt] !== Code.null)
        draft.annotations.push([name, simpleText(bytes, valueAt) ?? jsonAt(bytes, valueAt)])
  }
}

function readTrace(name: string, value: string | undefined, { trace }: Draft): void {
  if (value !== undefined) trace.push([name, value])
}

/** Undefined when it is not what this broker writes. */
function pairsAt(bytes: Uint8Array, at: number): Pair[] | undefined {
  const { count, at: first } = elementsAt(bytes, at)
  const pairs: Pair[] = []
  let nameAt = first
  for (let left = count; left >= 2; left -= 2) {
    const valueAt = skipValue(bytes, nameAt)
    const name = textAt(bytes, nameAt)
    const value = textAt(bytes, valueAt)
    if (name === undefined || value === undefined) return undefined
    pairs.push([name, value])
    nameAt = skipValue(bytes, valueAt)
  }
  return pairs
}

function readProperties(bytes: Uint8Array, listAt: number, draft: Draft): void {
  const { count, at: first } = elementsAt(bytes, listAt)
  let at = first
  for (let index = 0; index < count; index++) {
    if (bytes[at] !== Code.null) PROPERTIES[index]?.(bytes, at, draft)
    at = skipValue(bytes, at)
  }
}

type PropertyReader = ((bytes: Uint8Array, at: number, draft: Draft) => void) | undefined

/** In the order of the section. `to`, lifetime and group are the message's own. */
const PROPERTIES: readonly PropertyReader[] = [
  (bytes, at, { headers }) => (headers.messageId = idText(bytes, at, 'message')!),
  (bytes, at, { headers }) => (headers.userId = Buffer.from(binaryAt(bytes, at)!).toString()),
  undefined,
  text('type'),
  (bytes, at, draft) => (draft.replyTo = textAt(bytes, at)),
  (bytes, at, { headers }) =>
    (headers.correlationId = binaryAt(bytes, at) ?? encoder.encode(idText(bytes, at, 'correlation'))),
  text('contentType'),
  text('contentEncoding'),
  undefined,
  (bytes, at, { headers }) => {
    const madeAtMs = integerAt(bytes, at) ?? -1
    if (madeAtMs >= 0) headers.timestampMs = madeAtMs
  },
  undefined,
  (bytes, at, { headers }) => (headers.groupSequence = integerAt(bytes, at)! | 0),
]

function text(key: 'type' | 'contentType' | 'contentEncoding'): PropertyReader {
  return (bytes, at, { headers }) => (headers[key] = textAt(bytes, at)!)
}

function readApplication(bytes: Uint8Array, keyAt: number, valueAt: number, draft: Draft): void {
  const name = textAt(bytes, keyAt)!
  const value = simpleText(bytes, valueAt)
  if (value === undefined) return
  draft.pairs.push([name, value])
  const typed = typedAt(bytes, valueAt)
  if (typed !== undefined && !draft.typed.has(name)) draft.typed.set(name, typed)
}

/** As other brokers call sections of AMQP, encoded. */
const ENCODED_TYPE = 'message/vnd.rabbitmq.amqp'

/** JSON is text, and neither it nor the encoding has the type of its content. */
function readKind(kind: BodyKind, draft: Draft): void {
  if (kind === 'text' || kind === 'json') draft.headers.text = true
  if (kind === 'json') draft.headers.contentType = 'application/json'
  if (kind !== 'encoded') return
  draft.headers.text = false
  draft.headers.contentType = ENCODED_TYPE
}

function finish(draft: Draft): Headers {
  const { headers, messageType, replyTo } = draft
  if (headers.text === undefined && messageType === JmsType.text) headers.text = true
  if (headers.text === undefined && messageType === JmsType.bytes) headers.text = false
  const address = replyTo === undefined ? undefined : readReplyTo(replyTo, draft.replyToKind)
  if (address !== undefined) headers.replyTo = address
  // What stands for fields is among the pairs; nobody asks the broker for anything here.
  const read = readPairs('amqp10', allOf(draft))
  if (read.headers.appId !== undefined) headers.appId = read.headers.appId
  const properties = [...traced(read.headers.properties, draft.trace), ...draft.annotations]
  return draft.typed.size === 0 ? { ...headers, properties } : { ...headers, properties, typed: draft.typed }
}

/**
 * Annotations tell of a later sender of the trace than application properties, which nobody may change on the way. A state without its
 * parent says nothing. [W3C-TRACE-CONTEXT-AMQP]
 */
function traced(properties: Headers['properties'], trace: readonly Pair[]): Headers['properties'] {
  if (!trace.some(([name]) => name === TRACEPARENT)) return properties
  return [...properties.filter(([name]) => name !== TRACEPARENT && name !== TRACESTATE), ...trace]
}

/** The list of all properties counts as long as the application properties are still those that were made from it. */
function allOf({ pairs, allProperties }: Draft): Pair[] {
  if (allProperties === undefined) return pairs
  const firsts = firstOfEach(allProperties)
  const isSame =
    firsts.length === pairs.length && firsts.every(([name, value], index) => isPair(pairs[index]!, name, value))
  return isSame ? allProperties : pairs
}

function isPair(pair: Pair, name: string, value: string): boolean {
  return pair[0] === name && pair[1] === value
}

/** The first pair of each name. */
export function firstOfEach<P extends readonly [string, string]>(pairs: readonly P[]): P[] {
  const seen = new Set<string>()
  return pairs.filter(([name]) => !seen.has(name) && seen.add(name))
}

/** Undefined for what is no address that an answer can be sent to. */
function readReplyTo(address: string, kind: number | undefined): string | undefined {
  const kindHint = kind === undefined ? undefined : JMS_KINDS[kind]
  const read = resolve(address, { protocol: 'amqp10', purpose: 'send', ...(kindHint !== undefined && { kindHint }) })
  return read.ok ? toCoreName(read.address) : undefined
}
