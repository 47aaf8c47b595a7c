/**
 * Where a dead letter has been: `originalQueue` is the queue that it died in last, `earlierQueues` are all before it, as JSON. Who may look
 * into all of them may see it, so that none may be forgotten on the way.
 */
import { isReservedName, queueNameOf } from '../routing/address.ts'
import type { Message, MessageExtras } from '../message/message.ts'

/** Queues before the last one; what has been in more is seen by whoever may browse everything. */
export const EARLIER_QUEUES_MAX = 8

/** In place of the queues, where there were more. */
const TOO_MANY = 'too many'

type Annotations = NonNullable<MessageExtras['annotations']>

/** What is to be said of a message with these that dies once more. */
export function earlierOrigins(before: Annotations | undefined): Annotations {
  const last = before?.['originalQueue']
  if (before === undefined || last === undefined) return {}
  const earlier = earlierQueuesOf(before)
  if (earlier?.includes(String(last)) === true) return {} // it goes round
  const isAll = earlier !== undefined && earlier.length < EARLIER_QUEUES_MAX
  return { earlierQueues: isAll ? JSON.stringify([...earlier, last]) : TOO_MANY }
}

/**
 * In core form, none of what is no dead letter; undefined where nobody knows all of them. The queue of a subscription has no permissions of
 * its own: what counts is the topic that the message came by.
 */
export function originsOf({ extras }: Pick<Message, 'extras'>): readonly string[] | undefined {
  const annotations = extras?.annotations
  if (annotations === undefined) return []
  const { originalQueue, originalAddress } = annotations
  const earlier = earlierQueuesOf(annotations)
  if (earlier === undefined) return undefined
  return [...(originalQueue === undefined ? [] : [String(originalQueue)]), ...earlier].flatMap((queue) => {
    if (!isReservedName(queueNameOf(queue) ?? '')) return [queue]
    return originalAddress === undefined ? [] : [String(originalAddress)]
  })
}

function earlierQueuesOf({ earlierQueues }: Annotations): readonly string[] | undefined {
  if (earlierQueues === undefined) return []
  try {
    const queues: unknown = JSON.parse(String(earlierQueues))
    return Array.isArray(queues) && queues.every((queue) => typeof queue === 'string') ? queues : undefined
  } catch {
    return undefined // TOO_MANY, or whatever a publisher called so
  }
}
