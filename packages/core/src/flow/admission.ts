/**
 * May a publish go on, or what is in its way? All queues that it goes to have room, or it reaches none of them. What was let in counts
 * against the limits of its queues until it is committed, so that a hundred publishes under way do not share the last free place.
 * Messages that are published at most once are never held: a queue without room drops them.
 */
import { ENTRY_BYTES } from '../limits.ts'
import type { Message } from '../message/message.ts'
import { INDEX_BYTES } from '../queue/lanes.ts'
import { assuranceMaxFor } from '../queue/delivery.ts'
import type { Queue } from '../queue/queue.ts'
import { isWanted, type Route, type Target, targetsOf } from '../routing/router.ts'
import type { VirtualHost } from '../virtual-host.ts'
import type { WaitingPlace } from './gates.ts'
import { fullText, limitText, logBehindText, memoryText, neverFitsText } from './reasons.ts'

/** Longest time that a publish waits for a log that is behind. */
export const LOG_WAIT_MS_MAX = 30_000

export interface Obstacle {
  /** Where there may be room later. */
  readonly place: WaitingPlace
  /** False: it is to be refused now. */
  readonly mayWait: boolean
  /** Longest time to wait, from the publish on. */
  readonly waitMsMax: number
  /** Why, in a sentence. */
  text(): string
}

/** What keeps a message from its queues; undefined when nothing does. `mustLog` as `VirtualHost.mustLog` says. Hot path. */
export function obstacleTo(vhost: VirtualHost, route: Route, message: Message, mustLog: boolean): Obstacle | undefined {
  if (message.assurance !== 0) {
    const targets = targetsOf(route)
    const obstacle = route.hasLimits ? firstObstacle(vhost, targets, message, mustLog) : undefined
    if (obstacle !== undefined) return obstacle
  }
  if (!mustLog || vhost.log.isReady) return undefined
  return { place: 'log', mayWait: true, waitMsMax: LOG_WAIT_MS_MAX, text: () => logBehindText(vhost.log.pendingBytes) }
}

/** Counts the message in (1) or out (-1) of what is on its way to the queues of a route with limits. Hot path where there are limits. */
export function weighUnderWay(vhost: VirtualHost, targets: readonly Target[], message: Message, sign: 1 | -1): void {
  for (let index = 0; index < targets.length; index++) {
    const { queue } = targets[index]!
    count(queue, message, sign)
    if (sign < 0 && queue.isBlocking) vhost.onEased(queue)
  }
}

/** Counts out what was counted in within the same call. Those that wait are not told: the one that is looking would look again, for ever. */
export function unweigh(targets: readonly Target[], message: Message): void {
  for (const { queue } of targets) count(queue, message, -1)
}

function count(queue: Queue, message: Message, sign: 1 | -1): void {
  queue.underWayCount += sign
  queue.underWayBytes += sign * message.size
}

/** One that refuses comes before one that lets wait: waiting would be in vain. */
function firstObstacle(vhost: VirtualHost, targets: readonly Target[], message: Message, mustLog: boolean): Obstacle | undefined {
  let held: Obstacle | undefined = undefined
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index]!
    const { queue, match } = target
    if (!mayHold(queue) || assuranceMaxFor(message, match) === 0) continue
    const bytes = costIn(queue, message, mustLog)
    const obstacle = obstacleAt(vhost, queue, bytes)
    if (obstacle === undefined || !isWanted(target, message)) continue
    if (!obstacle.mayWait) return obstacle
    held ??= obstacle
  }
  return held
}

function obstacleAt(vhost: VirtualHost, queue: Queue, bytes: number): Obstacle | undefined {
  const { waiting, env, flow } = vhost
  const wallMs = (): number => env.clock.wallMs()
  const { whenFull, blockMaxMs: waitMsMax, bytesMax } = queue.settings
  if (bytes > bytesMax) return { place: queue, mayWait: false, waitMsMax, text: () => neverFitsText(queue, bytes) }
  const mayWait = whenFull === 'block' && waitMsMax > 0
  if (isFull(queue, bytes, wallMs)) {
    const limit = limitText(queue) // what is under way now may be none of it when somebody asks
    return { place: queue, mayWait, waitMsMax, text: () => fullText(queue, limit, wallMs()) }
  }
  if (flow.hasMemoryFor(queue.number === 0 ? bytes : INDEX_BYTES)) return undefined
  const text = (): string => memoryText(queue, waiting.bytes, waiting.bytesMax, wallMs())
  return { place: 'memory', mayWait, waitMsMax, text }
}

/** What has expired does not keep anybody out. */
function isFull(queue: Queue, bytes: number, wallMs: () => number): boolean {
  if (!queue.isFullFor(bytes)) return false
  const nowMs = wallMs()
  return queue.expiresFirstMs > nowMs || queue.dropExpired(nowMs, EXPIRED_PER_LOOK) === 0 || queue.isFullFor(bytes)
}

/** Expired messages that one publish takes out to have room. */
const EXPIRED_PER_LOOK = 256

function mayHold(queue: Queue): boolean {
  const { whenFull } = queue.settings
  return whenFull === 'block' || whenFull === 'reject'
}

/** As the queue will count it. */
function costIn(queue: Queue, message: Message, isLogged: boolean): number {
  return message.size + (isLogged && queue.number !== 0 ? INDEX_BYTES : ENTRY_BYTES)
}
