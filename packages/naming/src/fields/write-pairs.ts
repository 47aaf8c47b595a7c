/**
 * From a message in the core to the pairs that a receiver gets: its fields in the order of the table, what the broker says of it, then the
 * publisher's properties in their order; and what of it the receiver's protocol cannot carry.
 */
import { deliveryCountOf, type Headers, type MessageExtras, PRIORITY_DEFAULT } from '@ternmq/core'
import { annotationNames, partNames, PROPERTY_PREFIX } from './names.ts'
import { isReserved, type Pair } from './read-pairs.ts'
import { type AddressSpelling, addressSpelling } from './spelling.ts'
import { FIELDS } from './table.ts'
import type { FieldId, PairProtocol, Part, TabledProtocol } from './types.ts'
import { fitsBytes, isAscii, textOfBytes } from './texts.ts'

/** What a core message is, as far as its fields go. */
export interface FieldedMessage {
  readonly headers: Headers
  readonly priority?: number
  readonly durable?: boolean
  /** Unix ms; 0: never. */
  readonly expiresAtMs?: number
  readonly extras?: MessageExtras | undefined
}

/** What the broker says of one delivery. */
export interface DeliveryFacts {
  readonly redelivered?: boolean
  readonly failedCount?: number
  readonly retained?: boolean
}

export interface WriteOptions {
  /** The protocol's usual spelling when left out. */
  readonly addresses?: AddressSpelling
  readonly delivery?: DeliveryFacts | undefined
}

/** Something of a message that a protocol cannot carry. */
export interface Loss {
  readonly field: FieldId
  /** The property or annotation, where it is one of several. */
  readonly name?: string
  readonly reason: string
}

interface Source {
  readonly message: FieldedMessage
  readonly addresses: AddressSpelling
  readonly delivery: DeliveryFacts | undefined
}

type Writer = (source: Source) => string | number | boolean | undefined

const never: Writer = () => undefined
const header =
  (key: 'messageId' | 'type' | 'contentType' | 'contentEncoding' | 'appId' | 'userId' | 'timestampMs'): Writer =>
  ({ message }) =>
    message.headers[key]
const annotation =
  (key: string): Writer =>
  ({ message }) =>
    annotationOf(message, key)
const address =
  (key: string): Writer =>
  ({ message, addresses }) => {
    const found = annotationOf(message, key)
    return typeof found === 'string' ? addresses.write(found) : undefined
  }

const WRITERS: Readonly<Record<Part, Writer>> = {
  messageId: header('messageId'),
  correlationId: ({ message: { headers } }) =>
    headers.correlationId === undefined ? undefined : textOfBytes(headers.correlationId),
  replyTo: ({ message: { headers }, addresses }) =>
    headers.replyTo === undefined ? undefined : addresses.write(headers.replyTo),
  type: header('type'),
  contentType: header('contentType'),
  contentEncoding: header('contentEncoding'),
  priority: ({ message }) => (message.priority === PRIORITY_DEFAULT ? undefined : message.priority),
  durable: ({ message }) => (message.durable === true ? true : undefined),
  expires: ({ message: { expiresAtMs = 0 } }) => (expiresAtMs === 0 ? undefined : expiresAtMs),
  timestamp: header('timestampMs'),
  userId: header('userId'),
  appId: header('appId'),
  groupId: ({ message }) => message.extras?.groupId,
  groupSequence: ({ message: { headers, extras } }) => sequenceOf(headers.groupSequence, extras?.groupEnds === true),
  // Requests to the broker: done with.
  delay: never,
  period: never,
  repeats: never,
  cron: never,
  deliverAt: never,
  retain: never,
  retainJms: never,
  scheduledId: annotation('scheduledId'),
  redelivered: ({ delivery }) => (delivery?.redelivered === true ? true : undefined),
  deliveryCount({ delivery: { failedCount = 0, redelivered = false } = {} }) {
    const count = deliveryCountOf(failedCount, redelivered)
    return count > 1 ? count : undefined
  },
  retained: ({ delivery }) => (delivery?.retained === true ? true : undefined),
  deathAddress: address('originalAddress'),
  deathQueue: address('originalQueue'),
  deathText({ message }) {
    const reason = annotationOf(message, 'reason')
    const cause = annotationOf(message, 'cause')
    return cause === undefined || reason === undefined ? cause : `${cause}: ${reason}`
  },
  deathCause: annotation('cause'),
  deathReason: annotation('reason'),
  deathCount: annotation('failedCount'),
  deathExpiredAt: annotation('expiredAtMs'),
  deathTime: annotation('movedAtMs'),
  // It is among the properties.
  dedupId: never,
  bodyKind: ({ message: { headers } }) => (headers.text === undefined ? undefined : headers.text ? 'text' : 'bytes'),
}

