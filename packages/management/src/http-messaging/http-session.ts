/**
 * A user of HTTP as the core sees him: one session like any client's, for all his calls together. It is opened by the first of them and
 * ends a while after the last thing that it had under way.
 */
import type {
  Cancel,
  Principal,
  ProducerTarget,
  PublishOptions,
  PublishResult,
  Message,
  Receiver,
  ReceiverSpec,
  Session,
  VirtualHost,
} from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { refused } from '../refused.ts'
import {
  HTTP_SESSION_IDLE_MS,
  LOCKS_PER_USER_MAX,
  PUBLISHES_PER_USER_MAX,
  STREAMS_PER_USER_MAX,
  TAKES_PER_USER_MAX,
} from './bounds.ts'
import { Locks } from './locks.ts'
import { type Taken, Taking } from './taking.ts'

const ID_BYTES = 8
/** Of the user's name in the client id. */
const NAME_LENGTH_MAX = 64

export interface TakeSpec {
  /** A name or a pattern of names. */
  readonly queue: string
  readonly selector: string | undefined
  readonly max: number
  readonly waitMs: number
  readonly lockMs: number
  readonly autoSettle: boolean
}

export interface LockedMessage extends Taken {
  /** '' for one that is settled. */
  readonly id: string
}

/** What goes on without a call of its own: streams. */
export interface HttpStream {
  /** The session is gone. */
  onEnded(): void
}

export class HttpSession {
  readonly clientId: string
  readonly #vhost: VirtualHost
  readonly #session: Session
  readonly locks: Locks
  readonly #onEnded: () => void
  readonly #streams = new Set<HttpStream>()
  /** Aborts calls that wait when the session ends under them. */
  readonly #end = new AbortController()
  #publishCount = 0
  #takeCount = 0
  /** Of takes that wait: what they may come to. */
  #takingCount = 0
  #cancelIdle: Cancel | undefined = undefined

