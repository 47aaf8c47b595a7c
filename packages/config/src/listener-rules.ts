/** Who a listener lets in, and whether that is safe where it listens. */
import { isIPv4, isIPv6 } from 'node:net'
import type { BrokerConfig, ListenerConfig, ListenerName, TlsConfig, WithProfile } from './types.ts'

/** Undefined where TLS is not used. */
interface MaybeTls {
  readonly tls?: TlsConfig | undefined
}

/** A listener of the configuration, by name; without `tls` where that is not used. */
export type NamedListener = readonly [name: ListenerName, listener: ListenerConfig & MaybeTls & Partial<WithProfile>]

export function listenersOf(config: BrokerConfig): NamedListener[] {
  const { mqtt, mqtts, stomp, stomps, amqp, amqps, ws, wss, any } = config.listeners
  return [
    ['mqtt', mqtt],
    ['mqtts', mqtts],
    ['stomp', stomp],
    ['stomps', stomps],
    ['amqp', amqp],
    ['amqps', amqps],
    ['ws', ws],
    ['wss', wss],
    ['any', any.encryption === 'none' ? { ...any, tls: undefined } : any],
  ]
}

/** True when only this machine can reach `host`. A name other than 'localhost' may be any address: false. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase()
  if (isIPv4(name)) return name.startsWith('127.')
  if (isIPv6(name)) return name === '::1' || name === '0:0:0:0:0:0:0:1' || name.startsWith('::ffff:127.')
  return name === 'localhost'
}

/** Whether clients may connect here without saying who they are. */
export function allowsAnonymous(listener: ListenerConfig): boolean {
  const { anonymous } = listener.authentication
  return anonymous === 'auto' ? isLoopback(listener.host) : anonymous
}

/** True when other machines can reach the listener and it is not stated that anyone may connect. */
export function requiresAuthentication(listener: ListenerConfig): boolean {
  return !isLoopback(listener.host) && listener.authentication.anonymous !== true
}

/** What the data directory holds, as far as it matters here. */
export interface KnownUsers {
  readonly userCount: number
}

/**
 * One sentence for each listener that other machines can reach and that nobody could log in to: the start is refused
 * then, because an operator who forgot about users would open the listener to everyone next.
 */
export function checkExposure(config: BrokerConfig, known: KnownUsers): string[] {
  if (known.userCount > 0) return []
  return listenersOf(config)
    .filter(
      ([, listener]) => listener.enabled && requiresAuthentication(listener) && !identifiesByCertificate(listener),
    )
    .map(([name, listener]) => exposure(name, listener))
}

/** Every client shows a certificate, and that is enough to be somebody. */
function identifiesByCertificate({ tls }: MaybeTls): boolean {
  return tls !== undefined && tls.clientCertificate === 'require' && tls.identity !== 'none' && !tls.identityMustBeUser
}

function exposure(name: ListenerName, listener: ListenerConfig & MaybeTls): string {
  const key = `listeners.${name}`
  const byCertificate =
    `let in whoever ${key}.tls.ca vouches for with ${key}.tls.clientCertificate=require, ${key}.tls.identity=cn and ` +
    `${key}.tls.identityMustBeUser=false`
  const ways = [
    'add a user with `ternmq users add NAME`',
    ...(listener.tls === undefined ? [] : [byCertificate]),
    `let in anyone with ${key}.authentication.anonymous=true`,
    `listen on this machine only with ${key}.host=127.0.0.1`,
  ]
  return `${key} listens on ${listener.host}, which other machines can reach, but there is no user who could log in: ${orList(ways)}`
}

function orList(parts: readonly string[]): string {
  return `${parts.slice(0, -1).join(', ')}, or ${parts.at(-1)}`
}
