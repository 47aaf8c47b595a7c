/** What is published to a topic, as server-sent events: at most once. A reader that is too slow loses messages, and is told how many. */
import type { Cancel, Delivery, DeliverySink, Message, Receiver, VirtualHost } from '@ternmq/core'
import type { EventSink } from '../handlers.ts'
import { STREAM_PENDING_MAX } from './bounds.ts'
import type { HttpSession, HttpStream } from './http-session.ts'
import { takenFacts } from './taken-facts.ts'

/** How often a reader that was too slow is looked after, to hear what it has lost though nothing more comes. */
const LOST_LOOK_MS = 1_000

export class TopicStream implements DeliverySink, HttpStream {
  /** Nobody is held up by a slow reader. */
  readonly writable = true
  readonly #vhost: VirtualHost
  readonly #session: HttpSession
  readonly #sink: EventSink
  #receiver: Receiver | undefined = undefined
  #pending: Message[] = []
  #lostCount = 0
  /** Behind those that are pending. */
  #overflowCount = 0
  #cancelLook: Cancel | undefined = undefined
  #isEnded = false

  constructor(vhost: VirtualHost, session: HttpSession, sink: EventSink) {
    this.#vhost = vhost
    this.#session = session
    this.#sink = sink
  }

  /** What comes goes to the reader from now on. */
  begin(receiver: Receiver): void {
    this.#receiver = receiver
  }

  deliver({ message }: Delivery): boolean {
    if (this.#isEnded) return true
    if (this.#pending.length >= STREAM_PENDING_MAX) {
      this.#overflowCount++
      return true
    }
    message.detach()
    this.#pending.push(message)
    if (this.#pending.length === 1) this.#vhost.env.clock.endOfTurn(() => this.#flush())
    return true
  }

  /** By whichever side. Idempotent. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#cancelLook?.()
    this.#pending = []
    this.#receiver?.close('goodbye')
    this.#session.removeStream(this)
  }

  /** The reader is told why nothing more comes. */
  onAccessLost(text: string): void {
    if (!this.#isEnded) this.#sink.send('ended', { reason: text })
    this.onEnded()
  }

  onEnded(): void {
    this.end()
    this.#sink.end()
  }

  #flush(): void {
    const messages = this.#pending
    this.#pending = []
    for (const message of messages) {
      if (this.#isEnded) return
      if (!this.#sink.writable) this.#lost(1)
      else {
        this.#tellLost()
        this.#sink.send('message', takenFacts(message))
      }
    }
    if (this.#overflowCount > 0) this.#lost(this.#overflowCount)
    this.#overflowCount = 0
  }

  #lost(count: number): void {
    this.#lostCount += count
    this.#cancelLook ??= this.#vhost.env.clock.after(LOST_LOOK_MS, () => this.#look())
  }

  #look(): void {
    this.#cancelLook = undefined
    if (this.#sink.writable) this.#tellLost()
    else this.#lost(0)
  }

  #tellLost(): void {
    if (this.#lostCount === 0) return
    this.#sink.send('lost', { count: this.#lostCount })
    this.#lostCount = 0
  }
}
