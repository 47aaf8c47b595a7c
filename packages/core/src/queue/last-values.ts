/**
 * The last message of each key in a last-value queue: a newer one replaces the one before where that still waits. What a consumer
 * has stays with it; when it comes back and a newer one of its key is still in the queue, it goes.
 *
 * Keys are in memory, not in the line: a queue without this rule pays nothing, one with it about 150 bytes for each key. So they are
 * read from the messages when the rule is new and after a restart, in batches beside the queue's work. Until that has come to a
 * message it may still be handed out though a newer one is there; afterwards one of each key is left, also where a crash came
 * between a message and the end of the one that it replaced.
 */
import type { Message } from '../message/message.ts'
import type { Delivery } from './delivery.ts'
import type { Lane } from './lanes.ts'
import type { WaitingLine } from './line.ts'
import { propertiesOf } from './message-properties.ts'

/** UTF-16 units. A longer value is no key: the message is kept like one without. */
export const LAST_VALUE_KEY_MAX = 1_024

/** One read of the scan. */
const SCAN_MESSAGES_MAX = 1_024
const SCAN_BYTES_MAX: number = 1024 * 1024
/** Keys of messages that are gone are swept out when there are twice as many keys as after the last sweep, and so many. */
const SWEEP_KEYS_MIN = 1_024

export interface LastValuesHost {
  readonly lanes: readonly Lane[]
  /** Undefined once there is nothing to read from any more. */
  readMessages(lsns: readonly number[]): Promise<(Message | undefined)[] | undefined>
  /** A waiting entry goes. */
  replace(line: WaitingLine, position: number): void
}

interface Place {
  readonly line: WaitingLine
  readonly position: number
  /** It was there before the scan: what came since is newer, whatever its place. */
  readonly isScanned: boolean
}

export class LastValues {
  readonly name: string
  readonly #host: LastValuesHost
  readonly #places = new Map<string, Place>()
  #sweepAt = SWEEP_KEYS_MIN
  #isClosed = false

  /** `name` is that of the property that is the key; a message without it may have the annotation `lastValue`. */
  constructor(host: LastValuesHost, name: string) {
    this.#host = host
    this.name = name
  }

  get keyCount(): number {
    return this.#places.size
  }

  onWaiting(message: Message, line: WaitingLine, position: number): void {
    const key = keyOf(message, this.name)
    if (key === undefined) return
    const before = this.#places.get(key)
    this.#places.set(key, { line, position, isScanned: false })
    if (before !== undefined) this.#replace(before)
    this.#sweep()
  }

  isReplaced({ message, line, position }: Delivery): boolean {
    const key = keyOf(message, this.name)
    const place = key === undefined ? undefined : this.#places.get(key)
    if (place === undefined || (place.line === line && place.position === position)) return false
    return place.line.look(place.position) !== undefined
  }

  /** Learns the keys of what is there already. */
  scan(): void {
    for (const { line } of this.#host.lanes) void this.#scanLine(line, line.end)
  }

  close(): void {
    this.#isClosed = true
  }

  /** Never rejects: the log answers a failed read with undefined. */
  async #scanLine(line: WaitingLine, end: number): Promise<void> {
    for (let position = line.nextLive(0); position !== 0 && position < end; ) {
      const positions: number[] = []
      const lsns: number[] = []
      for (let bytes = 0; position !== 0 && position < end; position = line.nextLive(position)) {
        const message = line.entryAt(position)?.message
        if (message !== undefined) {
          this.#note(message, line, position)
          continue
        }
        if (line.lsnAt(position) === 0) continue // with a consumer that has it for itself
        bytes += line.bytesAt(position)
        if (lsns.length > 0 && (bytes > SCAN_BYTES_MAX || lsns.length >= SCAN_MESSAGES_MAX)) break
        positions.push(position)
        lsns.push(line.lsnAt(position))
      }
      if (lsns.length === 0) return
      const messages = await this.#host.readMessages(lsns)
      if (messages === undefined || this.#isClosed) return
      for (let index = 0; index < positions.length; index++) {
        const message = messages[index]
        if (message !== undefined && line.look(positions[index]!) !== undefined) this.#note(message, line, positions[index]!)
      }
      position = line.nextLive(positions[positions.length - 1]!)
    }
  }

  /** Of two that were there before the scan, the one with the later place in its line, or in the log, is the newer. */
  #note(message: Message, line: WaitingLine, position: number): void {
    const key = keyOf(message, this.name)
    if (key === undefined) return
    const place = { line, position, isScanned: true }
    const known = this.#places.get(key)
    if (known !== undefined && (!known.isScanned || isNewer(known, place))) return this.#replace(place, known)
    this.#places.set(key, place)
    if (known !== undefined) this.#replace(known, place)
    this.#sweep()
  }

  #replace(old: Place, by?: Place): void {
    if (old.line === by?.line && old.position === by.position) return
    if (old.line.isWaiting(old.position)) this.#host.replace(old.line, old.position)
  }

  #sweep(): void {
    if (this.#places.size < this.#sweepAt) return
    for (const [key, { line, position }] of this.#places) if (line.look(position) === undefined) this.#places.delete(key)
    this.#sweepAt = Math.max(SWEEP_KEYS_MIN, this.#places.size * 2)
  }
}

function isNewer(one: Place, other: Place): boolean {
  if (one.line === other.line) return one.position > other.position
  return one.line.lsnAt(one.position) > other.line.lsnAt(other.position)
}

/** Its key in a queue whose last values go by the property `name`; undefined when it has none. */
export function keyOf(message: Message, name: string): string | undefined {
  const value = propertiesOf(message).property(name) ?? message.extras?.annotations?.['lastValue']
  if (value === undefined || value === null) return undefined
  const key = String(value)
  return key.length > LAST_VALUE_KEY_MAX ? undefined : key
}
