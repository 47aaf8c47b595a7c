/**
 * The STOMP adapter: what all its connections share. A listener hands it transports; everything else it finds in the virtual
 * host. [ADR-0001]
 */
import {
  type Connection,
  type ConnectionEnd,
  connectionEvent,
  type EventKind,
  type Events,
  type Login,
  type ProtocolAdapter,
  TimerWheel,
  type Transport,
  type VirtualHost,
} from '@ternmq/core'
import { ClientHints, type NearMisses } from '@ternmq/naming'
import type { FrameLimits } from './codec/limits.ts'
import { StompConnection } from './connection.ts'
import { type StompSettings, WHEEL_TICK_MS } from './settings.ts'

export interface StompAdapterOptions {
  readonly vhost: VirtualHost
  readonly login: Login
  readonly settings: StompSettings
  readonly events: Events
  /** Hears of topics that are sent to and subscribed to, and says which nearly meet. That of the virtual host; without one nobody does. */
  readonly nearMisses?: NearMisses | undefined
}

/** A first frame needs no body; who sends one may hear what is wrong with the frame, and not make us hold much of it. */
const LOGIN_BODY_BYTES_MAX = 65_536

/** Random bytes in an id that we assign: 96 bits do not collide. */
const ID_BYTES = 12

export class StompAdapter implements ProtocolAdapter {
  readonly name = 'stomp'
  /** [STOMP over WebSocket, by convention of its clients] */
  readonly websocketSubprotocols: readonly string[] = ['v12.stomp', 'v11.stomp', 'v10.stomp']
  readonly takesTextFrames = true
  readonly vhost: VirtualHost
  readonly login: Login
  readonly settings: StompSettings
  /** Of frames before the login. */
  readonly loginLimits: FrameLimits
  readonly wheel: TimerWheel
  readonly hints: ClientHints
  readonly #events: Events
  readonly #connections = new Set<StompConnection>()

  constructor(options: StompAdapterOptions) {
    this.vhost = options.vhost
    this.login = options.login
    this.settings = options.settings
    this.loginLimits = { ...options.settings, maxBodyBytes: Math.min(options.settings.maxBodyBytes, LOGIN_BODY_BYTES_MAX) }
    this.#events = options.events
    const { events, nearMisses } = options
    this.hints = new ClientHints({ protocol: 'STOMP', source: 'stomp', clock: options.vhost.env.clock, events, nearMisses })
    this.wheel = new TimerWheel(options.vhost.env.clock, WHEEL_TICK_MS)
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  readonly accept = (transport: Transport): Connection => {
    const connection = new StompConnection(this, transport)
    this.#connections.add(connection)
    this.vhost.connections.add(connection)
    return connection
  }

  /** Tells every client that the broker stops, and closes. */
  drain(): void {
    for (const connection of [...this.#connections]) connection.refuse('the broker is stopping; connect again later', '')
    this.hints.flush()
    this.wheel.close()
  }

  /** Letters and digits that nobody has had and nobody can guess. */
  makeId(): string {
    return Buffer.from(this.vhost.env.random.bytes(ID_BYTES)).toString('hex')
  }

  get inboundBytesMax(): number {
    return this.settings.maxHeaderBytes + this.settings.maxBodyBytes + 1
  }

  /** How long ago a byte came in that was noted with `tick` of the wheel: at most a tick too little, never too much. */
  silentMs(tick: number): number {
    return Math.max(0, this.wheel.tick - tick - 1) * WHEEL_TICK_MS
  }

  /** Only `StompConnection` calls this, once, when it ends. */
  onEnded(connection: StompConnection, end: ConnectionEnd): void {
    this.#connections.delete(connection)
    if (this.vhost.connections.onEnded(connection, end))
      this.report(connection, end.wasConnected ? 'disconnected' : 'refused', end.reason, end.clause)
  }

  report(connection: StompConnection, kind: EventKind, text: string, clause: string): void {
    this.#events.emit(connectionEvent('stomp', connection, kind, text, clause))
  }
}
