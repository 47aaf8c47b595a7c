/** Targets: where a client publishes. [AMQP10 §3.5.4] */
import { fromCoreName, type KindHint } from '@ternmq/naming'
import { AmqpFault } from '../codec/faults.ts'
import type { Attach, Target, Terminus } from '../codec/performatives.ts'
import { linkFault } from '../refusals.ts'
import { AmqpSymbol, type Described, type Value } from '../codec/values.ts'
import type { AmqpSession } from '../session.ts'
import { addressesOf, kindHintOf, resolveTarget } from './addresses.ts'
import type { Attached } from './attach.ts'
import { ProducerLink } from './producer-link.ts'

export function openTarget(session: AmqpSession, wanted: Attach): Attached {
  const { connection } = session
  const target = wanted.target as Target | undefined
  if (target === undefined) {
    throw new AmqpFault('link', 'amqp:invalid-field', 'attach: target is missing; a sender names one, or one without an address to send to anywhere', 'AMQP10-2.6.3-a')
  }
  if (target.dynamic) return openDynamic(session, wanted, target)
  if (target.address === undefined) {
    return { link: new ProducerLink(session, wanted, undefined), source: wanted.source, target }
  }
  const found = resolveTarget(connection, target.address, kindHintOf(target.capabilities))
  const link = new ProducerLink(session, wanted, addressesOf(found))
  const { refusal } = link
  if (refusal !== undefined) throw linkFault(refusal)
  return { link, source: wanted.source, target }
}

/** A new destination that goes with its link: so clients of JMS make temporary ones. */
function openDynamic(session: AmqpSession, wanted: Attach, target: Target): Attached {
  const made = makeTemporary(session, target)
  const { connection } = session
  const link = new ProducerLink(session, wanted, [made.name], () => void connection.adapter.vhost.temporaries.delete(connection.session, made.name))
  return { link, source: wanted.source, target: { ...target, ...made.terminus } }
}

export interface MadeTemporary {
  /** Core name. */
  readonly name: string
  readonly terminus: Pick<Terminus, 'address' | 'dynamic' | 'dynamicNodeProperties' | 'capabilities'>
}

/** [AMQP10 §3.5.3 dynamic] */
export function makeTemporary(session: AmqpSession, { address, capabilities, dynamicNodeProperties }: Terminus): MadeTemporary {
  // Clients that must say something say nothing: rhea's types ask for an address.
  if (address !== undefined && address !== '') {
    throw new AmqpFault('link', 'amqp:invalid-field', `attach: a dynamic node gets its address from the broker; leave out '${address}'`, 'AMQP10-3.5.3-a')
  }
  const { connection } = session
  const { vhost } = connection.adapter
  const kind = dynamicKindOf(capabilities, dynamicNodeProperties)
  const made = vhost.temporaries.create(connection.session, kind)
  if (!made.ok) throw linkFault(made.detail)
  const text = connection.adapter.spell(made.value)
  if (text === undefined) throw new Error(`temporary destination ${made.value} has no AMQP address`)
  const capability = fromCoreName(made.value).kind === 'temp-topic' ? 'temporary-topic' : 'temporary-queue'
  return {
    name: made.value,
    terminus: {
      address: text,
      dynamic: true,
      dynamicNodeProperties: new Map([['lifetime-policy', DELETE_ON_CLOSE]]),
      capabilities: capabilities.length === 0 ? [capability] : capabilities,
    },
  }
}

/** It goes with the link that made it, whichever of the lifetime policies was asked for. [AMQP10 §3.5.10] */
const DELETE_ON_CLOSE: Value = { descriptor: 0x2bn, value: [] }
const LIFETIME_POLICIES: readonly (string | bigint)[] = [
  0x2bn,
  0x2cn,
  0x2dn,
  0x2en,
  'amqp:delete-on-close:list',
  'amqp:delete-on-no-links:list',
  'amqp:delete-on-no-messages:list',
  'amqp:delete-on-no-links-or-messages:list',
]

function dynamicKindOf(capabilities: readonly string[], properties: Terminus['dynamicNodeProperties']): 'temp-queue' | 'temp-topic' {
  const policy = properties.get('lifetime-policy') ?? null
  if (policy !== null && !(isDescribed(policy) && LIFETIME_POLICIES.includes(policy.descriptor))) {
    throw new AmqpFault('link', 'amqp:invalid-field', 'dynamic-node-properties: lifetime-policy is none of the four that there are', 'AMQP10-3.5.9-a')
  }
  const modes = modesOf(properties.get('supported-dist-modes') ?? null)
  const hint: KindHint | undefined = kindHintOf(capabilities)
  if (hint === 'topic' || hint === 'temp-topic') return 'temp-topic'
  // What is copied to all who receive is a topic. [AMQP10 §3.5.10]
  return modes.length > 0 && !modes.includes('move') ? 'temp-topic' : 'temp-queue'
}

function isDescribed(value: Value): value is Described {
  return typeof value === 'object' && value !== null && 'descriptor' in value
}

/** One symbol, or several. */
function modesOf(given: Value): string[] {
  const values = given === null ? [] : Array.isArray(given) ? (given as readonly Value[]) : [given]
  return values.map((value) => {
    const text = value instanceof AmqpSymbol ? value.text : value
    if (text === 'move' || text === 'copy') return text
    throw new AmqpFault('link', 'amqp:invalid-field', 'dynamic-node-properties: supported-dist-modes are move and copy', 'AMQP10-3.5.9-b')
  })
}
