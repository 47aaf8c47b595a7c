/**
 * Wills: published for clients whose connections end badly. The one of a session that is in the log is there, too, from its CONNECT on
 * until it has been published or is not wanted any more, so that it outlives the broker. Its message and its end are one group of the
 * log: no will is lost or published twice. [MQTT5 §3.1.2.5] [MQTT5 §4.1] [ADR-0007]
 *
 * After a restart every connection is lost. A will whose delay had begun goes on with it, one whose delay had not begins now, and one
 * without a delay is published at once.
 */
import type { LogRecord } from '@ternmq/store'
import type { Subject } from '../authorizer.ts'
import type { Cancel } from '../env.ts'
import type { Obstacle } from '../flow/admission.ts'
import { WILLS_BATCH_MAX } from '../limits.ts'
import { Insistent, Note } from '../log/groups.ts'
import type { LogGroup } from '../log/host-log.ts'
import type { Retried } from '../log/owed.ts'
import { type DurableWill, willDueRecord, willGoneRecord, willSetRecord } from '../log/logged-will.ts'
import type { LoggedWill } from '../log/records.ts'
import type { Message } from '../message/message.ts'
import { Outgoing } from '../publish/outgoing.ts'
import { Producer, type ProducerTarget, type ProducerWork } from '../publish/producer.ts'
import { remade } from '../publish/routed-message.ts'
import type { Session } from './session.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** Published for a client whose connection ends badly. */
export interface Will {
  /** Its time to live counts from the moment it is published, so the message is made then. */
  makeMessage(nowMs: number, publisher: string): Message
  readonly delayMs: number
}

