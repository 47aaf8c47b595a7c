/**
 * Goes through what waits in a queue, in batches, for those who change it from the outside. Bodies are read from the log and not kept;
 * other work has its turn between two batches. What comes after the beginning is not seen.
 */
import { nextTurn } from '../env.ts'
import type { Message } from '../message/message.ts'
import type { WaitingLine } from '../queue/line.ts'
import { propertiesOf } from '../queue/message-properties.ts'
import type { Queue } from '../queue/queue.ts'
import type { Selector } from '../selector/selector.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { parseEntryId } from './entry-id.ts'

/** Looked at in one turn. */
const BATCH_MESSAGES_MAX = 512
const BATCH_BYTES_MAX: number = 1024 * 1024

export interface Selecting {
  /** Left out: all. */
  readonly selector?: Selector | undefined
  /** Messages, the first in the queue's order; left out: all. */
  readonly limit?: number | undefined
  /** Only these, named as `browse` names them; what is none of an entry that waits is passed over. */
  readonly ids?: readonly string[] | undefined
  /** Asked once about each message of a run, before the selector is; what may not be taken is passed over. All may when left out. */
  readonly mayTake?: ((message: Message) => boolean) | undefined
}

export interface Found {
  readonly line: WaitingLine
  readonly position: number
  readonly message: Message
}

/** What became of a batch. */
export interface Handled {
  /** So many of it, from the first on, are done with. */
  readonly upTo: number
  /** So many of those count against the limit. */
  readonly count: number
  readonly goesOn: boolean
}

/** Says how fast it goes, and whether at all. */
export interface Pace {
  /** Messages of the next batch at most; at least 1. */
  readonly batchMax: number
  /** After each batch that was acted on. Resolves when the next one may begin; with false it ends there. */
  next(): Promise<boolean>
}

/** Everything in one priority that it is about. */
interface Stretch {
  readonly line: WaitingLine
  /** Ascending; undefined: all that waits before `end`. */
  readonly positions: readonly number[] | undefined
  readonly end: number
  /** Looked at, up to this one. */
  after: number
}

type Wanted = Pick<Selecting, 'selector' | 'mayTake'>

const NOTHING: Handled = { upTo: 0, count: 0, goesOn: true }

/** One way through a queue. It remembers how far it has got: run again, it goes on there. */
export class Scan {
  readonly queue: Queue
  /** Of the ids, where there are any, those of no entry that waited when it was made. */
  readonly missingIds: readonly string[] | undefined
  readonly #wanted: Wanted
  readonly #stretches: readonly Stretch[]
  #left: number

