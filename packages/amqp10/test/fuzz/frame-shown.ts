/** What a frame says, as text: of the codec's readings and of the reference's. */
import {
  decodeAttach,
  decodeBegin,
  decodeClose,
  decodeDetach,
  decodeEnd,
  decodeOpen,
  decodeSaslInit,
  decodeSaslResponse,
  performativeCode,
} from '../../src/codec/decode-control.ts'
import { decodeDisposition, DispositionFields } from '../../src/codec/decode-disposition.ts'
import { decodeFlow, FlowFields } from '../../src/codec/decode-flow.ts'
import { decodeTransfer, TransferFields } from '../../src/codec/decode-transfer.ts'
import type { DeliveryState } from '../../src/codec/performatives.ts'
import { codeOf, readPerformative, transactionIdIn } from './reference-performatives.ts'
import type { Limits, Node } from './reference-values.ts'

const transfer = new TransferFields()
const flow = new FlowFields()
const disposition = new DispositionFields()

type Decode = (bytes: Uint8Array, start: number, end: number) => unknown

const CONTROL: Readonly<Record<number, Decode>> = {
  0x10: decodeOpen,
  0x11: decodeBegin,
  0x12: decodeAttach,
  0x16: decodeDetach,
  0x17: decodeEnd,
  0x18: decodeClose,
  0x41: decodeSaslInit,
  0x43: decodeSaslResponse,
}

/** Of a body, as the codec reads it. Throws AmqpFault. `decoded` is what it has made of a control performative. */
export function showFrame(
  bytes: Uint8Array,
  start: number,
  end: number,
): { text: string; code: number; decoded: unknown } {
  const code = performativeCode(bytes, start, end)
  switch (code) {
    case 0x13:
      decodeFlow(bytes, start, end, flow)
      return { text: showFlow(), code, decoded: undefined }
    case 0x14:
      decodeTransfer(bytes, start, end, transfer)
      return { text: showTransfer(bytes, end), code, decoded: undefined }
    case 0x15:
      decodeDisposition(bytes, start, end, disposition)
      return { text: showDisposition(), code, decoded: undefined }
    default:
      return { text: `performative ${code}`, code, decoded: CONTROL[code]?.(bytes, start, end) }
  }
}

/** Of a body, as the reference reads it. Throws Refused. */
export function expectedFrame(body: Buffer, limits: Limits): string {
  const code = codeOf(body, limits)
  if (code < 0 || code === 0x40 || code === 0x42 || code === 0x44) return `performative ${code}`
  const { name, fields, payload } = readPerformative(body, limits)
  switch (name) {
    case 'flow':
      return line('flow', [
        ...uints(fields, 0, 8),
        isTrue(fields[8]),
        isTrue(fields[9]),
        hexOf(fields[10]?.type === 'map' ? transactionIdIn(fields[10]) : undefined),
      ])
    case 'transfer':
      return line('transfer', [
        ...uints(fields, 0, 2),
        hexOf(fields[2]),
        ...uints(fields, 3, 1),
        maybe(fields[4]),
        isTrue(fields[5]),
        maybe(fields[6]),
        stateIn(fields[7]),
        ...[8, 9, 10].map((index) => isTrue(fields[index])),
        payload.toString('hex'),
      ])
    case 'disposition':
      return line('disposition', [
        isTrue(fields[0]),
        ...uints(fields, 1, 1),
        uintIn(fields[2]) === '-1' ? uintIn(fields[1]) : uintIn(fields[2]),
        isTrue(fields[3]),
        stateIn(fields[4]),
        isTrue(fields[5]),
      ])
    default:
      return `performative ${code}`
  }
}

function line(name: string, values: readonly unknown[]): string {
  return `${name} ${values.map(String).join(' ')}`
}

