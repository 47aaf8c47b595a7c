/** What a client says of deliveries that it has: from its dispositions to the core. [AMQP10 §2.6.12, §3.4] */
import { type Delivery, nextTurn, type Outcome } from '@ternmq/core'
import { AmqpFault } from './codec/faults.ts'
import { type DeliveryState, RELEASED } from './codec/performatives.ts'
import type { ConsumerLink } from './links/consumer-link.ts'
import { detailOf, isTerminal } from './outcomes.ts'
import type { AmqpSession } from './session.ts'

/** Deliveries of which each is written anew, for the dead letters or with what was said of it: 30 us. Then others have their turn. */
const PIECE_DELIVERIES = 1_000

/** So many with an outcome that costs more than a look. */
export function takesLong(count: number, state: DeliveryState | undefined): boolean {
  return count > PIECE_DELIVERIES && (state === undefined || state.kind === 'rejected' || state.kind === 'modified')
}

/** As `settleRange`, with turns of others between. */
export async function settleInPieces(
  session: AmqpSession,
  first: number,
  count: number,
  state: DeliveryState | undefined,
  isSettled: boolean,
): Promise<void> {
  const ids = [...session.unsettled.keys()].filter((id) => (id - first) >>> 0 < count)
  const { clock } = session.connection.adapter.vhost.env
  try {
    for (let from = 0; from < ids.length; from += PIECE_DELIVERIES) {
      if (from > 0) await nextTurn(clock)
      for (const id of ids.slice(from, from + PIECE_DELIVERIES)) settle(session, id, state, isSettled)
    }
  } catch (error) {
    if (!(error instanceof AmqpFault) || error.level === 'connection') throw error
    session.fail(error)
  }
}

/** Most of a range may be settled long since, and be named again and again. */
export function settleRange(
  session: AmqpSession,
  first: number,
  count: number,
  state: DeliveryState | undefined,
  isSettled: boolean,
): void {
  const { unsettled, connection } = session
  connection.spend(Math.min(count, unsettled.size))
  if (count <= unsettled.size)
    for (let index = 0; index < count; index++) settle(session, (first + index) >>> 0, state, isSettled)
  else for (const id of [...unsettled.keys()]) if ((id - first) >>> 0 < count) settle(session, id, state, isSettled)
}

/** One that is named alone, and that the client has not got any more, spoils the transaction that was to settle it. */
export function settleOne(
  session: AmqpSession,
  id: number,
  state: DeliveryState | undefined,
  isSettled: boolean,
): void {
  if (state?.kind === 'transactional' && !session.unsettled.has(id)) {
    const text = `delivery ${id} is not there to be settled: its link has been detached, or it was settled before`
    return session.connection.transactions.spoil(state.transactionId, {
      refusal: 'not-found',
      subject: String(id),
      text,
    })
  }
  settle(session, id, state, isSettled)
}

/** Hot path of consumers that acknowledge. */
function settle(session: AmqpSession, id: number, state: DeliveryState | undefined, isSettled: boolean): void {
  const delivery = session.unsettled.get(id)
  if (delivery === undefined) return
  if (state?.kind === 'transactional')
    return session.connection.transactions.settle(session, id, delivery, state, isSettled)
  if (delivery.transaction !== undefined) {
    if (isSettled || (state !== undefined && isTerminal(state))) {
      const text = `delivery ${id} is settled in a transaction that has not ended`
      throw new AmqpFault('session', 'amqp:illegal-state', text, 'AMQP10-4.4.2-a')
    }
    return
  }
  const isFinal = state !== undefined && isTerminal(state)
  if (!isFinal && !isSettled) return
  const outcome = isFinal ? state : (linkOf(delivery)?.defaultOutcome ?? RELEASED)
  session.unsettled.delete(id)
  if (outcome.kind === 'accepted') delivery.consumer!.settle(delivery, 'accepted')
  else delivery.consumer!.settle(delivery, outcome.kind as Outcome, detailOf(outcome))
}

/** Whoever has a delivery of this protocol unsettled is a link. Undefined: it has ended. */
function linkOf({ consumer }: Delivery): ConsumerLink | undefined {
  return consumer?.sink as ConsumerLink | undefined
}
