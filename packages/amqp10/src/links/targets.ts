/** Targets: where a client publishes. [AMQP10 §3.5.4] */
import { fromCoreName, type KindHint } from '@ternmq/naming'
import { AmqpFault } from '../codec/faults.ts'
import type { Attach, Target, Terminus } from '../codec/performatives.ts'
import { linkFault } from '../refusals.ts'
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
  readonly terminus: Pick<Terminus, 'address' | 'dynamic' | 'capabilities'>
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
  return { name: made.value, terminus: { address: text, dynamic: true, capabilities: capabilities.length === 0 ? [capability] : capabilities } }
}

function dynamicKindOf(capabilities: readonly string[], properties: Terminus['dynamicNodeProperties']): 'temp-queue' | 'temp-topic' {
  const hint: KindHint | undefined = kindHintOf(capabilities)
  if (hint === 'topic' || hint === 'temp-topic') return 'temp-topic'
  // What is copied to all who receive is a topic. [AMQP10 §3.5.10]
  return properties.get('supported-dist-modes') === 'copy' ? 'temp-topic' : 'temp-queue'
}
