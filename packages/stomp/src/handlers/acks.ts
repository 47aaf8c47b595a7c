/** ACK and NACK: one message, or in the mode `client` all up to it; at once or with a transaction. [STOMP12-ACK-a] [STOMP12-NACK-b] */
import type { Outcome, SettleDetail } from '@ternmq/core'
import { parseDigits } from '../codec/digits.ts'
import { HeaderId } from '../codec/header-ids.ts'
import type { FrameHeaders } from '../codec/headers.ts'
import { quote } from '../codec/problem.ts'
import type { StompConnection } from '../connection.ts'
import { Refused, required } from '../refused.ts'
import type { Held, Subscription } from '../subscription.ts'
import { type OpenTransaction, transactionOf } from './transactions.ts'

/** What becomes of a message, and with which transaction. */
interface Verdict {
  readonly open: OpenTransaction | undefined
  readonly outcome: Outcome
  readonly detail: SettleDetail | undefined
}

const ACCEPTED: Verdict = { open: undefined, outcome: 'accepted', detail: undefined }
const REJECTED: SettleDetail = { reason: 'NACK' }

/** Hot path. */
export function handleAck(client: StompConnection, headers: FrameHeaders, isAck: boolean): void {
  const verdict = verdictOf(client, headers, isAck)
  if (client.version === 11) required(headers, HeaderId.subscription, 'subscription', 'STOMP11-ACK-b')
  const tag = tagOf(client, headers)
  const held = client.held.get(tag)
  if (held === undefined || held.delivery.consumer === undefined) {
    if (!handleSettled(client, headers, verdict)) throw unknown(client, headers)
  } else {
    checkSubscription(headers, held.subscription)
    if (held.delivery.transaction !== undefined) {
      throw new Refused(headers, 'the message is settled in a transaction already; commit that or abort it', 'STOMP12-ACK-b')
    }
    if (held.subscription.isCumulative) settleUpTo(client, headers, held.subscription, tag, verdict)
    else settle(client, headers, tag, held, verdict)
  }
  if (headers.find(HeaderId.receipt) >= 0) client.unfinished.confirm(headers)
}

function verdictOf(client: StompConnection, headers: FrameHeaders, isAck: boolean): Verdict {
  const open = transactionOf(client, headers)
  if (isAck) return open === undefined ? ACCEPTED : { ...ACCEPTED, open }
  const outcome = outcomeOfNack(client, headers)
  return { open, outcome, detail: outcome === 'rejected' ? REJECTED : undefined }
}

function settle(client: StompConnection, headers: FrameHeaders, tag: number, held: Held, { open, outcome, detail }: Verdict): void {
  const { delivery } = held
  if (open === undefined) {
    client.held.delete(tag)
    delivery.consumer!.settle(delivery, outcome, detail)
    return
  }
  const refusal = open.transaction.settle(delivery.consumer!, delivery, outcome, detail)
  if (refusal !== undefined) throw new Refused(headers, refusal.text)
  // It stays held: an ABORT leaves it to be settled again.
  open.tags.push(tag)
}

/** All that the subscription has been sent up to `tag` and has not settled. What an open transaction has is its own. [STOMP12-SUBSCRIBE_ack_Header-c] */
function settleUpTo(client: StompConnection, headers: FrameHeaders, subscription: Subscription, tag: number, verdict: Verdict): void {
  for (const each of subscription.takeUpTo(tag)) {
    const held = client.held.get(each)
    if (held?.delivery.consumer === undefined) client.held.delete(each)
    else settle(client, headers, each, held, verdict)
  }
}

/**
 * A message that was sent at most once, as its publisher wanted it, is settled already: its ACK means something for those before it
 * only. False for an id of any other kind.
 */
function handleSettled(client: StompConnection, headers: FrameHeaders, verdict: Verdict): boolean {
  const [, number, digits] = SETTLED_ID.exec(idIn(client, headers)) ?? []
  if (number === undefined || Number(digits) > client.lastTag) return false
  const subscription = client.subscriptionNumbered(Number(number))
  if (subscription === undefined) return true
  checkSubscription(headers, subscription)
  if (subscription.isCumulative) settleUpTo(client, headers, subscription, Number(digits), verdict)
  return true
}

/** As `Subscription` makes them: the number of the subscription and that of the message. */
const SETTLED_ID = /^s(\d{1,15})-(\d{1,15})$/

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
 * -1 for what is no number. [STOMP12-ACK-a] [STOMP11-ACK-a] Hot path.
 */
function tagOf(client: StompConnection, headers: FrameHeaders): number {
  const index = headers.find(HeaderId.id)
  const number = index < 0 ? -1 : headers.digitsAt(index)
  if (number >= 0) return number
  const bytes = Buffer.from(idIn(client, headers), 'latin1')
  return parseDigits(bytes, 0, bytes.length)
}

/** Without what begins every message-id of the connection. */
function idIn(client: StompConnection, headers: FrameHeaders): string {
  const text = headers.get(HeaderId.id) ?? headers.get(HeaderId.messageId)
  if (text === undefined) {
    const [name, source] = client.version === 12 ? ['id', 'ack'] : ['message-id', 'message-id']
    throw new Refused(headers, `header ${name} is missing; it is the ${source} of the MESSAGE`, 'STOMP12-ACK-a')
  }
  return text.startsWith(client.idPrefix) ? text.slice(client.idPrefix.length) : text
}

/** Before 1.2 the subscription is named too. [STOMP11-ACK-b] */
function checkSubscription(headers: FrameHeaders, subscription: Subscription): void {
  const named = headers.get(HeaderId.subscription)
  if (named === undefined || named === subscription.id) return
  const whose = subscription.id === undefined ? 'one without an id' : quote(subscription.id)
  throw new Refused(headers, `header subscription: ${quote(named)} has not been sent this message, ${whose} has`, 'STOMP11-ACK-b')
}

function unknown(client: StompConnection, headers: FrameHeaders): Refused {
  const id = headers.get(HeaderId.id) ?? headers.get(HeaderId.messageId)!
  return new Refused(headers, `no message waits for the id ${quote(id)}: ${whyUnknown(client)}`, 'STOMP12-ACK-a')
}

function whyUnknown({ subscriptions }: StompConnection): string {
  if (subscriptions.size === 0) return 'this connection has no subscription, and what an ended one left unsettled went back'
  const isAuto = [...subscriptions.values()].every(({ acknowledges }) => !acknowledges)
  return isAuto ? 'no subscription of this connection acknowledges (they have ack:auto)' : 'it was settled already, or never sent to this connection'
}
