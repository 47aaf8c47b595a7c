/** Spans of messages: one for each publish that is followed, and one for each time that such a message is with a consumer. */
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer as SpanMaker,
} from '@opentelemetry/api'
import { TraceState } from '@opentelemetry/core'
import type {
  Consumer,
  CounterLabel,
  Delivery,
  Message,
  Outcome,
  PublishTrace,
  Queue,
  Random,
  SettleDetail,
  Subject,
  Tracer,
} from '@ternmq/core'
import { Attribute, destinationOf, messageAttributes } from './attributes.ts'
import { OpenSpans } from './open-spans.ts'
import type { SpanClock } from './span-clock.ts'
import { traceOf } from './trace-of.ts'

/** Where spans go, as far as somebody has to know who makes them. */
export interface SpanRoom {
  readonly isFull: boolean
  dropUnmade(): void
}

const WORD = 0x1_0000_0000

/** What is known of a message, left at it. */
class Mark {
  /** What its spans are children of; undefined: nobody follows it. */
  readonly context: SpanContext | undefined

  constructor(context: SpanContext | undefined) {
    this.context = context
  }
}

/** It names no trace. */
const NO_TRACE: Mark = new Mark(undefined)
/** Its publisher does not want it recorded. */
const NOT_RECORDED: Mark = new Mark(undefined)

export class MessageTracer implements Tracer {
  readonly #spans: SpanMaker
  readonly #room: SpanRoom
  readonly #clock: SpanClock
  readonly #random: Random
  /** A message that names no trace begins one when its number is below this. */
  readonly #sampledBelow: number
  readonly #open: OpenSpans
  readonly #byDelivery = new WeakMap<Delivery, Span>()

  constructor(spans: SpanMaker, room: SpanRoom, clock: SpanClock, random: Random, sampleRatio: number) {
    this.#spans = spans
    this.#room = room
    this.#clock = clock
    this.#random = random
    this.#sampledBelow = sampleRatio * WORD
    this.#open = new OpenSpans(clock)
  }

  /** What is open has an end, though nobody knows which. */
  close(): void {
    this.#open.endAll()
  }

  // ── Tracer ──

