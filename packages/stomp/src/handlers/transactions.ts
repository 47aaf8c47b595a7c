/** BEGIN, COMMIT and ABORT. Several may be open at once; what happens in one happens with its COMMIT, or not at all. */
import type { Transaction } from '@ternmq/core'
import { HeaderId } from '../codec/header-ids.ts'
import type { FrameHeaders } from '../codec/headers.ts'
import { quote } from '../codec/problem.ts'
import type { StompConnection } from '../connection.ts'
import { receiptOf } from '../receipts.ts'
import { Refused, required } from '../refused.ts'

/** Between BEGIN and COMMIT or ABORT. */
export interface OpenTransaction {
  readonly transaction: Transaction
  /** Of the messages that it settles; bounded as its operations are. */
  readonly tags: number[]
}

/** [STOMP12-BEGIN-a] */
export function handleBegin(client: StompConnection, headers: FrameHeaders): void {
  const name = required(headers, HeaderId.transaction, 'transaction', 'STOMP12-BEGIN-a')
  if (client.transactions.has(name)) {
    throw new Refused(headers, `transaction ${quote(name)} has begun already; commit or abort it, or take another name`, 'STOMP12-BEGIN-c')
  }
  const begun = client.session.beginTransaction(client.producer, () => onTimedOut(client, name))
  if (!begun.ok) throw new Refused(headers, begun.detail.text)
  client.transactions.set(name, { transaction: begun.value, tags: [] })
  client.timedOut.delete(name)
  client.unfinished.confirm(headers)
}

/** Names remembered of transactions that were open for too long; beyond it the oldest is forgotten. */
const TIMED_OUT_MAX = 64

/**
 * Nothing of it happens, and what it settled is with the client still, as after ABORT. The client hears when it goes on with it: one that
 * has forgotten it does all else well.
 */
function onTimedOut(client: StompConnection, name: string): void {
  const { transactions, timedOut } = client
  putBack(client, transactions.get(name)!.tags)
  transactions.delete(name)
  timedOut.add(name)
  if (timedOut.size > TIMED_OUT_MAX) timedOut.delete(timedOut.values().next().value!)
}

/** The receipt says that all of it is in the log. [STOMP12-COMMIT-a] */
export function handleCommit(client: StompConnection, headers: FrameHeaders): void {
  const { transaction, tags } = taken(client, headers)
  const receipt = receiptOf(headers)
  const finished = client.unfinished.begin()
  transaction.commit((refusal) => {
    if (!client.isClosed) {
      if (refusal !== undefined) client.refuseFor(refusal, 'COMMIT', receipt)
      else {
        for (const tag of tags) client.held.delete(tag)
        if (receipt !== undefined) client.unfinished.confirmLater(receipt)
      }
    }
    finished()
  })
}

/** What it settled is with the client still, to be settled again. [STOMP12-ABORT-a] */
export function handleAbort(client: StompConnection, headers: FrameHeaders): void {
  const { transaction, tags } = taken(client, headers)
  transaction.rollback()
  putBack(client, tags)
  client.unfinished.confirm(headers)
}

/** What went back with its subscription is not there any more. */
function putBack({ held }: StompConnection, tags: readonly number[]): void {
  const bySubscription = Map.groupBy(tags, (tag) => held.get(tag)?.subscription)
  for (const [subscription, own] of bySubscription) subscription?.putBack(own)
}

/** The transaction that a SEND, ACK or NACK belongs to; undefined where it names none. */
export function transactionOf(client: StompConnection, headers: FrameHeaders): OpenTransaction | undefined {
  const name = headers.get(HeaderId.transaction)
  return name === undefined ? undefined : open(client, headers, name)
}

/** The transaction ends with this frame. */
function taken(client: StompConnection, headers: FrameHeaders): OpenTransaction {
  const name = required(headers, HeaderId.transaction, 'transaction', 'STOMP12-COMMIT-a')
  const transaction = open(client, headers, name)
  client.transactions.delete(name)
  return transaction
}

function open(client: StompConnection, headers: FrameHeaders, name: string): OpenTransaction {
  const transaction = client.transactions.get(name)
  if (transaction !== undefined) return transaction
  if (client.timedOut.has(name)) throw new Refused(headers, timedOutText(client, name))
  const known = [...client.transactions.keys()].slice(0, SHOWN_MAX).map(quote).join(', ')
  const hint = known === '' ? 'none is open; send BEGIN first' : `open are ${known}`
  throw new Refused(headers, `transaction ${quote(name)} has not begun, or is over; ${hint}`, 'STOMP12-COMMIT-a')
}

function timedOutText({ adapter }: StompConnection, name: string): string {
  const { transactionAgeMaxMs } = adapter.vhost.limits
  return `transaction ${quote(name)} was rolled back, it was open for longer than limits.transactionAgeMaxMs ${transactionAgeMaxMs}; nothing of it has happened, do it again`
}

/** Names of open transactions in one error. */
const SHOWN_MAX = 5