/** Annotations that are parts of the table, or for the broker alone; all others go by their own names. */
const TABLED_ANNOTATIONS: ReadonlySet<string> = new Set([
  'originalAddress',
  'originalQueue',
  'cause',
  'reason',
  'failedCount',
  'expiredAtMs',
  'movedAtMs',
  'earlierQueues',
  'scheduledId',
])

function annotationOf({ extras }: FieldedMessage, key: string): string | number | undefined {
  const annotations = extras?.annotations
  return annotations !== undefined && Object.hasOwn(annotations, key) ? annotations[key] : undefined
}

/** A group that ends has a sequence below 0, whatever its publisher called it. */
function sequenceOf(sequence: number | undefined, ends: boolean): number | undefined {
  return ends && (sequence === undefined || sequence >= 0) ? -1 : sequence
}

const PARTS: Readonly<Record<PairProtocol, ReadonlyArray<readonly [part: Part, name: string, field: FieldId]>>> = {
  mqtt5: written(partNames('mqtt5')),
  stomp: written(partNames('stomp')),
  amqp10: written(partNames('amqp10')),
}

const ANNOTATIONS = written(annotationNames())

function written(
  names: ReturnType<typeof partNames>,
): ReadonlyArray<readonly [part: Part, name: string, field: FieldId]> {
  return names.filter(([part]) => WRITERS[part] !== never).map(([part, name, field]) => [part, name, field.id])
}

const SPELLINGS: Readonly<Record<TabledProtocol, AddressSpelling>> = {
  mqtt5: addressSpelling('mqtt'),
  mqtt3: addressSpelling('mqtt'),
  stomp: addressSpelling('stomp'),
  amqp10: addressSpelling('amqp10'),
  rest: addressSpelling('rest'),
}

/**
 * The pairs of a message in that protocol; what is native to it (MQTT 5: correlation, content type, reply-to, expiry, kind of body) is not
 * among them. Names and values are texts without U+0000, unescaped.
 */
export function writePairs(protocol: PairProtocol, message: FieldedMessage, options: WriteOptions = {}): Pair[] {
  const pairs: Pair[] = []
  walk(protocol, message, options, (name, value) => pairs.push([name, value]), undefined)
  return pairs
}

/** Only what the broker says of it and its publisher did not: for a message that goes on as it came. */
export function writeAnnotations(protocol: PairProtocol, message: FieldedMessage, options: WriteOptions = {}): Pair[] {
  const bare = { headers: NO_HEADERS, extras: { annotations: message.extras?.annotations ?? {} } }
  return writePairs(protocol, bare, options)
}

const NO_HEADERS: Headers = { properties: [] }

/** Name and value of a message annotation of AMQP. */
export type MessageAnnotation = readonly [name: string, value: string | number | boolean]

/** What the broker says of it, as message annotations of AMQP. */
export function writeMessageAnnotations(message: FieldedMessage, options: WriteOptions = {}): MessageAnnotation[] {
  const source: Source = { message, addresses: options.addresses ?? SPELLINGS.amqp10, delivery: options.delivery }
  const annotations: MessageAnnotation[] = []
  for (const [part, name] of ANNOTATIONS) {
    const value = WRITERS[part](source)
    if (value !== undefined) annotations.push([name, value])
  }
  for (const [key, value] of Object.entries(message.extras?.annotations ?? {})) {
    if (!TABLED_ANNOTATIONS.has(key)) annotations.push([key.startsWith('x-opt-') ? key : `x-opt-${key}`, value])
  }
  return annotations
}

/** What of the message a receiver of that protocol does not get, and why. Nothing of it is lost for others. */
export function losses(protocol: TabledProtocol, message: FieldedMessage, options: WriteOptions = {}): Loss[] {
  const found: Loss[] = []
  const addresses = options.addresses ?? SPELLINGS[protocol]
  const source: Source = { message, addresses, delivery: options.delivery }
  for (const { id, in: places } of FIELDS) {
    const place = places[protocol]
    if (place.kind !== 'lost' || id === 'properties' || id === 'annotations') continue
    const isPresent =
      id === 'replyTo'
        ? message.headers.replyTo !== undefined
        : PRESENT_BY[id]?.some((part) => WRITERS[part](source) !== undefined)
    if (isPresent === true) found.push({ field: id, reason: place.reason })
  }
  const { replyTo, contentType, correlationId } = message.headers
  if (protocol !== 'mqtt3' && protocol !== 'rest' && replyTo !== undefined && addresses.write(replyTo) === undefined) {
    found.push({ field: 'replyTo', reason: 'the protocol has no way to write this address' })
  }
  if (protocol === 'mqtt5' && contentType !== undefined && !isMqttText(contentType)) {
    found.push({ field: 'contentType', reason: NO_MQTT_TEXT })
  }
  if (protocol === 'mqtt5' && correlationId !== undefined && correlationId.length > MQTT_BYTES_MAX) {
    found.push({ field: 'correlation', reason: TOO_LONG })
  }
  if (protocol === 'amqp10') addUnlessAscii(message, found)
  if (protocol === 'mqtt3') addEach(message, found)
  else if (protocol !== 'rest') walk(protocol, message, options, () => {}, found)
  return found
}

