/**
 * The composition root: makes every part of a broker from a configuration, starts them in order and stops them in reverse.
 * Nothing here is global: a process may have several brokers.
 */
import { AMQP_HEADER_CODECS } from '@ternmq/amqp10'
import { TokenBook, type UserStore } from '@ternmq/auth'
import { type BrokerConfig, checkExposure, type ListenerName } from '@ternmq/config'
import { type CoreLimits, type Env, type EventKind, Events, nextTurn, VirtualHost } from '@ternmq/core'
import {
  AuditLog,
  httpHeaders,
  type ManagedBroker,
  openDefinitionParts,
  OperationRecords,
  RotatedAuditFile,
} from '@ternmq/management'
import { MetricsText } from '@ternmq/metrics'
import { mqtt3Headers, mqtt5Headers } from '@ternmq/mqtt'
import { NearMisses } from '@ternmq/naming'
import { stompHeaders, stompTextHeaders } from '@ternmq/stomp'
import { durabilityGiven } from '@ternmq/store'
import { type BoundAddress, ConnectionBudget, type ListenerEvent, Outbox, realEnv } from '@ternmq/transport'

import { Access } from './users/access.ts'
import { Administration, consoleUrl } from './administration.ts'
import { Adapters } from './listeners/adapters.ts'
import { Certificates } from './listeners/certificates.ts'
import type { Configuration, LoadWith } from './configuration/configuration.ts'
import { BrokerError, messageOf } from './errors.ts'
import { EventLog } from './reports/event-log.ts'
import { fileLimitReport, openFilesMax } from './process/file-limit.ts'
import { ensureAdministrator, type FirstLogin, firstLoginText } from './users/first-administrator.ts'
import { layFoundation } from './foundation.ts'
import { listenerItems } from './listeners/listener-items.ts'
import { Listeners } from './listeners/listeners.ts'
import { Life } from './life.ts'
import { type Log, silentLog } from './reports/log.ts'
import { metricsSnapshot } from './reports/metrics-snapshot.ts'
import { nodeInfo, ProcessNumbers } from './process/process-numbers.ts'
import { type Reloaded, reloadEntry, reloadText } from './configuration/reload.ts'
import { toCoreLimits } from './configuration/settings.ts'
import { StoreAdmin } from './storage/store-admin.ts'
import { storeInfo } from './storage/store-info.ts'
import { SysTopics } from './reports/sys-topics.ts'
import { openTraces } from './reports/traces.ts'
import { UndoStack } from './undo-stack.ts'
import { VERSION } from './version.ts'

/** What a broker gets of the world around it. */
export interface BrokerParts {
  /** Time, turns and chance; the machine's when left out. */
  readonly env?: Env | undefined
  /** Users from elsewhere; else those of the data directory. */
  readonly users?: UserStore | undefined
  /** Nothing is logged when left out; `events` has what happened to clients all the same. */
  readonly log?: Log | undefined
  /** Of the user that is made where nobody can log in to the console; a random one when left out, which is told. */
  readonly adminPassword?: string | undefined
  /** Gets a password that was made, as soon as somebody could log in with it, whatever becomes of the start; a warning of the log when left out. */
  readonly tellPassword?: ((login: FirstLogin) => void) | undefined
  /** Settings that were changed through the admin API do not count, and are kept: some of them may be why the broker does not start. */
  readonly withoutApiSettings?: boolean | undefined
  /** False: there is no data directory, and no file is written. `store.engine` has to be `memory` then. */
  readonly hasDataDir?: boolean | undefined
}

