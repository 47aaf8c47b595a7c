/**
 * The frames that move messages, written straight into the connection's slab. Numbers take one, two or five bytes, as small as they are:
 * room is reserved for what is written. [AMQP10 §2.7.4, §2.7.5, §2.7.6]
 */
import { copyBytes, type Output } from '@ternmq/core'

import type { FlowFields } from './decode-flow.ts'
import { Descriptor } from './descriptors.ts'
import { Code } from './type-codes.ts'

/** Header of a frame: size, offset of the data in words, type, channel. [AMQP10 §2.3.1] */
const FRAME_HEADER_BYTES = 8
/** Constructor and descriptor. */
const DESCRIPTOR_BYTES = 3
/** List of a size up to 255, of more. */
const LIST8_BYTES = 3
const LIST32_BYTES = 9
const LIST8_SIZE_MAX = 254

/** Fields that a transfer has at most but its state: handle, id, tag, format, settled, more, no receiver settle mode. */
const TRANSFER_FIELDS_BYTES_MAX = 5 + 5 + 6 + 1 + 1 + 1 + 1
/** What comes before the payload of a transfer is at most this long; the bytes of its `state`, if it has one, not counted. */
export const TRANSFER_HEAD_BYTES_MAX: number =
  FRAME_HEADER_BYTES + DESCRIPTOR_BYTES + LIST32_BYTES + TRANSFER_FIELDS_BYTES_MAX

/** A payload of less is copied, whoever holds it: a transport would do the same, in a second call. */
const SHARED_BYTES_MIN = 2_048

/** What a transfer says; one is used for many. */
export class TransferOut {
  channel = 0
  handle = 0
  deliveryId = 0
  /** Four bytes, the highest first. */
  tag = 0
  settled = false
  more = false
  /** Later frames of a delivery say neither id nor tag nor format. */
  isFirst = true
  /** All of a described value. */
  state: Uint8Array | undefined = undefined
}

/**
 * One frame with the payload `prefix[prefixStart, prefixEnd)` and `bytes[start, end)`. `isShared`: `bytes` never change, so that many of
 * them need no copy. Hot path.
 */
export function writeTransfer(
  out: Output,
  transfer: TransferOut,
  prefix: Uint8Array,
  prefixStart: number,
  prefixEnd: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  isShared = false,
): void {
  const { handle, deliveryId, isFirst, state } = transfer
  const stateSize = state === undefined ? 0 : 1 + state.length
  const moreSize = transfer.more || stateSize !== 0 ? 1 : 0
  const idSize = isFirst ? uintSize(deliveryId) + 7 : 3
  const fieldsSize = uintSize(handle) + idSize + 1 + moreSize + stateSize
  const headSize =
    FRAME_HEADER_BYTES + DESCRIPTOR_BYTES + (fieldsSize > LIST8_SIZE_MAX ? LIST32_BYTES : LIST8_BYTES) + fieldsSize
  const frameSize = headSize + prefixEnd - prefixStart + end - start
  const isCopied = !isShared || end - start < SHARED_BYTES_MIN
  let at = out.reserve(isCopied ? frameSize : frameSize - (end - start))
  const { slab } = out
  at = writeHead(
    slab,
    at,
    frameSize,
    transfer.channel,
    Descriptor.transfer,
    fieldsSize,
    stateSize === 0 ? 5 + moreSize : 8,
  )
  at = writeUint(slab, at, handle)
  if (isFirst) {
    at = writeUint(slab, at, deliveryId)
    slab[at] = Code.binary8
    slab[at + 1] = 4
    writeUint32(slab, at + 2, transfer.tag)
    slab[at + 6] = Code.uint0
    at += 7
  } else {
    slab[at] = slab[at + 1] = slab[at + 2] = Code.null
    at += 3
  }
  slab[at++] = transfer.settled ? Code.true : Code.false
  if (moreSize !== 0) slab[at++] = transfer.more ? Code.true : Code.false
  if (state !== undefined) {
    slab[at++] = Code.null
    copyBytes(state, 0, state.length, slab, at)
    at += state.length
  }
  copyBytes(prefix, prefixStart, prefixEnd, slab, at)
  if (isCopied) copyBytes(bytes, start, end, slab, at + prefixEnd - prefixStart)
  else out.writeShared(bytes, start, end)
}

