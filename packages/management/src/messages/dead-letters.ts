/** What could not be delivered, all queues together: which queues take it, why it died and where it was before. */
import { type DeadLetterGroup, type DeadLetterQueue, listDeadLetters } from '@ternmq/api'
import { browse, BROWSE_PAGE_MAX, type Destinations, type Message, type NamedQueue } from '@ternmq/core'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { deadLetterOf } from './message-item.ts'
import { vhostOf } from '../vhost.ts'

/** Of one queue, and their bytes; what is behind them is not in the groups. */
export const DEAD_LETTERS_LOOKED_MAX = 10_000
const LOOKED_BYTES_MAX: number = 64 * 1024 * 1024
/** Of all queues together: then those that are left are listed without groups. */
const LOOKED_TOTAL_MAX = 50_000
/** Of one queue, those with most messages; the others are put together by cause and origin. */
const GROUPS_MAX = 100
/** Of those together, the largest; what is in none of them is only in the count of what was looked at. */
const OTHERS_MAX = 100
/** Of a reason: what receivers say may be different for every message. */
const REASON_LENGTH_MAX = 200

export function deadLettersHandlers(broker: ManagedBroker): Bound[] {
  /** Those who ask meanwhile get the same answer: it reads much. */
  let underWay: Promise<readonly DeadLetterQueue[]> | undefined = undefined
  return [
    bind(listDeadLetters, async ({ params }) => {
      const { destinations } = vhostOf(broker, params)
      underWay ??= look(destinations).finally(() => (underWay = undefined))
      return { items: await underWay }
    }),
  ]
}

async function look(destinations: Destinations): Promise<readonly DeadLetterQueue[]> {
  const found: DeadLetterQueue[] = []
  let left = LOOKED_TOTAL_MAX
  for (const named of deadLetterQueues(destinations)) {
    const groups = new Groups()
    const lookedAtCount = await lookInto(named, groups, Math.min(left, DEAD_LETTERS_LOOKED_MAX))
    left -= lookedAtCount
    found.push({ queue: named.name, readyCount: named.queue.waitingCount, groups: groups.largest(), lookedAtCount })
  }
  return found.sort((one, other) => other.readyCount - one.readyCount || (one.queue < other.queue ? -1 : 1))
}

/** Those that settings name, and those whose first message is a dead letter, as far as that is in memory. */
function deadLetterQueues(destinations: Destinations): NamedQueue[] {
  const names = new Set<string>()
  for (const { queue } of destinations.all()) {
    const { deadLetter, expiryTarget } = queue.settings
    if (deadLetter !== undefined) names.add(deadLetter)
    if (expiryTarget !== undefined) names.add(expiryTarget)
  }
  return [...destinations.all()].filter((named) => names.has(named.name) || beginsWithDeadLetter(named))
}

function beginsWithDeadLetter({ queue }: NamedQueue): boolean {
  for (const { line } of queue.lanes) {
    const first = line.entryAt(line.nextLive(0))
    if (first !== undefined) return deadLetterOf(first.message) !== undefined
  }
  return false
}

async function lookInto({ queue }: NamedQueue, groups: Groups, max: number): Promise<number> {
  let count = 0
  let bytes = 0
  for (let after: string | undefined = undefined; count < max && bytes < LOOKED_BYTES_MAX;) {
    const limit = Math.min(BROWSE_PAGE_MAX, max - count)
    const { entries, cursor } = await browse(queue, { limit, ...(after !== undefined && { after }) })
    for (const { message } of entries) {
      groups.add(message)
      count++
      bytes += message.size
    }
    if (cursor === undefined) break
    after = cursor
  }
  return count
}

type Growing = { -readonly [Key in keyof DeadLetterGroup]: DeadLetterGroup[Key] }

class Groups {
  readonly #byKey = new Map<string, Growing>()

  add(message: Message): void {
    const info = deadLetterOf(message)
    if (info === undefined) return
    const { cause, originalQueue, atMs } = info
    const reason = info.reason?.slice(0, REASON_LENGTH_MAX)
    const key = JSON.stringify([cause, originalQueue, reason])
    const group = this.#byKey.get(key)
    if (group === undefined) this.#byKey.set(key, { cause, originalQueue, reason, count: 1, oldestAtMs: atMs })
    else grow(group, 1, atMs)
  }

  /** Behind those with most messages comes what is left of each cause and origin. */
  largest(): DeadLetterGroup[] {
    const all = [...this.#byKey.values()].sort(byCount)
    return [...all.slice(0, GROUPS_MAX), ...putTogether(all.slice(GROUPS_MAX)).slice(0, OTHERS_MAX)]
  }
}

/** One that is alone keeps its reason. */
function putTogether(groups: readonly Growing[]): DeadLetterGroup[] {
  const byKey = new Map<string, Growing>()
  for (const group of groups) {
    const key = JSON.stringify([group.cause, group.originalQueue])
    const others = byKey.get(key)
    if (others === undefined) byKey.set(key, { ...group })
    else {
      others.otherReasonsCount = (others.otherReasonsCount ?? 1) + 1
      others.reason = undefined
      grow(others, group.count, group.oldestAtMs)
    }
  }
  return [...byKey.values()].sort(byCount)
}

function grow(group: Growing, count: number, atMs: number | undefined): void {
  group.count += count
  if (atMs !== undefined && atMs < (group.oldestAtMs ?? Infinity)) group.oldestAtMs = atMs
}

function byCount(one: DeadLetterGroup, other: DeadLetterGroup): number {
  return other.count - one.count
}