function showFlow(): string {
  const {
    nextIncomingId,
    incomingWindow,
    nextOutgoingId,
    outgoingWindow,
    handle,
    deliveryCount,
    linkCredit,
    available,
  } = flow
  const numbers = [
    nextIncomingId,
    incomingWindow,
    nextOutgoingId,
    outgoingWindow,
    handle,
    deliveryCount,
    linkCredit,
    available,
  ]
  return line('flow', [...numbers, flow.drain, flow.echo, bytesText(flow.transactionId)])
}

function showTransfer(bytes: Uint8Array, end: number): string {
  const { handle, deliveryId, hasTag, tagStart, tagEnd, messageFormat, settled, more, receiverSettleMode, state } =
    transfer
  return line('transfer', [
    handle,
    deliveryId,
    hasTag ? bytesText(bytes.subarray(tagStart, tagEnd)) : '-',
    messageFormat,
    settled ?? '-',
    more,
    receiverSettleMode === undefined ? '-' : receiverSettleMode === 'first' ? 0 : 1,
    showState(state),
    transfer.resume,
    transfer.aborted,
    transfer.batchable,
    Buffer.from(bytes.subarray(transfer.payloadStart, end)).toString('hex'),
  ])
}

function showDisposition(): string {
  const { isReceiver, first, last, settled, state, batchable } = disposition
  return line('disposition', [isReceiver, first, last, settled, showState(state), batchable])
}

export function showState(state: DeliveryState | undefined): string {
  switch (state?.kind) {
    case undefined:
      return '-'
    case 'accepted':
    case 'released':
      return state.kind
    case 'rejected':
      return `rejected(${state.error === undefined ? '-' : `${state.error.condition},${state.error.description ?? '-'}`})`
    case 'modified':
      return `modified(${state.deliveryFailed},${state.undeliverableHere},${state.annotations?.size ?? '-'})`
    case 'received':
      return `received(${state.sectionNumber},${state.sectionOffset})`
    case 'declared':
      return `declared(${bytesText(state.transactionId)})`
    case 'transactional':
      return `transactional-state(${bytesText(state.transactionId)},${showState(state.outcome)})`
  }
}

function bytesText(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '-' : `x${Buffer.from(bytes).toString('hex')}`
}

const STATE_NAMES = new Map<bigint, string>([
  [0x23n, 'received'],
  [0x24n, 'accepted'],
  [0x25n, 'rejected'],
  [0x26n, 'released'],
  [0x27n, 'modified'],
  [0x33n, 'declared'],
  [0x34n, 'transactional-state'],
])

function stateIn(node: Node | undefined): string {
  if (node === undefined || node.type === 'null') return '-'
  const [descriptor, list] = node.parts
  const symbol = /^amqp:(.*):list$/.exec(String(descriptor!.value))?.[1]
  const name = symbol ?? STATE_NAMES.get(BigInt(descriptor!.value as bigint))!
  const [first, second, third] = list!.parts
  switch (name) {
    case 'rejected':
      return `rejected(${isNull(first) ? '-' : errorIn(first!)})`
    case 'modified':
      return `modified(${isTrue(first)},${isTrue(second)},${isNull(third) ? '-' : third!.parts.length / 2})`
    case 'received':
      return `received(${uintIn(first)},${String(second!.value)})`
    case 'declared':
      return `declared(${hexOf(first)})`
    case 'transactional-state':
      return `transactional-state(${hexOf(first)},${stateIn(second)})`
    default:
      return name
  }
}

function errorIn({ parts }: Node): string {
  const [condition, description] = parts[1]!.parts
  return `${String(condition!.value)},${maybe(description)}`
}

function isNull(node: Node | undefined): boolean {
  return node === undefined || node.type === 'null'
}

function maybe(node: Node | undefined): string {
  return isNull(node) ? '-' : String(node!.value)
}

function isTrue(node: Node | undefined): boolean {
  return node?.value === true
}

function uintIn(node: Node | undefined): string {
  return isNull(node) ? '-1' : String(node!.value)
}

function uints(fields: readonly Node[], from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => uintIn(fields[from + index]))
}

function hexOf(node: Node | undefined): string {
  return isNull(node) ? '-' : `x${String(node!.value)}`
}
