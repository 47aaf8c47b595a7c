/**
 * A PUBLISH as if it had come without what concerns its first hop only: topic alias and message expiry cut out, the topic by
 * name. Subscribers then get its bytes as those of any other.
 */
import { copyBytes } from '@ternmq/core'
import { copyEndToEnd, type PublishProperties } from './codec/property-scan.ts'
import { varintSize, writeVarint } from './codec/varint.ts'

/**
 * The memory is good for as long as a read buffer is: until the next packet. A new array for every message took longer than
 * everything else that is done with it.
 */
const SCRATCH_BYTES = 65_536
const scratch = new Uint8Array(SCRATCH_BYTES)

/** What was built last; offsets as in `Message`, the packet starts at 0. */
export interface RebuiltPublish {
  bytes: Uint8Array
  headerStart: number
  bodyStart: number
  end: number
}

export const rebuilt: RebuiltPublish = { bytes: scratch, headerStart: 0, bodyStart: 0, end: 0 }

/**
 * Builds into `rebuilt`. Flags, packet id (0: none), properties and payload from `bodyAt` on are those of the packet in `bytes`;
 * the name is `topic[topicAt, topicEnd)`. Hot path.
 */
export function rebuildPublish(
  bytes: Uint8Array,
  flags: number,
  topic: Uint8Array,
  topicAt: number,
  topicEnd: number,
  id: number,
  found: PublishProperties,
  bodyAt: number,
  end: number,
): void {
  const topicSize = topicEnd - topicAt
  const propertiesSize = found.endToEndBytes
  const headerSize = 2 + topicSize + (id === 0 ? 0 : 2) + varintSize(propertiesSize)
  const remaining = headerSize + propertiesSize + end - bodyAt
  const size = 1 + varintSize(remaining) + remaining
  const target = size <= SCRATCH_BYTES ? scratch : new Uint8Array(size)
  target[0] = flags
  let at = writeVarint(target, 1, remaining)
  target[at++] = topicSize >> 8
  target[at++] = topicSize & 0xff
  copyBytes(topic, topicAt, topicEnd, target, at)
  at += topicSize
  if (id !== 0) {
    target[at++] = id >> 8
    target[at++] = id & 0xff
  }
  at = writeVarint(target, at, propertiesSize)
  rebuilt.bytes = target
  rebuilt.headerStart = at
  rebuilt.bodyStart = copyEndToEnd(bytes, found, target, at)
  copyBytes(bytes, bodyAt, end, target, rebuilt.bodyStart)
  rebuilt.end = size
}
