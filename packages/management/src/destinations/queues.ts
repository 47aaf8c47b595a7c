/** Queues: what is in them, and what an operator does with them. */
import {
  deleteQueue,
  getQueue,
  listQueues,
  pauseQueue,
  type Purged,
  purgeQueue,
  putQueue,
  type QueueDetail,
  type QueueItem,
  type QueueParams,
  type QueueQuery,
  resumeQueue,
  type Page,
  several,
} from '@ternmq/api'
import {
  isReservedName,
  isTemporary,
  type NamedQueue,
  oldestAgesMs,
  oldestLsn,
  purge,
  type Queue,
  stuckBecause,
  type VirtualHost,
} from '@ternmq/core'
import { consumersOf } from '../clients/consumers.ts'
import { ApiError } from '../errors.ts'
import { bind, type Bound, type Caller } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { checkMayManage } from '../messages/message-access.ts'
import { whenLasting } from '../lasting.ts'
import { type Listing, pageInPieces, PageMaker } from '../paging.ts'
import { filterText } from './pattern-text.ts'
import { addressOfListed, isShared, type ListedQueue, listedQueueOf, listedQueues, ownedQueueOf } from './queue-list.ts'
import { effectiveSettings, fromCoreSettings, toCoreSettings } from './queue-settings.ts'
import { refused } from '../refused.ts'
import type { Sampler } from '../broker/sampler.ts'
import { vhostOf } from '../vhost.ts'
import { whenMayLead } from './ways-out.ts'

export function queueHandlers(broker: ManagedBroker, sampler: Sampler): Bound[] {
  const look = new QueueLook(broker, sampler)
  const listed = (params: QueueParams): ListedQueue => listedQueueOf(vhostOf(broker, params), params.queue)
  const owned = (params: QueueParams): NamedQueue => ownedQueueOf(vhostOf(broker, params), params.queue)
  const mayManage = ({ params, caller }: { readonly params: QueueParams; readonly caller: Caller }): void =>
    checkMayManage(broker, addressOfListed(params.queue), caller)
  return [
    bind(listQueues, ({ params, query }) => look.list(vhostOf(broker, params), query)),
    bind(getQueue, ({ params }) => look.detail(listed(params))),
    bind(putQueue, async (request) => {
      const { params, body, caller } = request
      const vhost = vhostOf(broker, params)
      const before = vhost.destinations.find(params.queue)
      const { settings = {} } = body
      mayManage(request)
      const made = await whenMayLead(broker, params.queue, settings, caller, () =>
        defineQueue(vhost, params.queue, settings),
      )
      request.note(before === undefined ? 'made the queue' : 'changed its settings')
      await whenLasting(vhost)
      return look.detail(made)
    }),
    bind(deleteQueue, async (request) => {
      mayManage(request)
      const gone = await remove(vhostOf(broker, request.params), owned(request.params), request.query)
      request.note(`deleted it with ${several(gone.count, 'message')}`)
      return gone
    }),
    bind(purgeQueue, async (request) => {
      mayManage(request)
      const purged = await purge(vhostOf(broker, request.params), listed(request.params).queue)
      if (!purged.ok) throw refused(purged.detail, { field: 'queue' })
      request.note(`purged ${several(purged.value.count, 'message')}`)
      return purged.value
    }),
    bind(pauseQueue, async (request) => {
      mayManage(request)
      const queue = owned(request.params)
      broker.vhost.destinations.setPaused(queue, true)
      await whenLasting(broker.vhost)
      return look.item(queue)
    }),
    bind(resumeQueue, async (request) => {
      mayManage(request)
      const queue = owned(request.params)
      broker.vhost.destinations.setPaused(queue, false)
      await whenLasting(broker.vhost)
      return look.item(queue)
    }),
  ]
}

/** Queues as they are shown. Looking makes nothing and changes nothing. */
class QueueLook {
  readonly #broker: ManagedBroker
  readonly #sampler: Sampler
  readonly #listing: Listing<ListedQueue>

