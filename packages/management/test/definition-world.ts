/** A broker without sockets, with all that can be defined, on an engine that can be opened again: for tests of the calls. */
import type { Call, ListenerItem, Role, Route, Scope, StoreInfo, StoreReport } from '@ternmq/api'
import { MemoryUserStore, RuleAuthorizer, TokenBook, type UserRecord } from '@ternmq/auth'
import { type BrokerConfig, type BrokerConfigInput, configChanges, loadConfig } from '@ternmq/config'
import { DEFAULT_CORE_LIMITS, Events, type NamedQueue, type QueueDefinition, VirtualHost } from '@ternmq/core'
import { type Engine, MemoryEngine } from '@ternmq/store'
import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { AuditLog } from '../src/audit/audit.ts'
import { definitionHandlers, openDefinitionParts, type DefinitionParts } from '../src/definitions/definition-parts.ts'
import { DefinitionStore } from '../src/definitions/definition-store.ts'
import type { ApiRequest, Bound, Caller } from '../src/handlers.ts'
import type { ManagedBroker, RunningSettings } from '../src/managed-broker.ts'

/** Of 'secret', cheap to make and to check. */
export const VERIFIER = '$scrypt$ln=10,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$1cPmPHCtCDCKYfRSy3bqh9OcdFVKDHDlm4CbdRSCdEA'

export function userNamed(name: string, more: Partial<UserRecord> = {}): UserRecord {
  return { name, groups: [], createdAtMs: 1, changedAtMs: 1, ...more }
}

export const ROOT: UserRecord = userNamed('root', { role: 'administrator', verifier: VERIFIER })

const ALL_SCOPES: readonly Scope[] = ['read', 'operate', 'admin', 'messages']

export function callerOf(
  user: string,
  scopes: readonly Scope[] = ALL_SCOPES,
  role: Role | undefined = 'administrator',
): Caller {
  return {
    user,
    principal: { name: user, anonymous: false },
    role,
    scopes: new Set(scopes),
    by: 'token',
    address: '127.0.0.1',
    isValid: () => true,
    mayGoOn: () => true,
  }
}

export interface DefinitionWorldOptions {
  readonly config?: BrokerConfigInput
  readonly users?: readonly UserRecord[]
  /** Opened anew for each life; an engine in memory that is the same in all of them when left out. */
  readonly openEngine?: () => Promise<{ readonly env: VirtualEnv; readonly engine: Engine }>
}

