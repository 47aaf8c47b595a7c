/** Outcomes and errors between AMQP and the core. */
import type { SettleDetail } from '@ternmq/core'
import type { AmqpFault } from './codec/faults.ts'
import type { DeliveryState, PeerError } from './codec/performatives.ts'

/** What a receiver says beside its outcome. */
export function detailOf(outcome: DeliveryState): SettleDetail | undefined {
  if (outcome.kind === 'modified') return { deliveryFailed: outcome.deliveryFailed, undeliverableHere: outcome.undeliverableHere }
  if (outcome.kind !== 'rejected' || outcome.error === undefined) return undefined
  const { condition, description } = outcome.error
  return { reason: description === undefined ? condition : `${condition}: ${description}` }
}

export function errorOf({ condition, message, info }: AmqpFault): PeerError {
  return { condition, description: message, info }
}

/** It says what becomes of a delivery. [AMQP10 §3.4] */
export function isTerminal({ kind }: DeliveryState): boolean {
  return kind === 'accepted' || kind === 'rejected' || kind === 'released' || kind === 'modified'
}
