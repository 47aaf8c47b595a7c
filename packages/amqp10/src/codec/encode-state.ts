/** Delivery states and errors on their way out. [AMQP10 §2.8.14, §3.4, §4.5.5, §4.5.6] */
import { Descriptor } from './descriptors.ts'
import { composite, encode, Encoded, fieldsMap, key, map, symbol } from './encode-value.ts'
import type { DeliveryState, PeerError } from './performatives.ts'
import { rhea, type Typed } from './rhea-types.ts'

export const ACCEPTED_BYTES: Uint8Array = encode(composite(Descriptor.accepted, []))
export const RELEASED_BYTES: Uint8Array = encode(composite(Descriptor.released, []))

/** All of the described value. */
export function encodeState(state: DeliveryState): Uint8Array {
  switch (state.kind) {
    case 'accepted':
      return ACCEPTED_BYTES
    case 'released':
      return RELEASED_BYTES
    case 'rejected':
      return encode(composite(Descriptor.rejected, [state.error === undefined ? undefined : errorTyped(state.error)]))
    case 'modified':
      return encode(composite(Descriptor.modified, modifiedFields(state)))
    case 'received':
      return encode(
        composite(Descriptor.received, [
          rhea.wrap_uint(state.sectionNumber),
          rhea.Ulong(ulongBytes(state.sectionOffset)),
        ]),
      )
    case 'declared':
      return encode(composite(Descriptor.declared, [rhea.wrap_binary(state.transactionId)]))
    case 'transactional': {
      const outcome = state.outcome === undefined ? undefined : new Encoded(encodeState(state.outcome))
      return encode(composite(Descriptor.transactionalState, [rhea.wrap_binary(state.transactionId), outcome]))
    }
  }
}

function modifiedFields(state: DeliveryState & { kind: 'modified' }): (Typed | undefined)[] {
  const { deliveryFailed, undeliverableHere, annotations } = state
  return [
    deliveryFailed ? rhea.wrap_boolean(true) : undefined,
    undeliverableHere ? rhea.wrap_boolean(true) : undefined,
    annotations === undefined ? undefined : fieldsMap(annotations),
  ]
}

function ulongBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

/** The outcome `rejected` with an error. */
export function rejectedState(
  condition: string,
  description: string,
  info?: Readonly<Record<string, string>>,
): Uint8Array {
  return encodeState({ kind: 'rejected', error: { condition, description, info } })
}

/** What an error may take, so that it fits into the smallest frame that a peer may have asked for, with all that is around it. [AMQP10 §2.7.1] */
const ERROR_BYTES_MAX = 400
const CUT = '…'

/** A description that is too long is cut, an info that is too long left out. */
export function errorTyped({ condition, description, info }: PeerError): Typed {
  const pairs = Object.entries(info ?? {}).map(([name, text]) => [key(name), rhea.wrap_string(text)] as const)
  const infoTyped = pairs.length === 0 ? undefined : map(pairs)
  const infoSize = infoTyped === undefined ? 0 : encode(infoTyped).length
  const isInfoKept = infoSize <= ERROR_BYTES_MAX / 2
  const room = ERROR_BYTES_MAX - condition.length - (isInfoKept ? infoSize : 0)
  return composite(Descriptor.error, [
    symbol(condition),
    description === undefined ? undefined : rhea.wrap_string(cutText(description, room)),
    isInfoKept ? infoTyped : undefined,
  ])
}

/** `text`, or its beginning, in at most `bytesMax` bytes of UTF-8. */
function cutText(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= bytesMax) return text
  // `stream` leaves a character out that is cut in two.
  const kept = bytes.subarray(0, Math.max(0, bytesMax - Buffer.byteLength(CUT)))
  return new TextDecoder().decode(kept, { stream: true }) + CUT
}
