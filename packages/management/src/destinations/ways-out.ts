/**
 * Where messages of a queue go on to by its settings: forwards, dead letters, what has expired. Whoever changes that without being above
 * permissions has them sent there, as by a move: he needs to write there, and what it lets him read he must be able to read here.
 */
import {
  browse,
  type BrowsedPage,
  isReservedName,
  laidOver,
  mayBrowseAll,
  type Message,
  type PolicySettings,
  QUEUE_PREFIX,
  queueNameOf,
  queuePattern,
  type QueueSettings,
  type VirtualHost,
} from '@ternmq/core'
import type { QueueSettingsInput } from '@ternmq/api'
import { ApiError } from '../errors.ts'
import type { Caller } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import {
  checkMayBrowseQueue,
  mayLookAt,
  refusalToWrite,
  seesAll,
  subjectOf,
  type Withholding,
  withholdingFrom,
} from '../messages/message-access.ts'
import { listedQueues } from './queue-list.ts'
import { toCoreSettings } from './queue-settings.ts'

/** As policies write it. */
const ANY_QUEUE = '>'

/** One way, with the setting that opens it. */
interface Way {
  /** Of the body of a call. */
  readonly field: string
  /** In core form. */
  readonly to: string
}

/** Looked at for where it died, in all queues of one change: of more, only who may browse everything leads them elsewhere. */
const LOOKED_MAX = 100_000
const LOOKED_BYTES_MAX: number = 256 * 1024 * 1024

/**
 * Runs `make`, which gives a queue other settings or makes it with them, when the caller may have messages sent to where they say. What has
 * died elsewhere is asked about as by a move: where it was decides, whether that is still so or not. Rejects with ApiError('NOT_ALLOWED').
 */
export async function whenMayLead<T>(
  broker: ManagedBroker,
  queue: string,
  given: QueueSettingsInput,
  caller: Caller,
  make: () => T,
): Promise<T> {
  const look = new LookForLetters(broker, caller)
  // Others change settings meanwhile: in the turn in which it is made, all is looked at that leads there then.
  for (;;) {
    const next = sourcesToLookInto(broker, queue, given, caller).find((name) => !look.done.has(name))
    if (next === undefined) return make()
    await look.into(next)
  }
}

/** Queues whose messages come to where the caller looks, by the new settings. Throws ApiError('NOT_ALLOWED') where he may not look there. */
function sourcesToLookInto(
  broker: ManagedBroker,
  queue: string,
  given: QueueSettingsInput,
  caller: Caller,
): readonly string[] {
  if (seesAll(caller)) return []
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
  if (!reached.some((address) => mayLookAt(broker, address, caller)) || mayBrowseAll(vhost, subjectOf(caller)))
    return []
  const { names, policies } = leadingTo(vhost, queue)
  for (const name of names) {
    if (isReservedName(name)) throw needsAll(queue, 'messages of subscriptions die into it', caller)
    checkMayBrowseQueue(broker, name, caller)
  }
  for (const match of policies) {
    if (!mayBrowseMatching(vhost, match, caller))
      throw needsAll(queue, `what dies in any queue '${match}' may come to it`, caller)
  }
  return names
}

function mayBrowseMatching({ authorizer, name: vhost }: VirtualHost, match: string, caller: Caller): boolean {
  const levels = queuePattern(match)
  const isOfSubscriptions = typeof levels[0] !== 'string' || isReservedName(levels[0])
  return (
    !isOfSubscriptions && authorizer.mayMatch(subjectOf(caller), 'browse', { vhost, kind: 'queue', levels }).allowed
  )
}

function needsAll(queue: string, why: string, { user }: Caller): ApiError {
  const detail = `user '${user}' may not lead queue '${queue}' to where he looks: ${why}; it needs the permission 'browse' of '#' and '$queue/>'`
  return new ApiError('NOT_ALLOWED', detail, { field: 'queue', value: QUEUE_PREFIX + queue, rule: 'browse' })
}

/** At dead letters that queues hold, whoever has them now: where they died may be gone, or lead elsewhere by now. */
class LookForLetters {
  readonly done: Set<string> = new Set()
  readonly #broker: ManagedBroker
  readonly #caller: Caller
  readonly #withholding: Withholding
  #count = 0
  #bytes = 0

  constructor(broker: ManagedBroker, caller: Caller) {
    this.#broker = broker
    this.#caller = caller
    this.#withholding = withholdingFrom(broker, caller)
  }

  /** Rejects with ApiError('NOT_ALLOWED') at the first that the caller may not see. */
  async into(name: string): Promise<void> {
    const { vhost } = this.#broker
    if (this.done.size === 0) await vhost.log.settledSoFar() // what is on its way from queues that are gone
    this.done.add(name)
    const queue = vhost.destinations.find(name)?.queue
    if (queue === undefined) return
    let page: BrowsedPage = await browse(queue)
    for (;;) {
      for (const { message } of page.entries) this.#look(name, message)
      if (page.cursor === undefined) return
      page = await browse(queue, { after: page.cursor })
    }
  }

  #look(name: string, message: Message): void {
    this.#bytes += message.size
    if (++this.#count > LOOKED_MAX || this.#bytes > LOOKED_BYTES_MAX)
      throw needsAll(name, 'it has too many messages to look at where each has been', this.#caller)
    const refusal = this.#withholding(message)
    if (refusal === undefined) return
    const detail = `queue '${name}' has a message that would come to where '${this.#caller.user}' looks: ${refusal}`
    throw new ApiError('NOT_ALLOWED', detail, { field: 'queue', value: QUEUE_PREFIX + name, rule: 'browse' })
  }
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

/** What sends dead letters to a queue, by way of others too: what is in it was there, or may be. */
interface Leading {
  /** The queue itself, and those that are there or would be made on the way. */
  readonly names: readonly string[]
  /** Patterns of policies: any queue may be made that they are about. */
  readonly policies: ReadonlySet<string>
}

function leadingTo(vhost: VirtualHost, queue: string): Leading {
  const { policies, destinations } = vhost
  const byTarget = new Map<string, { readonly names: string[]; readonly matches: string[] }>()
  const leading = (to: string): { readonly names: string[]; readonly matches: string[] } => {
    const known = byTarget.get(to) ?? { names: [], matches: [] }
    byTarget.set(to, known)
    return known
  }
  for (const { name, queue: from } of listedQueues(vhost))
    for (const to of targetsOf(from.settings)) leading(to).names.push(name)
  for (const { match, settings } of [{ match: ANY_QUEUE, settings: policies.defaults }, ...policies.all])
    for (const to of targetsOf(settings)) leading(to).matches.push(match)
  for (const name of [...byTarget.keys()].filter((target) => destinations.find(target) === undefined))
    for (const to of targetsOf(policies.settingsFor(name))) leading(to).names.push(name)
  const names = new Set([queue])
  const matches = new Set<string>()
  // A set that grows while it is gone through is gone through to its new end.
  for (const name of names) {
    const found = byTarget.get(name)
    for (const source of found?.names ?? []) names.add(source)
    for (const match of found?.matches ?? []) matches.add(match)
  }
  return { names: [...names], policies: matches }
}

function targetsOf({ deadLetter, expiryTarget }: PolicySettings): Set<string> {
  return new Set([deadLetter, expiryTarget].filter((name) => name !== undefined))
}

/** As they count, or would for a queue that is made by being used. */
function settingsOf({ destinations, policies }: VirtualHost, queue: string): QueueSettings {
  return destinations.find(queue)?.queue.settings ?? policies.settingsFor(queue)
}