  /** Throws ApiError where the core opens no session. `onEnded` hears once when it is gone. */
  constructor(vhost: VirtualHost, principal: Principal, onEnded: () => void) {
    const { env } = vhost
    const id = Buffer.from(env.random.bytes(ID_BYTES)).toString('hex')
    this.clientId = `http-${principal.name.slice(0, NAME_LENGTH_MAX)}-${id}`
    this.#vhost = vhost
    this.#onEnded = onEnded
    this.locks = new Locks(env.clock, env.random, () => this.#rest())
    const opened = vhost.sessions.open({
      clientId: this.clientId,
      principal,
      cleanStart: true,
      expiryMs: 0,
      creditMax: 0,
      will: undefined,
      owner: { onEvicted: () => this.#onEvicted() },
      protocol: 'http',
      onConflict: 'refuse',
    })
    if (!opened.ok) throw refused(opened.detail)
    this.#session = opened.value.session
    this.#rest()
  }

  /**
   * Resolves when it is routed and, where it must last, in the log. Each has an order of its own: one that waits for room in its queue
   * holds up no other. Throws ApiError('BUSY') when too many wait, and what the core refuses with.
   */
  async publish(
    addresses: readonly string[],
    message: Message,
    options: PublishOptions,
  ): Promise<'routed' | 'unmatched'> {
    this.#checkRoom(this.#publishCount, PUBLISHES_PER_USER_MAX, 'publishes')
    this.#publishCount++
    try {
      let settled: (result: Exclude<PublishResult, 'pending'>) => void = () => {}
      const later = new Promise<Exclude<PublishResult, 'pending'>>((resolve) => (settled = resolve))
      const producer = this.#session.openProducer({ onPublishSettled: (_, result) => settled(result) })
      const target: ProducerTarget =
        addresses.length === 1 ? producer.target(addresses[0]!) : producer.targetOfAll(addresses)
      const first = producer.publish(target, message, 0, options)
      const result = first === 'pending' ? await later : first
      if (result === 'refused') throw refused(producer.refusal!, { field: 'address' })
      return result
    } finally {
      this.#publishCount--
      this.#rest()
    }
  }

  /** Throws ApiError of BUSY and LIMIT_REACHED, what the core refuses with, and why `signal` aborts. What that ends has taken nothing. */
  async take(spec: TakeSpec, signal: AbortSignal): Promise<LockedMessage[]> {
    const { queue, selector, max, waitMs, lockMs, autoSettle } = spec
    this.#checkRoom(this.#takeCount, TAKES_PER_USER_MAX, 'takes')
    if (!autoSettle) this.#checkLocks(max)
    const taking = new Taking(max)
    const receiver = this.openReceiver({
      source: { kind: 'queue', queue },
      selector,
      assuranceMax: autoSettle ? 0 : 1,
      creditMax: max,
      data: {},
      sink: taking,
    })
    const isEnded = AbortSignal.any([signal, this.#end.signal])
    this.#takeCount++
    this.#takingCount += autoSettle ? 0 : max
    try {
      await taking.gather(this.#vhost, receiver, waitMs, isEnded)
    } finally {
      this.#takeCount--
      this.#takingCount -= autoSettle ? 0 : max
    }
    if (isEnded.aborted || taking.lostBecause !== undefined) {
      receiver.close('goodbye')
      this.#rest()
      if (signal.reason instanceof ApiError) throw signal.reason
      if (taking.lostBecause === undefined) return []
      throw new ApiError('NOT_ALLOWED', taking.lostBecause, { field: 'address', value: queue })
    }
    const ids = this.locks.keep(
      receiver,
      taking.taken.map(({ delivery }) => delivery),
      lockMs,
    )
    return taking.taken.map((taken, index) => ({ ...taken, id: ids[index] ?? '' }))
  }

  /** Throws ApiError with what the core refuses with. */
  openReceiver(spec: ReceiverSpec): Receiver {
    const opened = this.#session.openReceiver(spec)
    if (opened.ok) return opened.value
    this.#rest()
    throw refused(opened.detail, { field: 'address' })
  }

  /** The session stays for it. Throws ApiError('BUSY') when there are too many. */
  addStream(stream: HttpStream): void {
    this.#checkRoom(this.#streams.size, STREAMS_PER_USER_MAX, 'streams')
    this.#streams.add(stream)
  }

  removeStream(stream: HttpStream): void {
    this.#streams.delete(stream)
    this.#rest()
  }

  /** The broker stops: what was taken goes back. */
  close(): void {
    if (this.#end.signal.aborted) return
    this.#leave()
    this.#session.sayGoodbye()
    this.#session.disconnect()
  }

  /** Nothing may be under way any more: then it ends, unless something comes. */
  #rest(): void {
    this.#cancelIdle?.()
    this.#cancelIdle = undefined
    if (this.#end.signal.aborted || this.#isBusy) return
    this.#cancelIdle = this.#vhost.env.clock.after(HTTP_SESSION_IDLE_MS, () => {
      if (!this.#isBusy) this.close()
    })
  }

  get #isBusy(): boolean {
    return this.#publishCount > 0 || this.#takeCount > 0 || this.locks.count > 0 || this.#streams.size > 0
  }

  /** An operator has ended it. The core gives back what was taken. */
  #onEvicted(): void {
    this.#leave()
  }

  #leave(): void {
    this.locks.forgetAll()
    this.#cancelIdle?.()
    this.#end.abort()
    for (const stream of [...this.#streams]) stream.onEnded()
    this.#onEnded()
  }

  #checkLocks(max: number): void {
    const count = this.locks.count + this.#takingCount
    if (count + max <= LOCKS_PER_USER_MAX) return
    const detail = `the user has taken ${count} messages and not settled them, and may have ${LOCKS_PER_USER_MAX}; settle some first`
    throw new ApiError('LIMIT_REACHED', detail, { field: 'max', value: max, rule: `${LOCKS_PER_USER_MAX} at a time` })
  }

  #checkRoom(count: number, max: number, what: string): void {
    if (count >= max)
      throw new ApiError(
        'BUSY',
        `${count} ${what} of the user are under way, the limit; try again when some have ended`,
      )
  }
}
