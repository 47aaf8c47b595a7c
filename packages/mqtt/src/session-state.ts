/** What MQTT itself must remember of a session: exchanges that both sides have not finished. Kept as `Session.protocolState`. */
import type { Consumer, Delivery, Session } from '@ternmq/core'
import { isHeld, isReleased, Outbound } from './outbound.ts'
import { isOfQueue } from './publish-out.ts'

export class MqttSessionState {
  readonly outbound: Outbound = new Outbound()
  #received: Set<number> | undefined = undefined
  /** Those of `received` that the client has let go of, while the log does not know it: their PUBCOMP is still to come. */
  #releasing: Set<number> | undefined = undefined
  /** Those of `received` that an earlier connection left. */
  #carried: Set<number> | undefined = undefined
  #pending: Set<number> | undefined = undefined

  /** What the log kept of a session that was there before the broker was. */
  restore(session: Session): void {
    for (const delivery of [...session.unsettled()]) {
      if (!this.outbound.restore(delivery)) delivery.consumer!.settle(delivery, 'released')
    }
    const { received } = session
    if (received !== undefined) this.#received = new Set(received)
  }

  get releasing(): Set<number> {
    return (this.#releasing ??= new Set())
  }

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
    this.#releasing?.delete(id)
    return this.received.delete(id)
  }
}

/** The state of a session; made when the session is new, or new to this process. */
export function stateOf(session: Session): MqttSessionState {
  if (session.protocolState === undefined) {
    const state = new MqttSessionState()
    state.restore(session)
    session.protocolState = state
  }
  return session.protocolState as MqttSessionState
}

/**
 * The connection is gone. At least once deliveries go back to queues, as failed attempts if they were written to it and it was lost, and from a shared subscription to the
 * other members if there are any to take them; else, and exactly once ones always, they stay with this client until it is back.
 * [MQTT5-4.8.2-4] [MQTT5-4.4.0-1]
 */
export function releaseShared(session: Session): void {
  const { outbound } = stateOf(session)
  const isShared = new Map<Consumer, boolean>()
  for (const delivery of outbound.inOrder().reverse()) {
    const consumer = delivery.consumer!
    if (consumer.queue === session.queue) continue
    if (isOfQueue(delivery.match)) {
      giveBack(session, delivery)
      continue
    }
    if (delivery.assurance === 2) continue
    if (!isShared.has(consumer)) isShared.set(consumer, consumer.queue.isSharedWith(consumer))
    if (isShared.get(consumer) !== true) continue
    outbound.remove(delivery)
    if (!isUnsent(delivery) && session.parting === 'lost') delivery.failedCount++
    consumer.settle(delivery, 'released')
  }
}

/** To the queue with the name, unless the client may have it only once: then when the session ends, or never if it said that it has it. */
function giveBack(session: Session, delivery: Delivery): void {
  const isFinished = isReleased(delivery) && session.expiryMs === 0
  if (delivery.assurance === 2 && !isFinished) return
  stateOf(session).outbound.remove(delivery)
  const consumer = delivery.consumer!
  if (isFinished) consumer.settle(delivery, 'accepted')
  else if (isUnsent(delivery)) consumer.settle(delivery, 'released')
  else consumer.giveBack(delivery, session.parting)
}

/** It was still to be written to the transport: whatever ended the connection, it was not this message. */
function isUnsent(delivery: Delivery): boolean {
  return isHeld(delivery) && !isReleased(delivery)
}
