/** What the headers of a SEND ask for beside its destination: lifetime, priority, groups, schedule, duplicates. */
import { type MessageExtras, PRIORITY_DEFAULT, type ProducerTarget, type PublishOptions, type ScheduleOptions } from '@ternmq/core'
import { parseDigits } from './codec/digits.ts'
import { encodeLines, type HeaderPair } from './codec/encode.ts'
import { HEADER_NAMES, HeaderId, type KnownHeader } from './codec/header-ids.ts'
import type { FrameHeaders } from './codec/headers.ts'
import { quote } from './codec/problem.ts'
import type { StompConnection } from './connection.ts'
import type { SendPlan } from './handlers/send.ts'
import { MESSAGE_SKIPS } from './headers.ts'
import { Refused } from './refused.ts'

/** `lines` is set where they are not those of the frame. */
export type SendOptions = Omit<SendPlan, 'target' | 'lines'> & { readonly lines: Uint8Array | undefined }

/** Headers that have a meaning here; without one of them there is nothing to read. */
const MEANINGFUL: readonly KnownHeader[] = [
  HeaderId.persistent,
  HeaderId.priority,
  HeaderId.expires,
  HeaderId.replyTo,
  HeaderId.groupId,
  HeaderId.groupSequence,
  HeaderId.duplicateId,
  HeaderId.retain,
  HeaderId.retainJms,
  HeaderId.scheduledDelay,
  HeaderId.scheduledPeriod,
  HeaderId.scheduledRepeat,
  HeaderId.scheduledCron,
]

const PLAIN: SendOptions = {
  durable: false,
  retain: false,
  priority: PRIORITY_DEFAULT,
  expiresAtMs: 0,
  extras: undefined,
  options: undefined,
  lines: undefined,
}

/** Throws Refused for a value that cannot be. Hot path of clients whose frames have receipts. */
export function readSendOptions(client: StompConnection, frame: FrameHeaders, target: ProducerTarget): SendOptions {
  if (!MEANINGFUL.some((id) => frame.find(id) >= 0)) return PLAIN
  return {
    durable: flag(frame, HeaderId.persistent),
    retain: retained(frame, target),
    priority: number(frame, HeaderId.priority, 0, 9) ?? PRIORITY_DEFAULT,
    expiresAtMs: number(frame, HeaderId.expires, 0, Number.MAX_SAFE_INTEGER) ?? 0,
    extras: extrasOf(frame),
    options: optionsOf(frame),
    lines: linesOf(client, frame),
  }
}

function flag(frame: FrameHeaders, id: KnownHeader): boolean {
  const index = frame.find(id)
  if (index < 0) return false
  if (frame.valueIs(index, 'true')) return true
  if (frame.valueIs(index, 'false')) return false
  throw new Refused(frame, `header ${HEADER_NAMES[id]!}: ${quote(frame.valueAt(index))} is neither true nor false`)
}

/** `retain:true` and `retain:set` keep the message for its topic, `retain:remove` with an empty body clears it. */
function retained(frame: FrameHeaders, { route }: ProducerTarget): boolean {
  const word = frame.get(HeaderId.retain)
  const isRetained = word === 'true' || word === 'set' || word === 'remove' || flag(frame, HeaderId.retainJms)
  if (word !== undefined && !isRetained && word !== 'false') {
    throw new Refused(frame, `header retain: ${quote(word)} is none of true, set, remove and false`)
  }
  if (isRetained && route.topic.startsWith('$queue/')) {
    throw new Refused(frame, `a queue keeps no retained message; send to a topic, or leave out header retain`)
  }
  return isRetained
}

function number(frame: FrameHeaders, id: KnownHeader, min: number, max: number): number | undefined {
  const text = frame.get(id)
  if (text === undefined) return undefined
  const bytes = Buffer.from(text.startsWith('-') ? text.slice(1) : text, 'latin1')
  const digits = parseDigits(bytes, 0, bytes.length)
  const value = text.startsWith('-') ? -digits : digits
  if (digits < 0 || value < min || value > max) {
    throw new Refused(frame, `header ${HEADER_NAMES[id]!}: ${quote(text)} is not a whole number from ${min} to ${max}`)
  }
  return value
}

/** A group that is closed, as ActiveMQ closes it, is another one when its name comes again. */
function extrasOf(frame: FrameHeaders): MessageExtras | undefined {
  const groupId = frame.get(HeaderId.groupId)
  if (groupId === undefined || groupId === '') return undefined
  return { groupId, ...(frame.get(HeaderId.groupSequence) === '-1' && { groupEnds: true }) }
}

function optionsOf(frame: FrameHeaders): PublishOptions | undefined {
  const schedule = scheduleOf(frame)
  const dedupId = frame.get(HeaderId.duplicateId)
  if (schedule === undefined && dedupId === undefined) return undefined
  return { ...(schedule !== undefined && { schedule }), ...(dedupId !== undefined && { dedupId }) }
}

function scheduleOf(frame: FrameHeaders): ScheduleOptions | undefined {
  const delayMs = number(frame, HeaderId.scheduledDelay, 0, Number.MAX_SAFE_INTEGER)
  const periodMs = number(frame, HeaderId.scheduledPeriod, 0, Number.MAX_SAFE_INTEGER)
  const repeats = number(frame, HeaderId.scheduledRepeat, -1, Number.MAX_SAFE_INTEGER)
  const cron = frame.get(HeaderId.scheduledCron)
  if (delayMs === undefined && periodMs === undefined && repeats === undefined && cron === undefined) return undefined
  return {
    ...(delayMs !== undefined && { delayMs }),
    ...(periodMs !== undefined && { periodMs }),
    ...(repeats !== undefined && { repeats }),
    ...(cron !== undefined && { cron }),
  }
}

/** The client's name for a temporary destination means nothing to others: they get the one that the broker gave. */
function linesOf(client: StompConnection, frame: FrameHeaders): Uint8Array | undefined {
  const replyTo = frame.get(HeaderId.replyTo)
  const spelled = replyTo === undefined ? undefined : client.destinations.replyTo(frame, replyTo)
  if (spelled === replyTo) return undefined
  const pairs: HeaderPair[] = frame.pairs(MESSAGE_SKIPS).map(([name, value]) => [name, name === 'reply-to' ? spelled! : value])
  return encodeLines(pairs, 12)
}
