/**
 * From the topic bytes in a PUBLISH to the producer's target, without decoding a name that was decoded before. Most clients
 * publish to one topic, so the last one is compared byte by byte; the others are found by name.
 */
import { copyBytes, type Producer, type ProducerTarget } from '@ternmq/core'
import { checkTopicBytes, countLevels } from './codec/topics.ts'
import { ProtocolError, quote } from './codec/errors.ts'
import { ReasonCode } from './codec/reason-codes.ts'
import type { MqttVersion } from './codec/types.ts'
import type { MqttSettings } from './settings.ts'

const NO_BYTES = new Uint8Array(0)
/** Topics of one connection that are remembered, enough for a gateway; beyond it they are looked up again. */
const TOPICS_MAX = 2_048
/** Room for most names, so that another topic seldom needs another buffer. */
const LAST_BYTES_MIN = 64
/** Characters of all their names: 20,000 clients with 256 names of 64 KiB each would need 300 GB. Beyond it all are looked up again. */
const TOPICS_CHARS_MAX = 65_536

export class TopicCache {
  readonly #producer: Producer
  readonly #version: MqttVersion
  readonly #levelsMax: number
  readonly #bytesMax: number
  /** Name of `#last`, in the first `#lastSize` bytes. */
  #lastBytes: Uint8Array = NO_BYTES
  #lastSize = 0
  #last: ProducerTarget | undefined = undefined
  #byName: Map<string, ProducerTarget> | undefined = undefined
  #charCount = 0
  /** Delays of those that stand for a topic with one; most clients never have any. */
  #delays: WeakMap<ProducerTarget, number> | undefined = undefined

  constructor(producer: Producer, version: MqttVersion, settings: MqttSettings) {
    this.#producer = producer
    this.#version = version
    this.#levelsMax = settings.maxTopicLevels
    this.#bytesMax = settings.maxTopicBytes
  }

  /** Throws ProtocolError for bytes that are no topic name. Hot path. */
  find(bytes: Uint8Array, start: number, end: number): ProducerTarget {
    const last = this.#lastBytes
    const size = end - start
    if (this.#lastSize === size && this.#last !== undefined) {
      let index = 0
      while (index < size && last[index] === bytes[start + index]) index++
      if (index === size) return this.#last
    }
    return this.#findOther(bytes, start, end)
  }

  /** How long a message to this target waits before it is sent, in ms; -1: it is sent at once. */
  delayMsOf(target: ProducerTarget): number {
    return this.#delays?.get(target) ?? -1
  }

  #findOther(bytes: Uint8Array, start: number, end: number): ProducerTarget {
    checkTopicBytes(bytes, start, end, this.#version)
    if (end - start > this.#bytesMax) {
      const detail = `topic name of ${end - start} bytes exceeds mqtt.maxTopicBytes ${this.#bytesMax}`
      throw new ProtocolError(ReasonCode.topicNameInvalid, 'MQTT5-3.3.2-1', detail)
    }
    const name = decoder.decode(bytes.subarray(start, end))
    this.#keepLast(bytes, start, end)
    const known = this.#byName?.get(name)
    if (known !== undefined) return (this.#last = known)
    const levels = countLevels(name)
    if (levels > this.#levelsMax) {
      const detail = `topic name has ${levels} levels, more than mqtt.maxTopicLevels ${this.#levelsMax}`
      throw new ProtocolError(ReasonCode.topicNameInvalid, 'MQTT5-3.3.2-2', detail)
    }
    const target = name.startsWith(DELAYED_PREFIX) ? this.#delayed(name) : this.#producer.target(name)
    if (this.#last !== undefined) this.#remember(name, target)
    return (this.#last = target)
  }

  /** `$delayed/SECONDS/TOPIC`, as EMQX has it: a message to TOPIC, so many seconds later. Permission is asked for TOPIC. */
  #delayed(name: string): ProducerTarget {
    const [, digits = '', topic = ''] = DELAYED.exec(name) ?? []
    const seconds = Number(digits)
    if (topic === '' || seconds > DELAY_SECONDS_MAX) {
      const detail = `topic name ${quote(name)} must be ${DELAYED_PREFIX}SECONDS/TOPIC with 0 to ${DELAY_SECONDS_MAX} seconds`
      throw new ProtocolError(ReasonCode.topicNameInvalid, 'MQTT5-3.3.2-1', detail)
    }
    const target = this.#producer.target(topic)
    this.#delays ??= new WeakMap()
    this.#delays.set(target, seconds * 1_000)
    return target
  }

  #keepLast(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start
    if (size > this.#lastBytes.length) this.#lastBytes = new Uint8Array(Math.max(size, LAST_BYTES_MIN))
    copyBytes(bytes, start, end, this.#lastBytes, 0)
    this.#lastSize = size
  }

  /** A second topic and all after it go into the map. */
  #remember(name: string, target: ProducerTarget): void {
    this.#byName ??= new Map()
    this.#charCount += name.length
    if (this.#byName.size >= TOPICS_MAX || this.#charCount > TOPICS_CHARS_MAX) {
      this.#byName.clear()
      this.#charCount = name.length
    }
    this.#byName.set(name, target)
  }
}

const DELAYED_PREFIX = '$delayed/'
const DELAYED = /^\$delayed\/([0-9]{1,10})\/(.+)$/s
/** EMQX's limit: ms of 32 bits. */
const DELAY_SECONDS_MAX = 4_294_967

/** `ignoreBOM`: U+FEFF is a character like any other. [MQTT5-1.5.4-3] [MQTT311-1.5.3-3] */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
