/**
 * Every session of a virtual host by client id: opening, resuming, taking over, forgetting.
 */
import type { Principal } from '../authorizer.ts'
import type { CounterLabel } from '../counters.ts'
import type { LoggedSession } from '../log/records.ts'
import { refuse, type Result } from '../refusal.ts'
import { Session } from './session.ts'
import type { SessionOwner } from './session-owner.ts'
import type { VirtualHost } from '../virtual-host.ts'
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

export class Sessions {
  readonly #vhost: VirtualHost
  readonly #byClientId = new Map<string, Session>()

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
    if (principal.isGone === true) {
      return refuse('not-authorized', clientId, `user '${principal.name}' has been removed since the login; log in anew`)
    }
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
      const text = `the broker has as many sessions as it may have, ${this.#byClientId.size} (limits.maxSessions); try later`
      return refuse('limit-reached', clientId, text)
    }
    const resumed = before === undefined ? undefined : this.#release(before, request)
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
    this.#vhost.departures.forget(session)
    if (this.#byClientId.get(session.clientId) === session) this.#byClientId.delete(session.clientId)
  }

  /** The session of that client id, unless its user is gone. */
  #remaining(clientId: string): Session | undefined {
    const session = this.#byClientId.get(clientId)
    if (session === undefined || !this.#vhost.departures.hasSession(session)) return session
    this.delete(clientId)
    return undefined
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
  #release(session: Session, { cleanStart, owner }: OpenSession): Session | undefined {
    if (session.isConnected) {
      session.evict('taken-over', owner.transport?.peer)
      session.disconnect()
    }
    if (cleanStart) session.end()
    return this.#byClientId.get(session.clientId)
  }
}
