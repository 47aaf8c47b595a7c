/**
 * Who may look at what messages say. Administrators may, and whoever is on the machine and in the data directory; all others need the
 * right to browse, as over every other protocol. So does whoever has them sent to where he may look.
 */
import type { QueueParams } from '@ternmq/api'
import { type Message, type NamedQueue, QUEUE_PREFIX, queueLevels, queueNameOf, type Subject } from '@ternmq/core'
import { ApiError } from './errors.ts'
import type { Caller } from './handlers.ts'
import type { ManagedBroker } from './managed-broker.ts'
import { queueOf, vhostOf } from './vhost.ts'

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

/** Whether there is such a queue or not. Throws ApiError('NOT_ALLOWED'). */
export function checkMayBrowseQueue({ vhost }: ManagedBroker, queue: string, caller: Caller): void {
  if (seesAll(caller)) return
  const refusal = vhost.destinations.refusalOf(subjectOf(caller), 'browse', queue)
  if (refusal !== undefined) throw notAllowed(QUEUE_PREFIX + queue, refusal)
}

/** Throws ApiError('NOT_ALLOWED') with the first of the messages whose address the caller may not browse. */
export function checkMayBrowse({ vhost }: ManagedBroker, messages: Iterable<Message>, caller: Caller): void {
  if (seesAll(caller)) return
  const subject = subjectOf(caller)
  const allowed = new Set<string>()
  for (const { topic } of messages) {
    if (allowed.has(topic)) continue
    const queue = queueNameOf(topic)
    const levels = queue === undefined ? topic.split('/') : queueLevels(queue)
    const address = { vhost: vhost.name, kind: queue === undefined ? ('topic' as const) : ('queue' as const), levels }
    if (!vhost.authorizer.mayUse(subject, 'browse', address).allowed) {
      throw notAllowed(topic, `user '${caller.user}' may not browse '${topic}', and a message of it waits here`)
    }
    allowed.add(topic)
  }
}

function seesAll({ role, by }: Caller): boolean {
  return role === 'administrator' || by === 'socket'
}

/** Whoever looks has no client id. */
function subjectOf({ principal }: Caller): Subject {
  return { principal, clientId: '' }
}

function notAllowed(address: string, refusal: string): ApiError {
  const detail = `${refusal}; it needs the permission 'browse' of '${address}'`
  return new ApiError('NOT_ALLOWED', detail, { field: 'queue', value: address, rule: 'browse' })
}
