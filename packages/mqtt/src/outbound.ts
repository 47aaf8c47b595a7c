/**
 * QoS 1 and 2 deliveries on their way to one client, by packet id. Part of the session: it outlives the connection, so that
 * what was not acknowledged is sent again with the same ids. [MQTT5-4.4.0-1] [MQTT311-4.4.0-1]
 *
 * The id and the state of the exchange are in `Delivery.protocolState`.
 */
import type { Delivery } from '@ternmq/core'

const PACKET_ID_MAX = 65_535
/** Set in `protocolState` once PUBREC came: from then on only PUBREL is repeated. */
const RELEASED = 0x1_0000
/** Set in `protocolState` while the packet of the present step waits for the log. Means nothing to the log and after a restart. */
const HELD = 0x2_0000
const SLOTS_MIN = 16
/** A table up to this size (8 KiB) stays while nothing is under way: growing it again in every turn took 29 % of the CPU. */
const SLOTS_KEPT_MAX = 1_024

export function packetIdOf(delivery: Delivery): number {
  return delivery.protocolState & 0xffff
}

export function isReleased(delivery: Delivery): boolean {
  return (delivery.protocolState & RELEASED) !== 0
}

export function markReleased(delivery: Delivery): void {
  delivery.protocolState |= RELEASED
}

/** The client has not been sent the packet of the present step. */
export function isHeld(delivery: Delivery): boolean {
  return (delivery.protocolState & HELD) !== 0
}

export function markHeld(delivery: Delivery): void {
  delivery.protocolState |= HELD
}

export function clearHeld(delivery: Delivery): void {
  delivery.protocolState &= ~HELD
}

export class Outbound {
  /** Length is a power of two; the place of an id is its low bits, so looking it up needs no map. */
  #slots: (Delivery | undefined)[] = []
  #lastId = 0
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Gives the delivery an id that is not in use. [MQTT5-2.2.1-4] Hot path. At most 65,535 may be under way: the credit pool sees to that. */
  add(delivery: Delivery): number {
    if (this.#count * 2 >= this.#slots.length) this.#grow()
    const slots = this.#slots
    const mask = slots.length - 1
    let id = this.#lastId
    do {
      id = id === PACKET_ID_MAX ? 1 : id + 1
    } while (slots[id & mask] !== undefined)
    this.#lastId = id
    slots[id & mask] = delivery
    delivery.protocolState = id
    this.#count++
    return id
  }

  /**
   * After a restart: takes back a delivery with the id it had. False when that id is another's: the end of one of the two never
   * reached the log.
   */
  restore(delivery: Delivery): boolean {
    clearHeld(delivery)
    const id = packetIdOf(delivery)
    if (this.find(id) !== undefined) return false
    while (this.#count * 2 >= this.#slots.length || this.#slots[id & (this.#slots.length - 1)] !== undefined) this.#grow()
    this.#slots[id & (this.#slots.length - 1)] = delivery
    this.#count++
    this.#lastId = id
    return true
  }

  /** Undefined when the id is not in use. Hot path. */
  find(id: number): Delivery | undefined {
    const delivery = this.#slots[id & (this.#slots.length - 1)]
    return delivery !== undefined && packetIdOf(delivery) === id ? delivery : undefined
  }

  /** Frees the delivery's id. Hot path. */
  remove(delivery: Delivery): void {
    this.#slots[packetIdOf(delivery) & (this.#slots.length - 1)] = undefined
    this.#count--
    if (this.#count === 0 && this.#slots.length > SLOTS_KEPT_MAX) this.#slots = []
  }

  /** Everything under way, in the order in which it was first sent. [MQTT5-4.6.0-1] [MQTT311-4.6.0-1] */
  inOrder(): Delivery[] {
    return this.#slots.filter((delivery) => delivery !== undefined).sort((first, second) => first.tag - second.tag)
  }

  #grow(): void {
    const before = this.#slots
    const size = Math.max(SLOTS_MIN, before.length * 2)
    this.#slots = new Array<Delivery | undefined>(size).fill(undefined)
    for (const delivery of before) {
      if (delivery !== undefined) this.#slots[packetIdOf(delivery) & (size - 1)] = delivery
    }
  }
}
