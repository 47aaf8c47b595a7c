/** The core's words for saying no, in AMQP's. */
import type { Refusal, RefusalDetail } from '@ternmq/core'
import { AmqpFault, type Condition } from './codec/faults.ts'

const CONDITIONS: Readonly<Record<Refusal, Condition>> = {
  'not-authorized': 'amqp:unauthorized-access',
  'not-found': 'amqp:not-found',
  'in-use': 'amqp:resource-locked',
  'limit-reached': 'amqp:resource-limit-exceeded',
  'invalid-name': 'amqp:invalid-field',
  'invalid-body': 'amqp:invalid-field',
  mismatch: 'amqp:precondition-failed',
}

export function conditionOf(refusal: Refusal): Condition {
  return CONDITIONS[refusal]
}

/** Ends the link that asked. */
export function linkFault({ refusal, text }: RefusalDetail): AmqpFault {
  return new AmqpFault('link', CONDITIONS[refusal], text)
}