export class Wills {
  readonly #vhost: VirtualHost
  /** By id: those that the log has. As many as there are sessions, and those that wait for room. */
  readonly #logged = new Map<number, HeldWill>()
  #lastId = 0
  /** After a restart: those that wait for nothing. */
  readonly #due: HeldWill[] = []
  #cancelDue: Cancel | undefined = undefined
  isClosed = false

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  /** The will of a connection that begins. `session` is the number of its session in the log; 0 where that ends with the process. */
  hold(subject: Subject, will: Will, session: number): HeldWill {
    const { env, limits, log } = this.#vhost
    if (session === 0) return new HeldWill(this.#vhost, subject, will, 0, undefined)
    const nowMs = env.clock.wallMs()
    const made = will.makeMessage(nowMs, subject.clientId)
    // Too large: the log is spared what will be refused.
    if (made.end - made.headerStart > limits.messageBytesMax) return new HeldWill(this.#vhost, subject, will, 0, undefined)
    const { clientId, principal } = subject
    const logged: LoggedWill = {
      id: ++this.#lastId,
      clientId,
      user: principal.name,
      anonymous: principal.anonymous,
      delayMs: will.delayMs,
      ...(made.expiresAtMs !== 0 && { ttlMs: made.expiresAtMs - nowMs }),
    }
    const held = new HeldWill(this.#vhost, subject, will, session, logged)
    const message = remade(made, { expiresAtMs: 0 })
    message.detach()
    log.append(willSetRecord(session, message, logged), new WillSet(this.#vhost, held))
    return held
  }

  /** What the log has of them. */
  *logged(): Generator<DurableWill> {
    for (const { lsn, session, dueAtMs, logged } of this.#logged.values()) {
      yield { ...logged!, lsn, session, ...(dueAtMs !== undefined && { dueAtMs }) }
    }
  }

  /** After a restart, in the order of their ids; `message` is undefined where the store has lost it, `session` where it has ended. */
  restore(will: DurableWill, message: Message | undefined, session: Session | undefined): void {
    const { lsn, session: number, dueAtMs, ...logged } = will
    const { id, clientId, user, anonymous, delayMs, ttlMs } = logged
    this.#lastId = Math.max(this.#lastId, id)
    const makeMessage = (nowMs: number, publisher: string): Message =>
      remade(message!, { publisher, expiresAtMs: ttlMs === undefined ? 0 : nowMs + ttlMs })
    const subject = { principal: { name: user, anonymous }, clientId }
    const held = new HeldWill(this.#vhost, subject, { makeMessage, delayMs }, number, logged)
    held.dueAtMs = dueAtMs
    this.keep(held, lsn)
    if (message === undefined) {
      this.#vhost.traffic.counters.lost++
      held.drop()
    } else if (session !== undefined && held.leftMs(session.expiryMs) > 0) session.restoreWill(held)
    else this.#addDue(held)
  }

  /** The virtual host closes: no will is published any more because of the time. */
  close(): void {
    this.isClosed = true
    this.#cancelDue?.()
  }

  // ── for `HeldWill` and the groups below ──

  /** Its record is in the log. */
  keep(held: HeldWill, lsn: number): void {
    held.lsn = lsn
    this.#logged.set(held.logged!.id, held)
  }

  /** The log knows that it is gone. */
  forget(held: HeldWill): void {
    if (this.#logged.delete(held.logged!.id)) this.#vhost.log.unref(held.lsn)
  }

  #addDue(held: HeldWill): void {
    this.#due.push(held)
    this.#cancelDue ??= this.#vhost.env.clock.after(0, () => this.#publishDue())
  }

  /** Some of them; the others after the sockets had their turn. */
  #publishDue(): void {
    this.#cancelDue = undefined
    for (const held of this.#due.splice(0, WILLS_BATCH_MAX)) held.publish()
    if (this.#due.length > 0) this.#cancelDue = this.#vhost.env.clock.after(0, () => this.#publishDue())
  }
}

/** The will of one connection, until it is published or dropped. What comes after the first of them does nothing. */
export class HeldWill {
  readonly subject: Subject
  /** Number of its session in the log. */
  readonly session: number
  /** As the log has it, or will have it; undefined for one that ends with the process. */
  readonly logged: LoggedWill | undefined
  lsn = 0
  /** As the log has it. */
  dueAtMs: number | undefined = undefined
  /** The log could not take it. */
  isRefused = false
  readonly #vhost: VirtualHost
  #will: Will | undefined
  #cancel: Cancel | undefined = undefined

  constructor(vhost: VirtualHost, subject: Subject, will: Will, session: number, logged: LoggedWill | undefined) {
    this.#vhost = vhost
    this.subject = subject
    this.session = session
    this.logged = logged
    this.#will = will
  }

  /** It has neither been published nor dropped. */
  get isPending(): boolean {
    return this.#will !== undefined
  }

  /** How long it waits from now on, in a session that stays for `sessionMs` without its connection. */
  leftMs(sessionMs: number): number {
    const { delayMs } = this.#will!
    const leftMs = this.dueAtMs === undefined ? delayMs : Math.max(0, this.dueAtMs - this.#vhost.env.clock.wallMs())
    return Math.min(leftMs, delayMs, sessionMs) // the wall clock may have been put back
  }

  /** The connection is gone: it is published in its time, which is no later than the end of its session. */
  onLost(sessionMs: number): void {
    if (this.#will === undefined) return
    const { clock } = this.#vhost.env
    const leftMs = this.leftMs(sessionMs)
    if (leftMs === 0) return this.publish()
    if (this.dueAtMs === undefined) this.#noteDue(clock.wallMs() + leftMs)
    this.#cancel = clock.after(leftMs, () => {
      if (!this.#vhost.wills.isClosed) this.publish()
    })
  }

  publish(): void {
    const will = this.#end()
    if (will === undefined) return
    const message = will.makeMessage(this.#vhost.env.clock.wallMs(), this.subject.clientId)
    if (this.logged === undefined || this.isRefused) return this.#vhost.publishAs(this.subject, message)
    new WillPublish(this.#vhost, this, message).begin()
  }

  /** It is not wanted any more. */
  drop(): void {
    if (this.#end() !== undefined) this.noteGone()
  }

  noteGone(): void {
    if (this.logged !== undefined && !this.isRefused) this.#vhost.log.append(this.goneRecord(), new WillGone(this.#vhost, this))
  }

  /** Of one that is in the log, or on its way there. */
  goneRecord(): LogRecord {
    return willGoneRecord(this.session, this.logged!.id)
  }

  /** Losing the record costs a longer wait after a restart. */
  #noteDue(dueAtMs: number): void {
    if (this.logged === undefined || this.isRefused) return
    const note = new Note(
      () => {},
      () => {
        this.dueAtMs = dueAtMs
      },
    )
    this.#vhost.log.append(willDueRecord(this.session, this.logged.id, dueAtMs), note)
  }

  #end(): Will | undefined {
    this.#cancel?.()
    this.#cancel = undefined
    const will = this.#will
    this.#will = undefined
    return will
  }
}

/** A will on its way into the log. One without room there is held as long as the process lives: its client is let in all the same. */
class WillSet implements LogGroup {
  ticket = 0
  readonly recordCount = 1
  readonly #vhost: VirtualHost
  readonly #held: HeldWill

  constructor(vhost: VirtualHost, held: HeldWill) {
    this.#vhost = vhost
    this.#held = held
  }

  onCommitted(lsn: number): void {
    this.#vhost.wills.keep(this.#held, lsn)
  }

  onRefused(text: string): void {
    const { clientId, principal } = this.#held.subject
    this.#held.isRefused = true
    this.#vhost.report({
      kind: 'failure',
      source: 'core',
      clientId,
      user: principal.name,
      text: `the will of client '${clientId}' is in memory only, and lost should the broker end before it is published: ${text}`,
    })
  }
}

class WillGone extends Insistent {
  /** It would be published after a restart. */
  override readonly messageCount = 1
  readonly #vhost: VirtualHost
  readonly #held: HeldWill

  constructor(vhost: VirtualHost, held: HeldWill) {
    super(vhost.log)
    this.#vhost = vhost
    this.#held = held
  }

  override record(): LogRecord {
    return this.#held.goneRecord()
  }

  protected override onDone(): void {
    this.#vhost.wills.forget(this.#held)
  }
}

/** A will that the log has is published: its message, and that it is gone. Where the log has no room for that it is tried again. */
class WillPublish implements ProducerWork, LogGroup, Retried {
  ticket = 0
  /** The log has the will still: nothing is wrong after a restart. */
  readonly messageCount = 0
  recordCount = 0
  readonly #vhost: VirtualHost
  readonly #held: HeldWill
  readonly #message: Message
  readonly #producer: Producer
  readonly #target: ProducerTarget
  readonly #outgoing: Outgoing

  constructor(vhost: VirtualHost, held: HeldWill, message: Message) {
    this.#vhost = vhost
    this.#held = held
    this.#message = message
    this.#producer = new Producer(vhost, held.subject, undefined, undefined)
    this.#target = this.#producer.target(message.topic)
    this.#outgoing = new Outgoing(vhost, vhost.traffic, held.subject)
  }

  begin(): void {
    const refusal = this.#producer.check(this.#target, this.#message)
    if (refusal !== undefined) return this.refuse()
    this.#message.detach()
    this.#producer.perform(this)
  }

  obstacle(): Obstacle | undefined {
    const { route } = this.#target
    return this.#outgoing.load([{ route, message: this.#message, schedule: undefined, atMs: this.#vhost.env.clock.wallMs() }])
  }

  go(): void {
    const records: LogRecord[] = []
    this.#outgoing.addTo(records)
    records.push(this.#held.goneRecord())
    this.recordCount = records.length
    this.#vhost.log.appendAll(records, this)
  }

  /** Nobody hears of it, as of any will. */
  refuse(): void {
    this.#vhost.traffic.counters.refused++
    this.#held.noteGone()
  }

  onCommitted(lsn: number): void {
    this.#outgoing.arrive(lsn)
    this.#vhost.wills.forget(this.#held)
  }

  onRefused(text: string, isFinal: boolean): void {
    this.#outgoing.abandon()
    if (isFinal) this.refuse()
    else this.#vhost.log.owed.tryLater(this, text)
  }

  again(): void {
    this.begin()
  }
}
