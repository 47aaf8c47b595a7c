/**
 * Messages that are to be sent later, or again and again: delayed, periodic, by cron expression. Those of the log survive a restart
 * and have their bytes there only; the others are in memory. One timer waits for the earliest. A copy and what it makes of its
 * schedule are one group of the log, so that no sending is lost or done twice.
 *
 * After a restart, what should have been sent meanwhile is sent at once: a delayed message, one sending of a periodic one (the others
 * follow a period apart), and one sending of a cron expression, however many of its moments were missed.
 */
import { queueNameOf } from '../routing/address.ts'
import type { Subject } from '../authorizer.ts'
import type { Cancel } from '../env.ts'
import { SCHEDULED_BATCH_BYTES, SCHEDULED_BATCH_MAX, SCHEDULED_ENTRY_BYTES, SCHEDULED_MESSAGES_MAX } from '../limits.ts'
import type { LoggedSchedule } from '../log/records.ts'
import type { Message } from '../message/message.ts'
import { refuse, type Result } from '../refusal.ts'
import { remade, routeTo } from '../publish/routed-message.ts'
import { type Route, targetsOf } from '../routing/router.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { DueHeap } from './due-heap.ts'
import { type ScheduleOptions, timingOf } from './options.ts'
import { Scheduled, ScheduledPublish } from './scheduled.ts'
import { endAll, send } from './sending.ts'

/** The wall clock may be put forward: nobody finds out later than this. */
const TIMER_MAX_MS = 60_000
/** Before a sending for which there was no room is tried again. */
const RETRY_MS = 1_000
/** Scheduled messages of one page. */
const LIST_MAX = 1_000

/** What an operator sees of a scheduled message. */
export interface ScheduledInfo extends LoggedSchedule {
  /** For `cancel`; the same over a restart. */
  readonly id: number
  /** It outlives the process. */
  readonly durable: boolean
}

export interface ScheduledPage {
  readonly items: readonly ScheduledInfo[]
  /** Of the page that follows; undefined when this is the last one. */
  readonly next: number | undefined
}

export class Schedule {
  readonly #vhost: VirtualHost
  readonly #byId = new Map<number, Scheduled>()
  readonly #heap = new DueHeap<Scheduled>()
  #number = 0
  /** Groups of the log that send something; what is due after them waits behind them. Only `sending.ts` counts. */
  sendingCount = 0
  /** Published, and not yet committed. */
  #underWayCount = 0
  #cancelTimer: Cancel | undefined = undefined
  #timerAtMs = Infinity
  #isReading = false
  #isClosed = false
  /** Of the last copy: those of one moment are often for one address. */
  #route: Route | undefined = undefined

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  /** Those on their way included. */
  get count(): number {
    return this.#byId.size + this.#underWayCount
  }

  get hasRoom(): boolean {
    return this.count < SCHEDULED_MESSAGES_MAX
  }

  /** Checks what was asked at `nowMs` (Unix ms) and reserves a place. Refused with name, value and limit, or with the position in a cron expression. */
  plan(
    route: Route,
    message: Message,
    options: ScheduleOptions,
    by: ScheduledBy,
    nowMs: number = this.#vhost.env.clock.wallMs(),
  ): Result<ScheduledPublish> {
    const { flow, log, waiting } = this.#vhost
    const timing = timingOf(options, nowMs, route.topic)
    if (!timing.ok) return timing
    if (!this.hasRoom) {
      const text = `there are ${this.count} scheduled messages, the limit (SCHEDULED_MESSAGES_MAX); cancel some, or send later`
      return refuse('limit-reached', route.topic, text)
    }
    const isLogged = log.isOpen && message.durable && message.assurance !== 0 && !isInMemory(route)
    const bytes = message.end - message.headerStart
    const cost = costOf(bytes, isLogged)
    if (!flow.hasMemoryFor(cost)) {
      const text = `${waiting.bytes} bytes wait in memory, close to the limit limits.waitingBytesMax ${waiting.bytesMax}: a scheduled message that takes ${cost} is refused`
      return refuse('limit-reached', route.topic, text)
    }
    message.detach()
    const logged: LoggedSchedule = {
      ...timing.value,
      address: route.topic,
      bytes,
      ...(message.expiresAtMs !== 0 && { ttlMs: Math.max(1, message.expiresAtMs - nowMs) }),
      ...(message.retain && { retain: true as const }),
      ...(message.publisher !== undefined && { publisher: message.publisher }),
      ...loggedBy(by),
    }
    this.reserve(logged, isLogged)
    const kept = remade(message, { retain: false, expiresAtMs: 0, publisher: undefined })
    return { ok: true, value: new ScheduledPublish(this, logged, kept, isLogged, route.durability) }
  }

