/**
 * The way of a publish through the log, or behind those that are on it: its record, and the group that goes on with it when that is
 * committed. Whether it has to go this way the producer has decided.
 */
import type { Durability, LogRecord, PreparedRecord } from '@ternmq/store'
import { weighUnderWay } from '../flow/admission.ts'
import { LARGE_BODY_BYTES } from '../limits.ts'
import type { LogGroup } from '../log/host-log.ts'
import { messageRecord } from '../log/message-record.ts'
import type { Message } from '../message/message.ts'
import type { Producer, PublishOptions, PublishResult } from './producer.ts'
import { PendingPublish, PendingSchedule } from './publish-groups.ts'
import { durableQueues, mayBeDelivered, type Route, type Target, targetsOf } from '../routing/router.ts'
import type { ScheduledPublish } from '../schedule/scheduled.ts'
import type { VirtualHost } from '../virtual-host.ts'

export const NO_QUEUES: readonly number[] = []

/** Hot path for durable messages. */
export function publishLater(
  producer: Producer,
  vhost: VirtualHost,
  route: Route,
  message: Message,
  tag: number,
  options: PublishOptions | undefined,
): PublishResult {
  const targets = targetsOf(route)
  const isLogged = vhost.mustLog(route, message)
  const queues = isLogged ? durableQueues(targets, message) : NO_QUEUES
  // One that nobody will settle (at most once for every kept session) must not be in the log: it would stay for ever.
  const holders = queues.length + (isLogged && message.retain ? 1 : 0)
  if (holders === 0 && !producer.isPending) return vhost.publishTo(targets, route, message, producer.traffic)
  message.detach()
  const receivedId = producer.lastingId(options?.receivedId)
  if (holders > 0 && message.size >= LARGE_BODY_BYTES) {
    publishLarge(producer, vhost, route, message, tag, options, queues)
    return 'pending'
  }
  const pending = pendingOf(producer, vhost, targets, route, message, tag, holders, receivedId)
  if (holders === 0) vhost.log.follow(pending)
  else {
    const record = messageRecord(message, queues, mayBeDelivered(targets), undefined, producer)
    append(producer, vhost, record, receivedId, pending, route.durability)
  }
  return 'pending'
}

/** From now on it is under way. */
export function pendingOf(
  producer: Producer,
  vhost: VirtualHost,
  targets: readonly Target[],
  route: Route,
  message: Message,
  tag: number,
  holders: number,
  receivedId: number | undefined,
): PendingPublish {
  producer.enter(message.size)
  return new PendingPublish(producer, vhost, targets, route, message, tag, holders, receivedId)
}

/** Of one that the schedule will have. */
export function publishPlanned(
  producer: Producer,
  vhost: VirtualHost,
  scheduled: ScheduledPublish,
  tag: number,
  receivedId: number | undefined,
): PublishResult {
  if (!scheduled.isLogged && !producer.isPending) {
    scheduled.arrive(0)
    return 'routed'
  }
  producer.enter()
  const kept = producer.lastingId(receivedId)
  const pending = new PendingSchedule(producer, scheduled, tag, kept)
  if (scheduled.isLogged) append(producer, vhost, scheduled.record(), kept, pending, scheduled.durability)
  else vhost.log.follow(pending)
  return 'pending'
}

/** Brings the body into the log in pieces, so that it does not delay what others commit; then its record. */
function publishLarge(
  producer: Producer,
  vhost: VirtualHost,
  route: Route,
  message: Message,
  tag: number,
  options: PublishOptions | undefined,
  queues: readonly number[],
): void {
  const { hasLimits } = route
  const targets = targetsOf(route)
  producer.beginPreparing(message.size)
  if (hasLimits) weighUnderWay(vhost, targets, message, 1)
  void vhost.log.prepare(messageRecord(message, queues, true)).then((prepared) => {
    if (prepared === undefined) return // the log has ended, and with it all that waited for it
    producer.endPreparing(message.size)
    if (hasLimits) weighUnderWay(vhost, targets, message, -1)
    onPrepared(producer, vhost, route, message, tag, options, queues, prepared)
    producer.onPrepared()
  })
}

function onPrepared(
  producer: Producer,
  vhost: VirtualHost,
  route: Route,
  message: Message,
  tag: number,
  options: PublishOptions | undefined,
  queues: readonly number[],
  prepared: PreparedRecord | string,
): void {
  if (typeof prepared === 'string') return producer.answer(tag, { refusal: 'limit-reached', subject: route.topic, text: prepared })
  const targets = targetsOf(route)
  const now = durableQueues(targets, message)
  if (now.length !== queues.length || now.some((number, index) => number !== queues[index])) {
    // A queue has come or gone meanwhile: the record says something else now, so the body goes its way again.
    prepared.discard()
    if (route.hasTtl) route.limitLife(message, vhost.env.clock.wallMs())
    const result = publishLater(producer, vhost, route, message, tag, options)
    if (result !== 'pending') producer.tell(tag, result)
    return
  }
  const receivedId = producer.lastingId(options?.receivedId)
  const pending = pendingOf(producer, vhost, targets, route, message, tag, queues.length + (message.retain ? 1 : 0), receivedId)
  append(producer, vhost, prepared.record, receivedId, pending, route.durability)
}

/** A message's record, with the id that it was received with where that is to last: both or none. Hot path for durable messages. */
function append(
  producer: Producer,
  { log }: VirtualHost,
  record: LogRecord,
  receivedId: number | undefined,
  group: LogGroup,
  level: Durability,
): void {
  if (receivedId === undefined) log.append(record, group, level)
  else log.appendAll([record, ...producer.receivedRecords(receivedId)], group, level)
}
