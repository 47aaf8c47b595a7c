/** One call that takes messages: gathers what a queue hands out, until there is enough or nothing more. */
import { type Delivery, type DeliverySink, type Message, type Receiver, type VirtualHost } from '@ternmq/core'
import { TAKE_BYTES_MAX } from './bounds.ts'

/** A call that does not wait still lets the queue look, and read from its disk; not for longer than this. */
const LOOK_MS_MAX = 1_000

export interface Taken {
  readonly message: Message
  readonly failedCount: number
  readonly redelivered: boolean
  /** Undefined: settled by being sent. */
  readonly delivery: Delivery | undefined
}

export class Taking implements DeliverySink {
  readonly taken: Taken[] = []
  readonly #countMax: number
  #bytes = 0
  /** Why the user may not read from there any more. */
  lostBecause: string | undefined = undefined
  #isOver = false
  #receiver: Receiver | undefined = undefined
  #finish: () => void = () => {}
  #onTaken: () => void = () => {}

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get writable(): boolean {
    return !this.#isOver && this.taken.length < this.#countMax && this.#bytes < TAKE_BYTES_MAX
  }

  /** It asks for so many and no more. */
  get wantsNothing(): boolean {
    return !this.writable
  }

  deliver(delivery: Delivery): boolean {
    const { message, failedCount, redelivered } = delivery
    message.detach()
    this.taken.push({ message, failedCount, redelivered, delivery: delivery.assurance === 0 ? undefined : delivery })
    this.#bytes += message.size
    this.#onTaken()
    return true
  }

  /** What is taken and not settled goes back. */
  onAccessLost(text: string): void {
    this.lostBecause = text
    this.#isOver = true
    this.#receiver?.close('goodbye')
    this.#finish()
  }

  /**
   * Resolves when it has enough, when it has something and the queue has nothing more for it, after `waitMs`, and when `signal` aborts;
   * nothing is taken from then on. With `waitMs` 0, once the queue has looked.
   */
  async gather({ env }: VirtualHost, receiver: Receiver, waitMs: number, signal: AbortSignal): Promise<void> {
    this.#receiver = receiver
    if (!signal.aborted) {
      await new Promise<void>((resolve) => {
        let isIdle = false
        const finish = (): void => {
          cancel()
          signal.removeEventListener('abort', finish)
          this.#onTaken = () => {}
          resolve()
        }
        this.#finish = finish
        const cancel = env.clock.after(waitMs === 0 ? LOOK_MS_MAX : waitMs, finish)
        signal.addEventListener('abort', finish)
        receiver.whenIdle(() => {
          isIdle = true
          if (this.taken.length > 0 || waitMs === 0) finish()
        })
        // What comes in the same turn comes with it.
        this.#onTaken = () => {
          if (!this.writable || (isIdle && this.taken.length === 1)) env.clock.endOfTurn(finish)
        }
        if (!this.writable) finish()
      })
    }
    this.#isOver = true
  }
}
