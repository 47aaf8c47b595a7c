/** Disposition, read where it lies. [AMQP10 §2.7.6] */
import { FieldCursor } from './field-cursor.ts'
import type { DeliveryState } from './performatives.ts'

export class DispositionFields {
  /** Who says it received the deliveries that it is about. */
  isReceiver = false
  first = 0
  /** As `first` where it was not sent. Deliveries between them are as many as the numbers say: never walk them. */
  last = 0
  settled = false
  state: DeliveryState | undefined = undefined
  batchable = false
}

const fields = new FieldCursor('disposition', 6)

/** `bytes[start, end)` is described as a disposition. Hot path. */
export function decodeDisposition(bytes: Uint8Array, start: number, end: number, into: DispositionFields): void {
  fields.open(bytes, start, end)
  const role = fields.boolean('role')
  if (role === undefined) throw fields.missing('role')
  into.isReceiver = role
  into.first = fields.requiredUint('first')
  const last = fields.uint('last')
  into.last = last < 0 ? into.first : last
  into.settled = fields.boolean('settled') === true
  into.state = fields.state()
  into.batchable = fields.boolean('batchable') === true
  fields.closeFrame(end)
}
