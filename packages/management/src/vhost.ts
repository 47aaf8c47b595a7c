/** The virtual host that a call names, and the queue. */
import type { VhostParams } from '@ternmq/api'
import type { NamedQueue, VirtualHost } from '@ternmq/core'
import { ApiError } from './errors.ts'
import type { ManagedBroker } from './managed-broker.ts'

/** Throws ApiError('VHOST_UNKNOWN') for any but the one that there is. */
export function vhostOf({ vhost }: ManagedBroker, { vhost: name }: VhostParams): VirtualHost {
  if (name === vhost.name) return vhost
  const detail = `there is no virtual host '${name}'; only '${vhost.name}' exists, in a path it is written %2F`
  throw new ApiError('VHOST_UNKNOWN', detail, { field: 'vhost', value: name, rule: vhost.name })
}

/** Throws ApiError('QUEUE_UNKNOWN'); never makes one. */
export function queueOf({ destinations }: VirtualHost, name: string): NamedQueue {
  const named = destinations.find(name)
  if (named !== undefined) return named
  throw queueUnknown(name)
}

export function queueUnknown(name: string): ApiError {
  const detail = `there is no queue '${name}'; the list of queues has those that there are`
  return new ApiError('QUEUE_UNKNOWN', detail, { field: 'queue', value: name })
}
