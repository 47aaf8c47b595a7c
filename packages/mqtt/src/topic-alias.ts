/** Topic aliases, one table per direction; both belong to one connection and end with it. [MQTT5-3.3.2-7] */
import type { ProducerTarget } from '@ternmq/core'

/** Shorter topics do not pay for the three bytes of an alias. */
const TOPIC_CHARS_MIN = 6

/** Aliases the client has set for topics it publishes to. */
export class InboundAliases {
  readonly #targets: (ProducerTarget | undefined)[] = []
  readonly #topicBytes: Uint8Array[] = []

  /** A later use replaces the meaning. `topicBytes` is the name as it came, and is copied. */
  set(alias: number, target: ProducerTarget, topicBytes: Uint8Array): void {
    if (this.#targets[alias]?.route === target.route) return
    this.#targets[alias] = target
    this.#topicBytes[alias] = new Uint8Array(topicBytes)
  }

  /** Only for an alias that is set. */
  topicBytes(alias: number): Uint8Array {
    return this.#topicBytes[alias]!
  }

  get(alias: number): ProducerTarget | undefined {
    return this.#targets[alias]
  }
}

/** Aliases we have set for topics that the client receives. The first topics get one; none is ever given a second meaning. */
export class OutboundAliases {
  readonly #aliasByTopic = new Map<string, number>()
  readonly #aliasMax: number

  /** At most `aliasMax` aliases, as the client allows. [MQTT5-3.1.2-26] */
  constructor(aliasMax: number) {
    this.#aliasMax = aliasMax
  }

  /** 0: send the name. Positive: send name and alias. Negative: send the alias alone, which is its absolute value. */
  use(topic: string): number {
    const known = this.#aliasByTopic.get(topic)
    if (known !== undefined) return -known
    if (this.#aliasByTopic.size >= this.#aliasMax || topic.length < TOPIC_CHARS_MIN) return 0
    const alias = this.#aliasByTopic.size + 1
    this.#aliasByTopic.set(topic, alias)
    return alias
  }

  /** The packet that would have set the alias was not sent; only right after `use`. */
  forget(topic: string): void {
    this.#aliasByTopic.delete(topic)
  }
}
