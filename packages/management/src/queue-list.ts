/** The queues that an operator sees: those with a name, and those that the members of a shared subscription have together. */
import { bindingKey, NamedQueue, type SharedGroup, type VirtualHost } from '@ternmq/core'
import { ApiError } from './errors.ts'
import { filterLevels, filterText } from './pattern-text.ts'
import { queueUnknown } from './vhost.ts'

export type ListedQueue = Pick<NamedQueue, 'name' | 'queue' | 'binding' | 'automatic' | 'given' | 'subscription'>

const SHARE_PREFIX = '$share/'

export function* listedQueues({ destinations, shared }: VirtualHost): Generator<ListedQueue> {
  yield* destinations.all()
  for (const group of shared.all()) yield listedGroup(group)
}

/** A shared subscription is called as MQTT writes it: `$share/GROUP/FILTER`. Throws ApiError('QUEUE_UNKNOWN'); never makes one. */
export function listedQueueOf(vhost: VirtualHost, name: string): ListedQueue {
  const listed = findListed(vhost, name)
  if (listed === undefined) throw queueUnknown(name)
  return listed
}

export function findListed({ name: vhost, destinations, shared }: VirtualHost, name: string): ListedQueue | undefined {
  if (!name.startsWith(SHARE_PREFIX)) return destinations.find(name)
  const at = name.indexOf('/', SHARE_PREFIX.length)
  if (at < 0) return undefined
  const levels = filterLevels(name.slice(at + 1))
  const key = bindingKey(name.slice(SHARE_PREFIX.length, at), { vhost, kind: 'topic', levels })
  const queue = shared.find(key)
  return queue === undefined ? undefined : listedGroup({ queue, binding: { pattern: levels, queue, assuranceMax: 2, exceptFrom: undefined, data: {} } })
}

/** Throws ApiError of QUEUE_UNKNOWN, and CONFLICT for the queue of a shared subscription, which is as its members make it. */
export function ownedQueueOf(vhost: VirtualHost, name: string): NamedQueue {
  const listed = listedQueueOf(vhost, name)
  if (listed instanceof NamedQueue) return listed
  const detail = `queue '${name}' is that of a shared subscription: it is there as long as somebody has subscribed, and only purged; end its subscribers instead`
  throw new ApiError('CONFLICT', detail, { field: 'queue', value: name })
}

export function isShared({ name }: ListedQueue): boolean {
  return name.startsWith(SHARE_PREFIX)
}

function listedGroup({ queue, binding }: SharedGroup): ListedQueue {
  return { name: `${queue.name}/${filterText(binding.pattern)}`, queue, binding, automatic: true, given: {}, subscription: undefined }
}
