/** A virtual host on an engine in memory, and callers of the admin API without HTTP. Time moves when the test says so. */
import type { Call, OperationItem, Role, Route } from '@ternmq/api'
import {
  allowAll,
  type Authorizer,
  type CoreLimits,
  DEFAULT_CORE_LIMITS,
  type NamedQueue,
  type QueueSettings,
  VirtualHost,
} from '@ternmq/core'
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { actionsHandlers, CutOffAction } from '../src/operations/actions.ts'
import { deadLettersHandlers } from '../src/messages/dead-letters.ts'
import { ApiError } from '../src/errors.ts'
import type { ApiRequest, Bound, Caller, EventSink, Handler, StreamHandler, TraceHeaders } from '../src/handlers.ts'
import type { ManagedBroker } from '../src/managed-broker.ts'
import { messagesHandlers } from '../src/messages/messages.ts'
import { httpHeaders } from '../src/http-messaging/http-headers.ts'
import { Messaging, messagingHandlers } from '../src/http-messaging/messaging.ts'
import { OperationRecords } from '../src/operations/operation-records.ts'
import { Operations, operationsHandlers } from '../src/operations/operations.ts'
import { scopesOf } from '../src/access/tokens.ts'

export const VHOST = { vhost: '/' } as const

export function callerOf(user: string, role: Role | undefined = 'administrator'): Caller {
  return {
    user,
    principal: { name: user, anonymous: false },
    role,
    scopes: new Set(scopesOf(role)),
    by: 'token',
    address: '127.0.0.1',
    isValid: () => true,
    mayGoOn: () => true,
  }
}

export const ADMIN: Caller = callerOf('admin')

export interface CallOptions<C extends Call> {
  readonly params: C['params']
  readonly query?: C['query']
  readonly body?: C['body']
  readonly caller?: Caller
  readonly signal?: AbortSignal
  readonly trace?: TraceHeaders
}

/** What a stream was told. */
export class TestEvents implements EventSink {
  writable = true
  isEnded = false
  readonly seen: { readonly event: string; readonly data: unknown }[] = []

  send(event: string, data: unknown): void {
    this.seen.push({ event, data })
  }

  end(): void {
    this.isEnded = true
  }
}

export interface MessageWorldOptions {
  readonly authorizer?: Authorizer
  readonly limits?: Partial<CoreLimits>
}

export class MessageWorld {
  readonly env: VirtualEnv = virtualEnv()
  readonly engine: MemoryEngine
  readonly #options: MessageWorldOptions
  readonly notes: string[] = []
  /** Operations whose end was told, with their state. */
  readonly ended: string[] = []
  vhost!: VirtualHost
  operations!: Operations
  messaging!: Messaging
  #bound: readonly Bound[] = []

  private constructor(options: MessageWorldOptions) {
    this.#options = options
    this.engine = new MemoryEngine(this.env)
  }

  static async open(options: MessageWorldOptions = {}): Promise<MessageWorld> {
    const world = new MessageWorld(options)
    await world.restart()
    return world
  }

  /** As after a crash: nothing but the log is left. */
  async restart(): Promise<void> {
    const { authorizer = allowAll, limits } = this.#options
    this.vhost = new VirtualHost({
      env: this.env,
      name: '/',
      authorizer,
      limits: { ...DEFAULT_CORE_LIMITS, ...limits },
      onLogEnded: () => {},
    })
    await this.vhost.openLog(this.engine, [httpHeaders])
    await this.quiet()
    const records = await OperationRecords.open(this.engine.catalog, this.env.clock.wallMs())
    const onEnded = ({ id, state }: OperationItem): void => void this.ended.push(`${id} ${state}`)
    this.operations = new Operations({ env: this.env, records, onEnded })
    this.messaging = new Messaging(this.vhost)
    const broker = { vhost: this.vhost } as ManagedBroker // the rest is of no concern to messages
    this.operations.restore((record) => new CutOffAction(broker, record))
    this.#bound = [
      ...messagesHandlers(broker),
      ...actionsHandlers(broker, this.operations),
      ...operationsHandlers(this.operations),
      ...deadLettersHandlers(broker),
      ...messagingHandlers(broker, this.messaging),
    ]
  }

  define(name: string, settings: Partial<QueueSettings> = {}): NamedQueue {
    const defined = this.vhost.destinations.define({ name, settings })
    if (!defined.ok) throw new Error(defined.detail.text)
    return defined.value
  }

  queue(name: string): NamedQueue['queue'] {
    return this.vhost.destinations.find(name)!.queue
  }

  /** Begins a call and lets happen what can without time passing; the answer may be still to come. */
  async begin<C extends Call>(
    route: Route<C>,
    options: CallOptions<C>,
  ): Promise<{ readonly answer: Promise<C['answer']> }> {
    const bound = this.#find(route)
    if (bound.kind !== 'call') throw new Error(`${route.id} is a stream`)
    const answer = Promise.resolve().then(() => (bound.handler as unknown as Handler<C>)(this.#request(options)))
    answer.catch(() => {}) // told to whoever asks for the answer
    await this.quiet()
    return { answer }
  }

  /** A call that needs no time to pass. */
  async call<C extends Call>(route: Route<C>, options: CallOptions<C>): Promise<C['answer']> {
    const { answer } = await this.begin(route, options)
    const progress = { isDone: false }
    void answer.finally(() => (progress.isDone = true)).catch(() => {})
    for (let round = 0; round < 2_000 && !progress.isDone; round++) await this.quiet()
    if (!progress.isDone) throw new Error(`${route.id} has no answer without time passing`)
    return answer
  }

  /** What a call is refused with. */
  async refusal<C extends Call>(route: Route<C>, options: CallOptions<C>): Promise<ApiError> {
    const error = await this.call(route, options).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (error instanceof ApiError) return error
    throw new Error(`${route.id} is not refused`, { cause: error })
  }

  async stream<C extends Call>(route: Route<C>, options: CallOptions<C>, sink: EventSink): Promise<() => void> {
    const bound = this.#find(route)
    if (bound.kind !== 'stream') throw new Error(`${route.id} is no stream`)
    const handler = bound.handler as unknown as StreamHandler<C>
    return handler({ ...this.#request(options), lastEventId: undefined }, sink)
  }

  /** Everything that can happen without time passing has happened. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 8; round++) {
      this.env.clock.settle()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async pass(ms: number): Promise<void> {
    this.env.clock.advance(ms)
    await this.quiet()
  }

  #find({ id }: { readonly id: string }): Bound {
    return this.#bound.find(({ route }) => route.id === id)!
  }

  #request<C extends Call>({
    params,
    query = {},
    body,
    caller = ADMIN,
    signal = new AbortController().signal,
    trace,
  }: CallOptions<C>): ApiRequest<C> {
    return { params, query, body, caller, signal, trace, note: (detail) => void this.notes.push(detail) }
  }
}
