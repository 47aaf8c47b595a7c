/** What is to be sent later, or again and again. */
import { cancelSchedule, type ListQuery, listSchedules, type Page, type ScheduleItem } from '@ternmq/api'
import type { ScheduledInfo, VirtualHost } from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { type Listing, mapPage, pageInPieces, PageMaker } from '../paging.ts'
import { vhostOf } from '../vhost.ts'

export function scheduleHandlers(broker: ManagedBroker): Bound[] {
  return [
    bind(listSchedules, ({ params, query }) => list(vhostOf(broker, params), query)),
    bind(cancelSchedule, async ({ params, note }) => {
      const vhost = vhostOf(broker, params)
      const { id, address } = scheduledOf(vhost, params.id)
      await cancel(vhost, id)
      note(`took back a message to '${address}'`)
      return {}
    }),
  ]
}

const LISTING: Listing<ScheduledInfo> = {
  key: ({ id }) => String(id),
  sorts: {
    nextAtMs: ({ dueAtMs }) => dueAtMs,
    address: ({ address }) => address,
  },
  sortDefault: 'nextAtMs',
  texts: ({ address, user = '' }) => [address, user],
}

async function list(vhost: VirtualHost, query: ListQuery): Promise<Page<ScheduleItem>> {
  return mapPage(
    await pageInPieces(
      vhost.env.clock,
      vhost.schedule.all(),
      (scheduled) => [scheduled],
      new PageMaker(query, LISTING),
    ),
    itemOf,
  )
}

function itemOf({ id, address, user, dueAtMs, cron, periodMs, repeats, durable }: ScheduledInfo): ScheduleItem {
  const isEndless = cron !== undefined || (repeats === undefined && periodMs !== undefined)
  return {
    id: String(id),
    address,
    user: user ?? '',
    nextAtMs: dueAtMs,
    cron: cron ?? '',
    periodMs: periodMs ?? 0,
    left: isEndless ? null : (repeats ?? 1),
    durable,
  }
}

/** Throws ApiError('SCHEDULE_UNKNOWN'). */
function scheduledOf({ schedule }: VirtualHost, text: string): ScheduledInfo {
  const found = /^-?[1-9]\d{0,15}$/.test(text) ? schedule.find(Number(text)) : undefined
  if (found !== undefined) return found
  throw unknown(text)
}

function unknown(id: string): ApiError {
  const detail = `there is no scheduled message '${id}': it has been sent or taken back, or it never was there`
  return new ApiError('SCHEDULE_UNKNOWN', detail, { field: 'id', value: id })
}

/** Resolves when that lasts. Throws ApiError of SCHEDULE_UNKNOWN when its last copy is on its way, STORE_FAILED when the log does not take it. */
function cancel({ schedule }: VirtualHost, id: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const isThere = schedule.cancel(id, (isDone) => {
      if (isDone) resolve()
      else
        reject(
          new ApiError(
            'STORE_FAILED',
            `scheduled message '${id}' is still there: the store did not take its end; give the disk room and try again`,
          ),
        )
    })
    if (!isThere) reject(unknown(String(id)))
  })
}
