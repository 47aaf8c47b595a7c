/**
 * Expired messages whose bytes are on disk only, on their way to the queue that takes such: read back in batches, one at a time, so
 * that a backlog that expires as a whole costs the memory of one batch.
 */
import type { HostLog } from '../log/host-log.ts'
import type { Message } from '../message/message.ts'
import type { WaitingLine } from './line.ts'

/** One read. */
const BATCH_MESSAGES_MAX = 256
const BATCH_BYTES_MAX: number = 1024 * 1024
/** Positions that wait to be read; with so many the queue takes no more expired ones out for now. */
const PENDING_MAX = 4_096

/** `message` is undefined when the store has lost it. */
export type MoveExpired = (line: WaitingLine, position: number, message: Message | undefined) => void

export class ExpiredMoves {
  readonly #log: HostLog
  readonly #move: MoveExpired
  readonly #pending: [line: WaitingLine, position: number][] = []
  #isReading = false

  constructor(log: HostLog, move: MoveExpired) {
    this.#log = log
    this.#move = move
  }

  get isBusy(): boolean {
    return this.#pending.length >= PENDING_MAX
  }

  /** The position is taken out of its line, not removed. */
  add(line: WaitingLine, position: number): void {
    this.#pending.push([line, position])
    if (!this.#isReading) void this.#readAll()
  }

  /** Never rejects: a read that fails is an error of the log's, and ends it. */
  async #readAll(): Promise<void> {
    this.#isReading = true
    await Promise.resolve() // the others of this turn come along
    while (this.#pending.length > 0) {
      const batch = this.#nextBatch()
      const messages = await this.#log.readMessages(batch.map(([line, position]) => line.lsnAt(position)))
      if (messages === undefined) break
      for (let index = 0; index < batch.length; index++) {
        const [line, position] = batch[index]!
        if (line.look(position) !== undefined) this.#move(line, position, messages[index])
      }
    }
    this.#isReading = false
  }

  #nextBatch(): [line: WaitingLine, position: number][] {
    let bytes = 0
    let count = 0
    for (; count < Math.min(this.#pending.length, BATCH_MESSAGES_MAX); count++) {
      const [line, position] = this.#pending[count]!
      bytes += line.bytesAt(position)
      if (count > 0 && bytes > BATCH_BYTES_MAX) break
    }
    return this.#pending.splice(0, count)
  }
}
