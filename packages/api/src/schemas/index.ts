/** What the server checks calls against, by route. A browser imports the routes alone and has none of this. */
import type { AnyRoute } from '../route.ts'
import type { RouteSchemas, SchemaEntry } from './fields.ts'
import { accessSchemas } from './access.ts'
import { connectionSchemas } from './connections.ts'
import { definitionSchemas } from './definitions.ts'
import { messageSchemas } from './messages.ts'
import { messagingSchemas } from './messaging.ts'
import { overviewSchemas } from './overview.ts'
import { queueSchemas } from './queues.ts'
import { storeSchemas } from './store.ts'
import { topicSchemas } from './topics.ts'

export type { RouteSchemas } from './fields.ts'

const entries: readonly SchemaEntry[] = [
  ...overviewSchemas,
  ...queueSchemas,
  ...messageSchemas,
  ...messagingSchemas,
  ...topicSchemas,
  ...connectionSchemas,
  ...accessSchemas,
  ...definitionSchemas,
  ...storeSchemas,
]
const byId: ReadonlyMap<string, RouteSchemas> = new Map(entries.map(([route, schemas]) => [route.id, schemas]))

/** Every call of the API. */
export const routes: readonly AnyRoute[] = entries.map(([route]) => route)

/** Throws RangeError for a route that is none of ours. */
export function schemasOf(route: Pick<AnyRoute, 'id'>): RouteSchemas {
  const schemas = byId.get(route.id)
  if (schemas === undefined) throw new RangeError(`route '${route.id}' has no schemas; add them to schemas/`)
  return schemas
}
