/**
 * Packets that may leave only when the log knows of them, and those behind them: the PUBLISH of an exactly-once delivery waits for
 * its packet id, PUBREL and PUBCOMP for the step that they tell of. Otherwise a broker that was killed could give the same message
 * another id, and the client would take it twice. Order is kept: nothing overtakes what waits. [MQTT5-4.3.3] [MQTT5-4.6.0-4] [ADR-0007]
 */
import { Delivery } from '@ternmq/core'
import type { MqttConnection } from './connection.ts'
import { clearHeld, markHeld, packetIdOf } from './outbound.ts'

/** Bytes of PUBLISH packets that wait for the log; beyond it the connection takes no deliveries until they have left. */
export const HELD_BYTES_MAX: number = 1024 * 1024

interface HeldPacket {
  readonly bytes: number
  readonly send: () => void
  isReady: boolean
}

export class HeldPackets {
  readonly #client: MqttConnection
  /** In order; those before `#first` have left. As many as deliveries and open publishes at most. */
  #packets: HeldPacket[] = []
  #first = 0
  #bytes = 0

  constructor(client: MqttConnection) {
    this.#client = client
  }

  get isEmpty(): boolean {
    return this.#packets.length === 0
  }

  get isFull(): boolean {
    return this.#bytes > HELD_BYTES_MAX
  }

  /** `send` runs when everything held before has been sent and `ready` was called, which is the answer. */
  hold(bytes: number, send: () => void): () => void {
    const held: HeldPacket = { bytes, send, isReady: false }
    this.#packets.push(held)
    this.#bytes += bytes
    return () => {
      held.isReady = true
      this.#sendReady()
    }
  }

  /** Sends behind what is held. Only while something is. */
  follow(bytes: number, send: () => void): void {
    this.#packets.push({ bytes, send, isReady: true })
    this.#bytes += bytes
  }

  #sendReady(): void {
    if (this.#client.isClosed) return
    const wasFull = this.isFull
    for (let held = this.#packets[this.#first]; held?.isReady === true; held = this.#packets[this.#first]) {
      this.#first++
      this.#bytes -= held.bytes
      held.send()
    }
    if (this.#first === this.#packets.length) {
      this.#packets = []
      this.#first = 0
    }
    if (wasFull && !this.isFull) this.#client.onWritable()
  }
}

type Send = (client: MqttConnection, delivery: Delivery) => void

/**
 * Runs `send` when the log has where `delivery` stands; not if the connection has ended by then: the next one begins with what is
 * unfinished. `bytes`: what waits with it.
 */
export function sendWhenNoted(client: MqttConnection, delivery: Delivery, bytes: number, send: Send): void {
  const ready = client.held.hold(bytes, () => sendHeld(client, delivery, send))
  client.session.noteDelivered(delivery, ready)
  markHeld(delivery)
}

/** Sends behind what is held; `delivery` has its packet id. */
export function sendInTurn(client: MqttConnection, delivery: Delivery, bytes: number, send: Send): void {
  delivery.message.detach()
  client.held.follow(bytes, () => sendHeld(client, delivery, send))
  markHeld(delivery)
}

/** As `sendInTurn` for a delivery that is settled by being sent: the object is the core's again after this call. */
export function sendSettledInTurn(client: MqttConnection, delivery: Delivery, send: Send): void {
  const { message, match, retained, consumer } = delivery
  message.detach()
  const copy = new Delivery(message, match, 0, retained)
  copy.consumer = consumer
  client.held.follow(message.size, () => send(client, copy))
}

/** Not if the exchange has ended meanwhile. */
function sendHeld(client: MqttConnection, delivery: Delivery, send: Send): void {
  if (client.outbound.find(packetIdOf(delivery)) !== delivery) return
  clearHeld(delivery)
  send(client, delivery)
}
