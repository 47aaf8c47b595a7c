/** A virtual host without a kernel, and what the admin API gets of the broker around it, for tests that call handlers as the server does. */
import type { Call, CertificateInfo, ListenerItem, Overview, Role, Route, StoreInfo } from '@ternmq/api'
import { MemoryUserStore } from '@ternmq/auth'
import { type BrokerConfigInput, loadConfig } from '@ternmq/config'
import {
  type Authorizer,
  type CoreLimits,
  Message,
  type MessageExtras,
  type Producer,
  type PublishResult,
  type ScheduleOptions,
  type Session,
} from '@ternmq/core'
import { MemoryEngine } from '@ternmq/store'
import { AdapterWorld } from '@ternmq/testkit'
import { ApiError } from '../src/errors.ts'
import type { Bound, Caller, EventSink } from '../src/handlers.ts'
import type { ManagedBroker } from '../src/managed-broker.ts'
import { scopesOf } from '../src/access/tokens.ts'

export interface ManagedWorldOptions {
  readonly config?: BrokerConfigInput
  readonly limits?: Partial<CoreLimits>
  readonly authorizer?: Authorizer
}

export interface SendOptions {
  readonly durable?: boolean
  readonly retain?: boolean
  readonly extras?: MessageExtras
  readonly publisher?: string
}

/** What of a call is not like this: nobody in particular, who may do everything. */
export const ADMINISTRATOR: Caller = {
  user: 'admin',
  principal: { name: 'admin', anonymous: false },
  role: 'administrator',
  scopes: new Set(['read', 'operate', 'admin', 'messages']),
  by: 'token',
  address: '127.0.0.1',
  isValid: () => true,
  mayGoOn: () => true,
}

/** Who has nothing but the role. */
export function callerWith(user: string, role: Role): Caller {
  return { ...ADMINISTRATOR, user, principal: { name: user, anonymous: false }, role, scopes: new Set(scopesOf(role)) }
}

const MIB = 1_048_576

/** Everything is well. */
const RESOURCES: ReturnType<ManagedBroker['resources']> = {
  memory: { rssBytes: 100 * MIB, heapBytes: 50 * MIB, waitingBytes: 0, waitingBytesMax: 1_024 * MIB },
  disk: { engine: 'journal', durability: 'fsync-local', usedBytes: 0, maxBytes: 0, freeBytes: 1_024 * 1_024 * MIB },
  eventLoop: { p50Ms: 0.1, p99Ms: 1, utilization: 0.1 },
  cpuShare: 0.2,
}

