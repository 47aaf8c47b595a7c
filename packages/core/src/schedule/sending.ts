/** What the schedule asks of the log: a copy together with what it makes of its schedule, a series that begins, an end. */
import type { Durability, LogRecord } from '@ternmq/store'
import { queueNameOf } from '../routing/address.ts'
import type { LogGroup } from '../log/host-log.ts'
import { messageRecord } from '../log/message-record.ts'
import { jsonRecord, type LoggedSchedule, RecordKind, settledRecord } from '../log/records.ts'
import { SCHEDULE_NUMBER } from '../log/state.ts'
import type { Message, MessageExtras } from '../message/message.ts'
import { remade, RoutedMessage } from '../publish/routed-message.ts'
import { isTemporary } from '../destinations/temporaries.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { nextTiming, seriesOf } from './options.ts'
import type { Scheduled } from './scheduled.ts'

/** Ends of scheduled messages in one record: 96 KiB of it. */
const ENDS_PER_RECORD = 8_192

type Next = Pick<LoggedSchedule, 'dueAtMs' | 'repeats'> | undefined

/** Sends the copy that is due, or begins the series that is. `message` is what the schedule keeps of it. */
export function send(vhost: VirtualHost, scheduled: Scheduled, message: Message): void {
  const nowMs = vhost.env.clock.wallMs()
  const { logged } = scheduled
  const next = nextTiming(logged, nowMs)
  const series = seriesOf(logged, nowMs)
  const isRepeated = next !== undefined
  const refusal = refusalFor(vhost, logged)
  if (refusal !== undefined) refuse(vhost, logged, refusal)
  const sending =
    refusal !== undefined
      ? undefined
      : series === undefined
      ? copyOf(vhost, scheduled, message, nowMs, isRepeated)
      : startOf(vhost, message, { ...fixedOf(logged), ...series }, scheduled.isLogged)
  if (sending === 'later') return vhost.schedule.onDelayed(scheduled)
  scheduled.state = 'sending'
  scheduled.isLast = next === undefined
  const records: LogRecord[] = []
  if (sending?.isLogged === true) records.push(sending.record())
  if (scheduled.isLogged) records.push(afterRecord(scheduled.id, next))
  const group = new Sending(vhost, scheduled, next, sending, records.length)
  vhost.schedule.sendingCount++
  if (records.length > 0) vhost.log.appendAll(records, group, sending?.durability)
  else if (vhost.schedule.sendingCount > 1) vhost.log.follow(group)
  else group.onCommitted(0)
}

/** Ends scheduled messages; those in memory at once. `then` hears whether all that the log has are gone. */
export function endAll(vhost: VirtualHost, all: readonly Scheduled[], then: (isDone: boolean) => void): void {
  const logged: Scheduled[] = []
  for (const scheduled of all) {
    if (scheduled.isLogged) logged.push(scheduled)
    else vhost.schedule.forget(scheduled)
  }
  if (logged.length === 0) return then(true)
  const records: LogRecord[] = []
  for (let from = 0; from < logged.length; from += ENDS_PER_RECORD) {
    const lsns = logged.slice(from, from + ENDS_PER_RECORD).map(({ id }) => id)
    records.push(
      settledRecord(
        lsns.map(() => SCHEDULE_NUMBER),
        lsns,
      ),
    )
  }
  vhost.log.appendAll(records, new Ends(vhost, logged, records.length, then))
}

/** What is published besides the schedule's own record; undefined when there is nobody for it. */
interface Outgoing {
  readonly isLogged: boolean
  readonly durability: Durability
  record(): LogRecord
  arrive(lsn: number): void
  abandon(): void
}

/** The copy on its way to whoever wants it now; 'later' while a queue has no room for it. */
function copyOf(
  vhost: VirtualHost,
  scheduled: Scheduled,
  message: Message,
  nowMs: number,
  isRepeated: boolean,
): Outgoing | 'later' | undefined {
  const { address, ttlMs, retain, publisher } = scheduled.logged
  const copy = remade(message, {
    retain: retain === true,
    expiresAtMs: ttlMs === undefined ? 0 : nowMs + ttlMs,
    publisher,
    // Whoever gets one of many may want to end them.
    extras: isRepeated ? annotated(message.extras, { scheduledId: scheduled.id }) : message.extras,
  })
  copy.detach()
  const routed = new RoutedMessage(vhost, vhost.schedule.routeTo(address), copy, vhost.traffic)
  const queue = queueNameOf(address)
  if (queue !== undefined && routed.targets.length === 0) return deadLetterOf(vhost, queue, copy)
  for (const { queue: target } of routed.targets) {
    const { whenFull } = target.settings
    if ((whenFull === 'block' || whenFull === 'reject') && target.isFullFor(copy.size)) return 'later'
  }
  routed.depart()
  return routed
}

/** There is no queue of that name any more, and it cannot be made: the message was confirmed, so it is kept where such messages are kept. */
function deadLetterOf(vhost: VirtualHost, queue: string, copy: Message): Outgoing | undefined {
  const target = isTemporary(copy.topic) ? undefined : vhost.policies.settingsFor(queue).deadLetter
  if (target === undefined || !vhost.destinations.ensure(target).ok) {
    vhost.traffic.counters.undeliverable++
    return undefined
  }
  vhost.traffic.counters.deadLettered++
  const why = { originalAddress: copy.topic, cause: 'undeliverable', movedAtMs: vhost.env.clock.wallMs() }
  const letter = remade(copy, { retain: false, expiresAtMs: 0, extras: annotated(copy.extras, why) })
  letter.detach()
  return new RoutedMessage(vhost, vhost.destinations.routeOf(target), letter, vhost.traffic)
}

