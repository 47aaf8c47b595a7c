/** What MQTT itself must remember of a session: exchanges that both sides have not finished. Kept as `Session.protocolState`. */
import type { Consumer, Session } from '@ternmq/core'
import { Outbound } from './outbound.ts'

export class MqttSessionState {
  readonly outbound: Outbound = new Outbound()
  #received: Set<number> | undefined = undefined
  /** Those of `received` that an earlier connection left. */
  #carried: Set<number> | undefined = undefined
  #pending: Set<number> | undefined = undefined

  /** Those of `received` whose message waits for the log: their PUBREC is still to come. */
  get pending(): Set<number> | undefined {
    return this.#pending
  }

  addPending(id: number): void {
    this.#pending ??= new Set()
    this.#pending.add(id)
  }

  /** QoS 2 packet ids that the client has published and not yet released. [MQTT5-4.3.3-10] [MQTT311-4.3.3-2] */
  get received(): Set<number> {
    return (this.#received ??= new Set())
  }

  /** How many of `received` count against this connection's receive maximum. [MQTT5-4.9-b] */
  get openCount(): number {
    return this.received.size - (this.#carried?.size ?? 0)
  }

  /** The session has another connection. */
  begin(): void {
    this.#carried = this.#received === undefined || this.#received.size === 0 ? undefined : new Set(this.#received)
  }

  /** The client lets go of an id. False when it was not in use. */
  release(id: number): boolean {
    this.#carried?.delete(id)
    return this.received.delete(id)
  }
}

/** The state of a session; made when the session is new. */
export function stateOf(session: Session): MqttSessionState {
  return (session.protocolState ??= new MqttSessionState()) as MqttSessionState
}

/**
 * The connection is gone. At least once deliveries from a shared subscription go to the other members if there are any to take
 * them; else, and exactly once ones always, they stay with this client until it is back. [MQTT5-4.8.2-4] [MQTT5-4.4.0-1]
 */
export function releaseShared(session: Session): void {
  const { outbound } = stateOf(session)
  const isShared = new Map<Consumer, boolean>()
  for (const delivery of outbound.inOrder().reverse()) {
    const consumer = delivery.consumer!
    if (consumer.queue === session.queue || delivery.assurance === 2) continue
    if (!isShared.has(consumer)) isShared.set(consumer, consumer.queue.isSharedWith(consumer))
    if (isShared.get(consumer) !== true) continue
    outbound.remove(delivery)
    delivery.failedCount++
    consumer.settle(delivery, 'released')
  }
}
