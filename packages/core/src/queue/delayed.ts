/** The entries of a queue that wait for their next attempt: where their messages are until then, and what they weigh. */
import type { Clock } from '../env.ts'
import { Delays } from './delays.ts'
import type { Delivery } from './delivery.ts'
import type { Lanes } from './lanes.ts'
import type { WaitingLine } from './line.ts'

/** The time of an entry has come; `entry` is undefined when its bytes are in the log only. */
export type OnDelayOver = (line: WaitingLine, priority: number, position: number, entry: Delivery | undefined) => void

export class Delayed {
  readonly #contents: Lanes
  readonly #delays: Delays

  constructor(clock: Clock, contents: Lanes, onOver: OnDelayOver) {
    this.#contents = contents
    this.#delays = new Delays(clock, (priority, position) => {
      const { line, entry } = this.#takeOut(priority, position)
      onOver(line, priority, position, entry)
    })
  }

  /** `isLoaded`: it stays in memory; otherwise its place in the line has all that has to be known, and the log its bytes. */
  add(delivery: Delivery, delayMs: number, isLoaded: boolean): void {
    const { position, message } = delivery
    const line = delivery.line!
    line.setEntry(position, isLoaded ? delivery : undefined)
    this.#contents.weighDelayed(line.bytesAt(position), isLoaded, 1)
    this.#delays.add(delayMs, message.priority, position)
  }

  /** Takes the one out whose next attempt is the nearest. False when none waits for one. */
  takeFirst(take: (line: WaitingLine, position: number) => void): boolean {
    return this.#delays.takeFirst((priority, position) => take(this.#takeOut(priority, position).line, position))
  }

  close(): void {
    this.#delays.close()
  }

  #takeOut(priority: number, position: number): { line: WaitingLine; entry: Delivery | undefined } {
    const line = this.#contents.line(priority)
    const entry = line.entryAt(position)
    this.#contents.weighDelayed(line.bytesAt(position), entry !== undefined, -1)
    return { line, entry }
  }
}
