/** Every call of the admin API with what does it, put together. */
import { type OperationItem, several } from '@ternmq/api'
import { actionsHandlers, CutOffAction } from './operations/actions.ts'
import { type AuditEntry, auditHandlers, type AuditLog } from './audit/audit.ts'
import { connectionHandlers } from './clients/connections.ts'
import { consumerHandlers } from './clients/consumers.ts'
import { deadLettersHandlers } from './messages/dead-letters.ts'
import { definitionHandlers, type DefinitionParts } from './definitions/definition-parts.ts'
import type { Bound } from './handlers.ts'
import { listenerHandlers } from './broker/listeners.ts'
import type { ManagedBroker } from './managed-broker.ts'
import { messagesHandlers } from './messages/messages.ts'
import { Messaging, messagingHandlers } from './http-messaging/messaging.ts'
import type { OperationRecords } from './operations/operation-records.ts'
import { Operations, operationsHandlers } from './operations/operations.ts'
import { overviewHandlers } from './broker/overview.ts'
import { queueHandlers } from './destinations/queues.ts'
import { retainedHandlers } from './destinations/retained.ts'
import { Sampler } from './broker/sampler.ts'
import { scheduleHandlers } from './destinations/schedules.ts'
import { sessionHandlers } from './clients/sessions.ts'
import { streamHandlers } from './stream/stream.ts'
import { subscriptionHandlers } from './clients/subscriptions.ts'
import { topicHandlers } from './destinations/topics.ts'

export interface AdminApiParts {
  readonly definitions: DefinitionParts
  readonly audit: AuditLog
  readonly records: OperationRecords
}

export class AdminApi {
  /** All calls but those of the login, which is the server's. */
  readonly handlers: readonly Bound[]
  readonly #close: () => Promise<void>

  constructor(broker: ManagedBroker, { definitions, audit, records }: AdminApiParts) {
    const sampler = new Sampler(broker)
    const operations = new Operations({ env: broker.vhost.env, records, onEnded: (item) => audit.record(endOf(item)) })
    operations.restore((record) => new CutOffAction(broker, record))
    const messaging = new Messaging(broker.vhost)
    this.handlers = [
      ...overviewHandlers(broker, sampler),
      ...streamHandlers(broker, sampler, operations),
      ...listenerHandlers(broker),
      ...connectionHandlers(broker, sampler),
      ...sessionHandlers(broker),
      ...subscriptionHandlers(broker),
      ...queueHandlers(broker, sampler),
      ...consumerHandlers(broker),
      ...messagesHandlers(broker),
      ...actionsHandlers(broker, operations),
      ...operationsHandlers(operations),
      ...deadLettersHandlers(broker),
      ...messagingHandlers(broker, messaging),
      ...topicHandlers(broker),
      ...retainedHandlers(broker),
      ...scheduleHandlers(broker),
      ...definitionHandlers(broker, definitions),
      ...auditHandlers(audit),
    ]
    this.#close = async () => {
      sampler.close()
      messaging.close()
      await operations.close()
    }
  }

  /** Nothing is sampled any more, long work stops and is written down, and what was taken over HTTP goes back. */
  close(): Promise<void> {
    return this.#close()
  }
}

/** The call that began it has been answered long since: this is what came of it. */
function endOf({ id, action, queue, target, user, state, doneCount, reason }: OperationItem): AuditEntry {
  const to = target === undefined ? '' : ` to queue '${target}'`
  const because = reason === undefined ? '' : `: ${reason}`
  return {
    user,
    action: 'operations.end',
    target: queue,
    outcome: state === 'failed' ? 'failed' : 'done',
    detail: `${action}${to}, operation ${id}: ${state} after ${several(doneCount, 'message')}${because}`,
    address: '',
    by: 'none',
  }
}
