/** Where clients connect. */
import { listListeners } from '@ternmq/api'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'

export function listenerHandlers(broker: ManagedBroker): Bound[] {
  return [bind(listListeners, () => ({ items: broker.listeners() }))]
}
