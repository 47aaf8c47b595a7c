/**
 * The admin API of this broker: what it gets of the broker around it, and where it is served: on the console's port, and on a socket in the
 * data directory that only its owner may open, where commands find it.
 */
import { type ConsoleConfig, isLoopback } from '@ternmq/config'
import type { ApiServer, ApiServerOptions, LoginAnswer } from '@ternmq/console'
import type { Clock, LoginRefusal } from '@ternmq/core'
import {
  AdminApi,
  type AuditLog,
  type DefinitionParts,
  type ManagedBroker,
  type OperationRecords,
} from '@ternmq/management'
import type { BoundAddress, ServerCertificate } from '@ternmq/transport'

import type { Access } from './users/access.ts'
import type { Certificates } from './listeners/certificates.ts'
import { BrokerError, messageOf, systemCode } from './errors.ts'
import type { Log } from './reports/log.ts'
import { shortAddress } from './process/socket-path.ts'
import { webAddress } from './listeners/web-address.ts'

export interface AdministrationParts {
  readonly broker: ManagedBroker
  readonly definitions: DefinitionParts
  readonly access: Access
  readonly audit: AuditLog
  /** Long work that the life before did not finish. */
  readonly records: OperationRecords
  /** Text for `/metrics`. */
  readonly metrics: () => Promise<string>
  readonly certificates: Certificates
  /** Undefined for a broker without files. */
  readonly socketPath: string | undefined
  readonly clock: Clock
  readonly log: Log
}

export class Administration {
  /** Where the console is; undefined when it is not enabled. */
  readonly bound: BoundAddress | undefined
  readonly #close: () => Promise<void>

  /** Rejects with BrokerError, and nothing is left open. */
  static async open(config: ConsoleConfig, parts: AdministrationParts): Promise<Administration> {
    const { socketPath } = parts
    if (!config.enabled && socketPath === undefined) return new Administration(undefined, () => Promise.resolve())
    const { ApiServer, PAGES_DIR } = await import('@ternmq/console')
    const api = new AdminApi(parts.broker, parts)
    const server = new ApiServer({
      handlers: api.handlers,
      pagesDir: PAGES_DIR,
      ...serverOptions(config, parts),
    })
    let freeSocket = (): void => {}
    const closeAll = async (): Promise<void> => {
      await api.close()
      await server.close()
      freeSocket()
    }
    try {
      if (socketPath !== undefined) freeSocket = await openSocket(server, socketPath)
      const bound = config.enabled ? await openPort(server, config) : undefined
      if (config.enabled && config.tls.enabled) {
        const { minVersion } = config.tls
        const setCertificate = (certificate: ServerCertificate): void =>
          server.useCertificate({ ...certificate, minVersion })
        parts.certificates.attach('console', { setCertificate })
      }
      return new Administration(bound, closeAll)
    } catch (error) {
      await closeAll()
      throw error
    }
  }

  private constructor(bound: BoundAddress | undefined, close: () => Promise<void>) {
    this.bound = bound
    this.#close = close
  }

  close(): Promise<void> {
    return this.#close()
  }
}

function serverOptions(config: ConsoleConfig, parts: AdministrationParts): Omit<ApiServerOptions, 'handlers'> {
  const { access, audit, metrics, broker, certificates, clock, definitions, log } = parts
  const isLoopbackOnly = config.anonymousMetrics === 'auto' ? isLoopback(config.host) : config.anonymousMetrics
  return {
    version: broker.node.version,
    login: (user, password, address) => login(access, user, password, address),
    accounts: broker.users,
    tokens: {
      verify: (token) => {
        const check = definitions.tokens.book.verify(token, clock.wallMs())
        return check.ok ? check.record : undefined
      },
      isGood: (id) => definitions.tokens.book.isGood(id, clock.wallMs()),
      onRemoved: (listener) => definitions.tokens.book.onRemoved(listener),
    },
    audit,
    metrics,
    clock,
    tls: config.tls.enabled ? { ...certificates.for('console'), minVersion: config.tls.minVersion } : undefined,
    settings: {
      basePath: config.basePath.slice(0, -1),
      origins: config.origins,
      trustedProxies: config.trustedProxies,
      metricsOpenOnLoopback: isLoopbackOnly,
      connectionsPerAddressMax: config.maxConnectionsPerAddress,
      sessionIdleMs: config.loginIdleMinutes * 60_000,
      sessionMaxMs: config.loginMaxHours * 3_600_000,
    },
    onFailure: ({ id, action, error }) => {
      log.error(
        { id, action, stack: error instanceof Error ? error.stack : undefined },
        `the call ${action} failed: ${messageOf(error)}`,
      )
    },
  }
}

/** By the same way as the users of every protocol: with its lock-out, and its bounded line of hashes. */
async function login(access: Access, username: string, password: Uint8Array, address: string): Promise<LoginAnswer> {
  const peer = { listener: 'console', address, port: 0 }
  const step = await access.begin({ peer, clientId: '', mechanism: 'plain', username, password, data: undefined })
  switch (step.kind) {
    case 'accepted':
      return { ok: true, principal: step.principal }
    case 'challenge':
      throw new Error('a login with name and password has one step')
    case 'refused':
      return { ok: false, code: LOGIN_CODE[step.refusal], text: step.text, retryAfterMs: step.retryAfterMs }
  }
}

const LOGIN_CODE = {
  'bad-credentials': 'LOGIN_REFUSED',
  'bad-mechanism': 'LOGIN_REFUSED',
  'not-authorized': 'LOGIN_REFUSED',
  'locked-out': 'LOCKED_OUT',
  busy: 'BUSY',
} as const satisfies Record<LoginRefusal, (LoginAnswer & { readonly ok: false })['code']>

/** As a browser writes it. */
export function consoleUrl({ basePath, tls }: ConsoleConfig, { host, port }: BoundAddress): string {
  return webAddress(tls.enabled, host, port) + basePath
}

/** Resolves with what there is to do when the server has closed: until then the path must mean the same. */
async function openSocket(server: ApiServer, path: string): Promise<() => void> {
  const address = shortAddress(path)
  try {
    await server.listenSocket(address.path)
    return address.free
  } catch (cause) {
    address.free()
    const text = `cannot open the admin socket ${path}: ${messageOf(cause)}; choose another directory with --data-dir`
    throw new BrokerError('ADMIN_SOCKET_FAILED', text, { cause })
  }
}

async function openPort(server: ApiServer, { host, port }: ConsoleConfig): Promise<BoundAddress> {
  try {
    return await server.listen({ host, port })
  } catch (cause) {
    const isTaken = systemCode(cause) === 'EADDRINUSE'
    const advice =
      'stop the other program, or set console.port, or let the system choose: `ternmq start --set console.port=0`'
    const why = isTaken ? `the port is in use; ${advice}` : `${messageOf(cause)}; set console.host and console.port`
    throw new BrokerError('CONSOLE_PORT_FAILED', `the console cannot listen on ${host}:${port}: ${why}`, { cause })
  }
}