const STORE: StoreInfo = {
  engine: 'memory',
  durabilities: ['memory'],
  folder: '',
  diskBytes: 0,
  liveBytes: 0,
  segmentCount: 0,
  commits: { count: 0, bytes: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
}

/** What a test says of a call; the rest is as in most of them. */
export type Asked<C extends Call> = Partial<Pick<ApiRequest<C>, 'params' | 'query' | 'body' | 'caller'>>

export class DefinitionWorld {
  readonly #options: DefinitionWorldOptions
  readonly #openEngine: () => Promise<{ readonly env: VirtualEnv; readonly engine: Engine }>
  readonly users: MemoryUserStore
  /** What operators were told. */
  readonly reports: string[] = []
  /** What the calls say of themselves for the audit log. */
  readonly notes: string[] = []
  /** What `settings.override` was given, the last one at the end; the test may make it refuse. */
  readonly overrides: ReadonlyMap<string, unknown>[] = []
  overrideProblem: string | undefined = undefined
  config: BrokerConfig
  readonly listeners: ListenerItem[] = []
  store: StoreInfo = STORE
  env!: VirtualEnv
  engine!: Engine
  vhost!: VirtualHost
  authorizer!: RuleAuthorizer
  definitions!: DefinitionStore
  parts!: DefinitionParts
  broker!: ManagedBroker
  audit!: AuditLog
  #handlers: readonly Bound[] = []

  private constructor(options: DefinitionWorldOptions) {
    this.#options = options
    this.users = new MemoryUserStore(options.users ?? [ROOT])
    this.config = configOf(options.config)
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    this.#openEngine = options.openEngine ?? (() => Promise.resolve({ env, engine }))
  }

  static async open(options: DefinitionWorldOptions = {}): Promise<DefinitionWorld> {
    const world = new DefinitionWorld(options)
    await world.restart()
    return world
  }

  /** As after the end of the process: users, and what the engine has, are left. */
  async restart(): Promise<void> {
    this.parts?.close()
    const { env, engine } = await this.#openEngine()
    Object.assign(this, { env, engine })
    const events = new Events(env.clock, 100)
    const groupsOf = (name: string): readonly string[] => this.users.get(name)?.groups ?? []
    this.authorizer = new RuleAuthorizer(this.config.auth, 'auth', groupsOf)
    this.definitions = await DefinitionStore.open(engine.catalog, (text) => this.reports.push(text))
    this.vhost = new VirtualHost({
      env,
      name: '/',
      authorizer: this.authorizer,
      limits: DEFAULT_CORE_LIMITS,
      onLogEnded: () => {},
    })
    this.parts = await openDefinitionParts({
      definitions: this.definitions,
      vhost: this.vhost,
      authorizer: this.authorizer,
      users: this.users,
      tokenBook: new TokenBook(),
      config: this.config,
      scram: () => false,
    })
    await this.vhost.openLog(engine, [])
    this.audit = new AuditLog({ clock: env.clock, report: (text) => this.reports.push(text) })
    this.broker = this.#managed(events)
    this.#handlers = definitionHandlers(this.broker, this.parts)
  }

  /** As the HTTP server calls, once it has found the caller allowed to. */
  async call<C extends Call>(route: Route<C>, asked: Asked<C> = {}): Promise<C['answer']> {
    const bound = this.#handlers.find((each) => each.route.id === route.id)
    if (bound?.kind !== 'call') throw new Error(`nobody answers ${route.id}`)
    const { params = {}, query = {}, body = {}, caller = callerOf('root') } = asked
    const signal = new AbortController().signal
    const note = (detail: string): void => void this.notes.push(detail)
    const answer = bound.handler({ params: { vhost: '/', ...params }, query, body, caller, signal, note })
    return this.#options.openEngine === undefined ? this.#answered(answer) : answer
  }

  /** Lets happen what can without time passing until the answer is there. Another engine's time is the test's to move. */
  async #answered<T>(answer: T | Promise<T>): Promise<T> {
    const progress = { isDone: false }
    const told = Promise.resolve(answer).finally(() => (progress.isDone = true))
    told.catch(() => undefined) // whoever called gets the error
    for (await Promise.resolve(); !progress.isDone; await new Promise((resolve) => setImmediate(resolve))) {
      this.env.clock.settle()
    }
    return answer
  }

  define(name: string, settings: QueueDefinition['settings'] = {}): NamedQueue {
    const defined = this.vhost.destinations.define({ name, settings })
    if (!defined.ok) throw new Error(defined.detail.text)
    return defined.value
  }

  #managed(events: Events): ManagedBroker {
    const { vhost, users } = this
    const resources = (): never => {
      throw new Error('no call of these asks for it')
    }
    const node = { version: '1', node: '24', platform: 'test', pid: 1, hostName: 'h', dataDir: '', startedAtMs: 0 }
    const settings = new TestSettings(this)
    return {
      vhost,
      users,
      events,
      definitions: this.definitions,
      node,
      settings,
      listeners: () => this.listeners,
      certificates: () => new Map(),
      store: () => Promise.resolve(this.store),
      storeReport: () => Promise.resolve(STORE_REPORT),
      backup: (folder) => Promise.resolve({ files: folder.length, bytes: 1 }),
      resources,
    }
  }

  /** As apps/broker does it: the configuration is made anew with `overrides` over all else. */
  async override(
    ...[overrides, check]: Parameters<RunningSettings['override']>
  ): ReturnType<RunningSettings['override']> {
    if (this.overrideProblem !== undefined) throw new Error(this.overrideProblem)
    const before = this.config
    const after = configOf(this.#options.config, overrides)
    check(after)
    this.authorizer.replaceConfig(after.auth)
    this.config = after
    this.overrides.push(overrides)
    const keys = configChanges(before, this.config)
    return {
      applied: keys.filter(({ reload }) => reload !== 'start').map(({ key }) => key),
      afterRestart: keys.filter(({ reload }) => reload === 'start').map(({ key }) => key),
    }
  }
}

const STORE_REPORT: StoreReport = {
  formatVersion: 1,
  diskBytes: 5,
  tornBytes: 0,
  partitions: [],
  catalogKeys: 0,
  faults: [],
}

class TestSettings implements RunningSettings {
  readonly sources: RunningSettings['sources'] = new Map()
  readonly #world: DefinitionWorld

  constructor(world: DefinitionWorld) {
    this.#world = world
  }

  get config(): BrokerConfig {
    return this.#world.config
  }

  override(...asked: Parameters<RunningSettings['override']>): ReturnType<RunningSettings['override']> {
    return this.#world.override(...asked)
  }
}

function configOf(
  values: BrokerConfigInput | undefined,
  overrides: ReadonlyMap<string, unknown> = new Map(),
): BrokerConfig {
  const loaded = loadConfig({ values, overrides })
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
  return loaded.config
}
