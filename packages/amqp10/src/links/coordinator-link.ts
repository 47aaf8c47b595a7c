/** A link on which a client begins and ends transactions. [AMQP10 §4.1-4.3] */
import type { Producer, PublishOwner } from '@ternmq/core'
import { type CoordinatorCommand, decodeCoordinatorCommand } from '../codec/decode-control.ts'
import { encodeState, rejectedState } from '../codec/encode-state.ts'
import { AmqpFault } from '../codec/faults.ts'
import type { Attach, DeliveryState } from '../codec/performatives.ts'
import type { AmqpSession } from '../session.ts'
import { InboundLink, Settling } from './inbound-link.ts'

/** Several at a time, each known in all sessions of its connection. [AMQP10-4.5.1-a, AMQP10-4.5.7-a] */
export const COORDINATOR_CAPABILITIES: readonly string[] = ['amqp:local-transactions', 'amqp:multi-txns-per-ssn', 'amqp:multi-ssns-per-txn']

export class CoordinatorLink extends InboundLink implements PublishOwner {
  /** The order of its commits. Those of another link, which may be another session of an application, are in none with them. */
  readonly commits: Producer

  constructor(session: AmqpSession, attach: Attach) {
    super(session, attach)
    this.commits = session.connection.session.openProducer(this)
  }

  /** Commits tell by themselves. */
  onPublishSettled(): void {}

  get producer(): undefined {
    return undefined
  }

  protected onDelivery(deliveryId: number, settling: Settling, _state: DeliveryState | undefined, bytes: Uint8Array, start: number, end: number): void {
    if (settling === Settling.bySender) {
      throw new AmqpFault('link', 'amqp:not-allowed', 'a message to the coordinator must not be settled: its outcome is the answer', 'AMQP10-4.2-a')
    }
    const settles = settling === Settling.withOutcome
    const { connection } = this.session
    const { transactions } = connection
    const command = readCommand(bytes, start, end)
    if (command.kind === 'declare') {
      if (command.hasGlobalId) return this.#reject(deliveryId, settles, 'amqp:not-implemented', 'declare: global-id is of distributed transactions, which are not offered')
      const begun = transactions.declare(this)
      if (!begun.ok) return this.#reject(deliveryId, settles, 'amqp:resource-limit-exceeded', begun.detail.text)
      return this.session.conclude(deliveryId, settles, encodeState({ kind: 'declared', transactionId: begun.value }))
    }
    for (const session of connection.sessions()) {
      if (!session.hasUnfinished(command.transactionId)) continue
      throw new AmqpFault('link', 'amqp:transaction:rollback', 'discharge: a delivery of the transaction has begun and not ended; it is rolled back', 'AMQP10-4.4.1-c')
    }
    this.pendingCount++
    transactions.discharge(this, command.transactionId, command.fail, (refusal) => {
      this.pendingCount--
      if (this.isDetaching || this.session.connection.isEnded) return
      if (refusal === undefined) this.session.accept(deliveryId, settles)
      else this.#reject(deliveryId, settles, refusal.condition, refusal.text)
      this.renewCredit()
    })
  }

  #reject(deliveryId: number, settles: boolean, condition: AmqpFault['condition'], text: string): void {
    if (!this.takesRejected) return this.session.detach(this, new AmqpFault('link', condition, text, 'AMQP10-4.2-c'))
    this.session.conclude(deliveryId, settles, rejectedState(condition, text))
  }

  /** What is open is rolled back: nobody could end it any more. [AMQP10 §4.1] */
  protected onEnd(): void {
    this.session.connection.transactions.endOf(this)
  }
}

/** What is no command ends the link that it came on, and nothing else. */
function readCommand(bytes: Uint8Array, start: number, end: number): CoordinatorCommand {
  try {
    return decodeCoordinatorCommand(bytes, start, end)
  } catch (error) {
    if (!(error instanceof AmqpFault)) throw error
    throw new AmqpFault('link', error.condition, error.message, error.clause)
  }
}
