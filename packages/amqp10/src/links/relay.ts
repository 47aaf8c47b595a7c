/** Where the messages of a link without an address go: the one that each says in `to`. [AMQP anonymous terminus for message routing] */
import type { Producer, ProducerTarget, RefusalDetail, Result } from '@ternmq/core'
import type { AmqpConnection } from '../connection.ts'
import { addressesOf, resolveTarget } from './addresses.ts'
import { AmqpFault } from '../codec/faults.ts'

/** Addresses that one link sends to, and characters of their texts; beyond it they are looked up again. */
const TARGETS_MAX = 1_024
const TARGET_CHARS_MAX = 256 * 1_024

export class Relay {
  readonly #connection: AmqpConnection
  readonly #producer: Producer
  readonly #targets = new Map<string, ProducerTarget>()
  #chars = 0
  #lastText = ''
  #last: ProducerTarget | undefined = undefined

  constructor(connection: AmqpConnection, producer: Producer) {
    this.#connection = connection
    this.#producer = producer
  }

  /** Hot path. */
  targetOf(text: string | undefined): Result<ProducerTarget> {
    if (text === undefined) return refused('', 'properties: to is missing; this link has no address, so each message says where it goes')
    if (text === this.#lastText && this.#last !== undefined) return { ok: true, value: this.#last }
    let target = this.#targets.get(text)
    if (target === undefined) {
      const made = this.#make(text)
      if (!made.ok) return made
      target = made.value
      if (this.#targets.size >= TARGETS_MAX || this.#chars + text.length > TARGET_CHARS_MAX) this.#forget()
      this.#chars += text.length
      this.#targets.set(text, target)
    }
    this.#lastText = text
    this.#last = target
    return { ok: true, value: target }
  }

  #forget(): void {
    this.#targets.clear()
    this.#chars = 0
  }

  #make(text: string): Result<ProducerTarget> {
    try {
      const addresses = addressesOf(resolveTarget(this.#connection, text, undefined))
      return { ok: true, value: addresses.length === 1 ? this.#producer.target(addresses[0]!) : this.#producer.targetOfAll(addresses) }
    } catch (error) {
      if (!(error instanceof AmqpFault)) throw error
      return refused(text, error.message, error.condition === 'amqp:not-found' ? 'not-found' : 'invalid-name')
    }
  }
}

function refused(subject: string, text: string, refusal: RefusalDetail['refusal'] = 'invalid-name'): { readonly ok: false; readonly detail: RefusalDetail } {
  return { ok: false, detail: { refusal, subject, text } }
}
