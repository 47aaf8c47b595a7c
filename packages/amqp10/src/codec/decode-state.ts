/** Delivery states and outcomes, those of transactions included. [AMQP10 §3.4, §4.5.5, §4.5.6] */
import { describedCode, Descriptor, expectDescriptor, behindDescriptor } from './descriptors.ts'
import { malformed } from './faults.ts'
import { Fields } from './fields.ts'
import { ACCEPTED, type DeliveryState, type PeerError, RELEASED } from './performatives.ts'
import { checkValue } from './structure.ts'
import { AmqpSymbol, type Value } from './values.ts'

/** The state that is all of `bytes[start, end)`. */
export function decodeState(bytes: Uint8Array, start: number, end: number): DeliveryState {
  if (checkValue(bytes, start, end, 'state') !== end) throw malformed('state', 'bytes follow the delivery state')
  return stateAt(bytes, start, end, 'state')
}

/** As `decodeState`, of a value that was checked. */
export function stateAt(bytes: Uint8Array, start: number, end: number, what: string): DeliveryState {
  const code = describedCode(bytes, start, end)
  const at = code < 0 ? start : behindDescriptor(bytes, start)
  switch (code) {
    case Descriptor.accepted:
      return emptyState(bytes, at, 'accepted', ACCEPTED)
    case Descriptor.released:
      return emptyState(bytes, at, 'released', RELEASED)
    case Descriptor.rejected:
      return { kind: 'rejected', error: errorOf(new Fields(bytes, at, 'rejected', 1), 'error') }
    case Descriptor.modified:
      return modified(new Fields(bytes, at, 'modified', 3))
    case Descriptor.received:
      return received(new Fields(bytes, at, 'received', 2))
    case Descriptor.declared:
      return declared(new Fields(bytes, at, 'declared', 1))
    case Descriptor.transactionalState:
      return transactional(new Fields(bytes, at, 'transactional-state', 2), end)
    default:
      throw malformed(what, 'expected a delivery state, got another value')
  }
}

/** A list without fields. */
function emptyState(bytes: Uint8Array, at: number, what: string, state: DeliveryState): DeliveryState {
  Fields.checkEmpty(bytes, at, what)
  return state
}

function modified(fields: Fields): DeliveryState {
  const deliveryFailed = fields.boolean('delivery-failed') ?? false
  const undeliverableHere = fields.boolean('undeliverable-here') ?? false
  const annotations = fields.map('message-annotations')
  return {
    kind: 'modified',
    deliveryFailed,
    undeliverableHere,
    annotations: annotations?.size === 0 ? undefined : annotations,
  }
}

function received(fields: Fields): DeliveryState {
  const sectionNumber = fields.required(fields.uint('section-number'), 'section-number')
  return {
    kind: 'received',
    sectionNumber,
    sectionOffset: fields.required(fields.ulong('section-offset'), 'section-offset'),
  }
}

function declared(fields: Fields): DeliveryState {
  return { kind: 'declared', transactionId: fields.required(fields.binary('txn-id'), 'txn-id') }
}

function transactional(fields: Fields, end: number): DeliveryState {
  const transactionId = fields.required(fields.binary('txn-id'), 'txn-id')
  const at = fields.next()
  if (at < 0) return { kind: 'transactional', transactionId, outcome: undefined }
  const outcome = stateAt(fields.bytes, at, end, 'transactional-state.outcome')
  if (!isOutcome(outcome))
    throw malformed('transactional-state.outcome', `${outcome.kind} is no outcome`, 'AMQP10-3.4-a')
  return { kind: 'transactional', transactionId, outcome }
}

/** What a delivery can end with. [AMQP10 §3.4] */
export function isOutcome({ kind }: DeliveryState): boolean {
  return kind === 'accepted' || kind === 'rejected' || kind === 'released' || kind === 'modified' || kind === 'declared'
}

/** The error that is the next field. [AMQP10 §2.8.14] */
export function errorOf(fields: Fields, field: string): PeerError | undefined {
  const at = fields.next()
  if (at < 0) return undefined
  const what = `${fields.what}.${field}`
  const listAt = expectDescriptor(fields.bytes, at, fields.bytes.length, Descriptor.error, what)
  const error = new Fields(fields.bytes, listAt, what, 3)
  const condition = error.required(error.symbol('condition'), 'condition')
  const description = error.string('description')
  const info = error.map('info')
  return { condition, description, info: info === undefined ? undefined : textsOf(info) }
}

/** Of a map of any values those that can be read as text; undefined when there are none. `fromEntries` makes every key its own property, '__proto__' too. */
function textsOf(map: ReadonlyMap<string, Value>): Record<string, string> | undefined {
  const texts: [string, string][] = []
  for (const [key, value] of map) {
    if (value instanceof AmqpSymbol) texts.push([key, value.text])
    else if (typeof value === 'string') texts.push([key, value])
    else if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
      texts.push([key, String(value)])
  }
  return texts.length === 0 ? undefined : Object.fromEntries(texts)
}
