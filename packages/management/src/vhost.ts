/** The virtual host that a call names. */
import type { VhostParams } from '@ternmq/api'
import type { VirtualHost } from '@ternmq/core'
import { ApiError } from './errors.ts'
import type { ManagedBroker } from './managed-broker.ts'

/** Throws ApiError('VHOST_UNKNOWN') for any but the one that there is. */
export function vhostOf({ vhost }: ManagedBroker, { vhost: name }: VhostParams): VirtualHost {
  if (name === vhost.name) return vhost
  const detail = `there is no virtual host '${name}'; only '${vhost.name}' exists, in a path it is written %2F`
  throw new ApiError('VHOST_UNKNOWN', detail, { field: 'vhost', value: name, rule: vhost.name })
}
