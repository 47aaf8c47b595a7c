/**
 * How a command reaches a broker: over the socket in its data directory, which needs no login, or over HTTP with a token or a password.
 */
import { type ApiClient as Client, ApiClient, ApiUnreachable, NotTheApi } from '@ternmq/api/client'
import { httpTransport } from '@ternmq/api/client-http'
import type { BrokerConfig } from '@ternmq/config'
import { readFileSync } from 'node:fs'
import { complain, type ConsoleIo } from '../process/console-io.ts'
import { pathsOf } from '../process/data-dir.ts'
import { BrokerError, BrokerUnreachable, messageOf, systemCode, UsageError } from '../errors.ts'
import { promptLogin, readPassword, toPasswordText } from '../users/password-input.ts'
import { shortAddress } from '../process/socket-path.ts'
import { tellingDelay } from './absence.ts'
import type { CommonOptions, Values } from './command.ts'
import { configOf } from './configuration.ts'

export interface Connection {
  readonly client: Client
  /** It is on this machine: paths mean the same on both sides. */
  readonly isLocal: boolean
  /** What to say when nobody answers. */
  lossOf(this: void, error: ApiUnreachable): BrokerUnreachable
  close(this: void): void
}

export interface ConnectionInput {
  readonly values: Omit<Values<CommonOptions>, 'json'>
  readonly io: ConsoleIo
}

/** Opens a connection for `work` and closes it behind it. Rejects with BrokerUnreachable when nobody answers. */
export async function withConnection<T>(
  input: ConnectionInput,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  return withLoss(await openConnection(input), work)
}

/** The same with a connection that is there. */
export async function withLoss<T>(connection: Connection, work: (connection: Connection) => Promise<T>): Promise<T> {
  try {
    return await work(connection)
  } catch (error) {
    throw error instanceof ApiUnreachable ? connection.lossOf(error) : error
  } finally {
    connection.close()
  }
}

/** Throws UsageError, BrokerError. Nothing is asked yet. */
async function openConnection({ values, io }: ConnectionInput): Promise<Connection> {
  const url = urlOf({ values, io })
  if (url === undefined) return overSocket(configOf({ values, io }), io)
  return overUrl(url, { values, io })
}

/** Where the broker is, unless in the data directory. Throws UsageError. */
export function urlOf({ values, io }: ConnectionInput): string | undefined {
  const hasConfiguration = [values['data-dir'], values.config, values.set].some((value) => value !== undefined)
  if (values.url !== undefined && hasConfiguration)
    throw new UsageError('--url is a broker elsewhere, and excludes --data-dir, --config and --set')
  const fromEnvironment = io.env['TERNMQ_URL']
  const isFromEnvironment = !hasConfiguration && fromEnvironment !== undefined && fromEnvironment !== ''
  return values.url ?? (isFromEnvironment ? fromEnvironment : undefined)
}

export function overSocket(
  { dataDir }: Pick<BrokerConfig, 'dataDir'>,
  io: Pick<ConsoleIo, 'stderr' | 'started'>,
): Connection {
  const path = pathsOf(dataDir).adminSocket
  const socket = shortAddressIn(dataDir, path)
  const transport = httpTransport({ socketPath: socket.path })
  return {
    client: new ApiClient({ transport: tellingDelay(transport.send, io) }),
    isLocal: true,
    lossOf: (error) => {
      const code = systemCode(error.cause)
      if (NOBODY_THERE.has(code)) return notRunning(dataDir, path, error)
      const why =
        code === 'EACCES'
          ? 'only the user that runs the broker may open it; run the command as that user'
          : error.message
      return new BrokerUnreachable(`cannot ask the broker at ${path}: ${why}`, { cause: error })
    },
    close: () => {
      transport.close()
      socket.free()
    },
  }
}

/** Of a socket that nobody listens at. */
const NOBODY_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED'])

function shortAddressIn(dataDir: string, path: string): ReturnType<typeof shortAddress> {
  try {
    return shortAddress(path)
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') throw notRunning(dataDir, path, cause)
    throw new BrokerUnreachable(`cannot look into the data directory ${dataDir}: ${messageOf(cause)}`, { cause })
  }
}

