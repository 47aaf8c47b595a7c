/** One message that the schedule has, and the publish that brings one in. */
import type { Durability, LogRecord } from '@ternmq/store'
import { messageRecord } from '../log/message-record.ts'
import type { LoggedSchedule } from '../log/records.ts'
import { SCHEDULE_NUMBER } from '../log/state.ts'
import type { Message } from '../message/message.ts'
import type { DueMember } from './due-heap.ts'
import type { Schedule } from './schedule.ts'

/**
 * waiting: in the heap. reading: due, its bytes are on their way from the log. sending: a copy is in a group of the log. ending: its end
 * is on its way to the log, and nothing changes that but the log's refusal.
 */
export type ScheduledState = 'waiting' | 'reading' | 'sending' | 'ending'

export class Scheduled implements DueMember {
  /** Lsn of a message of the log; below 0 of one in memory. The same over a restart where the message is. */
  readonly id: number
  readonly number: number
  logged: LoggedSchedule
  /** When somebody has to look at it: usually when it is due, later when a full queue did not take it. */
  dueAtMs: number
  heapIndex = -1
  state: ScheduledState = 'waiting'
  /** Of one in memory. What the log has is read when it is due. */
  readonly message: Message | undefined
  /** The copy that is being sent is the last one. */
  isLast = false

  constructor(id: number, number: number, logged: LoggedSchedule, message: Message | undefined) {
    this.id = id
    this.number = number
    this.logged = logged
    this.dueAtMs = logged.dueAtMs
    this.message = message
  }

  get isLogged(): boolean {
    return this.id > 0
  }
}

/** A checked publish that is to be sent later, with its place in the schedule reserved until `arrive` or `abandon`. */
export class ScheduledPublish {
  readonly isLogged: boolean
  readonly durability: Durability
  readonly #schedule: Schedule
  readonly #logged: LoggedSchedule
  /** As the log has it: not retained, without an end of its time; both come with the copies. */
  readonly #message: Message

  constructor(schedule: Schedule, logged: LoggedSchedule, message: Message, isLogged: boolean, durability: Durability) {
    this.#schedule = schedule
    this.#logged = logged
    this.#message = message
    this.isLogged = isLogged
    this.durability = durability
  }

  get address(): string {
    return this.#logged.address
  }

  /** Only where it is logged. */
  record(): LogRecord {
    return messageRecord(this.#message, [SCHEDULE_NUMBER], false, { ...this.#message.extras, schedule: this.#logged })
  }

  /** It is the schedule's from now on, with its place in the log where it is logged. */
  arrive(lsn: number): void {
    this.#schedule.take(this.#logged, this.#message, this.isLogged ? lsn : 0)
  }

  abandon(): void {
    this.#schedule.giveUp(this.#logged, this.isLogged)
  }

  /** Nobody waits for its place. */
  putBack(): void {
    this.abandon()
  }
}
