/** Flow, read where it lies. [AMQP10 §2.7.4] */
import { FieldCursor } from './field-cursor.ts'

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
  fields.skip('properties')
  fields.closeFrame(end)
}