export interface Broker extends AsyncDisposable {
  /** Where clients connect, by the listener's key in the configuration. */
  readonly listeners: Readonly<Partial<Record<ListenerName, BoundAddress>>>
  /** Where the console is; undefined when it is not enabled. */
  readonly console: BoundAddress | undefined
  readonly vhost: VirtualHost
  readonly users: UserStore
  readonly events: Events
  /** Topics that nobody hears beside patterns that nearly match them. */
  readonly nearMisses: NearMisses
  /**
   * Takes another configuration as far as that is possible without a new start, and reads certificates anew. Rejects, with all
   * as before, when something in it cannot be.
   */
  reload(load: LoadWith): Promise<Reloaded>
  /** Stops accepting, tells clients that can be told, sends what is under way, closes. Idempotent. */
  stop(): Promise<void>
  /**
   * Resolves when the broker has stopped. Rejects with BrokerError 'STORE_FAILED', once it has stopped, when its store failed while it
   * ran: nothing can be promised any more, so it acknowledges nothing and stops by itself. Need not be looked at.
   */
  readonly ended: Promise<void>
}

/** Starts a broker, or rejects with one error for the operator and leaves nothing behind. */
export async function runBroker(load: LoadWith, parts: BrokerParts = {}): Promise<Broker> {
  const undo = new UndoStack()
  try {
    return await compose(load, parts, undo)
  } catch (error) {
    await undo.run()
    throw error
  }
}

