/**
 * Looks into a queue without changing anything: what waits and what consumers have, in the queue's order, page by page. Bodies that
 * are on disk are read and not kept.
 */
import type { Message } from '../message/message.ts'
import type { WaitingLine } from '../queue/line.ts'
import { propertiesOf } from '../queue/message-properties.ts'
import type { Queue } from '../queue/queue.ts'
import type { Selector } from '../selector/selector.ts'
import { entryIdOf, parseEntryId } from './entry-id.ts'
import { messagesAt } from './scan.ts'

/** Entries of one page, and bytes of their messages; a page ends early there. */
export const BROWSE_PAGE_MAX = 1_000
const PAGE_BYTES_MAX: number = 4 * 1024 * 1024
/** Messages that a selector is asked about for one page: then the page ends, perhaps empty, and its cursor goes on. */
const LOOKS_PER_PAGE_MAX = 10_000
/** Time for looks without a turn of others between: a selector and what it reads may be long. */
const LOOKING_MS_MAX = 10
/** One read. */
const READ_MESSAGES_MAX = 256

export interface BrowseOptions {
  /** `cursor` of the page before; left out: from the beginning. */
  readonly after?: string
  /** Up to BROWSE_PAGE_MAX, which it is when left out. */
  readonly limit?: number
  readonly selector?: Selector | undefined
  /** Asked about each message before the selector is; the page rejects with what it throws. */
  readonly check?: ((message: Message) => void) | undefined
  /** Whether a selector may be asked about it: what it wants says what is in it. Else none wants it. All may when left out. */
  readonly mayMatch?: ((message: Message) => boolean) | undefined
}

export interface BrowsedEntry {
  /** Names the entry as long as it is in the queue and the process lives. */
  readonly id: string
  /** In flight: a consumer or a transaction has it, or it waits for its next attempt. */
  readonly state: 'waiting' | 'in flight'
  readonly message: Message
  readonly failedCount: number
  readonly redelivered: boolean
}

export interface BrowsedPage {
  readonly entries: readonly BrowsedEntry[]
  /** For the next page; undefined when there is nothing more. */
  readonly cursor: string | undefined
}

/** A page of entries, the first to be delivered first. A cursor that no page had begins from the beginning. */
export async function browse(queue: Queue, options: BrowseOptions = {}): Promise<BrowsedPage> {
  const limit = Math.max(1, Math.min(options.limit ?? BROWSE_PAGE_MAX, BROWSE_PAGE_MAX))
  const start = options.after === undefined ? undefined : parseEntryId(options.after)
  const entries: BrowsedEntry[] = []
  let bytes = 0
  let looks = 0
  for (const { priority, line } of [...queue.lanes]) {
    if (start !== undefined && priority > start.priority) continue
    let after = start?.priority === priority ? start.position : 0
    while (line.nextLive(after) !== 0) {
      // What is in memory is read without a turn between: of a long queue, and page by page, that would be all of it in one go.
      if (looks > 0 || start !== undefined) await queue.othersFirst()
      const positions = nextLive(line, after, options.selector === undefined ? limit : READ_MESSAGES_MAX)
      const messages = await messagesAt(queue, line, positions)
      if (messages === undefined) return { entries, cursor: undefined }
      let sinceMs = queue.monoMs()
      for (let index = 0; index < positions.length; index++) {
        after = positions[index]!
        looks++
        if (options.selector !== undefined && queue.monoMs() - sinceMs > LOOKING_MS_MAX) {
          await queue.othersFirst()
          sinceMs = queue.monoMs()
        }
        const entry = entryAt(priority, line, after, messages[index], options)
        if (entry !== undefined) {
          entries.push(entry)
          bytes += entry.message.size
        }
        const isFull = entries.length >= limit || bytes >= PAGE_BYTES_MAX || looks >= LOOKS_PER_PAGE_MAX
        if (isFull)
          return { entries, cursor: hasMore(queue, priority, line, after) ? entryIdOf(priority, after) : undefined }
      }
    }
  }
  return { entries, cursor: undefined }
}

/** One entry by its id; undefined when it is not in the queue any more. */
export async function browseOne(queue: Queue, id: string): Promise<BrowsedEntry | undefined> {
  const at = parseEntryId(id)
  const line = queue.lanes.find(({ priority }) => priority === at?.priority)?.line
  if (at === undefined || line?.look(at.position) === undefined) return undefined
  const messages = await messagesAt(queue, line, [at.position])
  return entryAt(at.priority, line, at.position, messages?.[0], {})
}

function nextLive(line: WaitingLine, after: number, max: number): number[] {
  const positions: number[] = []
  let bytes = 0
  for (let position = line.nextLive(after); position !== 0; position = line.nextLive(position)) {
    bytes += line.bytesAt(position)
    if (positions.length > 0 && (positions.length >= Math.min(max, READ_MESSAGES_MAX) || bytes > PAGE_BYTES_MAX)) break
    positions.push(position)
  }
  return positions
}

/** Undefined for what went meanwhile, what the store has lost, and what the selector does not want. */
function entryAt(
  priority: number,
  line: WaitingLine,
  position: number,
  message: Message | undefined,
  { selector, check, mayMatch }: BrowseOptions,
): BrowsedEntry | undefined {
  const place = line.look(position)
  if (place === undefined || message === undefined) return undefined
  check?.(message)
  const { failedCount, redelivered, isWaiting } = place
  if (selector !== undefined) {
    if (mayMatch?.(message) === false) return undefined
    if (!selector.matches(propertiesOf(message, failedCount, redelivered))) return undefined
  }
  return {
    id: entryIdOf(priority, position),
    state: isWaiting ? 'waiting' : 'in flight',
    message,
    failedCount,
    redelivered,
  }
}

function hasMore(queue: Queue, priority: number, line: WaitingLine, after: number): boolean {
  return line.nextLive(after) !== 0 || queue.lanes.some((lane) => lane.priority < priority && lane.line.liveCount > 0)
}
