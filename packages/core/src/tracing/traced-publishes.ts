/**
 * The publishes of one producer where tracing is on. Each that is followed waits under a number of its own in the place of its tag, since
 * an adapter may give several the same one; numbers are below 0, and tags are not.
 */
import type { Subject } from '../authorizer.ts'
import type { Message } from '../message/message.ts'
import type { ProducerTarget, PublishOptions, PublishOwner, PublishResult } from '../publish/producer.ts'
import type { RefusalDetail } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { PublishTrace, Tracer } from './tracer.ts'

/** `Producer.publish` as it is without tracing. */
export type TakePublish = (target: ProducerTarget, message: Message, tag: number, options: PublishOptions | undefined) => PublishResult

interface Waiting {
  readonly tag: number
  readonly trace: PublishTrace
}

export class TracedPublishes implements PublishOwner {
  readonly #tracer: Tracer
  readonly #subject: Subject
  readonly #session: Session | undefined
  readonly #owner: PublishOwner | undefined
  readonly #take: TakePublish
  readonly #refusal: () => RefusalDetail | undefined
  readonly #waiting = new Map<number, Waiting>()
  #lastNumber = 0

  /** `refusal` is that of the last publish that was refused. */
  constructor(
    tracer: Tracer,
    subject: Subject,
    session: Session | undefined,
    owner: PublishOwner | undefined,
    take: TakePublish,
    refusal: () => RefusalDetail | undefined,
  ) {
    this.#tracer = tracer
    this.#subject = subject
    this.#session = session
    this.#owner = owner
    this.#take = take
    this.#refusal = refusal
  }

  /** A publish begins that is answered elsewhere. Undefined: nobody follows it. */
  begin(message: Message): PublishTrace | undefined {
    return this.#tracer.onPublish(message, this.#subject, this.#session?.protocol ?? 'core')
  }

  publish(target: ProducerTarget, message: Message, tag: number, options: PublishOptions | undefined): PublishResult {
    const trace = this.begin(message)
    if (trace === undefined) return this.#take(target, message, tag, options)
    const number = --this.#lastNumber
    this.#waiting.set(number, { tag, trace })
    const result = this.#take(target, message, number, options)
    if (result === 'pending') return result
    this.#waiting.delete(number)
    trace.end(result, this.#refusalOf(result))
    return result
  }

  onPublishSettled(tag: number, result: Exclude<PublishResult, 'pending'>): void {
    const waiting = tag < 0 ? this.#waiting.get(tag) : undefined
    if (waiting === undefined) return this.#owner?.onPublishSettled(tag, result)
    this.#waiting.delete(tag)
    waiting.trace.end(result, this.#refusalOf(result))
    this.#owner?.onPublishSettled(waiting.tag, result)
  }

  #refusalOf(result: PublishResult): RefusalDetail | undefined {
    return result === 'refused' ? this.#refusal() : undefined
  }
}