async function compose(load: LoadWith, parts: BrokerParts, undo: UndoStack): Promise<Broker> {
  const { log = silentLog, env = realEnv(), hasDataDir = true, withoutApiSettings = false } = parts
  const life = new Life(log, undo)
  const foundation = await layFoundation(load, { env, log, users: parts.users, hasDataDir, withoutApiSettings }, undo)
  const { configuration, dataDir, users, store, definitions } = foundation
  const { engine, journal } = store
  const { config } = configuration

  const events = new Events(env.clock, config.events.ringSize)
  const eventLog = new EventLog(log, env.clock)
  events.listen(eventLog.take)
  undo.add(() => eventLog.close())
  for (const text of foundation.damages) events.emit({ kind: 'failure', source: 'management', text })

  const audit = new AuditLog({
    clock: env.clock,
    file: dataDir && new RotatedAuditFile(dataDir.auditFile),
    report: (text) => events.emit({ kind: 'failure', source: 'management', text }),
  })
  undo.add(() => audit.close())
  undo.add(audit.listenTo(events))
  await audit.recall()

  const limits: { -readonly [K in keyof CoreLimits]: CoreLimits[K] } = { ...toCoreLimits(config) }
  const access = new Access(config, users, env.clock, (event) => events.emit(event))
  const scram = (): boolean => access.offersScram
  if (config.console.enabled) {
    const nowMs = env.clock.wallMs()
    const { adminPassword: password, tellPassword: tell = (login) => log.warn({}, firstLoginText(login)) } = parts
    await ensureAdministrator({ users, log, random: env.random, nowMs, scram: scram(), password, tell })
  }
  refuseExposure(config, users)
  const traces = await openTraces(config.tracing, env, events)
  undo.add(() => traces?.close())
  const vhost = new VirtualHost({
    env,
    name: '/',
    authorizer: access.authorizer,
    limits,
    onLogEnded: (cause) => life.fail(cause),
    onEvent: (event) => events.emit(event),
    connectionHistoryMax: config.events.connectionHistory,
    tracer: traces?.tracer,
  })
  undo.add(() => vhost.close())
  const { authorizer } = access
  const defined = await openDefinitionParts({
    definitions,
    vhost,
    authorizer,
    users,
    tokenBook: new TokenBook(),
    config,
    scram,
  })
  undo.add(() => defined.close())
  const codecs = [mqtt3Headers, mqtt5Headers, stompHeaders, stompTextHeaders, ...AMQP_HEADER_CODECS, httpHeaders]
  await vhost.openLog(engine, codecs)
  undo.add(endWhatWasKept(vhost, users, log)) // in this turn: nothing that is due may be sent for somebody who is gone
  undo.add(users.onChange((change) => access.onUserChange(change)))
  undo.add(access.authorizer.onChange(() => vhost.recheckAccess()))
  const nearMisses = new NearMisses((topic) => vhost.router.isHeard(topic))
  const adapters = new Adapters(config, { vhost, login: access, events, nearMisses })

  const folder = dataDir?.certificateFolder
  const certificates = await Certificates.open(config, { folder, clock: env.clock, log, audit })
  undo.add(() => certificates.close())
  const onEvent = (event: ListenerEvent): void => emitListenerEvent(events, event)
  const filesMax = openFilesMax()
  const budget = new ConnectionBudget({ connectionsMax: config.limits.maxConnections, filesMax })
  const context = { env, outbox: new Outbox(env.clock), budget, onEvent }
  vhost.recheckAccess() // of what was kept: rules may have changed since; all of them must be known by now
  const listeners = await Listeners.open(config, {
    context,
    certificates,
    servedBy: (name) => adapters.servedBy(name),
  })
  undo.add(() =>
    listeners.close(() => {
      vhost.beginStop()
      adapters.drain()
    }),
  )

  const numbers = new ProcessNumbers({
    clock: env.clock,
    vhost,
    config: () => configuration.config,
    durabilities: engine.durabilities,
    journal,
    folder: dataDir?.path,
  })
  undo.add(() => numbers.close())
  const storeAdmin = new StoreAdmin(journal, dataDir?.journalFolder ?? '')
  const managed: ManagedBroker = {
    vhost,
    users,
    events,
    definitions,
    node: nodeInfo(dataDir?.path ?? '', env.clock.wallMs()),
    settings: {
      get config() {
        return configuration.config
      },
      get sources() {
        return configuration.sources
      },
      override: async (overrides, check) => {
        const { applied, waiting } = await change({ overrides, check })
        return { applied: applied.map(({ key }) => key), afterRestart: waiting.map(({ key }) => key) }
      },
    },
    listeners: () =>
      listenerItems({
        config: configuration.config,
        listeners,
        certificates,
        protocolsOf: (name) => adapters.servedBy(name).map((served) => served.name),
      }),
    certificates: () => certificates.inUse(),
    store: () =>
      Promise.resolve(
        storeInfo({
          ...store,
          vhost,
          folder: dataDir?.journalFolder ?? '',
          freeBytes: () => numbers.read().disk.freeBytes,
        }),
      ),
    storeReport: async () => storeAdmin.report(),
    backup: (folder) => storeAdmin.backup(folder),
    resources: () => numbers.read(),
  }
  const metrics = new MetricsText()
  const sources = {
    build: { version: VERSION, node: process.versions.node, engine: config.store.engine },
    startedAtMs: managed.node.startedAtMs,
    vhost,
    access,
    listeners,
    certificates,
    numbers,
    traces,
    ...store,
  }
  const administration = await Administration.open(config.console, {
    broker: managed,
    definitions: defined,
    access,
    audit,
    records: await OperationRecords.open(engine.catalog, env.clock.wallMs()),
    metrics: () =>
      metrics.render(
        () => metricsSnapshot(sources),
        () => nextTurn(env.clock),
      ),
    certificates,
    socketPath: dataDir?.adminSocket,
    clock: env.clock,
    log,
  })
  undo.add(() => administration.close())

  const sysTopics = new SysTopics({ vhost, version: VERSION, connectionsAccepted: () => listeners.acceptedCount })
  sysTopics.use(config.mqtt.sysTopicsIntervalSeconds)
  undo.add(() => sysTopics.close())

  const fileLimit = fileLimitReport(config, configuration.sources, filesMax)
  if (fileLimit !== undefined) log[fileLimit.level]({}, fileLimit.text)
  if (administration.bound !== undefined) {
    const { host, port } = administration.bound
    log.info({ host, port }, `the console is at ${consoleUrl(config.console, administration.bound)}`)
  }
  for (const [name, bound] of Object.entries(listeners.bound)) {
    log.info({ listener: name, ...bound }, `listener ${name} accepts connections on ${bound.host}:${bound.port}`)
  }
  const durability = durabilityGiven(engine.durabilities, config.queues.durability)
  const facts = {
    version: VERSION,
    pid: process.pid,
    dataDir: dataDir?.path ?? '',
    engine: config.store.engine,
    durability,
  }
  life.throwIfFailed()
  log.info(facts, `TernMQ ${VERSION} is ready`)

  /** What can fail comes first. */
  const take = async ({ config: next }: Reloaded): Promise<void> => {
    const before = configuration.config
    refuseExposure(next, users)
    access.check(next)
    await nextTurn(env.clock) // there may be thousands of rules
    await certificates.use(next)
    access.use(next)
    adapters.use(next)
    listeners.use(next)
    budget.connectionsMax = next.limits.maxConnections
    Object.assign(limits, toCoreLimits(next))
    if (next.mqtt.sysTopicsIntervalSeconds !== before.mqtt.sysTopicsIntervalSeconds) {
      sysTopics.use(next.mqtt.sysTopicsIntervalSeconds)
    }
    await defined.policies.useConfig(next)
  }

  let lastChange: Promise<unknown> = Promise.resolve()
  const change = (by: Parameters<Configuration['change']>[0]): Promise<Reloaded> => {
    const result = lastChange.then(() => configuration.change(by, take))
    lastChange = result.catch(() => undefined) // whoever asked gets the error
    return result
  }
  const reload = async (again: LoadWith): Promise<Reloaded> => {
    try {
      const reloaded = await change({ load: again })
      audit.record(reloadEntry('done', reloadText(reloaded)))
      return reloaded
    } catch (error) {
      audit.record(reloadEntry('failed', messageOf(error).replaceAll('\n', '; ')))
      throw error
    }
  }

  const { stop, ended } = life
  return {
    listeners: listeners.bound,
    console: administration.bound,
    vhost,
    users,
    events,
    nearMisses,
    reload,
    stop,
    ended,
    [Symbol.asyncDispose]: stop,
  }
}

