/** What an operator asks a running broker about addresses: which queues and topics exist. */
import { queueNameOf, type VirtualHost } from '@ternmq/core'

/** Names in one request. */
const NAMES_MAX = 256

/** One request of `ternmq resolve`, as it goes over the admin socket. */
export interface AddressRequest {
  readonly op: 'address.exist'
  /** In core form: `a/b`, `$queue/NAME`. */
  readonly names: readonly string[]
}

/** For each name whether it exists: a queue is there, a topic has a subscriber or a retained message. */
export function existenceOf({ names }: AddressRequest, vhost: VirtualHost): readonly boolean[] {
  return names.map((name) => {
    const queue = queueNameOf(name)
    return queue === undefined ? topicExists(name, vhost) : vhost.destinations.find(queue) !== undefined
  })
}

function topicExists(name: string, { router, retained }: VirtualHost): boolean {
  const route = router.routeOf(name)
  router.resolve(route)
  return route.targets.length > 0 || retained.get(route.levels) !== undefined
}

/** Whether what came over the socket is a request for `existenceOf`. */
export function isAddressRequest(value: unknown): value is AddressRequest {
  const { op, names } = (typeof value === 'object' ? (value ?? {}) : {}) as Record<string, unknown>
  if (op !== 'address.exist' || !Array.isArray(names) || names.length > NAMES_MAX) return false
  return names.every((name) => typeof name === 'string')
}
