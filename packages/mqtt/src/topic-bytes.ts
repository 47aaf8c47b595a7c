/**
 * Names as the bytes of a PUBLISH, for messages that did not come in a packet that may be sent on: from the log, from another
 * protocol, from a queue under another name. Encoding one took longer than writing the rest of its packet.
 */
import { QUEUE_PREFIX, type Queue } from '@ternmq/core'

/** Names remembered in the process, and their characters together: beyond either all are forgotten and encoded again. */
const NAMES_MAX = 4_096
const NAMES_CHARS_MAX = 262_144

const encoder = new TextEncoder()

export class TopicBytes {
  readonly #byName = new Map<string, Uint8Array>()
  #charCount = 0
  #lastName = ''
  #lastBytes: Uint8Array = new Uint8Array(0)

  get count(): number {
    return this.#byName.size
  }

  /** UTF-8 of the name; nobody may change it. Hot path: neighbours often have one topic. */
  of(name: string): Uint8Array {
    if (name === this.#lastName) return this.#lastBytes
    this.#lastName = name
    return (this.#lastBytes = this.#byName.get(name) ?? this.#encode(name))
  }

  #encode(name: string): Uint8Array {
    const bytes = encoder.encode(name)
    this.#charCount += name.length
    if (this.#byName.size >= NAMES_MAX || this.#charCount > NAMES_CHARS_MAX) {
      this.#byName.clear()
      this.#charCount = name.length
    }
    if (name.length <= NAMES_CHARS_MAX) this.#byName.set(name, bytes)
    return bytes
  }
}

/** One for all connections: what many of them receive is encoded once. */
export const topicBytes: TopicBytes = new TopicBytes()

const addresses = new WeakMap<Queue, string>()
let lastQueue: Queue | undefined
let lastAddress = ''

/** `$queue/NAME`, made once per queue. Hot path. */
export function queueAddress(queue: Queue): string {
  if (queue === lastQueue) return lastAddress
  let address = addresses.get(queue)
  if (address === undefined) addresses.set(queue, (address = QUEUE_PREFIX + queue.name))
  lastQueue = queue
  return (lastAddress = address)
}
