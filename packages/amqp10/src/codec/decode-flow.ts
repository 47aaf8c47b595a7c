/** Flow, read where it lies. [AMQP10 §2.7.4] */
import { malformed } from './faults.ts'
import { FieldCursor } from './field-cursor.ts'
import { contentAt, copyOf, isBinary, isSymbol, pairsAt, textAt } from './parts.ts'
import { Code } from './type-codes.ts'

/** -1 stands for null. */
export class FlowFields {
  nextIncomingId = -1
  incomingWindow = 0
  nextOutgoingId = 0
  outgoingWindow = 0
  handle = -1
  deliveryCount = -1
  linkCredit = -1
  available = -1
  drain = false
  echo = false
  /** Of the transaction that deliveries on the link become part of. [AMQP10-4.4.3-a] */
  transactionId: Uint8Array | undefined = undefined
}

const fields = new FieldCursor('flow', 11)

/** `bytes[start, end)` is described as a flow. Hot path. */
export function decodeFlow(bytes: Uint8Array, start: number, end: number, into: FlowFields): void {
  fields.open(bytes, start, end)
  into.nextIncomingId = fields.uint('next-incoming-id')
  into.incomingWindow = fields.requiredUint('incoming-window')
  into.nextOutgoingId = fields.requiredUint('next-outgoing-id')
  into.outgoingWindow = fields.requiredUint('outgoing-window')
  into.handle = fields.uint('handle')
  into.deliveryCount = fields.uint('delivery-count')
  into.linkCredit = fields.uint('link-credit')
  into.available = fields.uint('available')
  into.drain = fields.boolean('drain') === true
  into.echo = fields.boolean('echo') === true
  into.transactionId = fields.skip('properties') ? transactionIdOf(bytes, fields.contentStart) : undefined
  fields.closeFrame(end)
}

/** Properties that are not known say nothing. */
function transactionIdOf(bytes: Uint8Array, at: number): Uint8Array | undefined {
  const pairs = pairsAt(bytes, at)
  if (pairs === undefined) throw malformed('flow.properties', 'expected a map', 'AMQP10-1.3.4-f')
  const valueAt = pairs.find(([keyAt]) => isSymbol(bytes, keyAt) && textAt(bytes, keyAt) === 'txn-id')?.[1]
  if (valueAt === undefined || bytes[valueAt] === Code.null) return undefined
  if (isBinary(bytes, valueAt)) return copyOf(contentAt(bytes, valueAt))
  throw malformed('flow.properties.txn-id', 'expected a binary', 'AMQP10-1.3.4-f')
}
