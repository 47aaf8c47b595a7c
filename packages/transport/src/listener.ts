/** What every listener has in common: its options, its numbers, its events. */
import type { Env } from '@ternmq/core'

import type { ConnectionBudget } from './connection-budget.ts'
import type { Outbox } from './output/outbox.ts'

export interface BoundAddress {
  readonly host: string
  readonly port: number
}

/** A bound address with its connections. TCP, TLS and WebSocket listeners look the same to the broker. */
export interface Listener {
  /** Key in the configuration: 'mqtt', 'mqtts', 'ws', 'wss', 'any'. */
  readonly key: string
  readonly stats: ListenerStats
  /** Binds and accepts. Throws TransportError with a sentence for the operator. */
  start(): Promise<BoundAddress>
  /** Changes what is given, for connections from now on. */
  use(settings: Partial<ListenerSettings>): void
  /** No new connections; those there are stay. Idempotent. */
  stopAccepting(): void
  /** Stops accepting, destroys what is left with `reason`, and returns when the last connection is gone. Idempotent. */
  close(reason: string): Promise<void>
}

/** Counters since the start, but for `open`. Plain fields: read them when you need them. */
export interface ListenerStats {
  /** Connections there are now, unfinished handshakes included. */
  readonly open: number
  readonly accepted: number
  /** Closed at once: the listener had `connectionsMax`. */
  readonly refusedByListenerLimit: number
  /** Closed at once: all listeners together had as many as the broker may have. */
  readonly refusedByBrokerLimit: number
  /** Closed at once: the address had `connectionsPerAddressMax`. */
  readonly refusedByAddressLimit: number
  /** Closed at once: the process is about to run out of files. */
  readonly refusedByFileLimit: number
  /** TLS handshakes and WebSocket upgrades that failed or took too long. */
  readonly failedHandshakes: number
  /** Did not send in time what would have told the protocol. */
  readonly silentPeers: number
  /** Spoke a protocol that is known and not served there. */
  readonly unservedProtocols: number
  /** Spoke something that no protocol begins with. */
  readonly unknownProtocols: number
  /** The system could not accept: out of memory, out of buffers. */
  readonly acceptErrors: number
}

/** What may change while a listener runs; new values hold for new connections. */
export interface ListenerSettings {
  /** Connections at one time. More are closed at once. */
  readonly connectionsMax: number
  /** Connections of one address (IPv6: of one /64 network) at one time. More are closed at once. */
  readonly connectionsPerAddressMax: number
  /** The first bytes that tell a protocol, TLS handshake, WebSocket upgrade after it: each has this long. */
  readonly handshakeMs?: number
}

export interface ListenerOptions extends ListenerSettings {
  /** Key in the configuration; appears in every text. */
  readonly key: string
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
}

/** First bytes, TLS handshake, WebSocket upgrade: what an honest peer on a bad line needs, and a silent one gets. */
export const HANDSHAKE_MS = 10_000

/**
 * What a listener that chooses by the first bytes has against a peer: it did not send enough of them, they are those of a protocol
 * that is not served there, or of none.
 */
export type PeerFault = 'silent' | 'unserved' | 'unknown-protocol'

/** Something went wrong before an adapter saw the connection, or a certificate changed. */
export interface ListenerEvent {
  readonly kind: 'refused' | 'handshake-failed' | 'accept-failed' | 'certificate' | PeerFault
  readonly listener: string
  /** A sentence for the log. */
  readonly text: string
  /** Of the peer; '' when it is not about one. */
  readonly address: string
  /** How many of this kind happened since the last such event: more than one a second are told together. */
  readonly count: number
}

/** What listeners of one broker share. */
export interface ListenerContext {
  readonly env: Env
  readonly outbox: Outbox
  /** What all listeners together may have open; no limit without one. */
  readonly budget?: ConnectionBudget
  onEvent(event: ListenerEvent): void
}
