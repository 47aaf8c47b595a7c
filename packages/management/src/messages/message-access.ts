/**
 * Who may do what with single destinations. Whoever has the scope admin may do everything, as does whoever is on the machine and in the
 * data directory; all others need the right to browse for what messages say, as over every other protocol, and to write for having them
 * sent somewhere. To change, empty, make and delete a destination a role is enough, unless a rule denies `admin` there.
 */
import type { QueueParams } from '@ternmq/api'
import {
  type Address,
  DeadLetterSight,
  isTemporary,
  type Message,
  type NamedQueue,
  QUEUE_PREFIX,
  queueLevels,
  queueNameOf,
  type Subject,
  type VirtualHost,
} from '@ternmq/core'
import { ApiError } from '../errors.ts'
import type { Caller } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { filterLevels } from '../destinations/pattern-text.ts'
import { queueOf, vhostOf } from '../vhost.ts'

/** Throws ApiError('QUEUE_UNKNOWN'), and ApiError('NOT_ALLOWED') for who may not look into it. */
export function queueToBrowse(broker: ManagedBroker, params: QueueParams, caller: Caller): NamedQueue {
  const named = queueOf(vhostOf(broker, params), params.queue)
  checkMayBrowseQueue(broker, named.name, caller)
  return named
}

/**
 * Why the caller may not have messages sent to a queue, whether it is there or not; undefined when he may. To move a message is to publish
 * it: what no other way lets him do, this one does not either.
 */
export function refusalToSend({ vhost }: ManagedBroker, queue: string, caller: Caller): string | undefined {
  if (seesAll(caller)) return undefined
  const refusal = vhost.destinations.refusalOf(subjectOf(caller), 'write', queue)
  return refusal === undefined ? undefined : `${refusal}; it needs the permission 'write' of '${QUEUE_PREFIX + queue}'`
}

/** As `refusalToSend`, of any address in core form. */
export function refusalToWrite(broker: ManagedBroker, address: string, caller: Caller): string | undefined {
  const queue = queueNameOf(address)
  if (queue !== undefined) return refusalToSend(broker, queue, caller)
  const { vhost } = broker
  if (seesAll(caller) || vhost.authorizer.mayUse(subjectOf(caller), 'write', addressOf(vhost, address)).allowed)
    return undefined
  return `user '${caller.user}' may not publish to topic '${address}'; it needs the permission 'write' of it`
}

/** Whether the caller comes to see what is sent to an address in core form, there or by reading from it. */
export function mayLookAt({ vhost }: ManagedBroker, address: string, caller: Caller): boolean {
  if (seesAll(caller)) return true
  const subject = subjectOf(caller)
  const queue = queueNameOf(address)
  const mayDo =
    queue === undefined
      ? (action: 'browse' | 'read') => vhost.authorizer.mayUse(subject, action, addressOf(vhost, address)).allowed
      : (action: 'browse' | 'read') => vhost.destinations.refusalOf(subject, action, queue) === undefined
  return mayDo('browse') || mayDo('read')
}

/** Whether there is such a queue or not. Throws ApiError('NOT_ALLOWED'). */
export function checkMayBrowseQueue({ vhost }: ManagedBroker, queue: string, caller: Caller): void {
  if (seesAll(caller)) return
  const refusal = vhost.destinations.refusalOf(subjectOf(caller), 'browse', queue)
  if (refusal !== undefined) throw notAllowed(QUEUE_PREFIX + queue, refusal)
}

/** Of one message, whatever else it is asked about. Throws ApiError('NOT_ALLOWED'), which does not tell where it was sent to. */
export type MessageCheck = (message: Message) => void

/** Whether the caller may look at messages that were sent to many addresses. */
export function browseCheck({ vhost }: ManagedBroker, caller: Caller): MessageCheck {
  if (seesAll(caller)) return () => {}
  const subject = subjectOf(caller)
  const allowed = new Set<string>()
  return ({ topic }) => {
    if (allowed.has(topic)) return
    if (!vhost.authorizer.mayUse(subject, 'browse', addressOf(vhost, topic)).allowed) {
      const detail = `user '${caller.user}' may not browse the address of a message that waits here; it needs the permission 'browse' of all of them`
      throw new ApiError('NOT_ALLOWED', detail, { rule: 'browse' })
    }
    allowed.add(topic)
  }
}

/** Why the caller may not see a message; undefined where he may. */
export type Withholding = (message: Message) => string | undefined

/** What is said of dead letters, beside the right to browse where they are: see `DeadLetterSight`. */
export function withholdingFrom({ vhost }: ManagedBroker, caller: Caller): Withholding {
  if (seesAll(caller)) return () => undefined
  const sight = new DeadLetterSight(vhost, subjectOf(caller))
  return (message) => sight.refusalFor(message)
}

/** It was dead before it came to the queue that it died in last. */
export function hasDiedBefore({ extras }: Message): boolean {
  return extras?.annotations?.['earlierQueues'] !== undefined
}

/** Throws ApiError('NOT_ALLOWED') where the caller may not browse what is sent to `topic`. */
export function checkMayBrowseTopic({ vhost }: ManagedBroker, topic: string, caller: Caller): void {
  if (seesAll(caller) || vhost.authorizer.mayUse(subjectOf(caller), 'browse', addressOf(vhost, topic)).allowed) return
  throw notAllowed(topic, `user '${caller.user}' may not browse '${topic}'`)
}

/**
 * Changes, empties, makes or deletes the destination, whether it is there or not: an address in core form, or `$share/GROUP/FILTER`. Throws
 * ApiError('NOT_ALLOWED') where a rule denies the caller `admin` of it.
 */
export function checkMayManage({ vhost }: ManagedBroker, address: string, caller: Caller): void {
  if (seesAll(caller) || isTemporary(queueNameOf(address) ?? '')) return
  const { authorizer, name } = vhost
  const [, , filter] = /^\$share\/([^/]*)\/(.*)$/s.exec(address) ?? []
  const decision =
    filter === undefined
      ? authorizer.mayUse(subjectOf(caller), 'admin', addressOf(vhost, address))
      : authorizer.mayMatch(subjectOf(caller), 'admin', { vhost: name, kind: 'topic', levels: filterLevels(filter) })
  if (decision.isDenied !== true) return
  const detail = `user '${caller.user}' may not manage '${address}': ${decision.rule}`
  throw new ApiError('NOT_ALLOWED', detail, { value: address, rule: decision.rule })
}

function addressOf({ name }: VirtualHost, address: string): Address {
  const queue = queueNameOf(address)
  return queue === undefined
    ? { vhost: name, kind: 'topic', levels: address.split('/') }
    : { vhost: name, kind: 'queue', levels: queueLevels(queue) }
}

export function seesAll({ scopes }: Caller): boolean {
  return scopes.has('admin')
}

/** Whoever looks has no client id. */
export function subjectOf({ principal }: Caller): Subject {
  return { principal, clientId: '' }
}

function notAllowed(address: string, refusal: string): ApiError {
  const detail = `${refusal}; it needs the permission 'browse' of '${address}'`
  return new ApiError('NOT_ALLOWED', detail, { field: 'queue', value: address, rule: 'browse' })
}