/** Fields that a protocol may lack, by the parts that say whether a message has them. */
const PRESENT_BY: Readonly<Partial<Record<FieldId, readonly Part[]>>> = {
  id: ['messageId'],
  correlation: ['correlationId'],
  type: ['type'],
  contentType: ['contentType'],
  contentEncoding: ['contentEncoding'],
  priority: ['priority'],
  expiry: ['expires'],
  timestamp: ['timestamp'],
  userId: ['userId'],
  appId: ['appId'],
  group: ['groupId', 'groupSequence'],
  redelivery: ['redelivered', 'deliveryCount'],
  deadLetter: ['deathCause'],
  bodyKind: ['bodyKind'],
}

/** Calls `write` with every pair that can be carried, and says in `found` which cannot. */
function walk(
  protocol: PairProtocol,
  message: FieldedMessage,
  options: WriteOptions,
  write: (name: string, value: string) => void,
  found: Loss[] | undefined,
): void {
  const source: Source = { message, addresses: options.addresses ?? SPELLINGS[protocol], delivery: options.delivery }
  for (const [part, name, field] of PARTS[protocol]) {
    const value = WRITERS[part](source)
    if (value === undefined) continue
    const text = String(value)
    const reason = obstacle(protocol, name, text)
    if (reason === undefined) write(name, text)
    else found?.push({ field, reason })
  }
  // Where only the first of a name counts, the others are not sent.
  const taken = protocol === 'stomp' ? new Set<string>() : undefined
  const carry = (field: FieldId, name: string, written: string, value: string): void => {
    const reason = taken?.has(written) === true ? REPEATED : obstacle(protocol, written, value)
    if (reason !== undefined) return void found?.push({ field, name, reason })
    taken?.add(written)
    write(written, value)
  }
  // Of AMQP they are message annotations.
  const annotations = protocol === 'amqp10' ? {} : message.extras?.annotations
  for (const [key, value] of Object.entries(annotations ?? {})) {
    if (!TABLED_ANNOTATIONS.has(key)) carry('annotations', key, key.startsWith('x-') ? key : `x-${key}`, String(value))
  }
  for (const [name, value] of message.headers.properties) {
    carry('properties', name, isReserved(protocol, name) ? PROPERTY_PREFIX + name : name, value)
  }
}

const REPEATED = 'only the first of a name counts there'

/** Longest string and binary value of MQTT, in bytes. [MQTT5 §1.5.4] [MQTT5 §1.5.6] */
const MQTT_BYTES_MAX = 65_535
const TOO_LONG = `it is longer than ${MQTT_BYTES_MAX} bytes`
const NO_MQTT_TEXT = `it holds U+0000 or is longer than ${MQTT_BYTES_MAX} bytes`

/** Why the protocol cannot carry the pair. [MQTT5-1.5.4-2] */
function obstacle(protocol: PairProtocol, name: string, value: string): string | undefined {
  if (protocol === 'amqp10') return undefined
  if (name === '' && protocol === 'stomp') return 'a header of STOMP has a name'
  if (name.includes('\0') || value.includes('\0')) return 'it holds U+0000'
  if (protocol === 'stomp') return undefined
  return isMqttText(name) && isMqttText(value) ? undefined : TOO_LONG
}

/** MQTT can carry it as a string. [MQTT5-1.5.4-2] */
export function isMqttText(text: string): boolean {
  return fitsBytes(text, MQTT_BYTES_MAX) && !text.includes('\0')
}

/** Properties and annotations one by one: MQTT 3 has none. */
function addEach({ headers, extras }: FieldedMessage, found: Loss[]): void {
  for (const [name] of headers.properties) found.push({ field: 'properties', name, reason: 'MQTT 3 has no properties' })
  for (const name of Object.keys(extras?.annotations ?? {})) {
    if (!TABLED_ANNOTATIONS.has(name)) found.push({ field: 'annotations', name, reason: 'MQTT 3 has no properties' })
  }
}

/** They are symbols in AMQP. [AMQP10 §1.6.21] */
function addUnlessAscii({ headers }: FieldedMessage, found: Loss[]): void {
  for (const field of ['contentType', 'contentEncoding'] as const) {
    if (!isAscii(headers[field] ?? '')) found.push({ field, reason: 'a symbol of AMQP is ASCII' })
  }
}
