/**
 * Why a message does not go to the queue where it should: which queue, which limit, its value. And what is in the way of a retry, queue by
 * queue: once a message was left behind because of one, those behind it for the same queue are, so that they stay in order.
 */
import type { NamedQueue } from '../destinations/destinations.ts'
import { countText } from '../flow/units.ts'
import type { Message } from '../message/message.ts'

/** Queues that are remembered; messages for others are looked at one by one. */
const IN_THE_WAY_MAX = 1_000

export interface Obstacle {
  readonly text: string
  /** It would not go another time either. */
  readonly isFinal: boolean
  /** There is no queue to send it to, in place of one that does not take it. */
  readonly isNowhere: boolean
}

/** A ring makes room by itself, but not for more than it can ever have. Undefined: it goes. */
export function obstacleFor({ name, queue }: NamedQueue, message: Message): Obstacle | undefined {
  if (queue.isEnding) return refusing(`queue '${name}' was deleted meanwhile`)
  const { messagesMax, bytesMax, whenFull } = queue.settings
  if (message.size > bytesMax) {
    const text = `a message of ${message.size} bytes is larger than queue '${name}' can be: its bytesMax is ${bytesMax}`
    return { text, isFinal: true, isNowhere: false }
  }
  if (whenFull === 'drop-oldest' || !queue.isFullFor(message.size)) return undefined
  const { delayedCount, delayedBytes } = queue.contents
  const count = queue.waitingCount + delayedCount + queue.underWayCount
  if (count >= messagesMax)
    return refusing(`queue '${name}' is full: it has ${countText(count, 'message')}, its messagesMax is ${messagesMax}`)
  const bytes = queue.waitingBytes + delayedBytes + queue.underWayBytes
  return refusing(
    `queue '${name}' is full: it has ${bytes} bytes, and with one more message of ${message.size} it would have more than its bytesMax, ${bytesMax}`,
  )
}

/** The queue does not take it now. */
export function refusing(text: string): Obstacle {
  return { text, isFinal: false, isNowhere: false }
}

/** There is no queue to send it to now. */
export function nowhere(text: string): Obstacle {
  return { text, isFinal: false, isNowhere: true }
}

export class InTheWay {
  readonly #byQueue = new Map<string, Obstacle>()

  get(queue: string): Obstacle | undefined {
    return this.#byQueue.get(queue)
  }

  add(queue: string, obstacle: Obstacle): void {
    if (this.#byQueue.size < IN_THE_WAY_MAX) this.#byQueue.set(queue, obstacle)
  }

  /** The first, and how many more there are; undefined when nothing is in the way. */
  get text(): string | undefined {
    const [first] = this.#byQueue.values()
    if (first === undefined) return undefined
    const others = this.#byQueue.size - 1
    return others === 0
      ? first.text
      : `${first.text}; ${others} more ${others === 1 ? 'queue is' : 'queues are'} in the way`
  }
}
