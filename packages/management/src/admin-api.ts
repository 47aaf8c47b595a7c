/** Every call of the admin API with what does it, put together. */
import { actionsHandlers } from './actions.ts'
import { auditHandlers, type AuditLog } from './audit.ts'
import { connectionHandlers } from './connections.ts'
import { consumerHandlers } from './consumers.ts'
import { deadLettersHandlers } from './dead-letters.ts'
import { definitionHandlers, type DefinitionParts } from './definition-parts.ts'
import type { Bound } from './handlers.ts'
import { listenerHandlers } from './listeners.ts'
import type { ManagedBroker } from './managed-broker.ts'
import { messagesHandlers } from './messages.ts'
import { Messaging, messagingHandlers } from './messaging/messaging.ts'
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

export class AdminApi {
  /** All calls but those of the login, which is the server's. */
  readonly handlers: readonly Bound[]
  readonly #close: () => void

  constructor(broker: ManagedBroker, definitions: DefinitionParts, audit: AuditLog) {
    const sampler = new Sampler(broker)
    const operations = new Operations(broker.vhost.env)
    const messaging = new Messaging(broker.vhost)
    this.handlers = [
      ...overviewHandlers(broker, sampler),
      ...streamHandlers(broker, sampler, operations),
      ...listenerHandlers(broker),
      ...connectionHandlers(broker),
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
    this.#close = () => {
      sampler.close()
      operations.close()
      messaging.close()
    }
  }

  /** Nothing is sampled any more, long work stops, and what was taken over HTTP goes back. */
  close(): void {
    this.#close()
  }
}