  constructor(queue: Queue, { selector, limit = Infinity, ids, mayTake }: Selecting = {}) {
    this.queue = queue
    this.#wanted = { selector, mayTake }
    this.#left = limit
    this.missingIds = ids === undefined ? undefined : [...new Set(ids)].filter((id) => !isWaiting(queue, id))
    const wanted = ids === undefined ? undefined : positionsOf(ids)
    this.#stretches = queue.lanes.map(({ priority, line }) => ({
      line,
      positions: wanted === undefined ? undefined : (wanted.get(priority) ?? []),
      end: line.end,
      after: 0,
    }))
  }

  /** Begins again at the front, for what was left there; not for what came since. */
  rewind(): void {
    for (const stretch of this.#stretches) stretch.after = 0
  }

  /**
   * Calls `act` with each batch of what is selected and still waits. Resolves when there is no more, the limit is reached, or `act` or
   * `pace` has ended it; with false when the log cannot be read any more.
   */
  async run(vhost: VirtualHost, act: (batch: readonly Found[]) => Promise<Handled>, pace?: Pace): Promise<boolean> {
    for (const stretch of this.#stretches) {
      for (let positions = this.#next(stretch, pace); positions.length > 0; positions = this.#next(stretch, pace)) {
        const messages = await messagesAt(this.queue, stretch.line, positions)
        if (messages === undefined) return false
        if (!(await this.#actOn(vhost, stretch, positions, messages, act, pace))) return true
      }
    }
    return true
  }

  /** In pieces as small as the pace asks for. False when it is to end. */
  async #actOn(
    vhost: VirtualHost,
    stretch: Stretch,
    positions: readonly number[],
    messages: readonly (Message | undefined)[],
    act: (batch: readonly Found[]) => Promise<Handled>,
    pace: Pace | undefined,
  ): Promise<boolean> {
    for (let index = 0; index < positions.length && this.#left > 0;) {
      const max = Math.min(this.#left, Math.max(1, pace?.batchMax ?? Infinity))
      const { batch, looked } = selected(stretch.line, positions, messages, this.#wanted, index, max)
      if (this.queue.isEnding) return false // what it has left goes with it, and nowhere else
      const { upTo, count, goesOn } = batch.length === 0 ? NOTHING : await act(batch)
      if (upTo === batch.length) stretch.after = positions[looked - 1]!
      else if (upTo > 0) stretch.after = batch[upTo - 1]!.position
      this.#left -= count
      if (!goesOn) return false
      await nextTurn(vhost.env.clock)
      if (batch.length > 0 && (await pace?.next()) === false) return false
      index = looked
    }
    return true
  }

  /** Positions that wait, of one read. A slow pace without a selector reads no more than it uses. */
  #next(stretch: Stretch, pace: Pace | undefined): number[] {
    const { line, end } = stretch
    const max = Math.min(
      BATCH_MESSAGES_MAX,
      this.#wanted.selector === undefined ? Math.max(1, pace?.batchMax ?? Infinity) : Infinity,
      this.#left,
    )
    const positions: number[] = []
    let bytes = 0
    for (
      let position = nextOf(stretch, stretch.after);
      position !== 0 && position < end;
      position = nextOf(stretch, position)
    ) {
      bytes += line.bytesAt(position)
      if (positions.length >= max || (positions.length > 0 && bytes > BATCH_BYTES_MAX)) break
      positions.push(position)
    }
    return positions
  }
}

function isWaiting(queue: Queue, id: string): boolean {
  const at = parseEntryId(id)
  const lane = queue.lanes.find(({ priority }) => priority === at?.priority)
  return at !== undefined && lane?.line.isWaiting(at.position) === true
}

function nextOf({ line, positions }: Stretch, after: number): number {
  if (positions === undefined) return line.nextWaiting(after)
  for (let index = firstBehind(positions, after); index < positions.length; index++) {
    if (line.isWaiting(positions[index]!)) return positions[index]!
  }
  return 0
}

/** Index of the first of ascending positions that is greater than `after`. */
function firstBehind(positions: readonly number[], after: number): number {
  let low = 0
  let high = positions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (positions[middle]! > after) high = middle
    else low = middle + 1
  }
  return low
}

function positionsOf(ids: readonly string[]): ReadonlyMap<number, readonly number[]> {
  const byPriority = new Map<number, Set<number>>()
  for (const id of ids) {
    const at = parseEntryId(id)
    if (at === undefined) continue
    const positions = byPriority.get(at.priority) ?? new Set()
    byPriority.set(at.priority, positions.add(at.position))
  }
  return new Map(
    [...byPriority].map(([priority, positions]) => [priority, [...positions].sort((one, other) => one - other)]),
  )
}

/** Messages of live positions, from memory or the log; undefined for what is lost, or all of it once the log has ended. */
export async function messagesAt(
  queue: Queue,
  line: WaitingLine,
  positions: readonly number[],
): Promise<(Message | undefined)[] | undefined> {
  const messages = positions.map((position) => line.entryAt(position)?.message)
  const missing = positions
    .map((_, index) => index)
    .filter((index) => isOnDisk(line, positions[index]!, messages[index]))
  if (missing.length === 0) return messages
  const read = await queue.readMessages(missing.map((index) => line.lsnAt(positions[index]!)))
  if (read === undefined) return undefined
  missing.forEach((index, at) => (messages[index] = read[at]?.livingUntil(line.expiresAt(positions[index]!))))
  return messages
}

function isOnDisk(line: WaitingLine, position: number, message: Message | undefined): boolean {
  return message === undefined && line.lsnAt(position) !== 0
}

/** Up to `max` of those from `from` on that wait and are wanted; `looked` is where the next look begins. */
function selected(
  line: WaitingLine,
  positions: readonly number[],
  messages: readonly (Message | undefined)[],
  { selector, mayTake }: Wanted,
  from: number,
  max: number,
): { readonly batch: readonly Found[]; readonly looked: number } {
  const batch: Found[] = []
  let looked = from
  for (; looked < positions.length && batch.length < max; looked++) {
    const position = positions[looked]!
    const message = messages[looked]
    const entry = line.look(position)
    if (message === undefined || entry?.isWaiting !== true) continue
    if (mayTake?.(message) === false) continue
    const properties = propertiesOf(message, entry.failedCount, entry.redelivered)
    if (selector?.matches(properties) ?? true) batch.push({ line, position, message })
  }
  return { batch, looked }
}
