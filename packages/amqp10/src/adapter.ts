/**
 * The AMQP 1.0 adapter: what all its connections share. A listener hands it transports; everything else it finds in the virtual
 * host. [ADR-0001, ADR-0011]
 */
import {
  type Connection,
  type ConnectionEnd,
  connectionEvent,
  type EventKind,
  type Events,
  type ProtocolAdapter,
  type SaslLogin,
  TimerWheel,
  type Transport,
  type VirtualHost,
} from '@ternmq/core'
import { ClientHints, fromCoreName, type NearMisses, spell } from '@ternmq/naming'
import { AmqpConnection } from './connection.ts'
import { type AmqpSettings, WHEEL_TICK_MS } from './settings.ts'

export interface AmqpAdapterOptions {
  readonly vhost: VirtualHost
  readonly login: SaslLogin
  readonly settings: AmqpSettings
  readonly events: Events
  /** Hears of topics that are sent to and subscribed to, and says which nearly meet. Without one nobody does. */
  readonly nearMisses?: NearMisses | undefined
}

/** Random bytes in an id that we assign: 96 bits do not collide. */
const ID_BYTES = 12
/** Addresses of which the text is kept, and their length; beyond it they are spelled again. */
const SPELLED_MAX = 10_000
const SPELLED_CHARS_MAX = 256

export class AmqpAdapter implements ProtocolAdapter {
  readonly name = 'amqp'
  /** [AMQP WebSocket binding §2.1] */
  readonly websocketSubprotocols: readonly string[] = ['amqp']
  readonly takesTextFrames = false
  readonly vhost: VirtualHost
  readonly login: SaslLogin
  readonly settings: AmqpSettings
  readonly wheel: TimerWheel
  /** As `open` says it to every client. */
  readonly containerId: string
  readonly hints: ClientHints
  readonly #events: Events
  readonly #connections = new Set<AmqpConnection>()
  readonly #spelled = new Map<string, string>()

  constructor(options: AmqpAdapterOptions) {
    this.vhost = options.vhost
    this.login = options.login
    this.settings = options.settings
    this.#events = options.events
    const { events, nearMisses } = options
    this.hints = new ClientHints({ protocol: 'AMQP', source: 'amqp', clock: options.vhost.env.clock, events, nearMisses })
    this.wheel = new TimerWheel(options.vhost.env.clock, WHEEL_TICK_MS)
    this.containerId = `${options.settings.product}-${this.makeId()}`
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** One frame: a transport needs no more at a time. */
  get inboundBytesMax(): number {
    return this.settings.maxFrameBytes
  }

  readonly accept = (transport: Transport): Connection => {
    const connection = new AmqpConnection(this, transport)
    this.#connections.add(connection)
    this.vhost.connections.add(connection)
    return connection
  }

  /** Tells every client that the broker stops, and closes. */
  drain(): void {
    for (const connection of [...this.#connections]) connection.refuse('amqp:connection:forced', 'the broker is stopping; connect again later')
    this.hints.flush()
    this.wheel.close()
  }

  /** Letters and digits that nobody has had and nobody can guess. */
  makeId(): string {
    return Buffer.from(this.vhost.env.random.bytes(ID_BYTES)).toString('hex')
  }

  /** How long ago a byte came in that was noted with `tick` of the wheel: at most a tick too little, never too much. */
  silentMs(tick: number): number {
    return Math.max(0, this.wheel.tick - tick - 1) * WHEEL_TICK_MS
  }

  /** An address in core form as this listener's clients write it; undefined for what AMQP cannot write. */
  readonly spell = (name: string): string | undefined => {
    let text = this.#spelled.get(name)
    if (text !== undefined) return text
    text = spell(fromCoreName(name), 'amqp10', this.settings.profile)
    if (text === undefined || name.length > SPELLED_CHARS_MAX) return text
    if (this.#spelled.size >= SPELLED_MAX) this.#spelled.clear()
    this.#spelled.set(name, text)
    return text
  }

  /** Only `AmqpConnection` calls this, once, when it ends. */
  onEnded(connection: AmqpConnection, end: ConnectionEnd): void {
    this.#connections.delete(connection)
    if (this.vhost.connections.onEnded(connection, end))
      this.report(connection, end.wasConnected ? 'disconnected' : 'refused', end.reason, end.clause)
  }

  /** Whether another connection of that container is open. [sole-connection-for-container] */
  hasContainer(containerId: string, except: AmqpConnection): boolean {
    for (const each of this.#connections) if (each !== except && each.containerId === containerId && each.isOpened) return true
    return false
  }

  report(connection: AmqpConnection, kind: EventKind, text: string, clause: string): void {
    this.#events.emit(connectionEvent('amqp', connection, kind, text, clause))
  }
}