function annotated(extras: MessageExtras | undefined, more: Readonly<Record<string, string | number>>): MessageExtras {
  return { ...extras, annotations: { ...extras?.annotations, ...more } }
}

/** The schedule is full: this series is left out, counted, and the next moment is tried again. */
function startOf(vhost: VirtualHost, message: Message, logged: LoggedSchedule, isLogged: boolean): Outgoing | undefined {
  if (vhost.schedule.hasRoom) return new SeriesStart(vhost, message, logged, isLogged)
  vhost.traffic.counters.droppedOverLimit++
  return undefined
}

/** Each moment of a cron expression with repeats begins a scheduled message of its own. */
class SeriesStart implements Outgoing {
  readonly isLogged: boolean
  readonly durability: Durability = 'fsync-local'
  readonly #vhost: VirtualHost
  readonly #message: Message
  readonly #logged: LoggedSchedule

  constructor(vhost: VirtualHost, message: Message, logged: LoggedSchedule, isLogged: boolean) {
    this.#vhost = vhost
    this.#message = message
    this.#logged = logged
    this.isLogged = isLogged
    vhost.schedule.reserve(logged, isLogged)
  }

  record(): LogRecord {
    return messageRecord(this.#message, [SCHEDULE_NUMBER], false, { ...this.#message.extras, schedule: this.#logged })
  }

  arrive(lsn: number): void {
    this.#vhost.schedule.take(this.#logged, this.#message, lsn)
  }

  abandon(): void {
    this.#vhost.schedule.giveUp(this.#logged, this.isLogged)
  }
}

/** Its user may not send it any more; undefined while that is not so. Rules are asked anew each time, as for a will. */
function refusalFor(vhost: VirtualHost, { address, asked = [address], user: name, anonymous, clientId = '' }: LoggedSchedule): string | undefined {
  if (name === undefined) return undefined
  const subject = { principal: { name, anonymous: anonymous === true }, clientId }
  for (const each of asked) {
    const refusal = vhost.refusalToWrite(subject, each)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

/** This sending is left out; the next one, if there is one, is asked about then. */
function refuse(vhost: VirtualHost, { user, clientId, address }: LoggedSchedule, refusal: string): void {
  vhost.traffic.counters.refused++
  vhost.report({
    kind: 'refused',
    source: 'core',
    ...(user !== undefined && { user }),
    ...(clientId !== undefined && { clientId }),
    text: `a message that was scheduled for '${address}' is not sent: ${refusal}`,
  })
}

function fixedOf({ address, ttlMs, retain, publisher, user, anonymous, clientId, asked, bytes }: LoggedSchedule): Omit<LoggedSchedule, 'dueAtMs'> {
  return {
    address,
    bytes,
    ...(ttlMs !== undefined && { ttlMs }),
    ...(retain !== undefined && { retain }),
    ...(publisher !== undefined && { publisher }),
    ...(user !== undefined && { user }),
    ...(anonymous !== undefined && { anonymous }),
    ...(clientId !== undefined && { clientId }),
    ...(asked !== undefined && { asked }),
  }
}

function afterRecord(lsn: number, next: Next): LogRecord {
  if (next === undefined) return settledRecord([SCHEDULE_NUMBER], [lsn])
  return jsonRecord(RecordKind.scheduleAdvanced, SCHEDULE_NUMBER, { lsn, ...next })
}

/** A copy, or the beginning of a series, and what is left of the schedule. */
class Sending implements LogGroup {
  ticket = 0
  readonly recordCount: number
  readonly #vhost: VirtualHost
  readonly #scheduled: Scheduled
  readonly #next: Next
  readonly #outgoing: Outgoing | undefined

  constructor(vhost: VirtualHost, scheduled: Scheduled, next: Next, outgoing: Outgoing | undefined, recordCount: number) {
    this.#vhost = vhost
    this.#scheduled = scheduled
    this.#next = next
    this.#outgoing = outgoing
    this.recordCount = recordCount
  }

  onCommitted(lsn: number): void {
    this.#vhost.schedule.sendingCount--
    this.#outgoing?.arrive(this.#outgoing.isLogged ? lsn : 0)
    this.#vhost.schedule.onSent(this.#scheduled, this.#next)
  }

  onRefused(): void {
    this.#vhost.schedule.sendingCount--
    this.#outgoing?.abandon()
    this.#vhost.schedule.onDelayed(this.#scheduled)
  }
}

class Ends implements LogGroup {
  ticket = 0
  readonly recordCount: number
  readonly #vhost: VirtualHost
  readonly #ended: readonly Scheduled[]
  readonly #then: (isDone: boolean) => void

  constructor(vhost: VirtualHost, ended: readonly Scheduled[], recordCount: number, then: (isDone: boolean) => void) {
    this.#vhost = vhost
    this.#ended = ended
    this.recordCount = recordCount
    this.#then = then
  }

  onCommitted(): void {
    for (const scheduled of this.#ended) this.#vhost.schedule.forget(scheduled)
    this.#then(true)
  }

  onRefused(): void {
    for (const scheduled of this.#ended) this.#vhost.schedule.onKept(scheduled)
    this.#then(false)
  }
}