  constructor(broker: ManagedBroker, sampler: Sampler) {
    this.#broker = broker
    this.#sampler = sampler
    this.#listing = {
      key: ({ name }) => name,
      sorts: {
        name: ({ name }) => name,
        readyCount: ({ queue }) => queue.waitingCount,
        readyBytes: ({ queue }) => queue.waitingBytes,
        inflightCount: (listed) => inflightOf(listed),
        delayedCount: ({ queue }) => queue.contents.delayedCount,
        oldestAgeMs: ({ queue }) => ageRank(queue),
        consumerCount: ({ queue }) => queue.consumers.length,
        messagesIn: ({ queue }) => queue.messagesIn,
        messagesOut: ({ queue }) => queue.messagesOut,
        droppedCount: ({ queue }) => queue.droppedCount,
        deadLetteredCount: ({ queue }) => queue.deadLetteredCount,
        inPerSecond: (listed) => sampler.ratesOfQueue(listed.queue)?.inPerSecond ?? 0,
        outPerSecond: (listed) => sampler.ratesOfQueue(listed.queue)?.outPerSecond ?? 0,
      },
      sortDefault: 'name',
      texts: ({ name }) => [name],
    }
  }

  async list(vhost: VirtualHost, query: QueueQuery): Promise<Page<QueueItem>> {
    this.#sampler.ask()
    const { kind, deadLetters, nonEmpty, unhealthy } = query
    const targets = this.#deadLetterTargets()
    const wants = (listed: ListedQueue): boolean =>
      (kind === undefined || kindOf(listed) === kind) &&
      (deadLetters === undefined || targets.has(listed.name) === deadLetters) &&
      (nonEmpty !== true || listed.queue.waitingCount > 0 || listed.queue.inflightCount > 0) &&
      (unhealthy !== true || stuckBecause(listed.queue, targets.has(listed.name)) !== undefined)
    const maker = new PageMaker(query, this.#listing, wants)
    const page = await pageInPieces(vhost.env.clock, listedQueues(vhost), (listed) => [listed], maker)
    const ages = await oldestAgesMs(
      vhost,
      page.items.map(({ queue }) => queue),
    )
    return { ...page, items: page.items.map((listed, index) => this.#item(listed, targets, ages[index])) }
  }

  async item(listed: ListedQueue): Promise<QueueItem> {
    const [oldestAgeMs] = await oldestAgesMs(this.#broker.vhost, [listed.queue])
    return this.#item(listed, this.#deadLetterTargets(), oldestAgeMs)
  }

  async detail(listed: ListedQueue): Promise<QueueDetail> {
    this.#sampler.ask()
    return {
      ...(await this.item(listed)),
      settings: fromCoreSettings(listed.given),
      effective: effectiveSettings(listed, this.#broker.vhost.policies),
      bindings: listed.binding === undefined ? [] : [filterText(listed.binding.pattern)],
      consumers: consumersOf(listed),
    }
  }

  #item(listed: ListedQueue, targets: ReadonlySet<string>, oldestAgeMs: number | undefined): QueueItem {
    const { queue, name, automatic } = listed
    const isDeadLetter = targets.has(name)
    const problem = stuckBecause(queue, isDeadLetter)
    return {
      name,
      kind: kindOf(listed),
      durability: this.#durabilityOf(listed),
      automatic,
      paused: queue.isPaused,
      blocking: queue.isBlocking,
      readyCount: queue.waitingCount,
      readyBytes: queue.waitingBytes,
      inflightCount: inflightOf(listed),
      delayedCount: queue.contents.delayedCount,
      ...(oldestAgeMs !== undefined && { oldestAgeMs }),
      consumerCount: queue.consumers.length,
      messagesIn: queue.messagesIn,
      messagesOut: queue.messagesOut,
      settledCount: queue.settledCount,
      redeliveredCount: queue.redeliveredCount,
      deadLetteredCount: queue.deadLetteredCount,
      expiredCount: queue.expiredCount,
      droppedCount: queue.droppedCount,
      ...this.#sampler.ratesOfQueue(listed.queue),
      deadLetter: queue.settings.deadLetter ?? '',
      isDeadLetter,
      ...(problem !== undefined && { problem }),
    }
  }

  /** The memory engine gives no more, whatever the settings ask for. */
  #durabilityOf({ queue }: ListedQueue): string {
    return queue.number === 0 || this.#broker.settings.config.store.engine === 'memory'
      ? 'memory'
      : queue.settings.durability
  }

  /** Names of queues that others send to what they cannot deliver. */
  #deadLetterTargets(): Set<string> {
    const targets = new Set<string>()
    for (const { queue } of this.#broker.vhost.destinations.all()) {
      const { deadLetter } = queue.settings
      if (deadLetter !== undefined) targets.add(deadLetter)
    }
    return targets
  }
}

function kindOf(listed: ListedQueue): QueueItem['kind'] {
  const { name, subscription } = listed
  if (subscription !== undefined || isShared(listed)) return 'subscription'
  return isTemporary(name) ? 'temporary' : 'queue'
}

/** Higher for the older ones, as ages are: the order of the log says it without a look at when that was. */
function ageRank(queue: Queue): number {
  const lsn = oldestLsn(queue)
  return lsn === 0 ? Number.MIN_SAFE_INTEGER : -lsn
}

/** With consumers or in a transaction; those that wait for their next attempt are counted apart. */
function inflightOf({ queue }: ListedQueue): number {
  return queue.inflightCount - queue.contents.delayedCount
}

/** Throws ApiError('INVALID') for a name that no protocol could say, and for those of the broker. Of the others the core knows what cannot be. */
export function checkQueueName(name: string, field = 'queue'): void {
  if (isReservedName(name)) {
    const detail = `queue '${name}' is the broker's own: names that start with '$' are made by subscribing; choose another name`
    throw new ApiError('INVALID', detail, { field, value: name, rule: "does not start with '$'" })
  }
  if (name.isWellFormed() && !name.includes('\0')) return
  const rule = 'no U+0000, and no half of a surrogate pair alone'
  throw new ApiError('INVALID', `a queue's name has ${rule}: no client could say it`, { field, value: name, rule })
}

/** Throws ApiError for a name or settings that cannot be. */
export function defineQueue(
  { destinations }: VirtualHost,
  name: string,
  settings: Parameters<typeof toCoreSettings>[0],
): NamedQueue {
  checkQueueName(name)
  const defined = destinations.define({ name, settings: toCoreSettings(settings) })
  if (defined.ok) return defined.value
  throw refused(defined.detail, { field: defined.detail.refusal === 'mismatch' ? 'settings' : 'queue' })
}

/** Resolves with what went with it when that lasts. */
async function remove(
  vhost: VirtualHost,
  named: NamedQueue,
  { ifEmpty, ifUnused }: { ifEmpty?: boolean | undefined; ifUnused?: boolean | undefined },
): Promise<Purged> {
  const { destinations } = vhost
  const { name, queue } = named
  if (isTemporary(name)) {
    throw new ApiError(
      'CONFLICT',
      `queue '${name}' is temporary: it goes with the connection that made it; close that instead`,
      { field: 'queue', value: name },
    )
  }
  if (ifUnused === true && queue.consumers.length > 0) {
    throw new ApiError(
      'CONFLICT',
      `queue '${name}' is being read, consumers: ${queue.consumers.length}; end them first, or leave out ifUnused`,
      { field: 'ifUnused', value: true },
    )
  }
  const count = ifEmpty === true ? await destinations.deleteIfEmpty(named) : 0
  if (count > 0) {
    throw new ApiError(
      'CONFLICT',
      `queue '${name}' has ${several(count, 'message')}; purge it first, or leave out ifEmpty`,
      {
        field: 'ifEmpty',
        value: true,
      },
    )
  }
  destinations.delete(named)
  await whenLasting(vhost)
  return queue.gone
}
