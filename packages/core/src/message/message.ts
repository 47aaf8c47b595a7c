/**
 * One published message, in the form every queue shares. The core never reads its body and reads its headers
 * only when somebody asks; both stay in the bytes that were received. [ADR-0001]
 */

import { keep, keepInRun, kept } from './arena.ts'
import type { Queue } from '../queue/queue.ts'

/** How sure a hand-over is: 0 at most once, 1 at least once, 2 exactly once. A delivery has the lower of publish and binding. */
export type Assurance = 0 | 1 | 2

/** Headers in the shape that every protocol can make and take; the mapping table of docs/interop has the fields. */
export interface Headers {
  /** The publisher's name for the message, as JMS writes it; protocols without one leave it out, as they do the next two. */
  readonly messageId?: string
  /** What kind of message it is, in the publisher's words: STOMP's `type`, AMQP's subject. */
  readonly type?: string
  /** Unix ms at which the publisher says that it made it. */
  readonly timestampMs?: number
  readonly correlationId?: Uint8Array
  readonly contentType?: string
  readonly contentEncoding?: string
  /** Where an answer goes, in core form: `a/b`, `$queue/NAME`. Each protocol spells it in its own way. */
  readonly replyTo?: string
  /** The publisher's number of the message in its group; below 0 it is the last one. */
  readonly groupSequence?: number
  readonly appId?: string
  /** Who published it, where the broker has verified that; nothing that a publisher merely says. */
  readonly userId?: string
  /** True when the publisher said that the body is UTF-8 text. */
  readonly text?: boolean
  /** User properties in the order received; MQTT 5 allows repeated keys. */
  readonly properties: ReadonlyArray<readonly [key: string, value: string]>
  /** What properties are where their protocol gives them types: numbers and truth values, by name. Selectors compare these. */
  readonly typed?: ReadonlyMap<string, number | bigint | boolean>
}

/** What few messages have beside headers and body. All of it is kept over a restart. */
export interface MessageExtras {
  /** Messages of one group go to one consumer, in order. */
  readonly groupId?: string
  /** The last of its group: the next one of that name is another group. */
  readonly groupEnds?: boolean
  /** What the broker says of it: where it was before, why it was moved. */
  readonly annotations?: Readonly<Record<string, string | number>>
}

/** Two-way translation of header bytes for one wire format: 'mqtt3', 'mqtt5'. */
export interface HeaderCodec {
  readonly id: string
  decode(bytes: Uint8Array): Headers
  encode(headers: Headers): Uint8Array
  /** The body as other protocols get it; left out where it is what lies between `bodyStart` and `end`. */
  readBody?(message: Message): Uint8Array
}

/** Offsets are into `bytes`: headers at [headerStart, bodyStart), body at [bodyStart, end), the whole frame from `start`. */
export interface MessageFields {
  /** Topic name in core form: levels joined by '/'. */
  readonly topic: string
  readonly codec: HeaderCodec
  readonly bytes: Uint8Array
  /** First byte of the frame that carried the message, when an equal one may be sent on; else the same as `headerStart`. */
  readonly start: number
  readonly headerStart: number
  readonly bodyStart: number
  readonly end: number
  readonly assurance: Assurance
  readonly durable: boolean
  /** The publisher asked for it to be kept as the last message of its topic. */
  readonly retain: boolean
  /** Unix ms; 0 when it never expires. */
  readonly expiresAtMs: number
  /** Client id of who published it, for no-local bindings: it means the same in a later session. [MQTT5-3.8.3-3] */
  readonly publisher: string | undefined
  /** 0…9; 4 when left out. */
  readonly priority?: number
  readonly extras?: MessageExtras | undefined
}

/** Priority of a message whose publisher says nothing. [JMS 3.1 §3.4.10] */
export const PRIORITY_DEFAULT = 4

/** Annotations that receivers and the broker have left on one message. */
const ANNOTATIONS_MAX = 64

/**
 * Immutable but for where its bytes are: until `detach` they lie in the transport's read buffer, which is only
 * good for the present call. Whoever lets a message wait detaches it first.
 */
