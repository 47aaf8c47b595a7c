/** What is on disk. */
import { getStore } from '@ternmq/api'
import { bind, type Bound } from './handlers.ts'
import type { ManagedBroker } from './managed-broker.ts'

export function storeHandlers(broker: ManagedBroker): Bound[] {
  return [bind(getStore, () => broker.store())]
}
