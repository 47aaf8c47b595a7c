/** Ten thousand of everything: what each list and filter takes, over HTTP, as a page of the console asks for it. */
import {
  DEFAULT_VHOST,
  getOverview,
  listConnections,
  listConsumers,
  listQueues,
  listSessions,
  listSubscriptions,
} from '@ternmq/api'

import { BenchApi, type Times } from './api.ts'
import type { Crowd } from './crowd.ts'

const CALLS = 30
const VHOST = { vhost: DEFAULT_VHOST }

export interface ListTime extends Times {
  readonly list: string
}

export interface Lists {
  /** The first call of all: what answers is loaded for it. */
  readonly firstMs: number
  readonly times: readonly ListTime[]
}

export async function measureLists({ broker }: Crowd): Promise<Lists> {
  using api = new BenchApi(broker)
  const time: BenchApi['time'] = (route, input, count) => api.time(route, input, count)
  const { medianMs: firstMs } = await time(getOverview, {}, 1)
  const times = [
    { list: 'overview', ...(await time(getOverview, {}, CALLS)) },
    { list: 'queues by name', ...(await time(listQueues, { params: VHOST }, CALLS)) },
    {
      list: 'queues, the fullest first',
      ...(await time(listQueues, { params: VHOST, query: { sort: '-readyCount' } }, CALLS)),
    },
    {
      list: 'queues with "7.9" in their name',
      ...(await time(listQueues, { params: VHOST, query: { q: '7.9' } }, CALLS)),
    },
    {
      list: 'queues with a problem',
      ...(await time(listQueues, { params: VHOST, query: { unhealthy: true } }, CALLS)),
    },
    {
      list: 'connections, the busiest first',
      ...(await time(listConnections, { query: { sort: '-messagesIn' } }, CALLS)),
    },
    { list: 'connections with "99" in their name', ...(await time(listConnections, { query: { q: '99' } }, CALLS)) },
    { list: 'connections with a problem', ...(await time(listConnections, { query: { unhealthy: true } }, CALLS)) },
    { list: 'sessions', ...(await time(listSessions, { params: VHOST, query: { sort: '-waitingCount' } }, CALLS)) },
    { list: 'subscriptions', ...(await time(listSubscriptions, { params: VHOST }, CALLS)) },
    {
      list: 'who would get a message',
      ...(await time(listSubscriptions, { params: VHOST, query: { topic: 'bench/1/state' } }, CALLS)),
    },
    { list: 'consumers', ...(await time(listConsumers, { params: VHOST }, CALLS)) },
  ]
  return { firstMs, times }
}
