/**
 * Empties a queue: all that waits goes, whatever consumers, transactions and timers have stays. One record of the log says so for any
 * number of messages.
 */
import type { LogGroup } from '../log/host-log.ts'
import { purgedRecord } from '../log/records.ts'
import type { Leaving } from '../queue/lanes.ts'
import type { Queue } from '../queue/queue.ts'
import { refuse, type Result } from '../refusal.ts'
import type { VirtualHost } from '../virtual-host.ts'

export interface Purged {
  readonly count: number
  readonly bytes: number
}

/** Lsns that stay, in one record: 64 KiB of it. Where more stay, each record is about a part of the log. */
const STAYING_PER_RECORD = 8_192

/**
 * Takes out all that waits now; resolves when the log has that and the space is free. Refused as 'limit-reached' when the store takes
 * no record: all of it waits again then.
 */
export async function purge(vhost: VirtualHost, queue: Queue): Promise<Result<Purged>> {
  const { end } = queue.contents // another purge may be under way: what comes until it is done is not for this one
  while (queue.contents.isLeaving) await vhost.log.settledSoFar()
  if (queue.isEnding) return refuse('not-found', queue.name, `queue '${queue.name}' was deleted meanwhile`)
  return new Promise((resolve) => {
    const leaving = queue.leaveAll(end)
    const group = new Purge(vhost, queue, leaving, resolve)
    if (leaving.loggedCount === 0) return group.onCommitted()
    const records = recordsOf(queue.number, leaving)
    group.recordCount = records.length
    vhost.log.appendAll(records, group)
  })
}

function recordsOf(queue: number, { lastLsn, stayingLsns }: Leaving): ReturnType<typeof purgedRecord>[] {
  const staying = stayingLsns.filter((lsn) => lsn < lastLsn).sort((one, other) => one - other)
  const records: ReturnType<typeof purgedRecord>[] = []
  let afterLsn = 0
  let from = 0
  for (; staying.length - from > STAYING_PER_RECORD; from += STAYING_PER_RECORD) {
    const part = staying.slice(from, from + STAYING_PER_RECORD)
    const upTo = part[part.length - 1]!
    records.push(purgedRecord(queue, afterLsn, upTo, part))
    afterLsn = upTo
  }
  records.push(purgedRecord(queue, afterLsn, lastLsn, staying.slice(from)))
  return records
}

class Purge implements LogGroup {
  ticket = 0
  recordCount = 0
  readonly #vhost: VirtualHost
  readonly #queue: Queue
  readonly #leaving: Leaving
  readonly #then: (result: Result<Purged>) => void

  constructor(vhost: VirtualHost, queue: Queue, leaving: Leaving, then: (result: Result<Purged>) => void) {
    this.#vhost = vhost
    this.#queue = queue
    this.#leaving = leaving
    this.#then = then
  }

  onCommitted(): void {
    const { log } = this.#vhost
    let first = 0
    let last = 0
    this.#queue.contents.finishLeaving((lsn) => {
      if (lsn === 0) return
      if (first !== 0 && lsn === last + 1) {
        last = lsn
        return
      }
      if (first !== 0) log.unrefRun(first, last)
      first = lsn
      last = lsn
    })
    if (first !== 0) log.unrefRun(first, last)
    this.#vhost.onEased(this.#queue)
    this.#then({ ok: true, value: { count: this.#leaving.count, bytes: this.#leaving.bytes } })
  }

  onRefused(text: string): void {
    const { name } = this.#queue
    this.#queue.contents.undoLeaving()
    this.#queue.wake()
    this.#then(refuse('limit-reached', name, `queue '${name}' was not purged, all of it is still there: ${text}`))
  }
}
