/** What the address of a source or target means to the core. [AMQP10 §3.5.3, §3.5.4] */
import { QUEUE_PREFIX } from '@ternmq/core'
import { hintsFor, type KindHint, kindText, type ParsedAddress, type Purpose, type Resolution, resolve, toCoreName } from '@ternmq/naming'
import { AmqpFault } from '../codec/faults.ts'
import type { AmqpConnection } from '../connection.ts'
import { linkFault } from '../refusals.ts'

export type Resolved = Extract<Resolution, { ok: true }>

const KINDS: ReadonlyMap<string, KindHint> = new Map([
  ['queue', 'queue'],
  ['topic', 'topic'],
  ['temporary-queue', 'temp-queue'],
  ['temporary-topic', 'temp-topic'],
])

/** What the capabilities of a terminus say of its kind. */
export function kindHintOf(capabilities: readonly string[]): KindHint | undefined {
  for (const capability of capabilities) {
    const kind = KINDS.get(capability)
    if (kind !== undefined) return kind
  }
  return undefined
}

export function resolveTarget(connection: AmqpConnection, text: string, kindHint: KindHint | undefined): Resolved {
  return read(connection, text, kindHint, 'write')
}

export function resolveSource(connection: AmqpConnection, text: string, kindHint: KindHint | undefined, action: 'read' | 'browse'): Resolved {
  return read(connection, text, kindHint, action)
}

function read(connection: AmqpConnection, text: string, kindHint: KindHint | undefined, action: 'write' | 'read' | 'browse'): Resolved {
  const { vhost, settings } = connection.adapter
  const purpose: Purpose = action === 'write' ? 'send' : 'receive'
  const { profile } = settings
  const found = resolve(text, {
    protocol: 'amqp10',
    profile,
    purpose,
    kindHint,
    exists: (kind, name) => kind === 'queue' && vhost.destinations.isKnownTo(connection.session.subject, action, name),
    levelsMax: settings.maxTopicLevels,
  })
  if (!found.ok) throw linkFault(found.detail)
  const { address } = found
  if (found.mustExist && address.kind === 'queue' && vhost.destinations.find(address.name) === undefined) {
    // Whoever may not use the queue does not learn whether it is there.
    const refusal = vhost.destinations.refusalOf(connection.session.subject, action, address.name)
    if (refusal !== undefined) throw linkFault({ refusal: 'not-authorized', subject: address.name, text: refusal })
    throw new AmqpFault('link', 'amqp:not-found', `there is no queue '${address.name}', and '${text}' makes none; define it first`)
  }
  for (const note of found.notes) connection.hint(note)
  for (const { text: hint } of hintsFor(text, found, { protocol: 'amqp10', profile, purpose })) connection.hint(hint)
  return found
}

/** The core's names of what a message is sent to. */
export function addressesOf({ address }: Resolved): string[] {
  const parts = address.kind === 'list' ? address.parts : [address]
  return parts.map(nameOf)
}

function nameOf(address: ParsedAddress): string {
  if (address.kind === 'fqqn' && address.address === address.queue) return QUEUE_PREFIX + address.queue
  const name = address.kind === 'queue-pattern' || address.kind === 'topic-pattern' ? undefined : toCoreName(address)
  if (name !== undefined) return name
  throw new AmqpFault('link', address.kind === 'exchange' ? 'amqp:not-implemented' : 'amqp:invalid-field', `${kindText(address)} cannot be sent to${adviceFor(address)}`)
}

export function adviceFor(address: ParsedAddress): string {
  if (address.kind === 'exchange') return ': exchanges belong to AMQP 0-9-1, which is not spoken yet; /exchanges/amq.topic/KEY is a topic'
  if (address.kind === 'fqqn') return ': name its address alone, or the queue'
  if (address.kind === 'queue-pattern' || address.kind === 'topic-pattern') return ': a pattern can be received from, not sent to'
  return ''
}
