/** What time does to a connection: it has to be opened, hears from us and is heard in time, and messages that begin have to end. [AMQP10 §2.4.5] */
import type { WheelEntry } from '@ternmq/core'
import { EMPTY_FRAME } from './codec/encode-control.ts'
import type { AmqpConnection } from './connection.ts'
import { WHEEL_TICK_MS } from './settings.ts'

/** How much longer than announced a silent peer is waited for: clocks and networks are what they are. */
const PATIENCE = 2

export class TimeLimits implements WheelEntry {
  readonly #connection: AmqpConnection
  /** Ticks of the adapter's wheel at which the last byte came, and our last empty frame left. */
  #heardTick = 0
  #beatTick = 0
  /** How often the peer hears from us; 0: as it comes. */
  #beatMs = 0

  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1

  constructor(connection: AmqpConnection) {
    this.#connection = connection
    this.heard()
    const { wheel, settings } = connection.adapter
    wheel.add(this, settings.handshakeTimeoutMs)
  }

  /** A byte came, or what came can be looked at again. Hot path. */
  heard(): void {
    this.#heardTick = this.#connection.adapter.wheel.tick
  }

  /** The connection is open; `peerIdleMs` is what its peer bears, 0 for any silence. */
  onOpened(peerIdleMs: number): void {
    const { wheel, settings } = this.#connection.adapter
    wheel.remove(this)
    this.heard()
    // Half of it: that is what has to arrive in time.
    this.#beatMs = peerIdleMs === 0 ? 0 : Math.max(WHEEL_TICK_MS, Math.floor(peerIdleMs / 2) - WHEEL_TICK_MS)
    this.#beatTick = wheel.tick
    const nextMs = Math.min(this.#beatMs || Infinity, settings.idleTimeoutMs * PATIENCE || Infinity)
    if (nextMs < Infinity) wheel.add(this, nextMs)
  }

  /** A message has begun: it is looked at in time. */
  watchMessages(): void {
    const { wheel, settings } = this.#connection.adapter
    const isWatched = this.wheelTick >= 0 && (this.wheelTick - wheel.tick) * WHEEL_TICK_MS <= settings.messageTimeoutMs
    if (!isWatched) wheel.add(this, settings.messageTimeoutMs)
  }

  stop(): void {
    this.#connection.adapter.wheel.remove(this)
  }

  // ── WheelEntry ──

  onDue(): void {
    const connection = this.#connection
    if (connection.isEnded) return
    const { settings, wheel } = connection.adapter
    if (!connection.isEstablished) {
      return connection.refuse('amqp:connection:forced', `no complete open within amqp.handshakeTimeoutMs ${settings.handshakeTimeoutMs}`)
    }
    const nextMs = Math.min(this.#lookAtSilence(settings.idleTimeoutMs), this.#lookAtBeats(), this.#lookAtMessages(settings.messageTimeoutMs))
    if (nextMs < Infinity && !connection.isEnded) wheel.add(this, Math.max(WHEEL_TICK_MS, nextMs))
  }

  /** What each of these returns: in how many ms to look again. */
  #lookAtSilence(idleTimeoutMs: number): number {
    if (idleTimeoutMs === 0) return Infinity
    const limitMs = idleTimeoutMs * PATIENCE
    // What it sent while nobody read is still to be read.
    const silentMs = this.#connection.isReadingHeld ? 0 : this.#connection.adapter.silentMs(this.#heardTick)
    if (silentMs < limitMs) return limitMs - silentMs
    const text = `nothing heard for ${Math.round(silentMs / 1000)} s; idle-time-out is ${idleTimeoutMs} ms, send an empty frame in time`
    this.#connection.refuse('amqp:resource-limit-exceeded', text)
    return Infinity
  }

  #lookAtBeats(): number {
    if (this.#beatMs === 0 || this.#connection.isEnded) return Infinity
    const { wheel } = this.#connection.adapter
    const leftMs = this.#beatMs - (wheel.tick - this.#beatTick) * WHEEL_TICK_MS
    if (leftMs > WHEEL_TICK_MS) return leftMs
    this.#beatTick = wheel.tick
    this.#connection.transport.write(EMPTY_FRAME)
    return this.#beatMs
  }

  #lookAtMessages(messageTimeoutMs: number): number {
    if (!this.#connection.hasPartials || this.#connection.isEnded) return Infinity
    for (const session of this.#connection.sessions()) session.checkPartials(messageTimeoutMs)
    return messageTimeoutMs
  }
}
