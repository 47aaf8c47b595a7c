/**
 * Every session of a virtual host by client id: opening, resuming, taking over, forgetting.
 */
import type { Principal } from './authorizer.ts'
import type { CounterLabel } from './counters.ts'
import type { LoggedSession } from './log/records.ts'
import { SESSIONS_ENDED_PER_TURN } from './limits.ts'
import { refuse, type Result } from './refusal.ts'
import { Session } from './session.ts'
import type { SessionOwner } from './session-owner.ts'
import type { TurnWork } from './turns.ts'
import type { VirtualHost } from './virtual-host.ts'
import type { Will } from './wills.ts'

export interface OpenSession {
  readonly clientId: string
  readonly principal: Principal
  /** Forget what there was. */
  readonly cleanStart: boolean
  /** How long the session stays after its connection; 0 ends it with the connection, Infinity never. */
  readonly expiryMs: number
  /** Unsettled deliveries that the client takes at a time. */
  readonly creditMax: number
  readonly will: Will | undefined
  readonly owner: SessionOwner
  /** What its messages count for; the broker itself when left out. */
  readonly protocol?: CounterLabel
  /** A session of that client id, connected or kept: `take-over` (when left out) goes on with it, `refuse` leaves it alone. */
  readonly onConflict?: 'take-over' | 'refuse'
}

export class Sessions implements TurnWork {
  readonly #vhost: VirtualHost
  readonly #byClientId = new Map<string, Session>()
  /** Since the beginning of this turn. */
  readonly #goneUsers = new Set<string>()
  /** Of users that are gone. */
  readonly #ending = new Set<Session>()

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  get count(): number {
    return this.#byClientId.size
  }

  get connectedCount(): number {
    let count = 0
    for (const session of this.#byClientId.values()) if (session.isConnected) count++
    return count
  }

  /**
   * The user is gone: ends all its sessions, connected or not, so many in each turn. One that is asked for before its turn has come ends
   * then: whoever gets the name next finds nothing of it.
   */
  endOf(userName: string): void {
    if (this.#goneUsers.size === 0) this.#vhost.turns.wake(this)
    this.#goneUsers.add(userName)
  }

  /** One look at all sessions, however many users have gone in this turn. */
  runTurn(): void {
    const isFirst = this.#ending.size === 0
    for (const session of this.#byClientId.values()) if (this.#isOfGoneUser(session)) this.#ending.add(session)
    this.#goneUsers.clear()
    if (isFirst && this.#ending.size > 0) this.#vhost.turns.addLong(() => this.#endSome())
  }

  all(): IterableIterator<Session> {
    return this.#byClientId.values()
  }

  find(clientId: string): Session | undefined {
    return this.#byClientId.get(clientId)
  }

  /**
   * Opens a session or resumes the one of that client id, which its present connection loses. [MQTT5-3.1.4-3]
   * `present` says that there was state to resume.
   */
  open(request: OpenSession): Result<{ readonly session: Session; readonly present: boolean }> {
    const { clientId, principal } = request
    const before = this.#remaining(clientId)
    if (before !== undefined && before.principal.name !== principal.name) {
      const text = `client id '${clientId}' has a session of another user; choose another client id, or delete that session`
      return refuse('in-use', clientId, text)
    }
    if (before !== undefined && request.onConflict === 'refuse') {
      const text = `client id '${clientId}' is in use, by ${before.isConnected ? 'another connection' : 'a session that is kept'}; choose another one, or end that one first`
      return refuse('in-use', clientId, text)
    }
    if (before === undefined && this.#byClientId.size >= this.#vhost.limits.sessionsMax) {
      const text = `the broker holds ${this.#byClientId.size} sessions, its limit (limits.maxSessions); try later`
      return refuse('limit-reached', clientId, text)
    }
    const resumed = before === undefined ? undefined : this.#release(before, request.cleanStart)
    const session = resumed ?? this.#create(request)
    session.own(request)
    return { ok: true, value: { session, present: resumed !== undefined } }
  }

  /** A session that the log kept over a restart. */
  restore(logged: LoggedSession, queueNumber: number): Session {
    const { clientId, user, anonymous, expiryMs } = logged
    const session = new Session(this.#vhost, clientId, { name: user, anonymous }, expiryMs ?? Infinity, queueNumber)
    this.#byClientId.set(clientId, session)
    return session
  }

  /** Ends a session whoever has it. False when there is none. */
  delete(clientId: string): boolean {
    const session = this.#byClientId.get(clientId)
    if (session === undefined) return false
    session.evict('deleted')
    session.end()
    return true
  }

  /** Only `Session.end` calls this. */
  forget(session: Session): void {
    this.#ending.delete(session)
    if (this.#byClientId.get(session.clientId) === session) this.#byClientId.delete(session.clientId)
  }

  /** The session of that client id, unless its user is gone. */
  #remaining(clientId: string): Session | undefined {
    const session = this.#byClientId.get(clientId)
    if (session === undefined || !(this.#ending.has(session) || this.#isOfGoneUser(session))) return session
    this.delete(clientId)
    return undefined
  }

  #isOfGoneUser({ principal }: Session): boolean {
    return this.#goneUsers.has(principal.name) && !principal.anonymous
  }

  /** True when there are more. */
  #endSome(): boolean {
    let count = 0
    for (const session of this.#ending) {
      if (++count > SESSIONS_ENDED_PER_TURN) return true
      this.#ending.delete(session)
      session.evict('deleted')
      session.end()
    }
    return false
  }

  #create(request: OpenSession): Session {
    const { clientId, principal, expiryMs } = request
    const queueNumber = expiryMs > 0 ? this.#vhost.log.newQueueNumber() : 0
    const session = new Session(this.#vhost, clientId, principal, expiryMs, queueNumber)
    this.#byClientId.set(clientId, session)
    session.noteOpened()
    return session
  }

  /** Takes the session from its connection. Undefined when nothing is left of it to resume. */
  #release(session: Session, cleanStart: boolean): Session | undefined {
    if (session.isConnected) {
      session.evict('taken-over')
      session.disconnect()
    }
    if (cleanStart) session.end()
    return this.#byClientId.get(session.clientId)
  }
}
