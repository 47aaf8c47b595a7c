/** A link that looks through a queue and leaves all in it: a source with distribution mode `copy`. [AMQP10 §3.5.3] */
import { browse, type BrowsedEntry, type Browsing, type Queue, type Selector } from '@ternmq/core'
import { AmqpFault } from '../codec/faults.ts'
import type { Attach } from '../codec/performatives.ts'
import type { AmqpSession } from '../session.ts'
import type { LinkEnd } from './link.ts'
import { OutboundLink } from './outbound-link.ts'

/** Entries read at a time; credit and transport decide when each is sent. */
const PAGE_ENTRIES = 100

/** Of one connection at a time: each holds a page of entries. */
export const BROWSERS_MAX = 16

export class BrowserLink extends OutboundLink {
  readonly #queue: Queue
  readonly #selector: Selector | undefined
  readonly #browsing: Browsing
  #page: readonly BrowsedEntry[] = []
  #next = 0
  /** Where the page after this one begins. */
  #after: string | undefined = undefined
  #isReading = false
  /** It has come to the end of what there was. */
  #isAtEnd = false
  readonly #idleWaiters: (() => void)[] = []

  constructor(session: AmqpSession, attach: Attach, queue: Queue, selector: Selector | undefined) {
    super(session, attach)
    this.#queue = queue
    this.#selector = selector
    this.#browsing = session.connection.session.openBrowsing({
      queue: queue.name,
      onAccessLost: (text) => this.#onAccessLost(text),
    })
    session.connection.browserCount++
  }

  wake(): void {
    if (this.isDetaching || this.#isReading) return
    // What has come since the end was reached is seen by who asks again.
    this.#isAtEnd = false
    this.#sendPage()
  }

  /** Nobody else wakes it: the core knows no consumer here. */
  override goOn(): void {
    super.goOn()
    if (!this.isDetaching && !this.#isReading && !this.#isAtEnd) this.#sendPage()
  }

  protected whenIdle(then: () => void): void {
    this.#idleWaiters.push(then)
    if (this.#isAtEnd) this.#tellIdle()
  }

  #onAccessLost(text: string): void {
    if (!this.isDetaching) this.session.detach(this, new AmqpFault('link', 'amqp:unauthorized-access', text))
  }

  #sendPage(): void {
    const { refusal } = this.#browsing
    if (refusal !== undefined) return this.#onAccessLost(refusal)
    while (this.#next < this.#page.length && this.hasRoom) {
      const { message, redelivered, failedCount } = this.#page[this.#next++]!
      if (this.#browsing.maySee(message)) this.send({ message, redelivered, failedCount, retained: false }, true)
    }
    if (this.#next < this.#page.length || !this.hasRoom) return
    this.#isReading = true
    this.#read().catch((error: unknown) => this.session.connection.fail(error))
  }

  async #read(): Promise<void> {
    const { connection } = this.session
    const page = await browse(this.#queue, {
      limit: PAGE_ENTRIES,
      selector: this.#selector,
      mayMatch: (message) => this.#browsing.maySee(message),
      ...(this.#after !== undefined && { after: this.#after }),
    })
    this.#isReading = false
    if (this.isDetaching || connection.isEnded) return
    this.#page = page.entries
    this.#next = 0
    this.#after = page.cursor ?? page.entries[page.entries.length - 1]?.id ?? this.#after
    this.#isAtEnd = page.cursor === undefined && page.entries.length === 0
    if (!this.#isAtEnd) return this.#sendPage()
    this.#tellIdle()
  }

  #tellIdle(): void {
    for (const then of this.#idleWaiters.splice(0)) then()
  }

  protected onEnd(_how: LinkEnd): void {
    this.session.connection.browserCount--
    this.#browsing.end()
    this.#page = []
    this.#idleWaiters.length = 0
  }
}
