/**
 * Reads the messages at the head of a queue back into memory, in batches and ahead of the dispatch: a long backlog costs memory for
 * its index and one or two of these batches, whatever its length.
 */
import type { HostLog } from '../log/host-log.ts'
import type { Message } from '../message/message.ts'
import type { WaitingBytes } from './lanes.ts'
import type { WaitingLine } from './line.ts'

/** One read. Large enough that its cost is small per message, small enough that ten thousand queues can have one. */
export const STAGE_MESSAGES_MAX = 1_024
export const STAGE_BYTES_MAX: number = 1024 * 1024
const STAGE_BYTES_SHORT: number = 64 * 1024
/** From this share of the memory for what waits on, queues read little ahead. */
const MEMORY_SHORT_SHARE = 3 / 4

/** Bytes of one read: fewer when memory is short. */
export function stageBytesIn({ bytes, bytesMax }: WaitingBytes): number {
  return bytes > bytesMax * MEMORY_SHORT_SHARE ? STAGE_BYTES_SHORT : STAGE_BYTES_MAX
}

export interface StagingHost {
  /** As `stageBytesIn` says. */
  readonly stageBytesMax: number
  /** Messages up to `lastLsn` will be staged; nothing is handed out before what it returns has resolved. */
  beforeStaging(lastLsn: number): Promise<void> | undefined
  /** The bytes of a waiting position are there; undefined: the log has lost them. */
  onStaged(line: WaitingLine, position: number, message: Message | undefined): void
  /** A batch is complete. */
  onStagingDone(): void
}

export class Staging {
  readonly #log: HostLog
  readonly #host: StagingHost
  #isReading = false
  /** Dispatch past this position of `#line` asks for more. */
  #mark = Infinity
  #end = 0
  #line: WaitingLine | undefined = undefined

  constructor(log: HostLog, host: StagingHost) {
    this.#log = log
    this.#host = host
  }

  get isReading(): boolean {
    return this.#isReading
  }

  /** Positions from `from` on that wait and are not in memory; the host hears of each. One read at a time. */
  stage(line: WaitingLine, from: number): void {
    if (this.#isReading) return
    const positions: number[] = []
    const lsns: number[] = []
    let bytes = 0
    let position = from
    for (; position !== 0; position = line.nextWaiting(position)) {
      if (line.entryAt(position) !== undefined) continue
      bytes += line.bytesAt(position)
      if (positions.length > 0 && (bytes > this.#host.stageBytesMax || positions.length >= STAGE_MESSAGES_MAX)) break
      positions.push(position)
      lsns.push(line.lsnAt(position))
    }
    if (positions.length === 0) {
      this.#mark = Infinity
      return
    }
    this.#line = line
    this.#mark = positions[positions.length >> 1]!
    this.#end = position
    this.#isReading = true
    void this.#read(line, positions, lsns)
  }

  /** As `stage`, for positions that stand anywhere in the line, ascending: what is beyond one read is left out. */
  stageThese(line: WaitingLine, wanted: readonly number[]): void {
    if (this.#isReading) return
    const positions: number[] = []
    let bytes = 0
    for (const position of wanted) {
      if (!line.isWaiting(position) || line.entryAt(position) !== undefined) continue
      bytes += line.bytesAt(position)
      if (positions.length > 0 && (bytes > this.#host.stageBytesMax || positions.length >= STAGE_MESSAGES_MAX)) break
      positions.push(position)
    }
    if (positions.length === 0) return
    this.#isReading = true
    void this.#read(line, positions, positions.map((position) => line.lsnAt(position)))
  }

  /** Dispatch has come to `position`: reads on while there is still something to hand out. Hot path. */
  onTaken(line: WaitingLine, position: number): void {
    if (position < this.#mark || this.#isReading || line !== this.#line) return
    if (this.#end === 0) this.#mark = Infinity
    else this.stage(line, line.isWaiting(this.#end) ? this.#end : line.nextWaiting(this.#end))
  }

  /** Never rejects: a read that fails is an error of the log's, and ends it. */
  async #read(line: WaitingLine, positions: readonly number[], lsns: readonly number[]): Promise<void> {
    const noted = this.#host.beforeStaging(lsns[lsns.length - 1]!)
    const messages = await this.#log.readMessages(lsns)
    await noted
    this.#isReading = false
    if (messages === undefined) return
    for (let index = 0; index < positions.length; index++) {
      const position = positions[index]!
      if (line.isWaiting(position) && line.entryAt(position) === undefined) {
        this.#host.onStaged(line, position, messages[index])
      }
    }
    this.#host.onStagingDone()
  }
}