export class Message {
  readonly topic: string
  readonly codec: HeaderCodec
  readonly assurance: Assurance
  readonly durable: boolean
  readonly retain: boolean
  /** Unix ms; 0: never. Only who publishes it sets it, before anybody else has seen the message. */
  expiresAtMs: number
  readonly publisher: string | undefined
  readonly priority: number
  /** Only `annotated` sets it, before anybody else has seen the message. */
  extras: MessageExtras | undefined
  bytes: Uint8Array
  start: number
  headerStart: number
  bodyStart: number
  end: number
  /** Place in the log; 0 while it is not in it. */
  lsn = 0
  /**
   * Until when it may stay in single queues, Unix ms, where their settings say something else than `expiresAtMs`. Only while it is on
   * its way to several; `Route.limitLife` decides.
   */
  lives: Map<Queue, number> | undefined = undefined
  /** Of the tracer, which alone knows what it is: whether the message is followed, and in which trace. Copies have it, the log has not. */
  trace: object | undefined = undefined
  #detached = false
  #headers: Headers | undefined = undefined

  constructor(fields: MessageFields) {
    this.topic = fields.topic
    this.codec = fields.codec
    this.assurance = fields.assurance
    this.durable = fields.durable
    this.retain = fields.retain
    this.expiresAtMs = fields.expiresAtMs
    this.publisher = fields.publisher
    this.priority = fields.priority ?? PRIORITY_DEFAULT
    this.extras = fields.extras
    this.bytes = fields.bytes
    this.start = fields.start
    this.headerStart = fields.headerStart
    this.bodyStart = fields.bodyStart
    this.end = fields.end
  }

  /** Bytes it holds while it waits. */
  get size(): number {
    return this.end - this.start
  }

  get body(): Uint8Array {
    return this.bytes.subarray(this.bodyStart, this.end)
  }

  get headerBytes(): Uint8Array {
    return this.bytes.subarray(this.headerStart, this.bodyStart)
  }

  /** Decoded on first use: a selector, the console, another protocol. */
  get headers(): Headers {
    return (this.#headers ??= this.codec.decode(this.headerBytes))
  }

  /** The body for a receiver of another protocol: one that its own wrote in a form that only it can read is put into another. */
  get foreignBody(): Uint8Array {
    return this.codec.readBody === undefined ? this.body : this.codec.readBody(this)
  }

  /** Header bytes for `target`; the received bytes themselves when the format is the same. */
  headerBytesFor(target: HeaderCodec): Uint8Array {
    return target.id === this.codec.id ? this.headerBytes : target.encode(this.headers)
  }

  /**
   * Moves the bytes into memory of their own. Idempotent. Without it a short message that waits would keep a whole
   * 64 KiB read buffer alive, or see it overwritten. Hot path for unsettled deliveries.
   */
  detach(): void {
    if (this.#detached) return
    this.#detached = true
    keep(this.bytes, this.start, this.end)
    this.#move()
  }

  /** The same message with a time of its own: other queues have it, too. It shares the bytes where they are the message's own. */
  livingUntil(expiresAtMs: number): Message {
    if (expiresAtMs === this.expiresAtMs) return this
    const other = this.#copy()
    other.expiresAtMs = expiresAtMs
    return other
  }

  /**
   * The same message with annotations more, in place of those of the same name; without them where they would become too many: whoever
   * gives a message back may do it again and again. It shares the bytes, and has no frame that says them.
   */
  annotated(annotations: NonNullable<MessageExtras['annotations']>): Message {
    const all = { ...this.extras?.annotations, ...annotations }
    if (Object.keys(all).length > ANNOTATIONS_MAX) return this
    const other = this.#copy()
    other.start = this.headerStart
    other.extras = { ...this.extras, annotations: all }
    return other
  }

  #copy(): Message {
    const other = new Message(this)
    other.lsn = this.lsn
    other.trace = this.trace
    other.#detached = this.#detached
    return other
  }

  /** The bytes are its own: they stay as they are, and may be handed to transports by reference. */
  get isDetached(): boolean {
    return this.#detached
  }

  /** `detach` for a message that many get: neighbours in time are neighbours in memory. */
  detachInRun(): void {
    if (this.#detached) return
    this.#detached = true
    keepInRun(this.bytes, this.start, this.end)
    this.#move()
  }

  #move(): void {
    this.#headers = undefined // they may point into the bytes that are left behind
    const moved = kept.start - this.start
    this.bytes = kept.bytes
    this.start = kept.start
    this.headerStart += moved
    this.bodyStart += moved
    this.end += moved
  }
}
