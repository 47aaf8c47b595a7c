/** The queues that an operator sees: those with a name, and those that the members of a shared subscription have together. */
import { bindingKey, NamedQueue, type PatternLevel, type Queue, QUEUE_PREFIX, type VirtualHost } from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { filterLevels, filterText } from './pattern-text.ts'
import { queueUnknown } from '../vhost.ts'

export interface ListedQueue extends Pick<NamedQueue, 'name' | 'queue' | 'automatic' | 'given' | 'subscription'> {
  /** What comes into it from topics. */
  readonly binding: { readonly pattern: readonly PatternLevel[] } | undefined
}

const SHARE_PREFIX = '$share/'

export function* listedQueues({ destinations, shared }: VirtualHost): Generator<ListedQueue> {
  yield* destinations.all()
  for (const { queue, binding } of shared.all()) yield listedGroup(queue, binding.pattern)
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
  return queue === undefined ? undefined : listedGroup(queue, levels)
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

/** In core form, or as it is of a shared subscription. */
export function addressOfListed(name: string): string {
  return name.startsWith(SHARE_PREFIX) ? name : QUEUE_PREFIX + name
}

function listedGroup(queue: Queue, pattern: readonly PatternLevel[]): ListedQueue {
  const name = `${queue.name}/${filterText(pattern)}`
  return { name, queue, binding: { pattern }, automatic: true, given: {}, subscription: undefined }
}
