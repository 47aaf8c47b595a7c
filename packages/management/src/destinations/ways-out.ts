/**
 * Where messages of a queue go on to by its settings: forwards, dead letters, what has expired. Whoever changes that without being above
 * permissions has them sent there, as by a move: he needs to write there, and what it lets him read he must be able to read here.
 */
import { isReservedName, laidOver, queueNameOf, QUEUE_PREFIX, type QueueSettings, type VirtualHost } from '@ternmq/core'
import type { QueueSettingsInput } from '@ternmq/api'
import { ApiError } from '../errors.ts'
import type { Caller } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { checkMayBrowseQueue, refusalToWrite, mayLookAt, seesAll } from '../messages/message-access.ts'
import { toCoreSettings } from './queue-settings.ts'

/** One way, with the setting that opens it. */
interface Way {
  /** Of the body of a call. */
  readonly field: string
  /** In core form. */
  readonly to: string
}

/** Before a queue is made or gets other settings. Throws ApiError('NOT_ALLOWED'). */
export function checkMayLead(broker: ManagedBroker, queue: string, given: QueueSettingsInput, caller: Caller): void {
  if (seesAll(caller)) return
  const { vhost } = broker
  const before = settingsOf(vhost, queue)
  const after = laidOver(vhost.policies.settingsFor(queue), toCoreSettings(given))
  const ways = newWays(before, after)
  for (const { field, to } of ways) {
    const refusal = refusalToWrite(broker, to, caller)
    if (refusal !== undefined) throw new ApiError('NOT_ALLOWED', refusal, { field, value: to, rule: 'write' })
  }
  const reached = reachedFrom(
    vhost,
    ways.map(({ to }) => to),
  )
  if (!reached.some((address) => mayLookAt(broker, address, caller))) return
  for (const name of [queue, ...dyingInto(vhost, queue)]) checkMayBrowseQueue(broker, name, caller)
}

/** Those that were not there, and those that more messages take than did. */
function newWays(before: QueueSettings, after: QueueSettings): readonly Way[] {
  const ways: Way[] = after.forwardTo
    .filter((to) => !before.forwardTo.includes(to))
    .map((to) => ({ field: 'settings.forward.to', to }))
  const { deadLetter, expiryTarget } = after
  if (deadLetter !== undefined) {
    if (deadLetter !== before.deadLetter) ways.push({ field: 'settings.deadLetter', to: QUEUE_PREFIX + deadLetter })
    else if (isStricter(before.redelivery.deliveriesMax, after.redelivery.deliveriesMax))
      ways.push({ field: 'settings.redelivery.maxDeliveries', to: QUEUE_PREFIX + deadLetter })
  }
  if (expiryTarget !== undefined) {
    if (expiryTarget !== before.expiryTarget)
      ways.push({ field: 'settings.expiryTarget', to: QUEUE_PREFIX + expiryTarget })
    else if (isStricter(before.ttlMs, after.ttlMs))
      ways.push({ field: 'settings.ttlMs', to: QUEUE_PREFIX + expiryTarget })
    else if (isStricter(before.ttlMaxMs, after.ttlMaxMs))
      ways.push({ field: 'settings.ttlMaxMs', to: QUEUE_PREFIX + expiryTarget })
  }
  return ways
}

/** Of a limit that 0 takes away. */
function isStricter(before: number, after: number): boolean {
  return after > 0 && (before === 0 || after < before)
}

/** All addresses that messages sent to these may come to, by the settings of every queue on their way. */
function reachedFrom(vhost: VirtualHost, first: readonly string[]): readonly string[] {
  const reached = new Set(first)
  // A set that grows while it is gone through is gone through to its new end.
  for (const address of reached) {
    const queue = queueNameOf(address)
    if (queue === undefined) continue
    const { forwardTo, deadLetter, expiryTarget } = settingsOf(vhost, queue)
    for (const to of forwardTo) reached.add(to)
    for (const name of [deadLetter, expiryTarget]) if (name !== undefined) reached.add(QUEUE_PREFIX + name)
  }
  return [...reached]
}

/** Queues whose dead letters come to this one, by way of others too: what is in it was there. */
function dyingInto({ destinations }: VirtualHost, queue: string): readonly string[] {
  const sources = new Map<string, string[]>()
  for (const { name, queue: from } of destinations.all()) {
    for (const to of new Set([from.settings.deadLetter, from.settings.expiryTarget])) {
      if (to === undefined || isReservedName(name)) continue
      const names = sources.get(to)
      if (names === undefined) sources.set(to, [name])
      else names.push(name)
    }
  }
  const found = new Set([queue])
  for (const name of found) for (const source of sources.get(name) ?? []) found.add(source)
  found.delete(queue)
  return [...found]
}

/** As they count, or would for a queue that is made by being used. */
function settingsOf({ destinations, policies }: VirtualHost, queue: string): QueueSettings {
  return destinations.find(queue)?.queue.settings ?? policies.settingsFor(queue)
}
