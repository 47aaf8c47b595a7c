/**
 * Users that are gone: all that is kept for them ends, so much in each turn. What somebody asks for before its turn has come ends then:
 * whoever gets the name next finds nothing of it.
 */
import type { NamedQueue } from '../destinations/destinations.ts'
import { DEPARTURES_PER_TURN } from '../limits.ts'
import type { Scheduled } from '../schedule/scheduled.ts'
import type { Session } from './session.ts'
import type { TurnWork } from '../turns.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** Before the end of a scheduled message that the log did not take is tried again. */
const RETRY_MS = 1_000

export class Departures implements TurnWork {
  readonly #vhost: VirtualHost
  /** Since the beginning of this turn. */
  #names = new Set<string>()
  /** Theirs, connected or not. */
  readonly #sessions = new Set<Session>()
  /** Their durable subscriptions. */
  readonly #queues = new Set<NamedQueue>()
  readonly #scheduled = new Set<Scheduled>()
  /** Looks at the schedule that are still to come, and ends of scheduled messages on their way to the log. */
  #underWayCount = 0
  #isAtWork = false
  #waiting: (() => void)[] = []

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  /**
   * The user is gone: sessions with all that goes with a connection, durable subscriptions and scheduled messages end. `then` hears when that is so
   * after a restart, too.
   */
  end(userName: string, then: () => void = () => {}): void {
    if (this.#names.size === 0) this.#vhost.turns.wake(this)
    this.#names.add(userName)
    this.#waiting.push(then)
  }

  /** One look at all there is, however many users have gone in this turn. */
  runTurn(): void {
    const names = this.#names
    for (const session of this.#vhost.sessions.all()) if (this.hasSession(session)) this.#sessions.add(session)
    for (const named of this.#vhost.destinations.all()) if (this.hasQueue(named)) this.#queues.add(named)
    this.#names = new Set()
    this.#underWayCount++
    // By then what they have sent is there.
    this.#vhost.log.mark(() => {
      this.#underWayCount--
      for (const scheduled of this.#vhost.schedule.ofUsers(names)) this.#scheduled.add(scheduled)
      this.#goOn()
    })
  }

  /** It is to end, or would if somebody had looked. */
  hasSession(session: Session): boolean {
    return this.#sessions.has(session) || (!session.principal.anonymous && this.#names.has(session.principal.name))
  }

  /** As `hasSession`, of a durable subscription; other queues are nobody's. */
  hasQueue(named: NamedQueue): boolean {
    const user = named.subscription?.user
    return user !== undefined && (this.#queues.has(named) || this.#names.has(user))
  }

  /** It has ended. */
  forget(session: Session): void {
    this.#sessions.delete(session)
  }

  #goOn(): void {
    if (this.#isAtWork) return
    this.#isAtWork = true
    this.#vhost.turns.addLong(() => this.#endSome())
  }

  /** True when there are more. */
  #endSome(): boolean {
    let left = DEPARTURES_PER_TURN
    for (const session of this.#sessions) {
      if (left-- === 0) return true
      this.#sessions.delete(session)
      session.evict('deleted')
      session.end()
    }
    for (const named of this.#queues) {
      if (left-- === 0) return true
      this.#queues.delete(named)
      this.#vhost.destinations.delete(named)
    }
    const scheduled: Scheduled[] = []
    for (const each of this.#scheduled) {
      if (left-- === 0) break
      this.#scheduled.delete(each)
      scheduled.push(each)
    }
    this.#endScheduled(scheduled)
    if (this.#scheduled.size > 0) return true
    this.#isAtWork = false
    this.#tellWhenDone()
    return false
  }

  #endScheduled(scheduled: readonly Scheduled[]): void {
    if (scheduled.length === 0) return
    this.#underWayCount++
    this.#vhost.schedule.endAll(scheduled, (isDone) => {
      this.#underWayCount--
      if (isDone) return this.#tellWhenDone()
      this.#vhost.env.clock.after(RETRY_MS, () => {
        for (const each of scheduled) this.#scheduled.add(each)
        this.#goOn()
      })
    })
  }

  #tellWhenDone(): void {
    const isDone =
      this.#names.size + this.#sessions.size + this.#queues.size + this.#scheduled.size + this.#underWayCount === 0
    if (!isDone || this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    this.#vhost.log.afterBatches(() => {
      for (const then of waiting) then()
    })
  }
}
