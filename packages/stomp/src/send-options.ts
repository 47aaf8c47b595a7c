/** What the headers of a SEND ask for beside its destination: lifetime, priority, groups, schedule, duplicates. */
import { type MessageExtras, PRIORITY_DEFAULT, type ProducerTarget, type PublishOptions } from '@ternmq/core'
import { type AddressSpelling, faultText, type PairsRead, readPairs } from '@ternmq/naming'
import { encodeLines } from './codec/encode.ts'
import { HEADER_NAMES, HeaderId } from './codec/header-ids.ts'
import { type FrameHeaders, headerMask } from './codec/headers.ts'
import type { StompConnection } from './connection.ts'
import type { SendPlan } from './handlers/send.ts'
import { MESSAGE_SKIPS } from './headers.ts'
import { readReplyTo } from './names.ts'
import { Refused } from './refused.ts'

/** `lines` is set where they are not those of the frame. */
export type SendOptions = Omit<SendPlan, 'target' | 'lines'> & { readonly lines: Uint8Array | undefined }

/** Headers that ask for something, or whose value can be wrong: without one of them there is nothing to read. */
const MEANINGFUL = headerMask([
  HeaderId.persistent,
  HeaderId.priority,
  HeaderId.expires,
  HeaderId.timestamp,
  HeaderId.correlationId,
  HeaderId.replyTo,
  HeaderId.messageType,
  HeaderId.groupId,
  HeaderId.groupSequence,
  HeaderId.duplicateId,
  HeaderId.retain,
  HeaderId.retainJms,
  HeaderId.scheduledDelay,
  HeaderId.scheduledPeriod,
  HeaderId.scheduledRepeat,
  HeaderId.scheduledCron,
  HeaderId.scheduledTime,
])

/** Of a message that says nothing, or only that it is to be kept. */
const PLAIN: SendOptions = {
  durable: false,
  retain: false,
  priority: PRIORITY_DEFAULT,
  expiresAtMs: 0,
  extras: undefined,
  options: undefined,
  lines: undefined,
}
const PERSISTENT: SendOptions = { ...PLAIN, durable: true }

/** Throws Refused for a value that cannot be. Hot path of clients whose frames have receipts. */
export function readSendOptions(client: StompConnection, frame: FrameHeaders, target: ProducerTarget): SendOptions {
  const count = frame.countOf(MEANINGFUL)
  if (count === 0) return PLAIN
  const persistentAt = count === 1 ? frame.find(HeaderId.persistent) : -1
  if (persistentAt >= 0 && frame.valueIs(persistentAt, 'true')) return PERSISTENT
  const read = readPairs('stomp', frame.pairs(), spellingOf(client, frame))
  const [fault] = read.faults
  if (fault !== undefined) throw new Refused(frame, faultText('stomp', fault))
  const { durable = false, retain, priority = PRIORITY_DEFAULT, expiresAtMs = 0 } = read
  if (retain !== undefined && target.route.topic.startsWith('$queue/')) {
    throw new Refused(frame, 'a queue keeps no retained message; send to a topic, or leave out header retain')
  }
  return {
    durable,
    retain: retain !== undefined,
    priority,
    expiresAtMs,
    extras: extrasOf(read),
    options: optionsOf(read),
    lines: linesOf(client, frame),
  }
}

/** A group that is closed, as ActiveMQ closes it, is another one when its name comes again. */
function extrasOf({ groupId, groupEnds }: PairsRead): MessageExtras | undefined {
  return groupId === undefined ? undefined : { groupId, ...(groupEnds === true && { groupEnds }) }
}

function optionsOf({ schedule, dedupId }: PairsRead): PublishOptions | undefined {
  if (schedule === undefined && dedupId === undefined) return undefined
  return { ...(schedule !== undefined && { schedule }), ...(dedupId !== undefined && { dedupId }) }
}

/** The client's own names of temporary destinations included. */
function spellingOf(client: StompConnection, frame: FrameHeaders): AddressSpelling {
  return {
    read(text) {
      const address = readReplyTo(client.destinations.replyTo(frame, text))
      return address === undefined ? { rule: 'one queue or one topic' } : { address }
    },
    write: () => undefined,
  }
}

/** The client's name for a temporary destination means nothing to others: they get the one that the broker gave. */
function linesOf(client: StompConnection, frame: FrameHeaders): Uint8Array | undefined {
  const replyTo = frame.get(HeaderId.replyTo)
  const spelled = replyTo === undefined ? undefined : client.destinations.replyTo(frame, replyTo)
  if (spelled === undefined || spelled === replyTo) return undefined
  const name = HEADER_NAMES[HeaderId.replyTo]!
  return encodeLines(
    frame.pairs(MESSAGE_SKIPS).map((pair) => (pair[0] === name ? [name, spelled] : pair)),
    12,
  )
}
