/** Every call of the admin API with what does it, put together. */
import { type OperationItem, several } from '@ternmq/api'
import { actionsHandlers, CutOffAction } from './actions.ts'
import { type AuditEntry, auditHandlers, type AuditLog } from './audit.ts'
import { connectionHandlers } from './connections.ts'
import { consumerHandlers } from './consumers.ts'
import { deadLettersHandlers } from './dead-letters.ts'
import { definitionHandlers, type DefinitionParts } from './definition-parts.ts'
import type { Bound } from './handlers.ts'
import { listenerHandlers } from './listeners.ts'
import type { ManagedBroker } from './managed-broker.ts'
import { messagesHandlers } from './messages.ts'
import { Messaging, messagingHandlers } from './messaging/messaging.ts'
import type { OperationRecords } from './operation-records.ts'
import { Operations, operationsHandlers } from './operations.ts'
import { overviewHandlers } from './overview.ts'
import { queueHandlers } from './queues.ts'
import { retainedHandlers } from './retained.ts'
import { Sampler } from './sampler.ts'
import { scheduleHandlers } from './schedules.ts'
import { sessionHandlers } from './sessions.ts'
import { streamHandlers } from './stream.ts'
import { subscriptionHandlers } from './subscriptions.ts'
import { topicHandlers } from './topics.ts'

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
