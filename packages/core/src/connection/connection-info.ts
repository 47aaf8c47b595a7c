/** What there is to know of a connection at one moment, whatever it speaks, for operators. Nothing of it is computed before somebody asks. */
import type { EventSubject } from '../events.ts'
import type { Producer } from '../publish/producer.ts'
import type { Session } from '../session/session.ts'
import type { ProtocolName } from './transport.ts'

/** connecting: it has not been let in. closing: it has said goodbye, and what was before that is being finished. */
export type ConnectionState = 'connecting' | 'connected' | 'closing' | 'ended'

/**
 * client: it said goodbye. broker: a rule or a limit was broken, or the broker stops. network: the transport is gone without a word.
 * operator: somebody closed it, or ended its session. takeover: another connection has its session.
 */
export type EndedBy = 'client' | 'broker' | 'network' | 'operator' | 'takeover'

/** What its adapter alone knows of a connection. */
export interface ConnectionFacts {
  readonly protocol: ProtocolName
  /** With its version: 'MQTT 5', 'STOMP 1.2', 'AMQP 1.0'; the protocol alone before that is known. */
  readonly protocolText: string
  readonly state: ConnectionState
  /** Undefined until it was let in. */
  readonly session: Session | undefined
  /** The longest silence of the client that was agreed on: keep-alive, heart-beat, idle time-out. 0: any. */
  readonly keepAliveMs: number
  readonly producers: readonly Producer[]
  /** What keeps the broker from reading what it publishes, as `room in queue 'q'`; undefined when nothing does. */
  readonly pausedFor: string | undefined
}

/** A connection as operators have it. Its adapter's own object: there is no other. */
export interface AdminConnection extends EventSubject {
  facts(): ConnectionFacts
  /** An operator wants it gone: says `text` in the words of its protocol, and closes. Nothing for one that has ended. */
  endByOperator(text: string): void
}

export interface ConnectionInfo {
  /** Of its transport: unique in the process, ascending. */
  readonly id: number
  readonly protocol: ProtocolName
  readonly protocolText: string
  /** Key of the listener in the configuration. */
  readonly listener: string
  readonly address: string
  readonly port: number
  /** 'TLSv1.3'; undefined without TLS. */
  readonly tlsVersion: string | undefined
  readonly isWebSocket: boolean
  readonly clientId: string
  readonly user: string
  readonly state: ConnectionState
  /** Unix ms. */
  readonly openedAtMs: number
  readonly keepAliveMs: number
  readonly subscriptionCount: number
  /** Consumers on queues, of subscriptions that have several too. */
  readonly consumerCount: number
  readonly producerCount: number
  readonly unsettledCount: number
  /** Of the transport. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Of its session, which may have had other connections before. */
  readonly messagesIn: number
  readonly messagesOut: number
  /** Written, and not taken by the kernel. */
  readonly pendingBytes: number
  /** Why it does not go on, in either direction; undefined when nothing is in its way. */
  readonly blockedBecause: string | undefined
}

export function connectionInfo(connection: AdminConnection): ConnectionInfo {
  const { transport, clientId, userName } = connection
  const facts = connection.facts()
  const { protocol, protocolText, state, session, keepAliveMs, producers } = facts
  const { peer } = transport
  return {
    id: transport.id,
    protocol,
    protocolText,
    listener: peer.listener,
    address: peer.address,
    port: peer.port,
    tlsVersion: peer.tls?.version,
    isWebSocket: peer.isWebSocket === true,
    clientId,
    user: userName,
    state,
    openedAtMs: transport.openedAtMs,
    keepAliveMs,
    subscriptionCount: session?.bindingCount ?? 0,
    consumerCount: session?.consumerCount ?? 0,
    producerCount: producers.length,
    unsettledCount: session?.unsettledCount ?? 0,
    bytesIn: transport.bytesIn,
    bytesOut: transport.bytesOut,
    messagesIn: session?.traffic.messagesIn ?? 0,
    messagesOut: session?.traffic.messagesOut ?? 0,
    pendingBytes: transport.pendingBytes,
    blockedBecause: blockedBecause(connection, facts),
  }
}

function blockedBecause(
  { transport }: AdminConnection,
  { state, producers, pausedFor }: ConnectionFacts,
): string | undefined {
  if (state !== 'connected') return undefined
  for (const { waitsFor } of producers) if (waitsFor !== undefined) return `its publishes wait for ${waitsFor}`
  if (pausedFor !== undefined) return `it is not read, to wait for ${pausedFor}`
  return transport.writable ? undefined : `slow reader: ${transport.pendingBytes} bytes wait for it to read`
}