function notRunning(dataDir: string, path: string, cause: unknown): BrokerUnreachable {
  return new BrokerUnreachable(
    `no broker runs on the data directory ${dataDir}: nobody listens at ${path}; start one with \`ternmq start\`, ` +
      'name another directory with --data-dir, or a broker elsewhere with --url',
    { cause, isNobodyThere: true },
  )
}

async function overUrl(url: string, { values, io }: ConnectionInput): Promise<Connection> {
  const address = addressOf(url)
  const { user, ca } = values
  const token = values.token ?? (user === undefined ? io.env['TERNMQ_TOKEN'] : undefined)
  if (values.token !== undefined && user !== undefined) throw new UsageError('--token and --user exclude one another')
  if (token === undefined && user === undefined)
    throw new UsageError(
      '--url needs to know who asks: --token, TERNMQ_TOKEN, or --user; `ternmq tokens create` makes a token',
    )
  warnOfPlain(address, io)
  const login = user === undefined ? undefined : { user, password: await passwordOf(user, { values, io }) }
  const transport = httpTransport({ url, ca: ca === undefined ? undefined : readCa(ca) })
  return {
    client: new ApiClient({ transport: tellingDelay(transport.send, io), token, login }),
    isLocal: false,
    lossOf: (error) => lostAt(url, error),
    close: () => transport.close(),
  }
}

/** Throws UsageError. */
export function addressOf(url: string): URL {
  const address = URL.parse(url)
  if (address === null || !['http:', 'https:'].includes(address.protocol))
    throw new UsageError(`--url is '${url}'; it is http://HOST:PORT or https://HOST:PORT, as the console is opened`)
  if (address.username !== '' || address.password !== '')
    throw new UsageError('--url has a login in it, which others can see; give --user, or TERNMQ_TOKEN')
  return address
}

export function warnOfPlain({ protocol, hostname, host }: URL, io: ConsoleIo): void {
  if (protocol !== 'http:' || isLoopbackName(hostname)) return
  complain(io, [
    `warning: the login goes to ${host} unencrypted; use https:// (console.tls.enabled) outside of a network of your own`,
  ])
}

function isLoopbackName(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}

async function passwordOf(user: string, { values, io }: ConnectionInput): Promise<string> {
  const isPiped = values['password-stdin'] === true
  return toPasswordText(isPiped ? await readPassword(io.stdin) : await promptLogin(io, user))
}

/** Throws BrokerError 'CA_UNREADABLE'. */
export function readCa(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new BrokerError('CA_UNREADABLE', `cannot read --ca ${file}: ${messageOf(cause)}`, { cause })
  }
}

const CERTIFICATE_CODES = /^(?:DEPTH_ZERO_)?SELF_SIGNED|UNABLE_TO_|^CERT_/

function lostAt(url: string, error: ApiUnreachable): BrokerUnreachable {
  const text = error instanceof NotTheApi ? strangerText(url, error) : lossText(url, error.cause ?? error)
  return new BrokerUnreachable(text, { cause: error })
}

function strangerText(url: string, { message }: NotTheApi): string {
  return (
    `the server at ${url} is no broker's, or something before the broker has answered: it gave ${message}; ` +
    'give the address that the console is opened with, and its path, if it has one'
  )
}

/** Why the broker at `url` cannot be reached, and what to do. `error` is that of the system. */
export function lossText(url: string, error: unknown): string {
  const advice = adviceFor(systemCode(error), url)
  const reasons = error instanceof AggregateError ? error.errors : [error]
  const texts = reasons.map((reason) => messageOf(reason).split('\n', 1)[0]!.replace(/:$/, '')) // OpenSSL's have more lines
  return `the broker at ${url} cannot be reached: ${texts.join(', ')}; ${advice}`
}

function adviceFor(code: string, url: string): string {
  if (CERTIFICATE_CODES.test(code))
    return 'give the authority of its certificate with --ca FILE; of a development certificate it is certificates/ca.pem in the data directory'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'name the host as its certificate does'
  if (code === 'EPROTO' && url.startsWith('https:'))
    return 'it speaks no TLS there: try http://, or see console.tls.enabled'
  const running = 'see whether the broker runs, and what its console.host and console.port are'
  return code === 'ECONNRESET' && url.startsWith('http:')
    ? `${running}; with console.tls.enabled it is https://`
    : running
}
