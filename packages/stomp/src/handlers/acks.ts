/** ACK and NACK: one message, or in the mode `client` all up to it; at once or with a transaction. [STOMP12-ACK-a] [STOMP12-NACK-a] */
import type { Outcome, SettleDetail, Transaction } from '@ternmq/core'
import { parseDigits } from '../codec/digits.ts'
import { HeaderId } from '../codec/header-ids.ts'
import type { FrameHeaders } from '../codec/headers.ts'
import { quote } from '../codec/problem.ts'
import type { StompConnection } from '../connection.ts'
import { Refused } from '../refused.ts'
import type { Held } from '../subscription.ts'
import { transactionOf } from './transactions.ts'

/** Hot path. */
export function handleAck(client: StompConnection, headers: FrameHeaders, isAck: boolean): void {
  const transaction = headers.find(HeaderId.transaction) < 0 ? undefined : transactionOf(client, headers)
  const tag = tagOf(client, headers)
  const held = client.held.get(tag)
  if (held === undefined || held.delivery.consumer === undefined) throw unknown(client, headers)
  checkSubscription(headers, held)
  const outcome = isAck ? 'accepted' : outcomeOfNack(client, headers)
  const detail = outcome === 'rejected' ? REJECTED : undefined
  if (held.subscription.isCumulative) settleUpTo(client, headers, held, tag, transaction, outcome, detail)
  else settle(client, headers, tag, held, transaction, outcome, detail)
  if (headers.find(HeaderId.receipt) >= 0) client.confirm(headers)
}

const REJECTED: SettleDetail = { reason: 'NACK' }

function settle(
  client: StompConnection,
  headers: FrameHeaders,
  tag: number,
  { delivery }: Held,
  transaction: Transaction | undefined,
  outcome: Outcome,
  detail: SettleDetail | undefined,
): void {
  if (transaction !== undefined) {
    // It stays in `held`: an ABORT leaves it to be settled again.
    const refusal = transaction.settle(delivery.consumer!, delivery, outcome, detail)
    if (refusal !== undefined) throw new Refused(headers, refusal.text)
    return
  }
  if (delivery.transaction !== undefined) {
    throw new Refused(headers, `the message is settled in a transaction already; commit that or abort it`)
  }
  client.held.delete(tag)
  delivery.consumer!.settle(delivery, outcome, detail)
}

/** All that the subscription has been sent up to `tag` and has not settled. [STOMP12-SUBSCRIBE_ack_Header-b] */
function settleUpTo(
  client: StompConnection,
  headers: FrameHeaders,
  { subscription }: Held,
  tag: number,
  transaction: Transaction | undefined,
  outcome: Outcome,
  detail: SettleDetail | undefined,
): void {
  for (const [each, held] of subscription.heldUpTo(tag)) {
    if (held.delivery.transaction !== undefined && each !== tag) continue // an open transaction has it
    settle(client, headers, each, held, transaction, outcome, detail)
  }
}

/** ActiveMQ's NACK makes a dead letter, RabbitMQ's returns the message; `requeue` says which, whoever it is. */
function outcomeOfNack(client: StompConnection, headers: FrameHeaders): Outcome {
  const index = headers.find(HeaderId.requeue)
  if (index < 0) return client.adapter.settings.profile === 'rabbitmq' ? 'modified' : 'rejected'
  if (headers.valueIs(index, 'true')) return 'modified'
  if (headers.valueIs(index, 'false')) return 'rejected'
  throw new Refused(headers, `header requeue: ${quote(headers.valueAt(index))} is neither true nor false`)
}

/**
 * 1.2 has the number in `id`, as the message's `ack` said it; before, it is the end of `message-id`. Either is taken in every version.
 * [STOMP12-ACK-b] [STOMP11-ACK-a] Hot path.
 */
function tagOf(client: StompConnection, headers: FrameHeaders): number {
  const index = headers.find(HeaderId.id)
  const number = index < 0 ? -1 : headers.digitsAt(index)
  if (number >= 0) return number
  const { idPrefix } = client
  let text = headers.get(HeaderId.id) ?? headers.get(HeaderId.messageId)
  if (text === undefined) {
    const name = client.version === 12 ? 'id' : 'message-id'
    throw new Refused(headers, `header ${name} is missing; it is the ${client.version === 12 ? 'ack' : 'message-id'} of the MESSAGE`, 'STOMP12-ACK-a')
  }
  if (text.startsWith(idPrefix)) text = text.slice(idPrefix.length)
  const bytes = Buffer.from(text, 'latin1')
  return parseDigits(bytes, 0, bytes.length)
}

/** Before 1.2 the subscription is named too. [STOMP11-ACK-a] */
function checkSubscription(headers: FrameHeaders, { subscription }: Held): void {
  const named = headers.get(HeaderId.subscription)
  if (named === undefined || named === subscription.id) return
  throw new Refused(headers, `header subscription: ${quote(named)} has not been sent this message, ${quote(subscription.id ?? 'one without an id')} has`, 'STOMP11-ACK-a')
}

function unknown(client: StompConnection, headers: FrameHeaders): Refused {
  const id = headers.get(HeaderId.id) ?? headers.get(HeaderId.messageId)!
  const isAuto = [...client.subscriptions.values()].every(({ acknowledges }) => !acknowledges)
  const why = isAuto ? 'no subscription of this connection acknowledges (they have ack:auto)' : 'it was settled already, or never sent to this connection'
  return new Refused(headers, `no message waits for the id ${quote(id)}: ${why}`, 'STOMP12-ACK-b')
}
