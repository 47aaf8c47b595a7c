/**
 * When messages came. The log knows of each that it has when it was committed, so that no message carries a moment of its own; of one
 * that is in memory only nobody knows. One that was moved came when it was moved.
 */
import type { Message } from '../message/message.ts'
import type { WaitingLine } from '../queue/line.ts'
import type { Queue } from '../queue/queue.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** Messages at the head of a line that are in memory only: behind so many nobody looks for one that the log has. */
const LOOKS_MAX = 100

/** Unix ms, in the order asked; undefined for one that the log has not. */
export function arrivalsOf({ log }: VirtualHost, messages: readonly Message[]): Promise<(number | undefined)[]> {
  return log.committedAtMs(messages.map(({ lsn }) => lsn))
}

/**
 * Of the oldest message that the log has, waiting or in flight; 0 when there is none. The lower, the older: whoever sorts queues by
 * age need not read when that was.
 */
export function oldestLsn({ lanes }: Queue): number {
  let oldest = 0
  for (const { line } of lanes) {
    const lsn = firstLsn(line)
    if (lsn !== 0 && (oldest === 0 || lsn < oldest)) oldest = lsn
  }
  return oldest
}

/** Age of the oldest message that the log has of each of them; undefined where there is none. */
export async function oldestAgesMs(
  { log, env }: VirtualHost,
  queues: readonly Queue[],
): Promise<(number | undefined)[]> {
  const committedAtMs = await log.committedAtMs(queues.map(oldestLsn))
  const nowMs = env.clock.wallMs()
  return committedAtMs.map((atMs) => (atMs === undefined ? undefined : Math.max(0, nowMs - atMs)))
}

function firstLsn(line: WaitingLine): number {
  let position = line.nextLive(0)
  for (let looks = 1; looks < LOOKS_MAX && position !== 0 && line.lsnAt(position) === 0; looks++) {
    position = line.nextLive(position)
  }
  return line.lsnAt(position)
}
