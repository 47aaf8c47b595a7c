/**
 * Goes through what waits in a queue, in batches, for those who change it from the outside. Bodies are read from the log and not kept;
 * other work has its turn between two batches. What comes after the beginning is not seen.
 */
import type { Message } from '../message.ts'
import type { WaitingLine } from '../queue/line.ts'
import { propertiesOf } from '../queue/message-properties.ts'
import type { Queue } from '../queue/queue.ts'
import type { Selector } from '../selector/selector.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** Looked at in one turn. */
const BATCH_MESSAGES_MAX = 512
const BATCH_BYTES_MAX: number = 1024 * 1024

export interface Selecting {
  /** Left out: all. */
  readonly selector?: Selector | undefined
  /** Messages, the first in the queue's order; left out: all. */
  readonly limit?: number
}

export interface Found {
  readonly line: WaitingLine
  readonly position: number
  readonly message: Message
}

/**
 * Calls `act` with each batch of what is selected and still waits; ends when there is no more, the limit is reached, or `act` says
 * false. `act` answers how many of the batch count against the limit.
 */
export async function eachBatch(
  vhost: VirtualHost,
  queue: Queue,
  selecting: Selecting,
  act: (batch: readonly Found[]) => Promise<number | false>,
): Promise<void> {
  let left = selecting.limit ?? Infinity
  const ends = queue.lanes.map(({ line }) => ({ line, end: line.end }))
  for (const { line, end } of ends) {
    let position = line.nextWaiting(0)
    while (position !== 0 && position < end && left > 0) {
      const positions: number[] = []
      for (let bytes = 0; position !== 0 && position < end; position = line.nextWaiting(position)) {
        bytes += line.bytesAt(position)
        if (positions.length > 0 && (positions.length >= BATCH_MESSAGES_MAX || bytes > BATCH_BYTES_MAX)) break
        positions.push(position)
      }
      const after = positions[positions.length - 1]!
      const messages = await messagesAt(queue, line, positions)
      if (messages === undefined) return
      const batch = selected(line, positions, messages, selecting.selector, left)
      const count = batch.length === 0 ? 0 : await act(batch)
      if (count === false) return
      left -= count
      await new Promise<void>((resolve) => vhost.env.clock.after(0, resolve))
      position = line.nextWaiting(after)
    }
  }
}

/** Messages of live positions, from memory or the log; undefined for what is lost, or all of it once the log has ended. */
export async function messagesAt(
  queue: Queue,
  line: WaitingLine,
  positions: readonly number[],
): Promise<(Message | undefined)[] | undefined> {
  const messages = positions.map((position) => line.entryAt(position)?.message)
  const missing = positions.map((_, index) => index).filter((index) => isOnDisk(line, positions[index]!, messages[index]))
  if (missing.length === 0) return messages
  const read = await queue.readMessages(missing.map((index) => line.lsnAt(positions[index]!)))
  if (read === undefined) return undefined
  missing.forEach((index, at) => (messages[index] = read[at]?.livingUntil(line.expiresAt(positions[index]!))))
  return messages
}

function isOnDisk(line: WaitingLine, position: number, message: Message | undefined): boolean {
  return message === undefined && line.lsnAt(position) !== 0
}

function selected(
  line: WaitingLine,
  positions: readonly number[],
  messages: readonly (Message | undefined)[],
  selector: Selector | undefined,
  max: number,
): Found[] {
  const batch: Found[] = []
  for (let index = 0; index < positions.length && batch.length < max; index++) {
    const position = positions[index]!
    const message = messages[index]
    const entry = line.look(position)
    if (message === undefined || entry?.isWaiting !== true) continue
    const properties = propertiesOf(message, entry.failedCount, entry.redelivered)
    if (selector?.matches(properties) ?? true) batch.push({ line, position, message })
  }
  return batch
}
