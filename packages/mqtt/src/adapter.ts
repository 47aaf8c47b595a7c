/**
 * The MQTT adapter: what all its connections share. A listener hands it transports; everything else it finds in the virtual
 * host. [ADR-0001]
 */
import {
  type Connection,
  type ConnectionEnd,
  connectionEvent,
  type EventKind,
  type Events,
  EventThrottle,
  type Login,
  type PatternLevel,
  type ProducerTarget,
  type ProtocolAdapter,
  TimerWheel,
  type Transport,
  type VirtualHost,
} from '@ternmq/core'
import { filterHints, HintGate, type NearMisses, type Suggestion, type Teller } from '@ternmq/naming'
import { ReasonCode } from './codec/reason-codes.ts'
import { MqttConnection } from './connection.ts'
import { type MqttSettings, WHEEL_TICK_MS } from './settings.ts'

export interface MqttAdapterOptions {
  readonly vhost: VirtualHost
  readonly login: Login
  readonly settings: MqttSettings
  readonly events: Events
  /** Hears of topics and filters, and says which of them nearly meet. That of the virtual host; without one nobody does. */
  readonly nearMisses?: NearMisses | undefined
}

/** Random bytes in a client id that we assign: 96 bits do not collide. */
const CLIENT_ID_BYTES = 12

export class MqttAdapter implements ProtocolAdapter {
  readonly name = 'mqtt'
  /** Offered in the WebSocket handshake. [MQTT5-6.0.0-3] [MQTT311-6.0.0-3] */
  readonly websocketSubprotocols: readonly string[] = ['mqtt', 'mqttv3.1']
  /** [MQTT5-6.0.0-1] [MQTT311-6.0.0-1] */
  readonly takesTextFrames = false
  readonly vhost: VirtualHost
  readonly login: Login
  readonly settings: MqttSettings
  readonly wheel: TimerWheel
  readonly #events: Events
  readonly #refusals: EventThrottle
  readonly #hints = new HintGate()
  readonly #nearMisses: NearMisses | undefined
  readonly #connections = new Set<MqttConnection>()

  constructor(options: MqttAdapterOptions) {
    this.vhost = options.vhost
    this.login = options.login
    this.settings = options.settings
    this.#events = options.events
    this.#nearMisses = options.nearMisses
    this.#refusals = new EventThrottle(options.vhost.env.clock, (event) => options.events.emit(event))
    this.wheel = new TimerWheel(options.vhost.env.clock, WHEEL_TICK_MS)
  }

  get inboundBytesMax(): number {
    return this.settings.maxPacketBytes
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  readonly accept = (transport: Transport): Connection => {
    const connection = new MqttConnection(this, transport)
    this.#connections.add(connection)
    this.vhost.connections.add(connection)
    return connection
  }

  /** Tells every client that the broker stops, and closes. Wills go out as after any lost connection. */
  drain(): void {
    for (const connection of this.#connections) {
      connection.disconnect(ReasonCode.serverShuttingDown, 'the broker is stopping', '')
    }
    this.#refusals.flush()
    this.wheel.close()
  }

  /** A client id that nobody has, not even a client that chose one like it. [MQTT5-3.2.2-16] [MQTT311-3.1.3-6] */
  makeClientId(): string {
    const { env, sessions } = this.vhost
    let id: string
    do id = `auto-${Buffer.from(env.random.bytes(CLIENT_ID_BYTES)).toString('hex')}`
    while (sessions.find(id) !== undefined)
    return id
  }

  /** How long ago a packet came in that was noted with `tick` of the wheel: at most a tick too little, never too much. */
  silentMs(tick: number): number {
    return Math.max(0, this.wheel.tick - tick - 1) * WHEEL_TICK_MS
  }

  /** Only `MqttConnection` calls this, once, when it ends. */
  onEnded(connection: MqttConnection, end: ConnectionEnd): void {
    this.#connections.delete(connection)
    if (this.vhost.connections.onEnded(connection, end))
      this.report(connection, end.wasConnected ? 'disconnected' : 'refused', end.reason, end.clause)
  }

  report(connection: MqttConnection, kind: EventKind, text: string, clause: string): void {
    this.#events.emit(connectionEvent('mqtt', connection, kind, text, clause))
  }

  /** As often as the client does it; events of one `subject` are told at most once a second, with their number. */
  reportRefusal(connection: MqttConnection, subject: string, text: string): void {
    this.#refusals.report(`${connection.transport.id} ${subject}`, connectionEvent('mqtt', connection, 'refused', text, ''))
  }

  /** It worked, but perhaps not as it was meant. */
  hint(connection: MqttConnection, text: string): void {
    const nowMs = this.vhost.env.clock.monoMs()
    if (this.#hints.admits(connection, text, nowMs)) this.report(connection, 'hint', text, '')
  }

  /** A filter was subscribed to: operators hear what looks like a mistake in it, and of topics that it nearly matches. */
  noteSubscribed(connection: MqttConnection, filter: string, pattern: readonly PatternLevel[]): void {
    for (const { text } of filterHints(filter)) this.hint(connection, text)
    if (this.#nearMisses === undefined || isReserved(filter)) return
    this.#suggest(connection, this.#nearMisses.noteSubscribed(pattern, tellerOf(connection), this.vhost.env.clock.monoMs()))
  }

  /** Nobody wanted a message to this target. Once for each set of bindings. */
  noteUnheard(connection: MqttConnection, target: ProducerTarget): void {
    const { route } = target
    target.unheardAt = route.generation
    if (this.#nearMisses === undefined || isReserved(route.topic)) return
    this.#suggest(connection, this.#nearMisses.noteUnheard(route.levels, tellerOf(connection), this.vhost.env.clock.monoMs()))
  }

  #suggest(connection: MqttConnection, suggestions: readonly Suggestion[]): void {
    for (const { text } of suggestions) this.report(connection, 'hint', text, '')
  }
}

/** `$SYS` and its like are not for clients to publish to. */
function isReserved(topic: string): boolean {
  return topic.startsWith('$')
}

function tellerOf({ clientId }: MqttConnection): Teller {
  return { protocol: 'MQTT', clientId }
}