  onPublish(message: Message, subject: Subject, protocol: CounterLabel): PublishTrace | undefined {
    const named = this.#markOf(message)
    const begins = named === NO_TRACE && this.#sampledBelow > 0 && this.#random.u32() < this.#sampledBelow
    if ((named.context === undefined && !begins) || !this.#hasRoom()) return undefined
    const destination = destinationOf(message.topic)
    const attributes = messageAttributes(message, 'send', destination, protocol, subject.clientId)
    const span = this.#begin(`send ${destination}`, SpanKind.PRODUCER, attributes, named.context)
    if (begins) message.trace = new Mark(span.spanContext())
    this.#open.add(span)
    return {
      end: (result, refusal) => {
        span.setAttribute(Attribute.result, result)
        if (result === 'refused') {
          const { refusal: kind = 'rolled-back', text = 'the transaction was rolled back' } = refusal ?? {}
          span.setAttribute(Attribute.errorType, kind)
          span.setStatus({ code: SpanStatusCode.ERROR, message: text })
        }
        this.#open.end(span)
      },
    }
  }

  onHandedOver(consumer: Consumer, delivery: Delivery): void {
    const span = this.#process(consumer, delivery)
    if (span === undefined) return
    this.#byDelivery.set(delivery, span)
    this.#open.add(span)
  }

  onSent(consumer: Consumer, delivery: Delivery, isTaken: boolean): void {
    const span = this.#process(consumer, delivery)
    if (span === undefined) return
    span.setAttribute(Attribute.outcome, isTaken ? 'sent' : 'rejected')
    if (!isTaken) fail(span, 'rejected', 'the receiver can never take it')
    span.end(this.#clock.now())
  }

  onSettled(delivery: Delivery, outcome: Outcome, detail: SettleDetail | undefined): void {
    const span = this.#spanOf(delivery)
    if (span === undefined) return
    this.#byDelivery.delete(delivery)
    span.setAttribute(Attribute.outcome, outcome)
    if (outcome === 'rejected') fail(span, 'rejected', detail?.reason)
    else if (outcome === 'modified' && detail?.deliveryFailed !== false) fail(span, 'delivery-failed', undefined)
    this.#open.end(span)
  }

  onDeadLettered(origin: Queue, delivery: Delivery, target: Queue, copy: Message): void {
    const { message } = delivery
    const said = copy.extras?.annotations ?? {}
    const about: Attributes = {
      [Attribute.deadLetterQueue]: target.name,
      [Attribute.deadLetterCause]: String(said['cause']),
    }
    if (said['reason'] !== undefined) about[Attribute.deadLetterReason] = String(said['reason'])
    const span = this.#spanOf(delivery)
    if (span === undefined) this.#note(`dead-letter ${origin.name}`, 'ternmq.dead_lettered', origin, message, about)
    else span.addEvent('ternmq.dead_lettered', about, this.#clock.now())
  }

  onExpired(queue: Queue, message: Message): void {
    this.#note(`expire ${queue.name}`, 'ternmq.expired', queue, message, {})
  }

  /** Something that happened while nobody had the message. */
  #note(name: string, event: string, queue: Queue, message: Message, about: Attributes): void {
    const parent = this.#parentOf(message)
    if (parent === undefined || !this.#hasRoom()) return
    const attributes = messageAttributes(message, undefined, destinationOf(message.topic), undefined, undefined)
    const span = this.#begin(name, SpanKind.INTERNAL, { ...attributes, [Attribute.queue]: queue.name }, parent)
    span.addEvent(event, about, this.#clock.now())
    span.end(this.#clock.now())
  }

  #process({ queue, pool: { owner } }: Consumer, delivery: Delivery): Span | undefined {
    const { message, failedCount, redelivered } = delivery
    const parent = this.#parentOf(message)
    if (parent === undefined || !this.#hasRoom()) return undefined
    const destination = destinationOf(message.topic)
    const attributes = messageAttributes(message, 'process', destination, owner?.protocol ?? 'core', owner?.clientId)
    attributes[Attribute.queue] = queue.name
    attributes[Attribute.failedCount] = failedCount
    attributes[Attribute.redelivered] = redelivered
    return this.#begin(`process ${destination}`, SpanKind.CONSUMER, attributes, parent)
  }

  /** Undefined also for one that nobody follows. */
  #spanOf(delivery: Delivery): Span | undefined {
    return this.#markOf(delivery.message).context === undefined ? undefined : this.#byDelivery.get(delivery)
  }

  /** Undefined: nobody follows the message. */
  #parentOf(message: Message): SpanContext | undefined {
    return this.#markOf(message).context
  }

  /** Read once for each message: for most of them by a look at how long their headers are. */
  #markOf(message: Message): Mark {
    if (message.trace instanceof Mark) return message.trace
    const named = traceOf(message)
    const mark = named === undefined ? NO_TRACE : named.isSampled ? new Mark(contextOf(named)) : NOT_RECORDED
    message.trace = mark
    return mark
  }

  #begin(name: string, kind: SpanKind, attributes: Attributes, parent: SpanContext | undefined): Span {
    const context: Context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
    return this.#spans.startSpan(name, { kind, attributes, startTime: this.#clock.now() }, context)
  }

  #hasRoom(): boolean {
    if (!this.#room.isFull) return true
    this.#room.dropUnmade()
    return false
  }
}

function contextOf({
  traceId,
  spanId,
  state,
}: {
  readonly traceId: string
  readonly spanId: string
  readonly state: string | undefined
}): SpanContext {
  const traceState = state === undefined ? undefined : new TraceState(state)
  return {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
    ...(traceState !== undefined && { traceState }),
  }
}

function fail(span: Span, type: string, text: string | undefined): void {
  span.setAttribute(Attribute.errorType, type)
  span.setStatus({ code: SpanStatusCode.ERROR, ...(text !== undefined && { message: text }) })
}
