/** Heart-beats of one connection: ours in time, and the client's expected. [STOMP12-Heart-beating-d] */
import type { WheelEntry } from '@ternmq/core'
import { writeHeartBeat } from './codec/encode.ts'
import type { StompConnection } from './connection.ts'
import { WHEEL_TICK_MS } from './settings.ts'

/** The client may be so many times later than agreed: clocks and networks are what they are. [STOMP12-Heart-beating-g] */
const PATIENCE = 2

export class HeartBeats implements WheelEntry {
  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1
  readonly #client: StompConnection
  readonly #everyMs: number

  /** The server sends one every `everyMs`, a little earlier. */
  constructor(client: StompConnection, everyMs: number) {
    this.#client = client
    this.#everyMs = everyMs
  }

  start(): void {
    // The wheel may be late by two ticks.
    this.#client.adapter.wheel.add(this, Math.max(this.#everyMs / 2, this.#everyMs - 3 * WHEEL_TICK_MS))
  }

  stop(): void {
    this.#client.adapter.wheel.remove(this)
  }

  onDue(): void {
    if (this.#client.isClosed) return
    writeHeartBeat(this.#client.transport)
    this.start()
  }
}

/** More often the wheel could not keep what was agreed on. */
const HEART_BEAT_MS_MIN = 4 * WHEEL_TICK_MS

/** What the server offers and wants for the operator's `heartBeatMs`; 0 stays 0. [STOMP12-Heart-beating-c] */
export function ownHeartBeatMs(heartBeatMs: number): number {
  return heartBeatMs === 0 ? 0 : Math.max(heartBeatMs, HEART_BEAT_MS_MIN)
}

/** After so long without a byte a client that sends heart-beats every `everyMs` is gone. */
export function silenceLimitMs(everyMs: number): number {
  return everyMs * PATIENCE
}