  /** A page of up to `max` (at most 1,000) of them, in the order in which they came; `after` is the `next` of the page before. */
  list(max: number, after = 0): ScheduledPage {
    const items: ScheduledInfo[] = []
    let last = after
    for (const scheduled of this.#byId.values()) {
      if (scheduled.number <= after || scheduled.state === 'ending') continue
      if (items.length >= Math.min(max, LIST_MAX)) return { items, next: last }
      items.push(infoOf(scheduled))
      last = scheduled.number
    }
    return { items, next: undefined }
  }

  /** All of them, as they are asked for; some may come and go meanwhile. */
  *all(): Generator<ScheduledInfo> {
    for (const scheduled of this.#byId.values()) if (scheduled.state !== 'ending') yield infoOf(scheduled)
  }

  find(id: number): ScheduledInfo | undefined {
    const scheduled = this.#byId.get(id)
    return scheduled === undefined || scheduled.state === 'ending' ? undefined : infoOf(scheduled)
  }

  /**
   * Ends one. False when there is none, or its last copy is on its way. `then` hears when that lasts: at once where it is in memory, true;
   * false when the log could not take it, and the message is still there.
   */
  cancel(id: number, then: (isDone: boolean) => void = () => {}): boolean {
    const scheduled = this.#byId.get(id)
    if (scheduled === undefined || !isCancellable(scheduled)) return false
    this.#end([scheduled], then)
    return true
  }

  /** Of users that are gone; anonymous ones are nobody's. */
  *ofUsers(names: ReadonlySet<string>): Generator<Scheduled> {
    for (const scheduled of this.#byId.values()) {
      const { user, anonymous } = scheduled.logged
      if (user !== undefined && anonymous !== true && names.has(user)) yield scheduled
    }
  }

  /** As `cancel`, of several. Those whose last copy is on its way go by themselves. */
  endAll(all: readonly Scheduled[], then: (isDone: boolean) => void): void {
    this.#end(all.filter(isCancellable), then)
  }

  /** Ends all that can still be ended, and returns how many. `then` as with `cancel`. */
  cancelAll(then: (isDone: boolean) => void = () => {}): number {
    const all = [...this.#byId.values()].filter(isCancellable)
    this.#end(all, then)
    return all.length
  }

  /** The virtual host closes: nothing is sent any more. */
  close(): void {
    this.#isClosed = true
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  /** What the log has of it. */
  *logged(): Generator<readonly [lsn: number, schedule: LoggedSchedule]> {
    for (const { id, logged } of this.#byId.values()) if (id > 0) yield [id, logged]
  }

  /** After a restart. */
  restore(schedules: ReadonlyMap<number, LoggedSchedule>): void {
    for (const [lsn, logged] of schedules) {
      this.#vhost.waiting.bytes += costOf(logged.bytes, true)
      this.#add(new Scheduled(lsn, ++this.#number, logged, undefined))
    }
  }

  // ── for `ScheduledPublish` and the groups of `sending.ts` ──

  /** One is on its way; `take` or `giveUp` follows. */
  reserve(logged: LoggedSchedule, isLogged: boolean): void {
    this.#underWayCount++
    this.#vhost.waiting.bytes += costOf(logged.bytes, isLogged)
  }

  take(logged: LoggedSchedule, message: Message, lsn: number): void {
    this.#underWayCount--
    const number = ++this.#number
    this.#add(lsn > 0 ? new Scheduled(lsn, number, logged, undefined) : new Scheduled(-number, number, logged, message))
  }

  giveUp(logged: LoggedSchedule, isLogged: boolean): void {
    this.#underWayCount--
    this.#vhost.waiting.bytes -= costOf(logged.bytes, isLogged)
  }

  routeTo(address: string): Route {
    if (this.#route?.topic !== address) this.#route = routeTo(this.#vhost, address)
    return this.#route
  }

  /** A copy has been sent; `next` is when it is sent again. */
  onSent(scheduled: Scheduled, next: Pick<LoggedSchedule, 'dueAtMs' | 'repeats'> | undefined): void {
    if (next === undefined) return this.forget(scheduled)
    scheduled.logged = { ...scheduled.logged, ...next }
    if (scheduled.state !== 'ending') this.#wait(scheduled, next.dueAtMs)
  }

  /** There was no room for a copy, in the log or in its queue. */
  onDelayed(scheduled: Scheduled): void {
    if (scheduled.state !== 'ending') this.#wait(scheduled, this.#vhost.env.clock.wallMs() + RETRY_MS)
  }

  /** Its end could not be kept. */
  onKept(scheduled: Scheduled): void {
    this.#wait(scheduled, scheduled.logged.dueAtMs)
  }

  /** It is over, and the log knows. */
  forget(scheduled: Scheduled): void {
    if (!this.#byId.delete(scheduled.id)) return
    const { log, waiting } = this.#vhost
    waiting.bytes -= costOf(scheduled.logged.bytes, scheduled.isLogged)
    if (scheduled.isLogged) log.unref(scheduled.id)
  }

  #end(all: readonly Scheduled[], then: (isDone: boolean) => void): void {
    for (const scheduled of all) {
      this.#heap.remove(scheduled)
      scheduled.state = 'ending'
    }
    endAll(this.#vhost, all, then)
  }

  #add(scheduled: Scheduled): void {
    this.#byId.set(scheduled.id, scheduled)
    this.#wait(scheduled, scheduled.dueAtMs)
  }

  #wait(scheduled: Scheduled, dueAtMs: number): void {
    scheduled.state = 'waiting'
    scheduled.dueAtMs = dueAtMs
    this.#heap.push(scheduled)
    this.#arm()
  }

  /** One timer, for the earliest. */
  #arm(): void {
    const first = this.#heap.peek()
    if (first === undefined || this.#isReading || this.#isClosed || first.dueAtMs >= this.#timerAtMs) return
    const { clock } = this.#vhost.env
    const nowMs = clock.wallMs()
    const delayMs = Math.min(TIMER_MAX_MS, Math.max(0, first.dueAtMs - nowMs))
    this.#cancelTimer?.()
    this.#timerAtMs = nowMs + delayMs
    this.#cancelTimer = clock.after(delayMs, () => {
      this.#cancelTimer = undefined
      this.#timerAtMs = Infinity
      this.#run()
    })
  }

  /** Sends a batch of what is due, in its order. The next batch comes after the sockets had their turn. */
  #run(): void {
    const nowMs = this.#vhost.env.clock.wallMs()
    const due: Scheduled[] = []
    const lsns: number[] = []
    let bytes = 0
    while (due.length < SCHEDULED_BATCH_MAX && bytes < SCHEDULED_BATCH_BYTES) {
      const scheduled = this.#heap.peek()
      if (scheduled === undefined || scheduled.dueAtMs > nowMs) break
      this.#heap.remove(scheduled)
      scheduled.state = 'reading'
      due.push(scheduled)
      bytes += scheduled.logged.bytes
      if (scheduled.isLogged) lsns.push(scheduled.id)
    }
    if (lsns.length === 0) return this.#sendAll(due, [])
    this.#isReading = true
    void this.#vhost.log.readMessages(lsns).then((messages) => {
      this.#isReading = false
      if (messages !== undefined && !this.#isClosed) this.#sendAll(due, messages)
    })
  }

