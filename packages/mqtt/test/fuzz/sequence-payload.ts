/** Payloads that tell where they belong: whoever receives one can say whether it came under the right name and in order. */
import { assert } from '@ternmq/testkit/fuzzer'

export interface Mark {
  /** Slot and number of the publishing connection. */
  readonly from: string
  readonly topic: string
  /** Ascending over the whole sequence. */
  readonly count: number
}

/** `fill` bytes are added. */
export function markedPayload({ from, topic, count }: Mark, fill: number): string {
  const text = `${from}|${topic}|${count}`
  return `P|${text}|${checksum(text)}|${'x'.repeat(fill)}`
}

/** The packet with a payload that `readMark` does not know. */
export function withoutMark(packet: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(packet)
  const at = Buffer.from(copy.buffer).indexOf('P|')
  if (at >= 0) copy[at] = 'M'.charCodeAt(0)
  return copy
}

/** Undefined for a payload that was not made here, or was changed on the way to the broker. */
export function readMark(payload: string): Mark | undefined {
  const [kind, from = '', topic = '', count = '', sum] = payload.split('|')
  if (kind !== 'P' || sum !== checksum(`${from}|${topic}|${count}`)) return undefined
  return { from, topic, count: Number(count) }
}

/** FNV-1a. */
function checksum(text: string): string {
  let hash = 0x811c_9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193)
  return (hash >>> 0).toString(16)
}

/** For one session: messages of one connection to one topic come in their order. [MQTT5-4.6.0-5] [MQTT5-4.6.0-6] */
export class OrderCheck {
  /** Once it has used a shared subscription, a message may come twice, and late from another member. */
  isOff = false
  readonly #lastCounts: Map<string, number>

  constructor(lastCounts: ReadonlyMap<string, number> = new Map()) {
    this.#lastCounts = new Map(lastCounts)
  }

  clone(): OrderCheck {
    const copy = new OrderCheck(this.#lastCounts)
    copy.isOff = this.isOff
    return copy
  }

  take(mark: Mark, qos: number): void {
    if (this.isOff) return
    const key = `${mark.from}|${mark.topic}|${qos}`
    const last = this.#lastCounts.get(key) ?? -1
    assert(mark.count > last, `message ${mark.count} from ${mark.from} to '${mark.topic}' came after ${last}`)
    this.#lastCounts.set(key, mark.count)
  }
}
