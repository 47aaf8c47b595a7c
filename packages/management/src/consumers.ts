/** Who reads from which queue. */
import type { ConsumerItem } from '@ternmq/api'
import type { NamedQueue } from '@ternmq/core'

export function consumersOf({ name, queue }: NamedQueue): ConsumerItem[] {
  return queue.consumers.map(({ priority, exclusive, selector, isAttached, unsettledCount }) => ({
    queue: name,
    clientId: '',
    user: '',
    protocol: '',
    attached: isAttached,
    credit: 0,
    unsettledCount,
    priority,
    exclusive,
    browsing: false,
    ...(selector !== undefined && { selector: selector.text }),
  }))
}