  /** `messages` of the logged ones, in the same order. */
  #sendAll(due: readonly Scheduled[], messages: readonly (Message | undefined)[]): void {
    let index = 0
    for (const scheduled of due) {
      const message = scheduled.isLogged ? messages[index++] : scheduled.message
      if (scheduled.state !== 'reading') continue // cancelled meanwhile
      if (message !== undefined) send(this.#vhost, scheduled, message)
      else {
        // The store found its bytes damaged and has said so.
        this.#vhost.traffic.counters.lost++
        this.#end([scheduled], () => {})
      }
    }
    this.#arm()
  }
}

/** Who it is sent for when it is due, and what was asked for. */
export interface ScheduledBy {
  readonly subject: Subject
  /** The address that was published to, where that led to several. */
  readonly composite: Route | undefined
}

function loggedBy(
  { subject: { principal, clientId }, composite }: ScheduledBy,
): Pick<LoggedSchedule, 'user' | 'anonymous' | 'clientId' | 'asked'> {
  return {
    user: principal.name,
    ...(principal.anonymous && { anonymous: true as const }),
    clientId,
    ...(composite !== undefined && { asked: composite.addresses ?? [composite.topic] }),
  }
}

function isCancellable({ state, isLast }: Scheduled): boolean {
  return state !== 'ending' && !(state === 'sending' && isLast)
}

function infoOf(scheduled: Scheduled): ScheduledInfo {
  return { id: scheduled.id, durable: scheduled.isLogged, ...scheduled.logged }
}

/** Memory that it takes while it waits. */
function costOf(bytes: number, isLogged: boolean): number {
  return SCHEDULED_ENTRY_BYTES + (isLogged ? 0 : bytes)
}

/** It is for a queue that keeps nothing over a restart. */
function isInMemory(route: Route): boolean {
  if (queueNameOf(route.topic) === undefined) return false
  const [only] = targetsOf(route)
  return only?.queue.number === 0
}