/** Disposition of the deliveries from `first` to `last` with the described value `state`. Hot path. */
export function writeDisposition(
  out: Output,
  channel: number,
  isReceiver: boolean,
  first: number,
  last: number,
  settled: boolean,
  state: Uint8Array,
): void {
  const isRange = last !== first
  const fieldsSize = 1 + uintSize(first) + (isRange ? uintSize(last) : 1) + 1 + state.length
  const size =
    FRAME_HEADER_BYTES + DESCRIPTOR_BYTES + (fieldsSize > LIST8_SIZE_MAX ? LIST32_BYTES : LIST8_BYTES) + fieldsSize
  let at = out.reserve(size)
  const { slab } = out
  at = writeHead(slab, at, size, channel, Descriptor.disposition, fieldsSize, 5)
  slab[at++] = isReceiver ? Code.true : Code.false
  at = writeUint(slab, at, first)
  if (isRange) at = writeUint(slab, at, last)
  else slab[at++] = Code.null
  slab[at++] = settled ? Code.true : Code.false
  copyBytes(state, 0, state.length, slab, at)
}

/** Flow of a session, or of the link `handle` when that is not -1. Hot path. */
export function writeFlow(out: Output, channel: number, flow: FlowFields): void {
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
  const fieldsSize =
    uintSize(nextIncomingId) +
    uintSize(incomingWindow) +
    uintSize(nextOutgoingId) +
    uintSize(outgoingWindow) +
    uintSize(handle) +
    uintSize(deliveryCount) +
    uintSize(linkCredit) +
    uintSize(available) +
    2
  const size = FRAME_HEADER_BYTES + DESCRIPTOR_BYTES + LIST8_BYTES + fieldsSize
  let at = out.reserve(size)
  const { slab } = out
  at = writeHead(slab, at, size, channel, Descriptor.flow, fieldsSize, 10)
  at = writeUint(slab, at, nextIncomingId)
  at = writeUint(slab, at, incomingWindow)
  at = writeUint(slab, at, nextOutgoingId)
  at = writeUint(slab, at, outgoingWindow)
  at = writeUint(slab, at, handle)
  at = writeUint(slab, at, deliveryCount)
  at = writeUint(slab, at, linkCredit)
  at = writeUint(slab, at, available)
  slab[at] = flow.drain ? Code.true : Code.false
  slab[at + 1] = flow.echo ? Code.true : Code.false
}

/** Everything before the fields of a frame of type 0. Returns the offset of the first. Hot path. */
function writeHead(
  slab: Uint8Array,
  start: number,
  frameSize: number,
  channel: number,
  descriptor: number,
  fieldsSize: number,
  fieldCount: number,
): number {
  writeUint32(slab, start, frameSize)
  slab[start + 4] = 2
  slab[start + 5] = 0
  slab[start + 6] = channel >> 8
  slab[start + 7] = channel & 0xff
  slab[start + 8] = Code.described
  slab[start + 9] = Code.smallUlong
  slab[start + 10] = descriptor
  if (fieldsSize <= LIST8_SIZE_MAX) {
    slab[start + 11] = Code.list8
    slab[start + 12] = fieldsSize + 1
    slab[start + 13] = fieldCount
    return start + 14
  }
  slab[start + 11] = Code.list32
  writeUint32(slab, start + 12, fieldsSize + 4)
  writeUint32(slab, start + 16, fieldCount)
  return start + 20
}

/** Bytes of a uint with its constructor, or of null for -1. */
function uintSize(value: number): number {
  return value <= 0 ? 1 : value <= 0xff ? 2 : 5
}

/** Null for -1. */
function writeUint(slab: Uint8Array, at: number, value: number): number {
  if (value <= 0) {
    slab[at] = value === 0 ? Code.uint0 : Code.null
    return at + 1
  }
  if (value <= 0xff) {
    slab[at] = Code.smallUint
    slab[at + 1] = value
    return at + 2
  }
  slab[at] = Code.uint
  writeUint32(slab, at + 1, value)
  return at + 5
}

function writeUint32(slab: Uint8Array, at: number, value: number): void {
  slab[at] = value >>> 24
  slab[at + 1] = value >>> 16
  slab[at + 2] = value >>> 8
  slab[at + 3] = value
}
