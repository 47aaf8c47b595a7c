/**
 * The rules of one queue beside turns and priorities: message groups, last values, and consumers that refused a message for
 * themselves. The queue makes it when one of them first applies and drops it when it `isIdle` and nothing is in the queue any more.
 *
 * Groups. The first message of a group goes to the consumer with the fewest groups among those that can take it; it owns the group
 * until it leaves or the group ends with a message that says so. An owner that is not connected keeps its groups as it keeps what it
 * has not settled. A message of a group whose owner's selector does not match it waits until the owner leaves. A message that waits
 * for its next attempt does not hold up its group.
 */
import type { Message } from '../message/message.ts'
import type { Consumer } from './consumer.ts'
import type { Delivery } from './delivery.ts'
import { GroupTable } from './group-table.ts'
import { LastValues, type LastValuesHost } from './last-values.ts'
import type { WaitingLine } from './line.ts'
import type { Selection } from './selection.ts'
import type { QueueSettings } from './settings.ts'

export class Rules implements Selection {
  readonly #host: LastValuesHost
  #settings: QueueSettings
  /** Made when the first message of a group comes. */
  #groups: GroupTable<Consumer> | undefined = undefined
  #lastValues: LastValues | undefined = undefined
  #hasRefusals = false

  constructor(host: LastValuesHost, settings: QueueSettings) {
    this.#host = host
    this.#settings = settings
    this.use(settings)
  }

  get isChoosing(): boolean {
    return this.#groups !== undefined || this.#hasRefusals
  }

  get isIdle(): boolean {
    if (this.#lastValues !== undefined) return false
    return this.#groups === undefined || (this.#groups.groupCount === 0 && this.#groups.sharedCount === 0)
  }

  /** What waits takes part in a rule that is new. Of a rule that is gone nothing is left. */
  use(settings: QueueSettings): void {
    this.#settings = settings
    this.#groups?.use(settings.groupsMax)
    if (settings.lastValueKey === this.#lastValues?.name) return
    this.#lastValues?.close()
    this.#lastValues = settings.lastValueKey === undefined ? undefined : new LastValues(this.#host, settings.lastValueKey)
    this.#lastValues?.scan()
  }

  heedGroups(): void {
    this.#groups ??= new GroupTable(this.#settings.groupsMax)
  }

  heedRefusals(): void {
    this.#hasRefusals = true
  }

  /** Hot path of queues with groups. */
  wants(consumer: Consumer, { message }: Delivery): boolean {
    const groupId = message.extras?.groupId
    if (groupId === undefined) return true
    const owner = this.#groups?.ownerOf(groupId)
    return owner === undefined || owner === consumer
  }

  beginsGroup({ message }: Delivery): boolean {
    const groupId = message.extras?.groupId
    return groupId !== undefined && this.#groups?.ownerOf(groupId) === undefined
  }

  fewestGroups(consumers: readonly Consumer[]): Consumer | undefined {
    return this.#groups?.leastLoaded(consumers) ?? consumers[0]
  }

  onChosen(consumer: Consumer, { message }: Delivery): boolean {
    const { groupId, groupEnds } = message.extras ?? {}
    if (groupId === undefined || this.#groups === undefined) return false
    if (groupEnds === true) return this.#groups.close(groupId)
    this.#groups.assign(groupId, consumer)
    return false
  }

  onConsumerGone(consumer: Consumer): void {
    this.#groups?.release(consumer)
  }

  onWaiting(message: Message, line: WaitingLine, position: number): void {
    this.#lastValues?.onWaiting(message, line, position)
  }

  isReplaced(entry: Delivery): boolean {
    return this.#lastValues?.isReplaced(entry) ?? false
  }

  onRestored(): void {
    this.#lastValues?.scan()
  }
}
