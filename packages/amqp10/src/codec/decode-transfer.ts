/** Transfer, read where it lies. [AMQP10 §2.7.5] */
import { FieldCursor } from './field-cursor.ts'
import { invalidField } from './faults.ts'
import type { DeliveryState, ReceiverSettleMode } from './performatives.ts'

/** -1 and undefined stand for null; offsets are into the bytes that were read. */
export class TransferFields {
  handle = 0
  deliveryId = -1
  hasTag = false
  tagStart = 0
  tagEnd = 0
  messageFormat = -1
  settled: boolean | undefined = undefined
  more = false
  receiverSettleMode: ReceiverSettleMode | undefined = undefined
  state: DeliveryState | undefined = undefined
  resume = false
  aborted = false
  batchable = false
  /** The payload is from here to the end of the frame. */
  payloadStart = 0
}

/** [AMQP10 §2.8.7] */
const TAG_BYTES_MAX = 32

const fields = new FieldCursor('transfer', 11)

/** `bytes[start, end)` is described as a transfer. Hot path. */
export function decodeTransfer(bytes: Uint8Array, start: number, end: number, into: TransferFields): void {
  fields.open(bytes, start, end)
  into.handle = fields.requiredUint('handle')
  into.deliveryId = fields.uint('delivery-id')
  into.hasTag = fields.binary('delivery-tag')
  into.tagStart = into.hasTag ? fields.contentStart : 0
  into.tagEnd = into.hasTag ? fields.contentEnd : 0
  into.messageFormat = fields.uint('message-format')
  into.settled = fields.boolean('settled')
  into.more = fields.boolean('more') === true
  const mode = fields.ubyte('rcv-settle-mode')
  into.receiverSettleMode = mode < 0 ? undefined : modeOf(mode)
  into.state = fields.state()
  into.resume = fields.boolean('resume') === true
  into.aborted = fields.boolean('aborted') === true
  into.batchable = fields.boolean('batchable') === true
  into.payloadStart = fields.close()
  if (into.tagEnd - into.tagStart > TAG_BYTES_MAX)
    throw invalidField(
      'transfer.delivery-tag',
      `${into.tagEnd - into.tagStart} bytes are more than ${TAG_BYTES_MAX}`,
      'AMQP10-2.8.7-a',
    )
}

function modeOf(code: number): ReceiverSettleMode {
  if (code > 1) throw invalidField('transfer.rcv-settle-mode', `${code} is neither 0 (first) nor 1 (second)`)
  return code === 0 ? 'first' : 'second'
}