/** Of users who go, and of those who went while no broker was there to hear of it. Returns how to stop that. */
function endWhatWasKept(vhost: VirtualHost, users: UserStore, log: Log): () => void {
  let ended: string[] = []
  const forget = async (): Promise<void> => {
    await nextTurn(vhost.env.clock) // those of the same turn come with it
    const names = ended
    ended = []
    await users.forgetRemoved(names).catch((error: unknown) => {
      const text = `what ${names.length} removed users left is gone, and will be looked for again at the next start`
      log.error({}, `${text}: ${messageOf(error)}`)
    })
  }
  const end = (name: string): void => vhost.departures.end(name, () => ended.push(name) === 1 && void forget())
  for (const name of users.removedNames) end(name)
  return users.onChange(({ kind, name }) => kind === 'removed' && end(name))
}

/** A listener that other machines reach must have somebody who could log in, or say that anybody may. */
function refuseExposure(config: BrokerConfig, users: UserStore): void {
  const exposed = checkExposure(config, { userCount: users.list().length })
  if (exposed.length > 0) throw new BrokerError('LISTENER_EXPOSED', exposed.join('\n'))
}

const EVENT_KIND = {
  refused: 'limit',
  'handshake-failed': 'refused',
  'accept-failed': 'failure',
  certificate: 'refused',
  silent: 'refused',
  unserved: 'refused',
  'unknown-protocol': 'refused',
} as const satisfies Record<ListenerEvent['kind'], EventKind>

/** What went wrong before an adapter had the connection. */
function emitListenerEvent(events: Events, { kind, listener, text, address, count }: ListenerEvent): void {
  const told = count > 1 ? `${text} (${count} times)` : text
  events.emit({ kind: EVENT_KIND[kind], source: 'transport', listener, peer: address, text: told })
}
