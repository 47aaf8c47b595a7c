/** What the addresses of calls mean: texts as `ternmq resolve --protocol rest` reads them. */
import { type Pattern, QUEUE_PREFIX, type VirtualHost } from '@ternmq/core'
import { kindText, type ParsedAddress, resolve, toCoreName } from '@ternmq/naming'
import { ApiError } from '../errors.ts'
import type { Caller } from '../handlers.ts'
import { subjectOf } from '../messages/message-access.ts'
import { refused } from '../refused.ts'

const FIELD = 'address'

/** Core names of where a message goes; several for a list. Throws ApiError for what is none, and for what nobody can send to. */
export function addressesToSend(vhost: VirtualHost, text: string, caller: Caller): readonly string[] {
  const address = read(vhost, text, 'write', caller)
  const parts = address.kind === 'list' ? address.parts : [address]
  return parts.map((part) => {
    const name = part.kind === 'queue-pattern' ? undefined : toCoreName(part)
    if (name === undefined) throw unusable(text, part, 'cannot be sent to', 'one queue or topic, or a list of them')
    return name
  })
}

/** Name of a queue, or a pattern of names. Throws ApiError for anything else. */
export function queueToTake(vhost: VirtualHost, text: string, caller: Caller): string {
  const address = read(vhost, text, 'read', caller)
  if (address.kind === 'queue' || address.kind === 'queue-pattern') return address.name
  const remedy =
    address.kind === 'topic' || address.kind === 'topic-pattern'
      ? 'what is published to a topic is gone without a queue: `subscribe`, or define a queue for it'
      : 'a queue'
  throw unusable(text, address, 'cannot be taken from', remedy)
}

/** Topic or pattern of topics. Throws ApiError for anything else. */
export function topicToHear(vhost: VirtualHost, text: string, caller: Caller): Pattern {
  const address = read(vhost, text, 'read', caller)
  if (address.kind === 'topic' || address.kind === 'topic-pattern')
    return { vhost: vhost.name, kind: 'topic', levels: address.levels }
  const remedy =
    address.kind === 'queue' || address.kind === 'queue-pattern'
      ? 'a stream would lose its messages: `take` them'
      : 'a topic'
  throw unusable(text, address, 'cannot be subscribed to here', remedy)
}

/** Of a queue that the caller may not use nobody says whether it is there. */
function read(vhost: VirtualHost, text: string, action: 'read' | 'write', caller: Caller): ParsedAddress {
  const { destinations } = vhost
  const subject = subjectOf(caller)
  const exists = (kind: 'queue' | 'topic', name: string): boolean =>
    kind === 'queue' && destinations.isKnownTo(subject, action, name)
  const found = resolve(text, { protocol: 'rest', purpose: action === 'write' ? 'send' : 'receive', exists })
  if (!found.ok) throw refused(found.detail, { field: FIELD, value: text })
  const { address, mustExist } = found
  if (mustExist && address.kind === 'queue' && !exists('queue', address.name)) {
    const refusal = destinations.refusalOf(subject, action, address.name)
    if (refusal !== undefined)
      throw refused({ refusal: 'not-authorized', subject: address.name, text: refusal }, { field: FIELD, value: text })
    const detail = `there is no queue '${address.name}', and '${text}' makes none; define it first, or write queue://${address.name}`
    throw new ApiError('QUEUE_UNKNOWN', detail, { field: FIELD, value: text })
  }
  return address
}

function unusable(text: string, address: ParsedAddress, why: string, rule: string): ApiError {
  return new ApiError('INVALID', `${kindText(address)} ${why}: ${rule}`, { field: FIELD, value: text, rule })
}

/** By its core name; else it is a queue. */
export function isTopic(name: string): boolean {
  return !name.startsWith(QUEUE_PREFIX)
}