const STORE: StoreInfo = {
  engine: 'journal',
  durabilities: ['memory', 'page-cache', 'fsync-local'],
  folder: '/data/journal',
  diskBytes: 0,
  liveBytes: 0,
  segmentCount: 1,
  commits: { count: 0, bytes: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
}

export class ManagedWorld extends AdapterWorld {
  readonly engine: MemoryEngine
  readonly broker: ManagedBroker
  /** What the audit log would say, one for each note of a handler. */
  readonly notes: string[] = []
  /** Replaced by tests that want something to be wrong. */
  resources: ReturnType<ManagedBroker['resources']> = RESOURCES
  storeInfo: StoreInfo = STORE
  listeners: readonly ListenerItem[] = []
  certificates: ReadonlyMap<string, CertificateInfo> = new Map()

  private constructor({ config = {}, ...options }: ManagedWorldOptions) {
    super(options)
    this.engine = new MemoryEngine(this.env)
    const loaded = loadConfig({ values: config })
    if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
    this.broker = {
      vhost: this.vhost,
      users: new MemoryUserStore(),
      events: this.eventSink,
      definitions: { damaged: [] },
      node: {
        version: '1.0.0',
        node: 'v24',
        platform: 'linux',
        pid: 1,
        hostName: 'host',
        dataDir: '/data',
        startedAtMs: this.clock.wallMs(),
      },
      settings: {
        config: loaded.config,
        sources: new Map(),
        override: () => Promise.reject(new Error('this test changes no settings')),
      },
      listeners: () => this.listeners,
      certificates: () => this.certificates,
      store: () => Promise.resolve(this.storeInfo),
      storeReport: () => Promise.reject(new Error('this test has no journal')),
      backup: () => Promise.reject(new Error('this test has no journal')),
      resources: () => this.resources,
    }
  }

  /** With an engine in memory: queues are durable, as on disk. */
  static async open(options: ManagedWorldOptions = {}): Promise<ManagedWorld> {
    const world = new ManagedWorld(options)
    await world.vhost.openLog(world.engine, [])
    await world.settle()
    return world
  }

  /** As the server calls the handler of a route. Runs on until it has answered. */
  async call<C extends Call>(
    bound: readonly Bound[],
    route: Route<C>,
    given: { params?: C['params']; query?: C['query']; body?: C['body']; caller?: Caller } = {},
  ): Promise<C['answer']> {
    const found = bound.find((each) => each.route.id === route.id)
    if (found?.kind !== 'call') throw new Error(`nothing is bound to ${route.id}`)
    const { params = {}, query = {}, body, caller = ADMINISTRATOR } = given
    const request = {
      params,
      query,
      body,
      caller,
      signal: new AbortController().signal,
      note: (text: string) => void this.notes.push(text),
    }
    const progress = { isDone: false }
    const answer = Promise.resolve().then(() => found.handler(request))
    answer.finally(() => (progress.isDone = true)).catch(() => undefined) // whoever called gets the error
    while (!progress.isDone) await this.settle()
    return answer
  }

  /** As `call`; what it is refused with. */
  async refusal<C extends Call>(...args: Parameters<typeof this.call<C>>): Promise<ApiError> {
    try {
      await this.call(...args)
    } catch (error) {
      if (error instanceof ApiError) return error
      throw error
    }
    throw new Error('it was not refused')
  }

  /** Begins a stream. */
  async stream<C extends Call>(
    bound: readonly Bound[],
    route: Route<C>,
    query: C['query'],
    sink: EventSink,
    lastEventId?: number,
  ): Promise<() => void> {
    const found = bound.find((each) => each.route.id === route.id)
    if (found?.kind !== 'stream') throw new Error(`no stream is bound to ${route.id}`)
    const request = {
      params: {},
      query,
      body: undefined,
      caller: ADMINISTRATOR,
      signal: new AbortController().signal,
      note: () => {},
      lastEventId,
    }
    return found.handler(request, sink)
  }

  /** A client, as an adapter opens one. */
  open(
    clientId: string,
    options: { readonly user?: string; readonly expiryMs?: number; readonly protocol?: 'mqtt' | 'stomp' | 'amqp' } = {},
  ): Session {
    const { user = 'ann', expiryMs = 0, protocol = 'mqtt' } = options
    const opened = this.vhost.sessions.open({
      clientId,
      principal: { name: user, anonymous: false },
      cleanStart: false,
      expiryMs,
      creditMax: 100,
      will: undefined,
      owner: { onEvicted: () => {} },
      protocol,
    })
    if (!opened.ok) throw new Error(opened.detail.text)
    return opened.value.session
  }

  /** A message of somebody to an address in core form. */
  send(address: string, text: string, options: SendOptions = {}): void {
    const subject = { principal: { name: 'sender', anonymous: false }, clientId: 'sender' }
    this.vhost.publishAs(subject, messageOf(address, text, options))
    this.run()
  }

  publishBy(
    producer: Producer,
    address: string,
    text: string,
    options: SendOptions = {},
    schedule?: ScheduleOptions,
  ): PublishResult {
    const message = messageOf(address, text, options)
    const result = producer.publish(
      producer.target(address),
      message,
      0,
      schedule === undefined ? undefined : { schedule },
    )
    this.run()
    return result
  }

  withResources(change: { readonly [K in keyof Overview]?: Partial<Overview[K]> }): void {
    const { memory, disk, eventLoop } = this.resources
    this.resources = {
      ...this.resources,
      memory: { ...memory, ...change.memory },
      disk: { ...disk, ...change.disk },
      eventLoop: { ...eventLoop, ...change.eventLoop },
    }
  }
}

export function messageOf(address: string, text: string, options: SendOptions): Message {
  const bytes = Buffer.from(text)
  return new Message({
    topic: address,
    codec: { id: 'none', decode: () => ({ properties: [] }), encode: () => new Uint8Array(0) },
    bytes,
    start: 0,
    headerStart: 0,
    bodyStart: 0,
    end: bytes.length,
    assurance: 1,
    durable: options.durable ?? false,
    retain: options.retain ?? false,
    expiresAtMs: 0,
    publisher: options.publisher,
    extras: options.extras,
  })
}
