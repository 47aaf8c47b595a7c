/** Outcomes and errors between AMQP and the core. */
import { reasonFrom, type SettleDetail } from '@ternmq/core'
import type { AmqpFault } from './codec/faults.ts'
import type { DeliveryState, PeerError } from './codec/performatives.ts'
import { AmqpSymbol, type Value } from './codec/values.ts'

/** What a receiver says beside its outcome. */
export function detailOf(outcome: DeliveryState): SettleDetail | undefined {
  if (outcome.kind === 'modified') {
    const { deliveryFailed, undeliverableHere, annotations } = outcome
    const kept = annotations === undefined ? undefined : annotationsOf(annotations)
    return { deliveryFailed, undeliverableHere, ...(kept !== undefined && { annotations: kept }) }
  }
  if (outcome.kind !== 'rejected' || outcome.error === undefined) return undefined
  const { condition, description } = outcome.error
  return { reason: reasonFrom(description === undefined ? condition : `${condition}: ${description}`) }
}

/** Annotations that a receiver leaves on a message; more of them, or longer ones, are not kept. */
const ANNOTATIONS_MAX = 32
const ANNOTATION_CHARS_MAX = 1_024
/** A receiver may say these; what the broker says it may not say in its stead. */
const FREE_NAME = /^x-opt-(?!ORIG-|death-|retained$|retain$|jms-|delivery-|mqtt-)/

function annotationsOf(given: ReadonlyMap<string, Value>): Record<string, string | number> | undefined {
  const kept: [name: string, value: string | number][] = []
  for (const [name, value] of given) {
    const text = typeof value === 'number' ? value : plainText(value)
    if (text === undefined || !FREE_NAME.test(name) || name.length + String(text).length > ANNOTATION_CHARS_MAX)
      continue
    if (kept.length === ANNOTATIONS_MAX) break
    kept.push([name, text])
  }
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

function plainText(value: Value): string | undefined {
  if (typeof value === 'string') return value
  if (value instanceof AmqpSymbol) return value.text
  return typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : undefined
}

export function errorOf({ condition, message, info }: AmqpFault): PeerError {
  return { condition, description: message, info }
}

/** It says what becomes of a delivery. [AMQP10 §3.4] */
export function isTerminal({ kind }: DeliveryState): boolean {
  return kind === 'accepted' || kind === 'rejected' || kind === 'released' || kind === 'modified'
}
