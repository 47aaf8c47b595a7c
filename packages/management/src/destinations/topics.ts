/** The tree of topics, one level at a time. */
import { listTopics, type Page, PAGE_LIMIT_DEFAULT, type TopicNode, type TopicQuery } from '@ternmq/api'
import { topicsBelow, type VirtualHost } from '@ternmq/core'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { cursorAt, placeAt } from '../paging.ts'
import { vhostOf } from '../vhost.ts'

export function topicHandlers(broker: ManagedBroker): Bound[] {
  return [bind(listTopics, ({ params, query }) => list(vhostOf(broker, params), query))]
}

function list(vhost: VirtualHost, { parent, cursor, limit = PAGE_LIMIT_DEFAULT }: TopicQuery): Page<TopicNode> {
  const listName = `topics ${parent ?? ''}`
  const after = placeAt(listName, cursor)
  const page = topicsBelow(vhost, {
    parent: parent === undefined ? [] : parent.split('/'),
    after: after?.toString(),
    limit,
  })
  return {
    items: page.nodes.map(({ name, topic, hasChildren, bindingCount, isRetained }) => ({
      name,
      topic,
      hasChildren,
      subscriptionCount: bindingCount,
      retained: isRetained,
    })),
    ...(page.cursor !== undefined && { next: cursorAt(listName, page.cursor) }),
  }
}
